"""What the operations of a written .tflite say of it: whether it runs without TensorFlow, and on a GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trainkit.deploy.gpu_delegate import refusal
from trainkit.deploy.operations import read_operations


def operation_facts(filepath: Path) -> dict[str, Any]:
    """Count the operations of a .tflite, and tell what stands in its way.

    Args:
        filepath: A file that LiteRT has opened; of what is no .tflite nothing is told.

    Returns:
        `operations`, how many of each; `foreign`, those that are not TensorFlow Lite's own; `gpu`: of how many
        `operations` the GPU delegate takes how many, and what it has against those that are `refused`. They are told
        with the layers of Keras that they are of, as far as the file knows them.
    """
    if filepath.suffix != ".tflite":
        return {}
    operations = read_operations(filepath.read_bytes())
    outside = [operation for operation in operations if operation.subgraph == 0]  # the body of a loop is not looked at
    refused = [operation for operation in outside if refusal(operation)]
    return {
        "operations": dict(sorted(Counter(operation.name for operation in operations).items())),
        "foreign": _distinct(str(operation) for operation in operations if operation.is_custom),
        "gpu": {
            "operations": len(outside),
            "taken": len(outside) - len(refused),
            "refused": _distinct(f"{operation}: {refusal(operation)}" for operation in refused),
        },
    }


def operation_faults(facts: Mapping[str, Any]) -> list[str]:
    """What is wrong with a file that an app needs more for than TensorFlow Lite: a sentence, or none."""
    foreign = facts.get("foreign", ())
    return [f"operations that are not TensorFlow Lite's own expected: none, found: {', '.join(foreign)}."] * bool(
        foreign
    )


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
