"""What every exporter is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ExportContext:
    """What every exporter is told besides the model.

    Args:
        name: Of the experiment.
        classes: Names of the classes in the order of their ids, or None where the target is no class.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        version: Of TrainKit.
    """

    name: str
    classes: tuple[str, ...] | None
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    version: str
