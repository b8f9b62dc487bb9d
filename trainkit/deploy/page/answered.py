"""What the page needs of the samples that files are proved on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Answered(Protocol):
    """Samples, and the answers of the model that was trained; `Proof` is one."""

    @property
    def sha256(self) -> str:
        """Of the model's file."""

    @property
    def inputs(self) -> Mapping[str, np.ndarray]:
        """Samples by input name, shape `(samples, …)`."""

    @property
    def targets(self) -> Mapping[str, np.ndarray]:
        """What is right, by output name."""

    @property
    def outputs(self) -> Mapping[str, np.ndarray]:
        """What the model answers, by output name."""

    @property
    def data(self) -> Mapping[str, Any]:
        """What an app has to know of inputs and outputs."""

    @property
    def samples(self) -> int:
        """How many there are."""

    @property
    def of_model(self) -> tuple[float | None, dict[str, dict[str, float]]]:
        """The accuracy of the model, and what was measured of each output."""
