"""Keras -> .tflite"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

from trainkit.deploy.export.calibrate import calibrate, check_count
from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.layer_graph import LayerGraph, flat
from trainkit.deploy.export.preprocess import write_preprocess
from trainkit.deploy.export.recurrent import without_lists
from trainkit.deploy.export.tables import split_tables
from trainkit.deploy.export.tflite_metadata import add_metadata
from trainkit.errors import ExportError, InputError, TrainKitError
from trainkit.framework import quiet_stderr, tf
from trainkit.inference.preprocess import Preprocess
from trainkit.runs import replace_file

_EXPECTED_WARNINGS = (
    r"\s*Warning: tf.lite.Interpreter is deprecated",  # the converter itself calibrates with it
    "Statistics for quantized inputs were expected",  # calibration follows
)


Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]
_INTEGERS = {  # precision: the operations that it allows, and the types of integers that an app may give and get
    "int8": (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, ("int8", "uint8")),
    "int16x8": (tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, ("int16",)),
}


def export_tflite(
    model: Any,
    filepath: Path,
    *,
    precision: Precision = "float32",
    input_type: Literal["float32", "int8", "uint8", "int16"] = "float32",
    output_type: Literal["float32", "int8", "uint8", "int16"] = "float32",
    calibration_samples: Annotated[int, Ge(1)] = 500,
    exclude: list[str] | Literal["auto"] | None = None,
    accuracy_drop: Annotated[float, Ge(0)] = 0.5,
    context: ExportContext,
) -> Path:
    """Write a model for LiteRT, which runs on Android, iOS and microcontrollers.

    The file has the signature `serving_default`, with the names of the model's inputs and outputs. It holds no texts
    and no missing numbers: what is done to raw columns before stands in `preprocess.json` beside it. Its metadata are
    those of TFLite's schema; the class names, `labels.txt`, are packed into the file as a zip archive. With recurrent
    layers the file takes one sample at a time, where it computes with real numbers.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        filepath: Where to write.
        precision: `float16` stores weights in half the bytes; `dynamic` stores kernels of 1,024 values and more as int8
            and computes with real activations; `int8` makes weights and activations integers throughout; `int16x8`
            does so with activations of 16 bits.
        input_type: What an app gives. float32: real values, which a file of integers quantizes by itself; `int8` or
            `uint8` go with int8, `int16` with int16x8.
        output_type: What an app gets. float32: real values, which a file of integers dequantizes by itself.
        calibration_samples: How many training samples the ranges of integers are taken from.
        exclude: Layers that an int8 file computes with real numbers: patterns of their names, or names of blocks. With
            `auto`, `deploy` finds the fewest that will do.
        accuracy_drop: Points of accuracy on the validation samples that int8 may cost before `auto` takes a layer out,
            and before `deploy` tells which layers are to blame.
        context: What every exporter is told.

    Returns:
        `filepath`.

    Raises:
        InputError: If arguments do not go together.
        ExportError: If the model cannot be converted.
        OutputError: If the file cannot be written.

    Reference:
        Jacob et al., CVPR 2018, section 2.1.
    """
    _check_types(precision, input_type=input_type, output_type=output_type)
    _check_exclude(precision, exclude)
    if exclude:
        calibrated = find_ranges(model, calibration_samples, context=context, name=filepath.name)
        content = calibrated.quantize(calibrated.choose(exclude), input_type=input_type, output_type=output_type)
        return _write(content, filepath, context, calibrated.preprocess)
    inner, preprocess = split_tables(model, numbers=True)
    inner = without_lists(inner, integers=precision in _INTEGERS)
    converter = tf.lite.TFLiteConverter.from_keras_model(inner)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision in _INTEGERS:
        _set_integers(converter, precision, calibration_samples, inner, preprocess, context)
        converter.inference_input_type = tf.as_dtype(input_type)
        converter.inference_output_type = tf.as_dtype(output_type)
    return _write(_convert(converter, filepath.name), filepath, context, preprocess)


def find_ranges(model: Any, samples: int, *, context: ExportContext, name: str) -> Calibrated:
    """Find the ranges of a model, once for many files of integers.

    Args:
        model: A `tf.keras.Model`; it is not changed.
        samples: How many training samples the ranges are taken from.
        context: What every exporter is told.
        name: Of the file, for messages.

    Raises:
        InputError: If there are no samples.
        ExportError: If the model cannot be converted.
    """
    inner, preprocess = split_tables(flat(model), numbers=True)
    inner = without_lists(inner, integers=True)
    converter = tf.lite.TFLiteConverter.from_keras_model(inner)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    _set_integers(converter, "int8", samples, inner, preprocess, context)
    converter._experimental_calibrate_only = True
    return Calibrated(_convert(converter, name), LayerGraph.of(inner), preprocess, name)


def _set_integers(
    converter: Any,
    precision: Precision,
    samples: int,
    model: Any,
    preprocess: Preprocess | None,
    context: ExportContext,
) -> None:
    check_count(samples)
    converter.target_spec.supported_ops = [_INTEGERS[precision][0]]
    converter.representative_dataset = lambda: calibrate(context, samples, model, preprocess)


def _write(content: bytes, filepath: Path, context: ExportContext, preprocess: Preprocess | None) -> Path:
    with replace_file(filepath) as temporary:
        temporary.write_bytes(add_metadata(content, context, preprocess))
    write_preprocess(filepath, preprocess)
    return filepath


def _check_exclude(precision: str, exclude: list[str] | str | None) -> None:
    if exclude and precision != "int8":
        cure = "Set `precision: int8`, or leave it out."
        raise InputError(f"`exclude` must be left out where `precision` is {precision}. Received: {exclude!r}. {cure}")
    if isinstance(exclude, str):
        raise InputError(
            f"`exclude` must be a list of layers where a file is exported by itself: `deploy` makes it of {exclude!r}."
        )


def _check_types(precision: str, **types: str) -> None:
    allowed = ("float32", *_INTEGERS.get(precision, (None, ()))[1])
    for name, value in types.items():
        if value not in allowed:
            fitting = next((key for key, (_, integers) in _INTEGERS.items() if value in integers), "int8")
            rule = f"`{name}` must be {' or '.join(allowed)} where `precision` is {precision}"
            cure = f"Set `precision: {fitting}`, or leave it out."
            raise InputError(f"{rule}. Received: {name}={value!r}. {cure}")


def _convert(converter: Any, name: str) -> bytes:
    with quiet_stderr(), warnings.catch_warnings():
        for expected in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=expected)
        try:
            return converter.convert()
        except TrainKitError as error:  # from the calibration samples
            failure: TrainKitError = error
        except Exception as error:  # the converter's own errors have no common base
            failure = ExportError(f"{name} cannot be written: {_cause(str(error)) or type(error).__name__}.")
    raise failure  # out here, so that pages of compiler messages are not shown


def _cause(message: str) -> str:
    """The operations that pages of compiler messages are about, or their first line."""
    pattern = r"'tf\.(\w+)' op is|failed to legalize operation '(?:tf\.)?([\w.]+)'"
    operations = sorted({first or second for first, second in re.findall(pattern, message)})
    if any(operation.startswith("TensorList") for operation in operations):
        return (
            "TensorFlow Lite cannot hold the list of steps of a recurrent layer of its own kind: use LSTM, GRU or "
            "SimpleRNN, or leave TFLite out of deploy.export"
        )
    if missing := re.search(r"Quantization to 16x8-bit not yet supported for op: '(\w+)'", message):
        return f"TensorFlow Lite has no {missing[1]} of 16-bit activations: use `precision: int8`, or another layer"
    if operations:
        return f"TensorFlow Lite has no operation for {', '.join(operations)}"
    return next(iter(message.strip().splitlines()), "")[:300].rstrip(".")
