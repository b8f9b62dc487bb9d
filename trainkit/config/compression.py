"""Whether the compression steps of a configuration can hold together, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from trainkit.config.document import Document, KeyPath
from trainkit.config.settings import Deploy, Experiment
from trainkit.errors import Problem

Told = Iterator[tuple[KeyPath, str]]

PRUNING = ("DeepCompression", "DynamicNetworkSurgery", "Prune")
"""Steps that set weights to 0."""
SHARING = {"Cluster": "layers", "DeepCompression": "layer_clusters"}
"""Steps that let weights share values, and the argument that gives layers numbers of their own."""
PROMISING = (*PRUNING, "Cluster")
"""Steps whose promises others have to keep."""

LAST = {"EntropyPenalty": "would move weights off their grid", "Quantize": "would undo its rounding"}
"""Steps that come last, and what another one after them would do."""

_NO_LONGER = "what it trains would no longer share values."
_TAUGHT = "it trains without keeping what that has promised. `deploy.fine_tune.distill` gives {other} a teacher."

ORDER: tuple[tuple[Collection[str], Collection[str], str], ...] = (
    (PRUNING, SHARING, _NO_LONGER),
    (("EntropyPenalty",), SHARING, _NO_LONGER),
    (("Distill",), PROMISING, _TAUGHT),
    (("PruneFilters",), PROMISING, "what that promises is of kernels of this size."),
    (("LowRank",), PRUNING, "factors have no zeros of their product."),
    (("LowRank",), ("Cluster",), "factors share no values of their product."),
    (("LowRank",), ("PruneFilters",), "what that promises of filters holds for whole kernels."),
)
"""Steps that cannot come after others, and why."""


def check_compression(experiment: Experiment, document: Document) -> list[Problem]:
    """All problems of steps that stand in an order, or beside exports, where one would undo the other."""
    return [document.problem(path, message) for path, message in _problems(experiment.deploy)]


def _problems(deploy: Deploy) -> Told:
    names = [node.class_name for node in deploy.compress]
    for index, node in enumerate(deploy.compress):
        path: KeyPath = ("deploy", "compress", index)
        yield from ((path, told) for told in _problems_of_order(names, index))
        if node.class_name in _ARGUMENTS:
            yield from _ARGUMENTS[node.class_name]((*path, node.class_name), node.arguments)
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


def _problems_of_order(names: list[str], index: int) -> Iterator[str]:
    name, before = names[index], names[:index]
    if name in LAST and index + 1 < len(names):
        yield f"{name} must come last: {names[index + 1]} after it {LAST[name]}."
    for steps, others, reason in ORDER:
        other = next((one for one in before if one in others), None) if name in steps else None
        if other is not None:
            yield f"{name} must not come after {other}: {reason.format(other=other)}"
    if name == "PruneFilters" and name in before:
        yield "PruneFilters must stand once: `rounds` lets filters go step by step."


def _problems_of_counts(path: KeyPath, arguments: Mapping[str, Any]) -> Told:
    argument = SHARING[str(path[-1])]
    if 1 in (arguments.get(argument) or {}).values():
        yield (*path, argument), "must give 2 and more clusters, or 0 to leave a layer alone. Received: 1."


def _problems_of_pruning(path: KeyPath, arguments: Mapping[str, Any]) -> Told:
    if arguments.get("sparsity") != "auto":
        return
    if arguments.get("scope") == "global":
        yield (*path, "scope"), "must be layer where `sparsity` is auto. Received: scope='global'."
    if any((arguments.get("layers") or {}).values()):
        yield (*path, "layers"), "must be 0, to leave layers alone, where `sparsity` is auto."


def _problems_of_filters(path: KeyPath, arguments: Mapping[str, Any]) -> Told:
    rounds, epochs = arguments.get("rounds", 1), arguments.get("epochs", 4)
    if epochs < rounds:
        yield (*path, "epochs"), f"must be at least `rounds`: {rounds}. Received: {epochs}."


def _problems_of_low_rank(path: KeyPath, arguments: Mapping[str, Any]) -> Told:
    given = [key for key in ("rank", "energy", "accuracy_drop") if arguments.get(key) is not None]
    if len(given) > 1 or not (given or arguments.get("layers")):
        told = f"Received: {' and '.join(given) or 'none of them'}."
        yield path[:-1], f"LowRank must have one of rank, energy and accuracy_drop, or `layers` alone. {told}"


def _problems_of_entropy(path: KeyPath, arguments: Mapping[str, Any]) -> Told:
    if arguments.get("bytes") is not None and arguments.get("penalty") == 0:
        yield (*path, "penalty"), "must be above 0 where `bytes` is given: it is what the price of a bit begins with."


_ARGUMENTS: dict[str, Callable[[KeyPath, Mapping[str, Any]], Told]] = {
    "Cluster": _problems_of_counts,
    "DeepCompression": _problems_of_counts,
    "EntropyPenalty": _problems_of_entropy,
    "LowRank": _problems_of_low_rank,
    "Prune": _problems_of_pruning,
    "PruneFilters": _problems_of_filters,
}
"""What is wrong with arguments beside each other, by step."""


def _is_int8(arguments: dict[str, object]) -> bool:
    return arguments.get("precision") == "int8"
