"""Magnitude pruning: the smallest weights become 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Lt

from trainkit.deploy.compress.budget import check_auto, prune_within
from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.kernels import choose, kernels_of, promise_zeros
from trainkit.deploy.compress.masks import Masked, grown, keep_largest, train_masked
from trainkit.deploy.compress.result import CompressionResult, Promise, promised_zeros
from trainkit.errors import InputError
from trainkit.framework import tf

UPDATES = 50
"""How often the weights that become 0 are chosen anew while the sparsity grows."""

GROWING = 0.5
"""Share of the steps of a round in which the sparsity grows; in the others the network recovers."""


def prune(
    model: Any,
    *,
    sparsity: Annotated[float | Literal["auto"], Ge(0), Lt(1)] = 0.5,
    layers: Annotated[dict[str, float] | None, Ge(0), Lt(1)] = None,
    skip_first: bool = False,
    skip_last: bool = False,
    schedule: Literal["polynomial", "constant"] = "polynomial",
    scope: Literal["layer", "global"] = "layer",
    rounds: Annotated[int, Ge(1)] = 1,
    accuracy_drop: Annotated[float, Ge(0)] = 0.5,
    epochs: Annotated[int, Ge(1)] = 2,
    context: CompressionContext,
) -> CompressionResult:
    """Set the smallest weights to 0, and train the others to make up for it.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        sparsity: Share of the values that become 0; one value of each kernel stays at least. With `auto` each kernel
            has a share of its own, found by what its zeros cost: as many as leave the accuracy that the budget asks
            for, before training makes up for them. That is done at the beginning of each round.
        layers: Sparsities of their own for patterns of layer names, the first that fits: `{conv1: 0, "dense*": 0.95}`.
        skip_first: Whether the first layer with a kernel stays as it is, where no pattern names it.
        skip_last: Whether the last one does.
        schedule: `polynomial` lets the sparsity grow, fast at first, until half of the steps are done; `constant` asks
            for all of it from the first step on.
        scope: `layer` makes each kernel as sparse as the others; with `global` one threshold holds for all kernels that
            no pattern names, and `sparsity` is that of all of them together.
        rounds: How often weights are pruned and the others trained: each round leaves the same share of what the one
            before has left.
        accuracy_drop: The budget of `auto`: points of accuracy on the validation samples.
        epochs: Passes over the training samples in each round.
        context: What every compressor is told.

    Returns:
        A plain model, and the promise of its zeros.

    Raises:
        InputError: If a pattern fits no layer, there is nothing to prune, or `auto` does not go with the rest.

    Reference:
        Han et al., Learning both Weights and Connections for Efficient Neural Networks, NIPS 2015, section 3; Zhu and
        Gupta, To prune, or not to prune, 2017, equation 1.
    """
    kernels = kernels_of(model)
    named = layers or {}
    skipped = ([*kernels][:1] if skip_first else []) + ([*kernels][-1:] if skip_last else [])
    patterns = {**named, **{name: 0.0 for name in skipped if name not in named}}
    wanted: dict[str, float | None] = choose(kernels, None, patterns)
    if sparsity == "auto":
        check_auto(named, scope)
        names = [name for name, share in wanted.items() if share is None]
        return prune_within(model, names, accuracy_drop, rounds=rounds, epochs=epochs, context=context)
    groups = _groups(kernels, wanted, sparsity, context.promises, together=scope == "global")
    if not groups:
        raise InputError(f"Prune must have a kernel to prune. Received: none with a sparsity above 0, {sparsity=}.")
    steps = epochs * context.steps_per_epoch
    pruning = _Pruning(groups, rounds, steps, 0 if schedule == "constant" else int(GROWING * steps))
    names = [name for group in groups for name in group.layers]
    pruned = train_masked(model, names, pruning, epochs=rounds * epochs, context=context)
    return CompressionResult(pruned, promise_zeros(pruned, names, step="Prune"))


@dataclass(frozen=True)
class _Group:
    """Kernels that are pruned by one threshold.

    Args:
        layers: Their layers.
        start: Their share of zeros before.
        end: Their share of zeros after.
    """

    layers: tuple[str, ...]
    start: float
    end: float


def _groups(
    kernels: Mapping[str, np.ndarray],
    wanted: Mapping[str, float | None],
    sparsity: float,
    promises: Sequence[Promise],
    *,
    together: bool,
) -> list[_Group]:
    """What is pruned together, never less than was promised before; what stays as it is, is left out."""
    promised = promised_zeros(promises)

    def group(names: Sequence[str], share: float) -> _Group:
        zeros = sum(promised.get(name, 0.0) * kernels[name].size for name in names)
        start = zeros / sum(kernels[name].size for name in names)
        return _Group(tuple(names), start, max(start, share))

    rest = [name for name, own in wanted.items() if own is None]
    several = [rest] if together and rest else [[name] for name in rest]
    own = [group([name], share) for name, share in wanted.items() if share is not None]
    return [one for one in [*own, *(group(names, sparsity) for names in several)] if one.end]


@dataclass(frozen=True)
class _Pruning:
    """Chooses the weights that become 0; those that are stay so.

    Args:
        groups: What is pruned together.
        rounds: How often.
        steps: Training steps of a round.
        growing: In how many of them the sparsity grows.
    """

    groups: Sequence[_Group]
    rounds: int
    steps: int
    growing: int

    def __call__(self, step: Any, kernels: Sequence[Masked]) -> None:
        """Choose them before a step, where it is time to."""
        in_round, last = step % self.steps, min(self.growing, self.steps - 1)
        every = max(1, last // UPDATES)
        is_time = (in_round <= last) & ((in_round % every == 0) | (in_round == last))
        by_name = {one.layer: one for one in kernels}

        def prune_all() -> Any:
            progress = (in_round / last) if last else 1.0
            for group in self.groups:
                share = self._share(group, step // self.steps, progress)
                _prune_together([by_name[name] for name in group.layers], share)
            return step

        tf.cond(is_time, prune_all, lambda: step)

    def _share(self, group: _Group, index: Any, progress: Any) -> Any:
        """How sparse a group is in a round."""
        factor = ((1 - group.end) / (1 - group.start)) ** (1 / self.rounds) if group.start < 1 else 1.0
        before, after = (1 - (1 - group.start) * factor ** tf.cast(done, tf.float64) for done in (index, index + 1))
        return grown(before, after, progress)


def _prune_together(kernels: Sequence[Masked], share: Any) -> None:
    """Set the masks of some kernels, so that a share of all their values is 0, and the largest of each is not."""
    sizes = [tf.reshape(tf.abs(one.weight * one.mask), [-1]) for one in kernels]
    total = sum(int(size.shape[0]) for size in sizes)
    kept = keep_largest(tf.concat(sizes, axis=0), total - tf.cast(tf.round(share * total), tf.int64))
    for one, size, part in zip(kernels, sizes, tf.split(kept, [size.shape[0] for size in sizes]), strict=True):
        largest = tf.one_hot(tf.argmax(size), size.shape[0], dtype=size.dtype) * tf.sign(size)
        one.mask.assign(tf.reshape(tf.maximum(part, largest), one.mask.shape))
