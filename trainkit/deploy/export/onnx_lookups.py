"""Lookups in front of an ONNX graph, so that the file takes categories themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.inference.preprocess import Column, Preprocess
from trainkit.inference.steps import Lookup

DOMAIN, VERSION = "ai.onnx.ml", 2
"""The second version knows all that is needed here, and goes with every opset from 11 on."""

_UNKNOWN = 2**31 - 1
"""Stands for an unknown category where there must be none: no table has such a row, so that the file refuses it."""


def ids_name(name: str, preprocess: Preprocess | None) -> str:
    """The name of the tensor that the graph takes where it was converted with another input than the file has."""
    return f"{name}.ids" if preprocess and name in preprocess.inputs else name


def add_lookups(proto: Any, preprocess: Preprocess) -> None:
    """Put a `LabelEncoder` before every input that takes ids, and let the file take the raw column.

    Args:
        proto: An ONNX model whose inputs have the names of `ids_name`; it is changed.
        preprocess: One `Lookup` an input.
    """
    import onnx

    for value in proto.graph.input:
        for name, column in preprocess.inputs.items():
            if value.name == ids_name(name, preprocess):
                for node in reversed(_lookup(name, value.name, column)):
                    proto.graph.node.insert(0, node)
                value.name = name
                value.type.tensor_type.elem_type = _element(column.dtype)
    if DOMAIN not in {opset.domain for opset in proto.opset_import}:
        proto.opset_import.append(onnx.helper.make_opsetid(DOMAIN, VERSION))


def _lookup(name: str, ids: str, column: Column) -> list[Any]:
    """From the tensor `name` to the tensor `ids`."""
    from onnx import TensorProto, helper

    (lookup,) = column.steps
    assert isinstance(lookup, Lookup)
    nodes, raw = [], name
    if column.dtype not in ("string", "int64"):
        raw = f"{name}.int64"
        nodes.append(helper.make_node("Cast", [name], [raw], f"{name}.cast", to=TensorProto.INT64))
    keys = "keys_strings" if column.dtype == "string" else "keys_int64s"
    arguments = {
        keys: list(lookup.ids),
        "values_int64s": list(lookup.ids.values()),
        "default_int64": _UNKNOWN if lookup.default is None else lookup.default,
    }
    looked_up = f"{name}.lookup"
    nodes.append(helper.make_node("LabelEncoder", [raw], [looked_up], looked_up, domain=DOMAIN, **arguments))
    nodes.append(helper.make_node("Cast", [looked_up], [ids], ids, to=TensorProto.INT32))
    return nodes


def _element(dtype: str) -> int:
    import onnx

    return onnx.TensorProto.STRING if dtype == "string" else onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
