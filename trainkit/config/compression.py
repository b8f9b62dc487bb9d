"""Whether the compression steps of a configuration can hold together, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainkit.config.document import Document, KeyPath
from trainkit.config.settings import Deploy, Experiment
from trainkit.errors import Problem

PRUNING = ("DeepCompression", "DynamicNetworkSurgery", "Prune")
"""Steps that set weights to 0."""
SHARING = {"Cluster": "layers", "DeepCompression": "layer_clusters"}
"""Steps that let weights share values, and the argument that gives layers numbers of their own."""
PROMISING = (*PRUNING, "Cluster")
"""Steps whose promises others have to keep."""


def check_compression(experiment: Experiment, document: Document) -> list[Problem]:
    """All problems of steps that stand in an order, or beside exports, where one would undo the other."""
    return [document.problem(path, message) for path, message in _problems(experiment.deploy)]


def _problems(deploy: Deploy) -> Iterator[tuple[KeyPath, str]]:
    names = [node.class_name for node in deploy.compress]
    for index, name in enumerate(names):
        path = ("deploy", "compress", index)
        if name == "Quantize" and index + 1 < len(names):
            yield path, f"Quantize must come last: {names[index + 1]} after it would undo its rounding."
        counts = SHARING.get(name, "")
        if 1 in (deploy.compress[index].arguments.get(counts) or {}).values():
            yield (*path, name, counts), "must give 2 and more clusters, or 0 to leave a layer alone. Received: 1."
        if name == "Prune" and deploy.compress[index].arguments.get("sparsity") == "auto":
            yield from _problems_of_auto((*path, name), deploy.compress[index].arguments)
        sharing = next((one for one in names[:index] if one in SHARING), None)
        if name in PRUNING and sharing:
            yield path, f"{name} must come before {sharing}: what it trains would no longer share values."
        if name == "Distill" and (weight := deploy.compress[index].arguments.get("weight", 0)) > 1:
            yield (*path, name, "weight"), f"must be at most 1. Received: weight={weight!r}."
        if name == "Distill" and (before := [one for one in names[:index] if one in PROMISING]):
            told = f"Distill must come before {before[0]}: it trains without keeping what that has promised."
            yield path, f"{told} `deploy.fine_tune.distill` gives {before[0]} a teacher."
        if name == "PruneFilters":
            yield from _problems_of_filters(deploy, index)
        if name == "LowRank":
            yield from _problems_of_low_rank(path, deploy.compress[index].arguments, names[:index])
    if "Quantize" in names and not any(_is_int8(node.arguments) for node in deploy.export):
        path = ("deploy", "compress", names.index("Quantize"))
        yield (
            path,
            "Quantize is for files of integers. Put `TFLite: {precision: int8}` or `ONNX: {precision: int8}` in "
            "deploy.export, or leave it out.",
        )
    for index, node in enumerate(deploy.export):
        if "Quantize" in names and node.arguments.get("exclude"):
            yield (
                ("deploy", "export", index, node.class_name, "exclude"),
                "must be left out where deploy.compress has Quantize, which rounds every layer while it trains. Leave "
                "Quantize out: layers are excluded from files whose ranges come from calibration.",
            )


def _problems_of_auto(path: KeyPath, arguments: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    if arguments.get("scope") == "global":
        yield (*path, "scope"), "must be layer where `sparsity` is auto. Received: scope='global'."
    shares = arguments.get("layers")
    if isinstance(shares, dict) and any(shares.values()):
        yield (*path, "layers"), "must be 0, to leave layers alone, where `sparsity` is auto."


def _problems_of_filters(deploy: Deploy, index: int) -> Iterator[tuple[KeyPath, str]]:
    path, before = ("deploy", "compress", index), [node.class_name for node in deploy.compress[:index]]
    arguments = deploy.compress[index].arguments
    for other in PROMISING:
        if other in before:
            yield path, f"PruneFilters must come before {other}: what that promises is of kernels of this size."
    if "PruneFilters" in before:
        yield path, "PruneFilters must stand once: `rounds` lets filters go step by step."
    rounds, epochs = arguments.get("rounds", 1), arguments.get("epochs", 4)
    if epochs < rounds:
        yield (*path, "PruneFilters", "epochs"), f"must be at least `rounds`: {rounds}. Received: {epochs}."


def _problems_of_low_rank(
    path: KeyPath, arguments: Mapping[str, object], before: Sequence[str]
) -> Iterator[tuple[KeyPath, str]]:
    for other in before:
        if other in PRUNING:
            yield path, f"LowRank must come before {other}: factors have no zeros of their product."
        elif other in SHARING:
            yield path, f"LowRank must come before {other}: factors share no values of their product."
    given = [key for key in ("rank", "energy", "accuracy_drop") if arguments.get(key) is not None]
    if len(given) > 1 or not (given or arguments.get("layers")):
        told = f"Received: {' and '.join(given) or 'none of them'}."
        yield path, f"LowRank must have one of rank, energy and accuracy_drop, or `layers` alone. {told}"


def _is_int8(arguments: dict[str, object]) -> bool:
    return arguments.get("precision") == "int8"
