"""The child process that opens a model file: `python -m trainkit.inference.child FOLDER`.

The folder holds `request.json`: `file`, `runtime` or null, `timeout`, `inside`, whether the facts tell what the file is
made of, and `runs`, none to open the file only. A run has `names` of the inputs, `archive`, the file with them, and
`piece`, how many samples are handed over at once. The child leaves `result.json`, with an archive of outputs for each
run, or `error.json`. An error in the first run is one; in any other it stands in the place of its outputs. The result
is written anew after each run: where the process is killed, those before are there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import InputError, OutputError, PredictionError
from trainkit.inference.predictor import Predictor, check_inputs, look_inside, open_predictor

KINDS = {"input": InputError, "output": OutputError}


def main(folder: Path) -> None:
    """Open the file that the request names, and run it on the inputs."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        _run(folder, **request)
    except Exception as error:  # all of them are for the parent to report
        kind = next((name for name, type_ in KINDS.items() if isinstance(error, type_)), "other")
        _write(folder / "error.json", {"kind": kind, "message": str(error).strip() or type(error).__name__})
        sys.exit(1)


def _run(
    folder: Path, *, file: str, runtime: str | None, inside: bool, runs: list[dict[str, Any]], timeout: float
) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills even where native code hangs
    signal.setitimer(signal.ITIMER_REAL, timeout)
    predictor = open_predictor(file, runtime=runtime)
    result: dict[str, Any] = {"runs": []}
    for run in runs[:1]:
        result["runs"].append(_run_one(folder, predictor, timeout, is_first=True, **run))
    result["facts"] = predictor.facts | (look_inside(file) if inside else {})
    _write_result(folder, result)
    for run in runs[1:]:
        result["runs"].append(_run_one(folder, predictor, timeout, is_first=False, **run))
        _write_result(folder, result)


def _run_one(
    folder: Path, predictor: Predictor, timeout: float, *, is_first: bool, names: list[str], archive: str, piece: int
) -> dict[str, Any]:
    try:
        outputs = _predict(predictor, _read(folder / archive, names), piece, timeout)
    except (InputError, PredictionError) as error:
        if is_first:
            raise
        return {"error": str(error)}
    filename = f"outputs_of_{archive}"
    try:
        np.savez(folder / filename, *outputs.values())
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return {"outputs": list(outputs), "archive": filename}


def _predict(predictor: Predictor, inputs: dict[str, np.ndarray], piece: int, timeout: float) -> dict[str, np.ndarray]:
    samples = check_inputs(inputs, predictor.inputs)
    pieces = []
    for start in range(0, samples, piece):
        signal.setitimer(signal.ITIMER_REAL, timeout)
        pieces.append(predictor.predict({name: array[start : start + piece] for name, array in inputs.items()}))
    return {name: np.concatenate([one[name] for one in pieces]) for name in pieces[0]}


def _read(filepath: Path, names: list[str]) -> dict[str, np.ndarray]:
    with np.load(filepath, allow_pickle=False) as arrays:
        return {name: arrays[f"arr_{index}"] for index, name in enumerate(names)}


def _write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write the result whole: the process may be killed at any moment."""
    try:
        _write(folder / "unfinished.json", result)
        os.replace(folder / "unfinished.json", folder / "result.json")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _write(filepath: Path, value: dict[str, Any]) -> None:
    filepath.write_text(json.dumps(value), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
