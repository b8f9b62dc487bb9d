"""What every exporter is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ExportContext:
    """What every exporter is told besides the model.

    Args:
        name: Of the experiment.
        classes: Names of the classes in the order of their ids, or None where the target is no class.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        version: Of TrainKit.
        data: How inputs are made and what outputs say, for formats that hold it.
    """

    name: str
    classes: tuple[str, ...] | None
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    version: str
    data: Mapping[str, Any] = field(default_factory=dict)
