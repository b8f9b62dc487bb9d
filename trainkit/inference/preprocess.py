"""Raw columns for a file that takes ids and filled numbers: the `preprocess.json` beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.errors import PredictionError
from trainkit.inference.predictor import Predictor, TensorFacts, as_text, check_inputs, describe
from trainkit.inference.steps import STEPS, Step

FILE_NAME = "preprocess.json"
VERSION = 1


@dataclass(frozen=True)
class Column:
    """One input as an app has it, and what becomes of it.

    Args:
        dtype: `string`, `float32`, ….
        shape: Of one sample.
        steps: In their order.
    """

    dtype: str
    shape: tuple[int | None, ...]
    steps: tuple[Step, ...]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """What the file takes, of the same shape."""
        values = as_text(array) if self.dtype == "string" else array
        for step in self.steps:
            values = step.apply(values)
        return values


@dataclass(frozen=True)
class Preprocess:
    """What is done to raw columns before they go into a file.

    Args:
        inputs: By name, those to which something is done.
        files: Names of the files that it is done for.
    """

    inputs: Mapping[str, Column]
    files: tuple[str, ...] = ()

    def apply(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the file takes.

        Args:
            inputs: Raw columns by input name, shape `(samples, …)`; those that are not in `inputs` stay as they are.

        Raises:
            InputError: If a category is not known, and none may be unknown.
        """
        return {
            name: self.inputs[name].apply(array) if name in self.inputs else array for name, array in inputs.items()
        }

    def to_json(self) -> dict[str, Any]:
        """What `preprocess.json` holds."""
        inputs = {
            name: {"dtype": column.dtype, "shape": column.shape, "steps": [{s.KEY: asdict(s)} for s in column.steps]}
            for name, column in self.inputs.items()
        }
        return {"version": VERSION, "inputs": inputs, "files": self.files}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Preprocess:
        """The inverse of `to_json`.

        Raises:
            ValueError: If it is of another version.
            LookupError: If a key is missing, or a step is not known.
            TypeError: If something else is not as `to_json` writes it.
        """
        if value["version"] != VERSION:
            raise ValueError(f"its version must be {VERSION}. Received: {value['version']!r}")
        inputs = {
            name: Column(column["dtype"], tuple(column["shape"]), tuple(_parse_step(step) for step in column["steps"]))
            for name, column in value["inputs"].items()
        }
        return Preprocess(inputs, tuple(value["files"]))


def _parse_step(value: Mapping[str, Any]) -> Step:
    ((key, arguments),) = value.items()
    make: Callable[..., Step] = STEPS[key]
    return make(**{name: tuple(x) if isinstance(x, list) else x for name, x in arguments.items()})


def read_preprocess(filepath: Path) -> Preprocess | None:
    """What is done before a model file, or None where no `preprocess.json` beside it names it.

    Raises:
        PredictionError: If there is one that is damaged.
    """
    beside = filepath.with_name(FILE_NAME)
    if not beside.exists():
        return None
    try:
        preprocess = Preprocess.from_json(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise PredictionError(
            f"{filepath.name} cannot be opened: {FILE_NAME} beside it is damaged: {error}."
        ) from error
    return preprocess if filepath.name in preprocess.files else None


class PreprocessedPredictor:
    """A predictor that takes raw columns, though its file does not.

    Args:
        predictor: What runs the file.
        preprocess: What is done before.
    """

    def __init__(self, predictor: Predictor, preprocess: Preprocess) -> None:
        self._predictor = predictor
        self._preprocess = preprocess
        self.inputs = dict(predictor.inputs) | {
            name: TensorFacts((None, *column.shape), column.dtype) for name, column in preprocess.inputs.items()
        }
        self.outputs = predictor.outputs

    @property
    def facts(self) -> dict[str, Any]:
        """What the file tells; `inputs` are the raw columns, `file_inputs` what the file itself takes."""
        facts = self._predictor.facts
        return facts | describe(self.inputs, self.outputs) | {"file_inputs": facts["inputs"]}

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        check_inputs(inputs, self.inputs)
        return self._predictor.predict(self._preprocess.apply(inputs))
