"""The child process that opens a model file: `python -m trainkit.inference.child FOLDER`.

The folder holds `request.json` (`file`, `runtime` or null, `names` of the inputs or null to open the file only,
`timeout`) and, with names, `inputs.npz`. The child leaves `outputs.npz` and `result.json`, or `error.json`.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import InputError, OutputError
from trainkit.inference.predictor import Predictor, check_inputs, open_predictor

KINDS = {"input": InputError, "output": OutputError}
PIECE = 64
"""Samples between two signs of life."""


def main(folder: Path) -> None:
    """Open the file that the request names, and run it on the inputs."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        result = _run(folder, **request)
    except Exception as error:  # all of them are for the parent to report
        kind = next((name for name, type_ in KINDS.items() if isinstance(error, type_)), "other")
        _write(folder / "error.json", {"kind": kind, "message": str(error).strip() or type(error).__name__})
        sys.exit(1)
    _write(folder / "result.json", result)


def _run(folder: Path, *, file: str, runtime: str | None, names: list[str] | None, timeout: float) -> dict[str, Any]:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills even where native code hangs
    signal.setitimer(signal.ITIMER_REAL, timeout)
    predictor = open_predictor(file, runtime=runtime)
    outputs: dict[str, np.ndarray] = {}
    if names is not None:
        outputs = _predict(predictor, _read(folder / "inputs.npz", names), timeout)
        try:
            np.savez(folder / "outputs.npz", *outputs.values())
        except OSError as error:
            raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return {"facts": predictor.facts, "outputs": list(outputs)}


def _predict(predictor: Predictor, inputs: dict[str, np.ndarray], timeout: float) -> dict[str, np.ndarray]:
    samples = check_inputs(inputs, predictor.inputs)
    pieces = []
    for start in range(0, samples, PIECE):
        signal.setitimer(signal.ITIMER_REAL, timeout)
        pieces.append(predictor.predict({name: array[start : start + PIECE] for name, array in inputs.items()}))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _read(filepath: Path, names: list[str]) -> dict[str, np.ndarray]:
    with np.load(filepath, allow_pickle=False) as arrays:
        return {name: arrays[f"arr_{index}"] for index, name in enumerate(names)}


def _write(filepath: Path, value: dict[str, Any]) -> None:
    filepath.write_text(json.dumps(value), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
