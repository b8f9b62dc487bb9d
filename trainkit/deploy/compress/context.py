"""What every compression step is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.config import Distill
from trainkit.deploy.compress.result import Promise


@dataclass(frozen=True)
class CompressionContext:
    """What every compression step is told besides the model.

    Args:
        fine_tune: `fine_tune(model, *, epochs, callbacks)`: train a model, in place, with the data, loss and metrics of
            the run, and with `distill` by another teacher; outputs are known by their position.
        steps_per_epoch: Training steps of an epoch.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        promises: What earlier steps promised, and has to hold after this one.
    """

    fine_tune: Callable[..., None]
    steps_per_epoch: int
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    promises: tuple[Promise, ...] = ()

    def train(self, model: Any, *, epochs: int, callbacks: Sequence[Any] = (), distill: Distill | None = None) -> None:
        """Fine-tune a model in place; `distill` names another teacher than that of all steps."""
        further = {} if distill is None else {"distill": distill}
        self.fine_tune(model, epochs=epochs, callbacks=list(callbacks), **further)
