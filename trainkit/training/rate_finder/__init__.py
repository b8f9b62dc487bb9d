"""`trainkit lr-finder`: the learning-rate range test, its picture, and where the rate that it suggests is written."""

from trainkit.training.rate_finder.curve import RateCurve
from trainkit.training.rate_finder.find import check_has_rate, find_learning_rate
from trainkit.training.rate_finder.report import print_curve, write_curve

__all__ = ["RateCurve", "check_has_rate", "find_learning_rate", "print_curve", "write_curve"]
