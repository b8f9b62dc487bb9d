"""Pruning by what it may cost: each round as much as a budget allows before anything makes up for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.masks import Masked
from trainkit.deploy.compress.sensitivity import measure_sensitivity, thin_within
from trainkit.framework import tf


class Budget(tf.keras.callbacks.Callback):
    """Prunes before the first epoch of each round.

    Args:
        kernels: What is masked.
        least: The accuracy on validation samples that a round must leave before its training.
        epochs: Of a round.
        context: What every compressor is told.
    """

    def __init__(self, kernels: Sequence[Masked], *, least: float, epochs: int, context: CompressionContext) -> None:
        super().__init__()
        self._kernels, self._least, self._epochs, self._context = kernels, least, epochs, context
        self._supports_tf_logs = True
        self.rounds: list[dict[str, Any]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Choose the zeros of a round, unless a training that goes on has done some of its steps."""
        is_begun = int(self.model._train_counter) != epoch * self._context.steps_per_epoch
        if epoch % self._epochs or is_begun:
            return
        sensitivity = measure_sensitivity(self.model, self._kernels, self._context)
        thin_within(self.model, self._kernels, sensitivity, least=self._least, context=self._context)
        zeros = {one.layer: round(float(1 - one.mask.numpy().mean()), 4) for one in self._kernels}
        found = {"sparsity": zeros, "accuracy": self._context.measure(self.model).accuracy}
        self.rounds[epoch // self._epochs :] = [found | {"sensitivity": sensitivity.to_json()}]

    def get_state(self) -> dict[str, Any]:
        """What was found."""
        return {"rounds": self.rounds}

    def set_state(self, state: dict[str, Any]) -> None:
        """Give it back."""
        self.rounds = state["rounds"]
