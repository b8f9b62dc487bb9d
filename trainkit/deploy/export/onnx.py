"""Keras -> .onnx"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from annotated_types import Ge

from trainkit.deploy.export.calibrate import calibrate, check_count
from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.onnx_float16 import to_float16
from trainkit.deploy.export.onnx_graph import check_loops, settle_constants
from trainkit.deploy.export.onnx_int8 import to_int8
from trainkit.deploy.export.onnx_lookups import add_lookups, ids_name
from trainkit.deploy.export.tables import split_tables
from trainkit.deploy.export.wording import input_text
from trainkit.errors import DiskFullError, ExportError, InputError, TrainKitError
from trainkit.framework import quiet_stderr, tf
from trainkit.inference.preprocess import Preprocess
from trainkit.runs import replace_file

Opset = Literal[13, 14, 15, 16, 17, 18]
"""What tf2onnx 1.17 writes."""
Precision = Literal["float32", "float16", "int8"]


def export_onnx(
    model: Any,
    filepath: Path,
    *,
    precision: Precision = "float32",
    opset: Opset = 17,
    calibration_samples: Annotated[int, Ge(1)] = 500,
    context: ExportContext,
) -> Path:
    """Write a model for ONNX Runtime and whatever else reads ONNX.

    Inputs and outputs have the names of the model's; their first axis, `batch`, is free. Texts go in as they are: the
    file holds the vocabularies. The metadata hold `name`, `producer`, `version` (of TrainKit), `config_sha256`, `data`
    (how inputs are made and what outputs say, JSON) and, where there are classes, `classes`, a JSON list; with several
    outputs that are classes, `classes_OUTPUT`.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        filepath: Where to write.
        precision: `float16` halves weights and activations; `int8` makes integers of the weights, and of the
            activations of all operations that ONNX Runtime has for integers. Inputs and outputs are float32.
        opset: Version of ONNX's set of operations.
        calibration_samples: How many training samples the ranges of int8 are taken from.
        context: What every exporter is told.

    Returns:
        `filepath`.

    Raises:
        InputError: If `opset` or `calibration_samples` is out of range, or there are no samples.
        ExportError: If the model cannot be converted.
        OutputError: If the file cannot be written.
    """
    if opset not in get_args(Opset):
        raise InputError(f"`opset` must be one of {get_args(Opset)}. Received: opset={opset!r}.")
    check_count(calibration_samples)
    inner, lookups = split_tables(model, numbers=False)

    def samples() -> Iterator[dict[str, np.ndarray]]:
        for sample in calibrate(context, calibration_samples, inner, lookups):
            yield {ids_name(name, lookups): array for name, array in sample.items()}

    def change(proto: Any) -> Any:
        if precision == "float32":
            return proto
        check_loops(proto.graph, precision)
        return to_float16(proto) if precision == "float16" else to_int8(proto, samples())

    content = _convert(inner, lookups, filepath.name, opset, context, change)
    with replace_file(filepath) as temporary:
        temporary.write_bytes(content)
    return filepath


def _convert(
    model: Any,
    lookups: Preprocess | None,
    filename: str,
    opset: int,
    context: ExportContext,
    change: Callable[[Any], Any],
) -> bytes:
    import onnx
    import tf2onnx

    names = zip(model.input_names, model.inputs, strict=True)
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=ids_name(name, lookups)) for name, tensor in names]
    tf2onnx.utils.INTERNAL_NAME = 1  # else the numbers in names go on from the file that was written before
    with quiet_stderr(), _quiet_logger("tf2onnx"):
        try:
            proto, _ = tf2onnx.convert.from_keras(
                model, input_signature=signature, opset=opset, custom_op_handlers={"Erfc": (_erfc, [])}
            )
            settle_constants(proto.graph)
            proto = change(proto)
            if lookups is not None:
                add_lookups(proto, lookups)
            _name_batch(proto)
            _describe_inputs(proto, context)
            onnx.helper.set_model_props(proto, _metadata(context, [value.name for value in proto.graph.output]))
            onnx.checker.check_model(proto, full_check=True)
            return proto.SerializeToString()
        except (InputError, DiskFullError) as error:  # from the calibration samples, of temporary files
            failure: TrainKitError = error
        except Exception as error:  # tf2onnx raises whatever it meets
            failure = ExportError(f"{filename} cannot be written: {_cause(str(error)) or type(error).__name__}.")
    raise failure  # out here, so that pages of messages are not shown


def _erfc(graph: Any, node: Any, name: str, args: list[Any]) -> Any:
    """Write `erfc(x)`, of which Keras makes gelu, as `1 - erf(x)`: ONNX has no Erfc."""
    dtype, shape = graph.get_dtype(node.output[0]), graph.get_shape(node.output[0])
    inputs, outputs = list(node.input), list(node.output)
    graph.remove_node(name)
    one = graph.make_const(f"{name}/one", np.ones((), np.float32))
    erf = graph.make_node("Erf", inputs, dtypes=[dtype], shapes=[shape])
    return graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=outputs, dtypes=[dtype], shapes=[shape])


def _cause(message: str) -> str:
    """The operation that the checker stumbled over, with its layer, or the first line."""
    missing = re.search(r"No Op registered for (\w+)", message)
    where = re.search(r"Name: (\S+) OpType", message)
    if missing:
        return f"ONNX has no operation for {missing[1]}{f' (in {where[1]})' if where else ''}"
    return next(iter(message.strip().splitlines()), "")[:300].rstrip(".")


def _name_batch(proto: Any) -> None:
    for value in [*proto.graph.input, *proto.graph.output]:
        first = value.type.tensor_type.shape.dim[0]
        if not first.HasField("dim_value"):
            first.dim_param = "batch"


def _describe_inputs(proto: Any, context: ExportContext) -> None:
    told = context.data.get("inputs", {})
    for value in proto.graph.input:
        value.doc_string = input_text(told.get(value.name, {}))


def _metadata(context: ExportContext, outputs: list[str]) -> dict[str, str]:
    classes = context.classes_of(outputs)
    named = {f"classes_{name}" if len(classes) > 1 else "classes": names for name, names in classes.items()}
    return context.to_texts() | {key: json.dumps(names, ensure_ascii=False) for key, names in named.items()}


@contextmanager
def _quiet_logger(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
