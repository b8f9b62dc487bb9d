"""`trainkit.load`: a model file that can be called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import InputError, PredictionError
from trainkit.inference.isolated import IsolatedPredictor
from trainkit.inference.predictor import Predictor, TensorFacts, check_filepath, fits, open_predictor
from trainkit.runs import files_of, sha256_of


def load(filepath: Path | str, *, trusted: bool = False) -> LoadedModel:
    """Open a .keras, .h5, .tkz, .tflite or .onnx file, or the directory of a SavedModel.

    A file that TrainKit has proved (its sha256 stands in the `verify.json` beside it, or in its run) is opened in this
    process. A damaged file can crash its interpreter, so any other is opened in a child process, a new one each call.

    Args:
        filepath: The file or directory.
        trusted: Open it in this process, whatever it is.

    Returns:
        The model: call it with samples.

    Raises:
        InputError: If there is no such file, or it is no model.
    """
    filepath = check_filepath(filepath)
    size = sum(path.stat().st_size for path in files_of(filepath))
    if size == 0:
        raise InputError(f"`filepath` must be a whole model. Received: {str(filepath)!r}, which is empty.")
    try:
        in_process = trusted or is_proved(filepath)
        predictor: Predictor = open_predictor(filepath) if in_process else IsolatedPredictor(filepath)
    except PredictionError as error:
        received = f"{str(filepath)!r}, {size:,} bytes"
        cure = "Copy or export it again."
        raise InputError(f"`filepath` must be a whole model. Received: {received}. {error} {cure}") from error
    return LoadedModel(predictor)


class LoadedModel:
    """A model file that answers when it is called.

    Args:
        predictor: What runs the file.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._axes = {name: len(facts.shape) for name, facts in predictor.inputs.items()}
        self._only = next(iter(self._axes)) if len(self._axes) == 1 else None

    @property
    def inputs(self) -> Mapping[str, TensorFacts]:
        """Name to shape, dtype and quantization."""
        return self.predictor.inputs

    @property
    def outputs(self) -> Mapping[str, TensorFacts]:
        """Name to shape, dtype and quantization."""
        return self.predictor.outputs

    def __call__(self, inputs: Any) -> Any:
        """Answer samples.

        Args:
            inputs: An array, or for a model with several inputs a dictionary of arrays by input name; shape
                `(samples, …)`, or without that axis for a single sample.

        Returns:
            A float32 array, or for a model with several outputs a dictionary of them by output name; without the first
            axis for a single sample.

        Raises:
            InputError: If a name, a shape or the number of samples is wrong.
            PredictionError: If the file cannot be run.
        """
        arrays = self._by_name(inputs)
        if single := bool(arrays) and all(self._is_single(name, array) for name, array in arrays.items()):
            arrays = {name: array[np.newaxis] for name, array in arrays.items()}
        outputs = self.predictor.predict(arrays)
        if single:
            outputs = {name: array[0] for name, array in outputs.items()}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def _by_name(self, inputs: Any) -> dict[str, np.ndarray]:
        if self._only is not None and isinstance(inputs, np.ndarray):  # the quickest to know
            return {self._only: inputs}
        if isinstance(inputs, Mapping):
            return {name: np.asarray(value) for name, value in inputs.items()}
        if self._only is not None:
            return {self._only: np.asarray(inputs)}
        received = type(inputs).__name__
        raise InputError(f"`inputs` must be a dictionary with the names {list(self.inputs)}. Received: {received}.")

    def _is_single(self, name: str, array: np.ndarray) -> bool:
        if array.ndim + 1 != self._axes.get(name):
            return False
        return fits(array.shape, self.inputs[name].shape[1:])


def is_proved(filepath: Path) -> bool:
    """Whether the sha256 of a file stands in the `verify.json` beside it, or in that or the manifest of its run."""
    try:
        proved = set(_proved(filepath))
    except (AttributeError, KeyError, TypeError):  # JSON that TrainKit did not write
        return False
    return bool(proved) and sha256_of(filepath) in proved


def _proved(filepath: Path) -> Iterator[str]:
    """The sha256 sums that were written down for a file of this name."""
    for record in _read(filepath.parent / "verify.json").get("files", []):
        if record.get("file") == filepath.name and record["parity"]["passed"]:
            yield record["sha256"]
    model = _read(filepath.parent / "deploy" / "verify.json").get("model", {})
    if model.get("file") == filepath.name:
        yield model["sha256"]
    if filepath.name == "model.keras":
        yield from filter(None, [_read(filepath.parent / "manifest.json").get("model_sha256")])


def _read(filepath: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return json.loads(filepath.read_text(encoding="utf-8"))
    return {}
