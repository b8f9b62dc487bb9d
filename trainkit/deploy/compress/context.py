"""What every compression step is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.result import Promise


def _no_gradients(model: Any, variables: Sequence[Any], batches: int) -> Iterable[list[np.ndarray]]:
    raise NotImplementedError("this context has no loss")


def _made_now(name: str, make: Callable[[], Any]) -> Any:
    return make()


@dataclass(frozen=True)
class CompressionContext:
    """What every compression step is told besides the model.

    Args:
        fine_tune: `fine_tune(model, *, epochs, callbacks)`: train a model, in place, with the data, loss and metrics of
            the run; outputs are known by their position.
        steps_per_epoch: Training steps of an epoch.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        promises: What earlier steps promised, and has to hold after this one.
        gradients: `gradients(model, variables, batches)`: those of the loss by variables, on each of so many batches of
            training samples, when the model answers as in inference.
        once: `once(name, make)`: what `make` gives, ready for JSON; a step that goes on after it was stopped gets what
            it was given before.
    """

    fine_tune: Callable[..., None]
    steps_per_epoch: int
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    promises: tuple[Promise, ...] = ()
    gradients: Callable[[Any, Sequence[Any], int], Iterable[list[np.ndarray]]] = _no_gradients
    once: Callable[[str, Callable[[], Any]], Any] = _made_now

    def train(self, model: Any, *, epochs: int, callbacks: Sequence[Any] = ()) -> None:
        """Fine-tune a model in place."""
        self.fine_tune(model, epochs=epochs, callbacks=list(callbacks))
