"""Compile and fit: a config becomes a run directory with a trained model."""

from trainkit.training.fit import fit
from trainkit.training.prepare import Prepared, load_splits, prepare

__all__ = ["Prepared", "fit", "load_splits", "prepare"]
