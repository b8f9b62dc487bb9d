"""What a person is told of how a training is spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainkit.framework import tf
from trainkit.training.scale.team import Team

_NAMES = {"_DefaultDistributionStrategy": "OneDevice", "OneDeviceStrategy": "OneDevice"}


def name_of(strategy: Any) -> str:
    """The name of a strategy in a config."""
    name = type(strategy).__name__
    return _NAMES.get(name, name.removesuffix("Strategy").replace("CollectiveAllReduce", "MultiWorkerMirrored"))


def facts_of(strategy: Any, *, batch_size: int) -> dict[str, Any]:
    """As manifest.json has it."""
    counts = {"workers": Team(strategy).count, "replicas": strategy.num_replicas_in_sync}
    return {
        "name": name_of(strategy),
        **counts,
        "batch": batch_size,
        "batch_of_a_replica": _of_a_replica(strategy, batch_size),
    }


def line_of(strategy: Any, *, batch_size: int) -> str:
    """Strategy, replicas and batches.

    Args:
        strategy: A `tf.distribute.Strategy`.
        batch_size: Samples of a batch, of all replicas together.
    """
    replicas, team = strategy.num_replicas_in_sync, Team(strategy)
    if replicas == 1:
        return f"strategy: {name_of(strategy)}, 1 replica; batch: {batch_size:,}"
    workers = f"{team.count} workers (this is {team.index}), " if team.count > 1 else ""
    share = _of_a_replica(strategy, batch_size)
    batches = f"batch: {batch_size:,} in all, {share} a replica"
    return f"strategy: {name_of(strategy)}, {workers}{replicas} replicas; {batches}"


def lines_of(model: Any, *, batch_size: int) -> Iterator[str]:
    """The same of the strategy of a model, and what is not as it would be on one device."""
    strategy = model.distribute_strategy
    replicas = strategy.num_replicas_in_sync
    yield line_of(strategy, batch_size=batch_size)
    if replicas == 1:
        return
    if replicas > batch_size:
        yield f"note: a batch has {batch_size} samples, so {replicas - batch_size} of the replicas have nothing to do"
    if names := _unsynchronized(model):
        told = f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}"
        how = "normalizes each replica's part of a batch by itself; with `synchronized: true` the whole batch"
        yield f"note: BatchNormalization {told} {how}"


def _of_a_replica(strategy: Any, batch_size: int) -> str:
    least, rest = divmod(batch_size, strategy.num_replicas_in_sync)
    return f"{least:,} or {least + 1:,}" if rest else f"{least:,}"


def _unsynchronized(model: Any) -> list[str]:
    """The layers of batch normalization that learn, and see only a part of each batch."""
    found = []
    for layer in model._flatten_layers(include_self=False):
        is_normalization = isinstance(layer, tf.keras.layers.BatchNormalization)
        if is_normalization and layer.trainable and not getattr(layer, "synchronized", False):
            found.append(layer.name)
    return found
