"""A model file opened in a child process, so that what crashes is the child."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import DiskFullError, InputError, PredictionError, TrainKitError
from trainkit.inference.predictor import as_text, check_filepath, check_inputs, parse_facts

TIMEOUT = 300.0
"""Seconds without a sign of life after which a child is given up."""

_KINDS: dict[str, type[TrainKitError]] = {"input": InputError, "output": DiskFullError}


@dataclass(frozen=True)
class IsolatedResult:
    """What a child brought back.

    Args:
        outputs: float32 arrays by output name, shape `(samples, …)`.
        facts: What the predictor of the format tells of the file.
    """

    outputs: dict[str, np.ndarray]
    facts: dict[str, Any]


class IsolatedPredictor:
    """A model file behind the contract of predictors; each call runs in a child process of its own.

    Args:
        filepath: The file; it is opened once at once, to learn its inputs and outputs.
        timeout: Seconds that opening the file, or a few samples, may take.

    Raises:
        InputError: If there is no such file, or its suffix is not known.
        PredictionError: If the file cannot be opened.
    """

    def __init__(self, filepath: Path | str, *, timeout: float = TIMEOUT) -> None:
        self._filepath = check_filepath(filepath)
        self._timeout = timeout
        self.facts = _run_child(self._filepath, None, timeout).facts
        self.inputs = parse_facts(self.facts, "inputs")
        self.outputs = parse_facts(self.facts, "outputs")

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        check_inputs(inputs, self.inputs)
        return _run_child(self._filepath, inputs, self._timeout).outputs


def predict_isolated(
    filepath: Path | str, inputs: Mapping[str, np.ndarray], *, runtime: str | None = None, timeout: float = TIMEOUT
) -> IsolatedResult:
    """Open a model file in a child process and run it on samples.

    Args:
        filepath: A .keras, .h5, .tflite or .onnx file, or the directory of a SavedModel.
        inputs: Arrays by input name, shape `(samples, …)`; they travel in their own dtype.
        runtime: A name of `RUNTIMES`; by default what runs the format on a device.
        timeout: Seconds that opening the file, or a few samples, may take.

    Returns:
        The outputs, and what the file tells of itself.

    Raises:
        InputError: If a name, a shape or the number of samples is wrong.
        PredictionError: If the file cannot be opened or run: a crash and a hang are such cases.
    """
    return _run_child(Path(filepath), inputs, timeout, runtime)


def _run_child(
    filepath: Path, inputs: Mapping[str, np.ndarray] | None, timeout: float, runtime: str | None = None
) -> IsolatedResult:
    with tempfile.TemporaryDirectory(prefix="trainkit-") as name:
        folder = Path(name)
        _write_request(folder, filepath, inputs, timeout=timeout, runtime=runtime)
        # -P: a file of the working directory must not stand in for a module
        command = [sys.executable, "-P", "-m", "trainkit.inference.child", name]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if ended.returncode != 0:
            raise _error(folder, filepath, ended, timeout)
        return _read_result(folder)


def _write_request(
    folder: Path, filepath: Path, inputs: Mapping[str, np.ndarray] | None, **options: float | str | None
) -> None:
    names = None if inputs is None else list(inputs)
    request = {"file": str(filepath.absolute()), "names": names} | options
    try:
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        if inputs is not None:
            np.savez(folder / "inputs.npz", *(as_text(x) if x.dtype.kind == "O" else x for x in inputs.values()))
    except OSError as error:
        raise DiskFullError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _read_result(folder: Path) -> IsolatedResult:
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    outputs = {}
    if result["outputs"]:
        with np.load(folder / "outputs.npz", allow_pickle=False) as arrays:
            outputs = {name: arrays[f"arr_{index}"] for index, name in enumerate(result["outputs"])}
    return IsolatedResult(outputs, result["facts"])


def _error(folder: Path, filepath: Path, ended: subprocess.CompletedProcess[bytes], timeout: float) -> Exception:
    if (folder / "error.json").exists():
        error = json.loads((folder / "error.json").read_text(encoding="utf-8"))
        message = error["message"]
        if error["kind"] in _KINDS:
            return _KINDS[error["kind"]](message)
        return PredictionError(message if filepath.name in message else f"{filepath.name} cannot be run: {message}")
    return PredictionError(f"{filepath.name} cannot be run: {describe_end(ended.returncode, ended.stderr, timeout)}")


def describe_end(exit_code: int, stderr: bytes, timeout: float) -> str:
    """How a child process has ended, in a sentence, and the last that it wrote to standard error.

    Args:
        exit_code: Of the process; negative for a signal, as `subprocess` has it.
        stderr: What it wrote.
        timeout: Seconds after which it is ended by SIGALRM.
    """
    if -exit_code == signal.SIGALRM:
        what = f"no answer within {timeout:g} seconds"
    elif exit_code < 0:
        what = f"killed by {_signal_name(-exit_code)}"
    else:
        what = f"its process ended with exit code {exit_code}"
    lines = stderr.decode(errors="replace").strip().splitlines()
    told = [line for line in lines if not line.startswith("INFO:")][-1:]
    return " ".join([f"{what}.", *told])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
