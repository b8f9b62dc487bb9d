"""Compile and fit: a config becomes a run directory with a trained model."""

from trainkit.training.fit import fit
from trainkit.training.prepare import Prepared, prepare

__all__ = ["Prepared", "fit", "prepare"]
