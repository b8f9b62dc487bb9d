"""Which layers of a network a target does not run as it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trainkit.models.phone import Need, phone_needs
from trainkit.models.targets.gpu import refused_operations
from trainkit.models.targets.integers import float_operations
from trainkit.models.targets.onnx import missing_operations, unquantized_operations
from trainkit.models.targets.parts import parts_of
from trainkit.models.targets.target import Finding, Lack, Target

_Table = Callable[[Any], Lack | None]
_ONNX: dict[Target, _Table] = {Target.ONNX: missing_operations}
_TABLES: dict[Target, dict[Target, _Table]] = {
    Target.TFLITE: {},
    Target.INT8: {Target.INT8: float_operations},
    Target.GPU: {Target.GPU: refused_operations},
    Target.ONNX: _ONNX,
    Target.ONNX_INT8: _ONNX | {Target.ONNX_INT8: unquantized_operations},
}


def findings(model: Any, target: Target) -> list[Finding]:
    """What a target does not run, or not as it should, a row for each such layer.

    A layer that needs a batch of one is none: its file takes one sample at a time.

    Args:
        model: A `tf.keras.Model`, trained or not.
        target: Where it is to run.
    """
    tables = _TABLES[target]
    found = {} if Target.ONNX in tables else {one.layer: one for one in _of_tflite(model)}
    for layer in model.layers:
        for where, table in tables.items():
            for part in parts_of(layer):
                if layer.name not in found and (lack := table(part)) is not None:
                    name = type(part).__name__
                    found[layer.name] = Finding(where, layer.name, name, lack.operations, lack.cure, lack.rule)
    return [found[layer.name] for layer in model.layers if layer.name in found]


def _of_tflite(model: Any) -> Iterator[Finding]:
    """Layers that no .tflite holds without Flex ops."""
    for need in phone_needs(model):
        if need.need in (Need.FLEX, Need.MISSING):
            cure = (
                "Replace it, or export ONNX or SavedModel." if need.operations else "Replace it, or export SavedModel."
            )
            yield Finding(Target.TFLITE, need.layer, need.class_name, need.operations, cure)
