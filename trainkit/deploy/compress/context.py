"""What every compression step is told besides the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from trainkit.config import Distill
from trainkit.deploy.compress.result import Promise
from trainkit.errors import InputError


class Measurement(NamedTuple):
    """How good a model is.

    Args:
        loss: The mean over the samples, without regularization.
        accuracy: Share of right answers; with several outputs the mean of those that are classes, or None.
    """

    loss: float
    accuracy: float | None


def _no_gradients(model: Any, variables: Sequence[Any], batches: int) -> Iterable[list[np.ndarray]]:
    raise NotImplementedError("this context has no loss")


def _made_now(name: str, make: Callable[[], Any]) -> Any:
    return make()


@dataclass(frozen=True)
class CompressionContext:
    """What every compression step is told besides the model.

    Args:
        fine_tune: `fine_tune(model, *, epochs, callbacks)`: train a model, in place, with the data, loss and metrics of
            the run, and with `distill` by another teacher; outputs are known by their position.
        steps_per_epoch: Training steps of an epoch.
        calibration: Number of samples to real training samples: one sample a batch, float32, by input name.
        validate: `validate(model, samples)`: measure a model on so many validation samples, or on all of them for None;
            on training samples where there are none. The same samples are taken each time.
        promises: What earlier steps promised, and has to hold after this one.
        gradients: `gradients(model, variables, batches)`: those of the loss by variables, on each of so many batches of
            training samples, when the model answers as in inference.
        once: `once(name, make)`: what `make` gives, ready for JSON; a step that goes on after it was stopped gets what
            it was given before.
    """

    fine_tune: Callable[..., None]
    steps_per_epoch: int
    calibration: Callable[[int], Iterable[dict[str, np.ndarray]]]
    validate: Callable[[Any, int | None], Measurement]
    promises: tuple[Promise, ...] = ()
    gradients: Callable[[Any, Sequence[Any], int], Iterable[list[np.ndarray]]] = _no_gradients
    once: Callable[[str, Callable[[], Any]], Any] = _made_now

    def train(self, model: Any, *, epochs: int, callbacks: Sequence[Any] = (), distill: Distill | None = None) -> None:
        """Fine-tune a model in place; `distill` names another teacher than that of all steps."""
        further = {} if distill is None else {"distill": distill}
        self.fine_tune(model, epochs=epochs, callbacks=list(callbacks), **further)

    def measure(self, model: Any, *, samples: int | None = None) -> Measurement:
        """Loss and accuracy on validation samples: what choices are made by."""
        return self.validate(model, samples)

    def calibration_arrays(self, samples: int) -> dict[str, np.ndarray]:
        """So many training samples as one array for each input, or as many as there are.

        Raises:
            InputError: If there is none.
        """
        given = list(self.calibration(samples))
        if not given:
            raise InputError("calibration must give at least one training sample. Received: none.")
        return {name: np.concatenate([sample[name] for sample in given]) for name in given[0]}

    def after(self, promises: Iterable[Promise]) -> CompressionContext:
        """The same for a part of a step that comes after another one, which has promised something."""
        return replace(self, promises=(*self.promises, *promises))
