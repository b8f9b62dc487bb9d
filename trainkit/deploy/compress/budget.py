"""Pruning by what it may cost: each round as much as a budget allows before anything makes up for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.kernels import kernels_of, promise_zeros
from trainkit.deploy.compress.masks import Masked, train_masked
from trainkit.deploy.compress.result import CompressionResult, promised_zeros
from trainkit.deploy.compress.sensitivity import measure_sensitivity, thin_within
from trainkit.errors import InputError
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


def check_auto(layers: Mapping[str, float], scope: str) -> None:
    """Refuse arguments that say what the budget is to find.

    Raises:
        InputError: If there are such.
    """
    if scope == "global":
        raise InputError("`scope` must be layer where `sparsity` is auto. Received: scope='global'.")
    for pattern, share in layers.items():
        if share:
            told = f"0, to leave layers alone, where `sparsity` is auto. Received: {pattern!r}: {share}"
            raise InputError(f"`layers` must be {told}.")


def prune_within(
    model: Any, names: Sequence[str], accuracy_drop: float, *, rounds: int, epochs: int, context: CompressionContext
) -> CompressionResult:
    """Prune some kernels as far as a budget allows.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        names: Their layers; others keep the zeros that were promised.
        accuracy_drop: Points of accuracy on the validation samples.
        rounds: How often weights are pruned and the others trained.
        epochs: Passes over the training samples in each round.
        context: What every compressor is told.

    Raises:
        InputError: If there is no kernel, or no output is a class.
    """
    if not names:
        raise InputError("Prune must have a kernel to prune. Received: none that is not left out.")
    before = context.measure(model).accuracy
    if before is None:
        raise InputError("`sparsity` must be a number where no output is a class. Received: sparsity='auto'.")
    promised = promised_zeros(context.promises)
    budgets: list[Budget] = []

    def callbacks(kernels: Sequence[Masked]) -> Sequence[Any]:
        for one in kernels:
            one.mask.assign(tf.cast(one.weight != 0, one.mask.dtype) if one.layer in promised else one.mask)
        chosen = [one for one in kernels if one.layer in names]
        budgets.append(Budget(chosen, least=before - accuracy_drop / 100, epochs=epochs, context=context))
        return budgets

    masked = [name for name in kernels_of(model) if name in names or name in promised]
    pruned = train_masked(
        model, masked, lambda step, kernels: None, epochs=rounds * epochs, context=context, callbacks=callbacks
    )
    facts = {"accuracy_before": before, "rounds": budgets[0].rounds}
    return CompressionResult(pruned, promise_zeros(pruned, masked, step="Prune"), facts)
