"""How much of a training follows from its seed."""

from __future__ import annotations

import secrets

from trainkit.config import Experiment
from trainkit.framework import tf


def choose_seed(experiment: Experiment) -> int:
    """The seed of weights, order and random layers: the config's, or with `determinism: off` another in every run."""
    return secrets.randbelow(2**31) if experiment.training.determinism == "off" else experiment.seed


def seed_everything(experiment: Experiment, seed: int) -> None:
    """Seed Python, NumPy and TensorFlow; with `determinism: strict` let TensorFlow compute every bit alike.

    That holds for the process: TensorFlow has no way back from it.
    """
    tf.keras.utils.set_random_seed(seed)
    if experiment.training.determinism == "strict":
        tf.config.experimental.enable_op_determinism()
