"""Structured pruning: whole filters go, so that what is left is an ordinary, smaller network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from math import floor
from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.filters.channels import Channels, Group
from trainkit.deploy.compress.filters.choice import ROUNDING, candidates, enough, families_of, with_shares
from trainkit.deploy.compress.filters.costs import COUNTS, count_macs, count_parameters, savings_of
from trainkit.deploy.compress.filters.scores import CRITERIA, normalized
from trainkit.deploy.compress.filters.shrink import shrink
from trainkit.deploy.compress.kernels import KERNELS, choose, kernels_of, promise_of
from trainkit.deploy.compress.result import FILTERS, CompressionResult, Promise
from trainkit.errors import InputError
from trainkit.framework import tf

Measure = Literal["filters", "macs", "parameters", "latency", "int8_latency"]
Criterion = Literal["l1", "l2", "batch_norm", "taylor"]
PRECISIONS: dict[str, Literal["float32", "int8"]] = {"latency": "float32", "int8_latency": "int8"}
Removed = Mapping[str, Collection[int]]
"""By layer, positions among its filters, ready for JSON."""


def prune_filters(
    model: Any,
    *,
    remove: Annotated[float, Ge(0), Lt(1)] = 0.5,
    of: Measure = "filters",
    criterion: Criterion = "l2",
    layers: Annotated[dict[str, float] | None, Ge(0), Lt(1)] = None,
    rounds: Annotated[int, Ge(1)] = 1,
    epochs: Annotated[int, Ge(1)] = 4,
    context: CompressionContext,
) -> CompressionResult:
    """Remove the filters, neurons and channels that matter least, and train the others to make up for it.

    Channels that an addition or a multiplication ties go together. What the network is given and gives stays, and so
    does what is not known to be right without some of its channels: inside of recurrent layers and attention, before
    layer normalization, in layers of a user.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        remove: The share that goes of what `of` names.
        of: What is counted: `filters` that could go, `macs`, `parameters`, or the time of one inference on this
            machine: `latency` of the float32 .tflite, `int8_latency` of that of integers.
        criterion: What tells how much a filter matters: `l1` or `l2`, the size of its weights; `batch_norm`, the
            factor that batch normalization gives it; `taylor`, what the loss would change without it, from gradients on
            training samples.
        layers: Shares of their own for patterns of layer names, the first that fits, whatever `remove` says:
            `{head: 0, "stage1.*": 0.3}`; 0 leaves a layer alone. Where layers are tied, the least share holds.
        rounds: In how many steps the filters go; after each the network is trained.
        epochs: Passes over the training samples, of all rounds together: half of them come after the last one.
        context: What every compressor is told.

    Returns:
        A plain, smaller model, and the promise of its filters.

    Raises:
        InputError: If a pattern fits no layer, so much cannot be removed, or there is no epoch for each round.

    Reference:
        Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019, section 3.
    """
    if epochs < rounds:
        raise InputError(f"`epochs` must be at least `rounds`: {rounds}. Received: epochs={epochs!r}.")
    plan = _Plan(model, remove, of, criterion, choose(with_filters(model), None, layers), context)
    plan.check()
    current, lengths = copy_model(model), _lengths(rounds, epochs)
    for number in range(1, rounds + 1):
        removed = context.once(f"round {number}", partial(plan.decide, current, number / rounds))
        channels = Channels(current)
        smaller = shrink(current, channels, _roots(channels, removed))
        context.train(smaller, epochs=lengths[number - 1])
        current = tf.keras.Model(smaller.input, smaller.output, name=smaller.name)  # without what training added
    pruned = copy_model(current)
    return CompressionResult(pruned, tuple(_promises(model, pruned)), _facts(model, pruned))


def with_filters(model: Any) -> list[str]:
    """The names of the layers that a pattern may name: those with a kernel or with filters."""
    return list(dict.fromkeys([*kernels_of(model), *Channels(model).makers()]))


def _lengths(rounds: int, epochs: int) -> list[int]:
    """The epochs after each round: half of them after the last, one at least after each.

    Example:
        >>> _lengths(4, 12), _lengths(3, 3), _lengths(1, 4)
        ([2, 2, 2, 6], [1, 1, 1], [4])
    """
    before = max(rounds - 1, epochs // 2)
    ends = [before * number // max(rounds - 1, 1) for number in range(rounds)]
    return [*(end - begin for begin, end in pairwise(ends)), epochs - ends[-1]]


@dataclass(frozen=True)
class _Plan:
    """What has to go, by the end of the last round.

    Args:
        model: As it was before.
        remove: See `prune_filters`, as for all that follow.
        shares: Of each layer, what goes of its filters; None where it has no share of its own.
    """

    model: Any
    remove: float
    of: str
    criterion: str
    shares: Mapping[str, float | None]
    context: CompressionContext

    @cached_property
    def _channels(self) -> Channels:
        return Channels(self.model)

    @cached_property
    def _sizes(self) -> dict[tuple[str, ...], int]:
        return {makers: len(family) for makers, family in families_of(self._channels.groups()).items()}

    def check(self) -> None:
        """Refuse what cannot be reached, before anything is trained.

        Raises:
            InputError: If nothing can go, or not so much.
        """
        scores, groups = self._scores(self.model, self._channels)
        free = candidates(groups, scores, self.shares)
        fixed = with_shares(groups, scores, self.shares, progress=1.0, sizes=self._sizes)
        if not fixed and not (free and self.remove):
            cure = " batch_norm is for networks with batch normalization." if self.criterion == "batch_norm" else ""
            raise InputError(f"PruneFilters must have filters to remove. Received: none that may go.{cure}")
        if free and self.remove:
            self.context.once("it can be reached", partial(self._check_reached, [*fixed, *free]))

    def _check_reached(self, gone: Collection[int]) -> bool:
        """Whether so much goes with all that may go; times are not measured again where they have once been right."""
        most = self._gone(self.model, self._channels, gone)
        if most < self.remove - ROUNDING:
            told = f"`remove` must be at most {max(0, floor(1000 * most)) / 1000} of the {self.of}"
            why = "each layer keeps a filter, and what is not known keeps all"
            raise InputError(f"{told}: {why}. Received: remove={self.remove!r}.")
        return True

    def decide(self, model: Any, progress: float) -> dict[str, list[int]]:
        """The filters that go next.

        Args:
            model: What is left.
            progress: The part of the work that is done then, up to 1.
        """
        channels = Channels(model)
        scores, groups = self._scores(model, channels)
        fixed = with_shares(groups, scores, self.shares, progress=progress, sizes=self._sizes)
        free = candidates(groups, scores, self.shares) if self.remove else []
        count = enough(
            len(free), lambda count: self._gone(model, channels, [*fixed, *free[:count]]), self.remove * progress
        )
        return _filters(groups, {*fixed, *free[:count]})

    def _scores(self, model: Any, channels: Channels) -> tuple[dict[int, float], list[Group]]:
        groups = channels.groups()
        scores = normalized(CRITERIA[self.criterion](model, channels, self.context), groups)
        if self.of == "filters":
            return scores, groups
        savings = savings_of(model, channels, families_of(groups), COUNTS.get(self.of, count_macs))
        return {root: score / savings[root] for root, score in scores.items()}, groups

    def _gone(self, model: Any, channels: Channels, gone: Collection[int]) -> float:
        """The share that is gone of what the network was, when groups of what is left go."""
        if self.of in COUNTS:
            count = COUNTS[self.of]
            return 1 - count(model, channels, frozenset(gone)) / count(self.model, self._channels, ())
        from trainkit.deploy.compress.filters.latency import latency_ratio

        smaller, precision = shrink(model, channels, gone), PRECISIONS[self.of]
        return 1 - latency_ratio(self.model, smaller, precision=precision, context=self.context)


def _filters(groups: Collection[Group], gone: Collection[int]) -> dict[str, list[int]]:
    """The filters of groups, by layer."""
    removed: dict[str, list[int]] = {}
    for group in groups:
        if group.root in gone:
            for layer, positions in group.filters.items():
                removed.setdefault(layer, []).extend(positions)
    return removed


def _roots(channels: Channels, removed: Removed) -> set[int]:
    """The groups of filters."""
    makers = channels.makers()
    return {
        root
        for layer, positions in removed.items()
        for root in channels.roots(makers[layer].channels)[list(positions)].tolist()
    }


def _promises(before: Any, after: Any) -> list[Promise]:
    """The filters of each layer that has lost some."""
    counts = _counts(before, after)
    return [
        promise_of(after, layer, step="PruneFilters", kind=FILTERS, limit=count[1])
        for layer, count in counts.items()
        if type(after.get_layer(layer)) in KERNELS
    ]


def _counts(before: Any, after: Any) -> dict[str, list[int]]:
    """Filters before and after, of each layer that has lost some."""
    channels = (Channels(model).makers() for model in (before, after))
    first, second = ({layer: len(tie.channels) for layer, tie in makers.items()} for makers in channels)
    return {layer: [count, second[layer]] for layer, count in first.items() if second[layer] < count}


def _facts(before: Any, after: Any) -> dict[str, Any]:
    pairs = [(model, Channels(model)) for model in (before, after)]
    return {
        "filters": _counts(before, after),
        "macs": [int(count_macs(*pair, ())) for pair in pairs],
        "parameters": [count_parameters(*pair, ()) for pair in pairs],
    }
