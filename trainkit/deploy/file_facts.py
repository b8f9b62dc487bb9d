"""What the operations of a written .tflite say of it: whether it runs without TensorFlow, and on a GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainkit.deploy.export.operations import CASTS
from trainkit.deploy.gpu_delegate import refusal
from trainkit.deploy.operations import Operation, read_operations
from trainkit.inference.tflite_graph import TFLiteGraph


def operation_facts(graph: TFLiteGraph, layers: Sequence[str] | None = None) -> dict[str, Any]:
    """Count the operations of a .tflite, and tell what stands in its way.

    Args:
        graph: A file that LiteRT has opened.
        layers: The layer of Keras that each operation is of; by default as far as the file tells.

    Returns:
        `operations`, how many of each; `foreign`, those that are not TensorFlow Lite's own; `gpu`: of how many
        `operations` the GPU delegate takes how many, and what it has against those that are `refused`;
        `float_operations`, those that compute with real numbers. They are told with their layers.
    """
    operations = read_operations(graph, layers)
    outside = [operation for operation in operations if operation.subgraph == 0]  # the body of a loop is not looked at
    refused = [operation for operation in outside if refusal(operation)]
    return {
        "operations": dict(sorted(Counter(operation.kind for operation in operations).items())),
        "foreign": _distinct(str(operation) for operation in operations if operation.is_custom),
        "gpu": {
            "operations": len(outside),
            "taken": len(outside) - len(refused),
            "refused": _distinct(f"{operation}: {refusal(operation)}" for operation in refused),
        },
        "float_operations": [_told(operation) for operation in outside if _is_float(operation)],
    }


def operation_faults(facts: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file that an app needs more for than TensorFlow Lite: a sentence, or none."""
    foreign = facts.get("foreign", ())
    return [f"operations that are not TensorFlow Lite's own expected: none, found: {', '.join(foreign)}."] * bool(
        foreign
    )


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _is_float(operation: Operation) -> bool:
    types = {tensor.dtype for tensor in (*operation.inputs, *operation.outputs)}
    return operation.kind not in CASTS and any(dtype.startswith(("float", "bfloat")) for dtype in types)


def _told(operation: Operation) -> str:
    """The words of `TFLitePredictor.facts`, which knows no model."""
    names = [tensor.name for tensor in operation.outputs]
    place = f"layer {operation.layer!r}" if operation.layer or not names else f"tensor {names[0]!r}"
    return f"{operation.kind} of {place}"
