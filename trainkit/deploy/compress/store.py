"""What finished steps leave behind, so that a deploy that was stopped goes on after the last of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.deploy.compress.measure import StepReport
from trainkit.deploy.compress.result import CompressionResult, Promise
from trainkit.errors import OutputError, PredictionError
from trainkit.inference.keras import KerasPredictor
from trainkit.runs import replace_file, sha256_of, write_json


class Store:
    """The results of the steps of one model, a file or two each; a record is written last, and names what it is of.

    Args:
        directory: Where they stand.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def prepare(self, size: int) -> None:
        """Make room for results of so many bytes, before anything is trained.

        Raises:
            OutputError: If there is none, or the directory cannot be written.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._directory).free
        except OSError as error:
            raise OutputError(f"{self._directory.absolute()} cannot be written: {error.strerror}.") from error
        if free < size or not os.access(self._directory, os.W_OK):
            needed = f"{size / 1e6:,.0f} MB free for the results of the steps"
            raise OutputError(f"{self._directory.absolute()} must have {needed}. Received: {free / 1e6:,.1f} MB.")

    def save(self, name: str, key: str, result: CompressionResult, report: StepReport) -> None:
        """Keep the result of a step.

        Args:
            name: Of the files.
            key: What the result follows from; see `key_of`.
            result: The result.
            report: What was measured of it.

        Raises:
            OutputError: If it cannot be written.
        """
        self._record(name).unlink(missing_ok=True)
        filepath = self._content(name, is_state=result.state is not None)
        with replace_file(filepath) as temporary:
            if result.state is None:
                result.model.save(temporary, save_format="keras")
            else:
                np.savez(temporary, *result.state)
        record = {
            "version": 1,
            "key": key,
            "file": filepath.name,
            "sha256": sha256_of(filepath),
            "promises": [asdict(promise) for promise in result.promises],
            "facts": result.facts,
            "report": asdict(report),
        }
        write_json(self._record(name), record)

    def load(self, name: str, key: str) -> tuple[CompressionResult, StepReport] | None:
        """The result of a step, or None where there is none that follows from the same; damaged files are none.

        A result that Keras could not save has the model None, and its state.
        """
        with suppress(OSError, ValueError, LookupError, TypeError, PredictionError):
            record = json.loads(self._record(name).read_text(encoding="utf-8"))
            filepath = self._directory / record["file"]
            if record["key"] != key or record["sha256"] != sha256_of(filepath):
                return None
            promises = tuple(Promise(**promise) for promise in record["promises"])
            state = _read_arrays(filepath) if filepath.suffix == ".npz" else None
            model = None if state is not None else KerasPredictor(filepath).model
            return CompressionResult(model, promises, record["facts"], state), StepReport(**record["report"])
        return None

    def _record(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _content(self, name: str, *, is_state: bool) -> Path:
        return self._directory / f"{name}.{'npz' if is_state else 'keras'}"


def key_of(*facts: Any) -> str:
    """The sha256 of what a result follows from, ready for JSON; the order of keys counts, as it does in `layers`."""
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _read_arrays(filepath: Path) -> Sequence[np.ndarray]:
    with np.load(filepath, allow_pickle=False) as arrays:
        return [arrays[f"arr_{index}"] for index in range(len(arrays.files))]
