"""Whether the compression steps of a configuration can hold together, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from trainkit.config.document import Document, KeyPath
from trainkit.config.settings import Deploy, Experiment
from trainkit.errors import Problem


def check_compression(experiment: Experiment, document: Document) -> list[Problem]:
    """All problems of steps that stand in an order, or beside exports, where one would undo the other."""
    return [document.problem(path, message) for path, message in _problems(experiment.deploy)]


def _problems(deploy: Deploy) -> Iterator[tuple[KeyPath, str]]:
    names = [node.class_name for node in deploy.compress]
    for index, name in enumerate(names):
        path = ("deploy", "compress", index)
        if name == "Quantize" and index + 1 < len(names):
            yield path, f"Quantize must come last: {names[index + 1]} after it would undo its rounding."
        if name == "EntropyPenalty" and index + 1 < len(names):
            yield path, f"EntropyPenalty must come last: {names[index + 1]} after it would move weights off their grid."
        if name == "EntropyPenalty" and "Cluster" in names[:index]:
            yield path, "EntropyPenalty must not come after Cluster: what it trains would no longer share values."
        if name == "Cluster" and 1 in (deploy.compress[index].arguments.get("layers") or {}).values():
            yield (*path, name, "layers"), "must give 2 and more clusters, or 0 to leave a layer alone. Received: 1."
        if name == "Prune" and "Cluster" in names[:index]:
            yield path, "Prune must come before Cluster: what it trains would no longer share values."
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


def _is_int8(arguments: dict[str, object]) -> bool:
    return arguments.get("precision") == "int8"
