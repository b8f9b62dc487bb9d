"""A model file opened in a child process, so that what crashes is the child."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import DiskFullError, InputError, PredictionError, TrainKitError
from trainkit.inference.predictor import ENVIRONMENTS, as_text, check_filepath, check_inputs, parse_facts
from trainkit.inference.temporary import temporary_folder

TIMEOUT = 300.0
"""Seconds without a sign of life after which a child is given up."""

PIECE = 64
"""Samples between two signs of life."""

_KINDS: dict[str, type[TrainKitError]] = {"input": InputError, "output": DiskFullError}


@dataclass(frozen=True)
class Trial:
    """Samples that a file is run on besides.

    Args:
        inputs: Arrays by input name, shape `(samples, …)`.
        piece: How many of them are handed over at once.
    """

    inputs: Mapping[str, np.ndarray]
    piece: int


@dataclass(frozen=True)
class IsolatedResult:
    """What a child brought back.

    Args:
        outputs: float32 arrays by output name, shape `(samples, …)`.
        facts: What the predictor of the format tells of the file.
        trials: By name, the outputs of each trial, or what went wrong in it: also that the process was killed in it.
    """

    outputs: dict[str, np.ndarray]
    facts: dict[str, Any]
    trials: dict[str, dict[str, np.ndarray] | str] = field(default_factory=dict)


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
        self.facts = _run_child(self._filepath, {}, timeout).facts
        self.inputs = parse_facts(self.facts, "inputs")
        self.outputs = parse_facts(self.facts, "outputs")

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        check_inputs(inputs, self.inputs)
        return _run_child(self._filepath, {"": Trial(inputs, PIECE)}, self._timeout).outputs


def predict_isolated(
    filepath: Path | str,
    inputs: Mapping[str, np.ndarray],
    *,
    piece: int = PIECE,
    trials: Mapping[str, Trial] | None = None,
    runtime: str | None = None,
    inside: bool = False,
    timeout: float = TIMEOUT,
) -> IsolatedResult:
    """Open a model file in a child process and run it on samples.

    Args:
        filepath: A .keras, .h5, .tkz, .tflite or .onnx file, or the directory of a SavedModel.
        inputs: Arrays by input name, shape `(samples, …)`; they travel in their own dtype.
        piece: How many samples are handed over at once.
        trials: What else to run, by name; an error in one of them ends nothing, a crash what comes after it.
        runtime: A name of `RUNTIMES`; by default what runs the format on a device.
        inside: Whether the facts also tell what the file is made of.
        timeout: Seconds that opening the file, or a piece, may take.

    Returns:
        The outputs, and what the file tells of itself.

    Raises:
        InputError: If a name, a shape or the number of samples is wrong.
        PredictionError: If the file cannot be opened or run: a crash and a hang are such cases.
    """
    runs = {"": Trial(inputs, piece), **(trials or {})}
    return _run_child(Path(filepath), runs, timeout, runtime=runtime, inside=inside)


def _run_child(
    filepath: Path, runs: Mapping[str, Trial], timeout: float, *, runtime: str | None = None, inside: bool = False
) -> IsolatedResult:
    with temporary_folder() as folder:
        _write_request(folder, filepath, list(runs.values()), timeout=timeout, runtime=runtime, inside=inside)
        # -P: a file of the working directory must not stand in for a module
        command = [sys.executable, "-P", "-m", "trainkit.inference.child", str(folder)]
        environment = os.environ | ENVIRONMENTS.get(runtime or "", {})
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment)
        if ended.returncode == 0:
            return _read_result(folder, list(runs))
        result = _read_unfinished(folder, list(runs), describe_end(ended.returncode, ended.stderr, timeout))
        if result is None:
            raise _error(folder, filepath, ended, timeout)
        return result


def _write_request(folder: Path, filepath: Path, runs: Sequence[Trial], **options: float | str | None) -> None:
    archives = [f"inputs{index}.npz" for index in range(len(runs))]
    told = [
        {"names": list(run.inputs), "archive": archive, "piece": run.piece}
        for run, archive in zip(runs, archives, strict=True)
    ]
    request = {"file": str(filepath.absolute()), "runs": told} | options
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    for run, archive in zip(runs, archives, strict=True):
        np.savez(folder / archive, *(as_text(x) if x.dtype.kind == "O" else x for x in run.inputs.values()))


def _read_result(folder: Path, names: Sequence[str]) -> IsolatedResult:
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return _make_result(folder, dict(zip(names, result["runs"], strict=True)), result["facts"])


def _read_unfinished(folder: Path, names: Sequence[str], end: str) -> IsolatedResult | None:
    """What a child brought back that died in a trial; None where it did so elsewhere, or says itself what is wrong."""
    if (folder / "error.json").exists() or not (folder / "result.json").exists():
        return None
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    done, missing = result["runs"], names[len(result["runs"]) :]
    if not missing:
        return None
    after = f"not run: the process ended in {missing[0]!r}."
    lost = [{"error": end}, *({"error": after} for _ in missing[1:])]
    return _make_result(folder, dict(zip(names, [*done, *lost], strict=True)), result["facts"])


def _make_result(folder: Path, found: Mapping[str, Any], facts: dict[str, Any]) -> IsolatedResult:
    trials = {
        name: run["error"] if "error" in run else _read_outputs(folder, run) for name, run in found.items() if name
    }
    return IsolatedResult(_read_outputs(folder, found[""]) if found else {}, facts, trials)


def _read_outputs(folder: Path, run: Mapping[str, Any]) -> dict[str, np.ndarray]:
    with np.load(folder / run["archive"], allow_pickle=False) as arrays:
        return {name: arrays[f"arr_{index}"] for index, name in enumerate(run["outputs"])}


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
