"""What every exporter is told besides the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
        config_sha256: Of the config that the model was trained by, or nothing where there is none.
    """

    name: str
    classes: tuple[str, ...] | None
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    version: str
    data: Mapping[str, Any] = field(default_factory=dict)
    config_sha256: str = ""

    @property
    def producer(self) -> str:
        """Who writes the file."""
        return f"TrainKit {self.version}"

    def classes_of(self, outputs: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Class names by output, of those outputs that are classes."""
        told = self.data.get("outputs", {})
        found = {name: tuple(told[name]["classes"]) for name in outputs if told.get(name, {}).get("classes")}
        if not found and self.classes is not None and len(outputs) == 1:
            return {outputs[0]: self.classes}
        return found

    def to_json(self) -> dict[str, Any]:
        """What a file is told to hold of its origin and of its inputs and outputs."""
        known = {"name": self.name, "producer": self.producer, "version": self.version}
        if self.config_sha256:
            known["config_sha256"] = self.config_sha256
        return {**known, "data": self.data} if self.data else known

    def to_texts(self) -> dict[str, str]:
        """The same for a format whose metadata are texts: what is none is written as JSON."""
        told = self.to_json()
        return {key: x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for key, x in told.items()}
