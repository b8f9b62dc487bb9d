"""What every compression step is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from trainkit.deploy.compress.result import Promise


class Measurement(NamedTuple):
    """How good a model is.

    Args:
        loss: The mean over the samples, without regularization.
        accuracy: Share of right answers; with several outputs the mean of those that are classes, or None.
    """

    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class CompressionContext:
    """What every compression step is told besides the model.

    Args:
        fine_tune: `fine_tune(model, *, epochs, callbacks)`: train a model, in place, with the data, loss and metrics of
            the run; outputs are known by their position.
        steps_per_epoch: Training steps of an epoch.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        validate: `validate(model, samples)`: measure a model on so many validation samples, or on all of them for None;
            on training samples where there are none. The same samples are taken each time.
        promises: What earlier steps promised, and has to hold after this one.
    """

    fine_tune: Callable[..., None]
    steps_per_epoch: int
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    validate: Callable[[Any, int | None], Measurement]
    promises: tuple[Promise, ...] = ()

    def train(self, model: Any, *, epochs: int, callbacks: Sequence[Any] = ()) -> None:
        """Fine-tune a model in place."""
        self.fine_tune(model, epochs=epochs, callbacks=list(callbacks))

    def measure(self, model: Any, *, samples: int | None = None) -> Measurement:
        """Loss and accuracy on validation samples: what choices are made by."""
        return self.validate(model, samples)
