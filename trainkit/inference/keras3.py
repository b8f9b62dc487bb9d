"""A file of Keras 3 as a model of tf_keras that is proved to answer the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from trainkit.errors import InputError, PredictionError
from trainkit.inference.isolated import describe_end
from trainkit.inference.predictor import ENVIRONMENTS, reason_of
from trainkit.inference.temporary import temporary_folder

TIMEOUT = 300.0
"""Seconds after which a child is given up."""
TOLERANCE = 1e-5
"""Most that answers may differ by, relative to the largest one of the batch, or to 1."""
CONTRAST = 100
"""Answers to different inputs should differ by this many times more than those of the two models to the same."""
UNREADABLE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What a file that is damaged, or no model, makes `zipfile`, `h5py` and `json` raise."""


def is_keras3(filepath: Path | str) -> bool:
    """Whether a file is a model that Keras 3 wrote, by what it says of itself."""
    try:
        return _read_version(Path(filepath)).startswith("3.")
    except UNREADABLE:
        return False


def read_keras3(filepath: Path | str, *, timeout: float = TIMEOUT) -> Any:
    """Read a model that Keras 3 wrote, in a child process, and build the same network with tf_keras.

    Both then answer the same random inputs. Models inside the model are replaced by their layers.

    Args:
        filepath: A .keras or .h5 file.
        timeout: Seconds that the child may take.

    Returns:
        A functional `tf.keras.Model`, whose inputs and outputs are named as in the file.

    Raises:
        InputError: If there is no such file.
        PredictionError: If the file cannot be read, if it holds what tf_keras does not have (all such layers are
            listed), or if the answers differ.
    """
    filepath = Path(filepath)
    _check_file(filepath)
    from trainkit.framework import tf
    from trainkit.inference.rebuild import check_layers, rebuild_model

    with temporary_folder() as folder:
        failure = _run_child(folder, filepath, timeout)
        if failure:
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # the file may be damaged
                check_layers(_read_config(filepath), source=filepath.name)  # says more, and of all layers
            raise PredictionError(f"{filepath.name} cannot be read by Keras 3: {failure}.")
        network = json.loads((folder / "network.json").read_text(encoding="utf-8"))
        model = rebuild_model(network, _read_arrays(folder / "weights.npz"), source=filepath.name)
        expected = _read_arrays(folder / "answers.npz")
        try:
            with tf.device("CPU"):
                received = _answer(model, _read_arrays(folder / "inputs.npz"))
        except (TypeError, ValueError, tf.errors.OpError) as error:
            raise PredictionError(
                f"{filepath.name} was rebuilt in tf_keras, but does not run: {reason_of(error)}."
            ) from error
    for answers in zip(model.output_names, expected, received, strict=True):
        _prove(*answers, source=filepath.name)
    return model


def _check_file(filepath: Path) -> None:
    if not filepath.is_file():
        raise InputError(f"`filepath` must be a .keras or .h5 file. Received: {str(filepath)!r}, which is no file.")
    try:
        version = _read_version(filepath)
    except UNREADABLE as error:
        raise PredictionError(f"{filepath.name} is no whole model of Keras: {reason_of(error)}.") from error
    if not version.startswith("3."):
        raise PredictionError(f"{filepath.name} must be a model of Keras 3. Received: one of Keras {version}.")


def _read_version(filepath: Path) -> str:
    if zipfile.is_zipfile(filepath) or filepath.suffix == ".keras":
        with zipfile.ZipFile(filepath) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    with h5py.File(filepath) as file:
        return _text(file.attrs["keras_version"])


def _read_config(filepath: Path) -> dict[str, Any]:
    if zipfile.is_zipfile(filepath):
        with zipfile.ZipFile(filepath) as archive:
            return json.loads(archive.read("config.json"))
    with h5py.File(filepath) as file:
        return json.loads(_text(file.attrs["model_config"]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _run_child(folder: Path, filepath: Path, timeout: float) -> str:
    """Let the child read the file; returns why it could not."""
    request = json.dumps({"file": str(filepath.absolute()), "timeout": timeout})
    (folder / "request.json").write_text(request, encoding="utf-8")
    # -P: a file of the working directory must not stand in for a module
    command = [sys.executable, "-P", "-m", "trainkit.inference.keras3_child", str(folder)]
    environment = os.environ | ENVIRONMENTS["Keras 3"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment)
    if ended.returncode == 0:
        return ""
    if (folder / "error.json").exists():
        message = json.loads((folder / "error.json").read_text(encoding="utf-8"))["message"]
        return " ".join(message.split())[:500].rstrip(".")
    return describe_end(ended.returncode, ended.stderr, timeout).rstrip(".")


def _read_arrays(filepath: Path) -> list[np.ndarray]:
    with np.load(filepath, allow_pickle=False) as arrays:
        return [arrays[f"arr_{index}"] for index in range(len(arrays))]


def _answer(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The outputs for batches of inputs, which are on the first axis of the arrays."""
    batches = [[array[index] for array in inputs] for index in range(len(inputs[0]))]
    given = [model(arrays if len(arrays) > 1 else arrays[0], training=False) for arrays in batches]
    given = [outputs if isinstance(outputs, list) else [outputs] for outputs in given]
    return [np.stack([np.asarray(array) for array in arrays]) for arrays in zip(*given, strict=True)]


def _prove(name: str, expected: np.ndarray, received: np.ndarray, source: str) -> None:
    """Compare the answers of both models, shape `(batches, samples, …)`."""
    if received.shape != expected.shape:
        shapes = f"{received.shape[1:]} in place of {expected.shape[1:]}"
        raise PredictionError(f"{source} cannot be rebuilt in tf_keras: `{name}` got the shape {shapes}.")
    expected, received = expected.astype(np.float64), received.astype(np.float64)
    is_same = (expected == received) | (np.isnan(expected) & np.isnan(received))
    with np.errstate(invalid="ignore"):
        differences = np.where(is_same, 0.0, np.abs(expected - received)).reshape(len(expected), -1)
    finite = np.where(np.isfinite(expected), expected, 0.0).reshape(len(expected), -1)
    largest = (differences.max(axis=1) / np.maximum(np.abs(finite).max(axis=1), 1)).max()
    if not largest <= TOLERANCE:
        raise PredictionError(
            f"{source} cannot be rebuilt in tf_keras: the answers of the two models to the same inputs differ by "
            f"{largest:.1g} of the largest (`{name}`), where {TOLERANCE:g} is allowed."
        )
    spread = np.ptp(finite.reshape(expected.shape[0] * expected.shape[1], -1), axis=0).max()
    if spread <= CONTRAST * differences.max():
        warnings.warn(
            f"{source}: the answers to different inputs hardly differ (`{name}`, by {spread:.1g} at most), so they "
            "prove little about the rebuilt model. Is the network trained?",
            stacklevel=3,
        )
