"""The contract of a predictor, and the table of them by suffix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trainkit.errors import InputError
from trainkit.registry import Registry

PREDICTORS = Registry(
    "model file",
    {
        ".keras": "trainkit.inference.keras:KerasPredictor",
        ".h5": "trainkit.inference.keras:KerasPredictor",
        ".tkz": "trainkit.inference.keras:KerasPredictor",
        ".tflite": "trainkit.inference.tflite:TFLitePredictor",
        ".onnx": "trainkit.inference.onnx:ONNXPredictor",
        "saved_model.pb": "trainkit.inference.saved_model:SavedModelPredictor",
    },
)
"""By suffix; a directory by the file that makes it a model. A predictor is opened with one positional argument, the
path."""

_SUFFIXES = [key for key in PREDICTORS if key.startswith(".")]
_FOLDERS = [key for key in PREDICTORS if not key.startswith(".")]

RUNTIMES = Registry(
    "runtime",
    {
        "Keras 3": "trainkit.inference.keras3_runtime:Keras3Predictor",
        "TensorFlow Lite": "trainkit.inference.tensorflow_lite:TensorFlowLitePredictor",
    },
)
"""Predictors that run a format by something else than its own in `PREDICTORS`."""

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "Keras 3": {"TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"},
}
"""What a process has in its environment that runs something of `RUNTIMES`. Keras 3 computes by what it was written by,
whatever its user has chosen, and on the CPU: the arithmetic of two devices is not the same."""

_INSIDES = Registry("model file", {".onnx": "trainkit.inference.onnx_insides:look_inside"})
"""By suffix, what tells what a file is made of, where its predictor does not know: it is read once more."""


@dataclass(frozen=True)
class TensorFacts:
    """What is known of one input or output.

    Args:
        shape: With the batch axis; None where any length goes.
        dtype: NumPy's name of what the file takes or gives: `float32`, `int8`.
        scale: Of a quantized tensor: value = scale × (integer - zero_point).
        zero_point: Of a quantized tensor.
    """

    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Predictor(Protocol):
    """A model file that answers.

    Inputs go in as real values, whatever the file takes; outputs come as real values, whatever the file gives.
    """

    @property
    def inputs(self) -> Mapping[str, TensorFacts]:
        """Name to description."""

    @property
    def outputs(self) -> Mapping[str, TensorFacts]:
        """Name to description."""

    @property
    def facts(self) -> dict[str, Any]:
        """`inputs`, `outputs` and what else the format tells, ready for JSON."""

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples.

        Args:
            inputs: Arrays by input name, shape `(samples, …)`.

        Returns:
            float32 arrays by output name, shape `(samples, …)`.

        Raises:
            InputError: If a name, a shape or the number of samples is wrong.
            PredictionError: If the file cannot be run.
        """


def open_predictor(filepath: Path | str, *, runtime: str | None = None) -> Predictor:
    """Open a model file in this process: one that crashes its interpreter takes the process with it.

    Args:
        filepath: A .keras, .h5, .tflite or .onnx file, or the directory of a SavedModel; a `preprocess.json` beside it
            that names it is done before.
        runtime: A name of `RUNTIMES`; by default what runs the format on a device.

    Raises:
        InputError: If there is no such file, or its suffix is not known.
        PredictionError: If the file cannot be opened.
    """
    from trainkit.inference.preprocess import PreprocessedPredictor, read_preprocess  # which are made of what is here

    filepath = check_filepath(filepath)
    predictor: Predictor = (RUNTIMES.get(runtime) if runtime else PREDICTORS.get(_format(filepath)))(filepath)
    preprocess = read_preprocess(filepath)
    return PreprocessedPredictor(predictor, preprocess) if preprocess else predictor


def look_inside(filepath: Path | str) -> dict[str, Any]:
    """Facts of what a file is made of that its predictor does not tell, ready for JSON: reading them takes a while.

    Args:
        filepath: A file that a predictor has opened.
    """
    filepath = Path(filepath)
    return _INSIDES.get(filepath.suffix)(filepath) if filepath.suffix in _INSIDES else {}


def check_filepath(filepath: Path | str) -> Path:
    """The path of a model file that exists, or of a directory that is a model.

    Raises:
        InputError: If there is no such file, or its suffix is not known.
    """
    filepath = Path(filepath)
    known = ", ".join(_SUFFIXES)
    rule = f"`filepath` must be a model file ({known}), or a directory with {' or '.join(_FOLDERS)}"
    if not filepath.exists():
        raise InputError(f"{rule}. Received: {str(filepath)!r}, which does not exist.")
    if filepath.is_dir() and not is_model_directory(filepath):
        raise InputError(f"{rule}. Received: {str(filepath)!r}, which is a directory without.")
    if filepath.is_file() and filepath.suffix not in _SUFFIXES:
        raise InputError(f"`filepath` must end with one of {known}. Received: {str(filepath)!r}.")
    return filepath


def is_model_directory(filepath: Path) -> bool:
    """Whether a directory is a model itself, not a place of models."""
    return any((filepath / name).is_file() for name in _FOLDERS)


def _format(filepath: Path) -> str:
    """The key of a model in `PREDICTORS`."""
    if filepath.is_dir():
        return next(name for name in _FOLDERS if (filepath / name).is_file())
    return filepath.suffix


def check_inputs(inputs: Mapping[str, np.ndarray], expected: Mapping[str, TensorFacts]) -> int:
    """Check names, shapes and kinds of whole batches: texts where the dtype is `string`, else numbers.

    Returns:
        The number of samples.

    Raises:
        InputError: If a name, a shape, a kind or the number of samples is wrong.
    """
    if inputs.keys() != expected.keys():
        raise InputError(f"`inputs` must have the names {list(expected)}. Received: {list(inputs)}.")
    for name, array in inputs.items():
        sample = expected[name].shape[1:]
        if array.ndim != len(sample) + 1 or not fits(array.shape[1:], sample):
            raise InputError(f"`{name}` must have the shape {shape_text(sample)}. Received: shape {array.shape}.")
        if expected[name].dtype == "string":
            _check_texts(name, array)
        elif array.dtype.kind not in "buif":
            raise InputError(f"`{name}` must hold numbers. Received: dtype {array.dtype}.")
    sizes = {name: len(array) for name, array in inputs.items()}
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        raise InputError(f"`inputs` must have one sample or more, as many each. Received: samples={sizes}.")
    return next(iter(sizes.values()))


def _check_texts(name: str, array: np.ndarray) -> None:
    if array.dtype.kind not in "UOS":
        raise InputError(f"`{name}` must hold texts. Received: dtype {array.dtype}.")
    for value in array.flat if array.dtype.kind == "O" else ():
        if not isinstance(value, str | bytes):
            raise InputError(f"`{name}` must hold texts. Received: {value!r}.")


def as_text(array: np.ndarray) -> np.ndarray:
    """Texts as an array of `str`, which needs no pickle, whatever holds them: objects, bytes in UTF-8.

    Raises:
        InputError: If something in it is no text.

    Example:
        >>> as_text(np.array([[b"Dream"], ["Biscoe"]], object)).tolist()
        [['Dream'], ['Biscoe']]
    """
    if array.dtype.kind == "U":
        return array
    values = [value.decode() if isinstance(value, bytes) else value for value in array.ravel().tolist()]
    for value in values:
        if not isinstance(value, str):
            raise InputError(f"a text must be one. Received: {value!r}.")
    return np.array(values, str).reshape(array.shape)


def fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Whether a shape is one that is expected, where None stands for any length."""
    return len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape, expected, strict=True))


def shape_text(sample: tuple[int | None, ...]) -> str:
    """`(samples, 28, 28, 1)`, for messages."""
    return f"({', '.join(['samples', *('any' if length is None else str(length) for length in sample)])})"


def describe(inputs: Mapping[str, TensorFacts], outputs: Mapping[str, TensorFacts]) -> dict[str, Any]:
    """The facts that every predictor has."""
    return {
        "inputs": {name: asdict(tensor) for name, tensor in inputs.items()},
        "outputs": {name: asdict(tensor) for name, tensor in outputs.items()},
    }


def reason_of(error: Exception) -> str:
    """What an interpreter's error says, on one line."""
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__


def by_position(outputs: Mapping[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
    """Outputs by the names that are expected: one that goes by another name is known by being the only one.

    Raises:
        InputError: If there are several, and one of the names is none of theirs.
    """
    if len(names) == 1 and len(outputs) == 1:
        return {names[0]: next(iter(outputs.values()))}
    if missing := [name for name in names if name not in outputs]:
        raise InputError(f"the model must have the outputs {names}. Received: {list(outputs)}: no {missing[0]!r}.")
    return {name: outputs[name] for name in names}


def check_classes(outputs: np.ndarray, classes: Sequence[str], *, name: str) -> None:
    """Check that an output is a number for each class, or one unit for two classes.

    Raises:
        InputError: If it is not: the model is for other classes.
    """
    units = outputs.shape[1:]
    if units != (len(classes),) and not (units == (1,) and len(classes) == 2):
        received = f"{units[0]}" if len(units) == 1 else f"the shape {units}"
        told = f"{name!r} must have an answer for each of {len(classes)} classes ({_first(classes)})"
        raise InputError(f"{told}. Received: {received}.")


def _first(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def parse_facts(facts: Mapping[str, Any], key: str) -> dict[str, TensorFacts]:
    """`inputs` or `outputs` of facts that have been through JSON."""
    return {name: TensorFacts(**{**tensor, "shape": tuple(tensor["shape"])}) for name, tensor in facts[key].items()}
