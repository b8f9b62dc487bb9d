"""What files are given: real samples where the data are known, else values in the range that the file tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainkit.config import load_config
from trainkit.data import Description, load_data
from trainkit.errors import InputError, TrainKitError
from trainkit.inference.packed import read_packed
from trainkit.inference.predictor import TensorFacts, fits
from trainkit.runs import Run

SEED = 1
OPEN_LENGTH = 16
"""Steps of an axis of any length, where nobody has samples."""


@dataclass(frozen=True)
class Given:
    """Samples for a file.

    Args:
        arrays: By input name, shape `(samples, …)`.
        origin: Where they come from, for a person.
        raw: Whether `preprocess.json` has to be done before.
    """

    arrays: Mapping[str, np.ndarray]
    origin: str
    raw: bool = False


def samples_of(run: Run, count: int) -> Given:
    """The first samples of the data of a run: test, else validation, else training.

    Raises:
        TrainKitError: If the data cannot be read any more.
        OSError: If a file of them is missing.
    """
    splits = load_data(load_config(run.resolved))
    role, split = next(
        (role, splits.present[role]) for role in ("test", "validation", "train") if role in splits.present
    )
    arrays = split.first_inputs(count)
    taken = len(next(iter(arrays.values())))
    return Given(arrays, f"{taken} {role} samples of the run", raw=True)


def enough(given: Given, count: int) -> Given:
    """As many samples as a batch has: those that there are, again and again."""
    arrays = {
        name: np.take(array, np.arange(max(count, len(array))) % len(array), axis=0)
        for name, array in given.arrays.items()
    }
    return Given(arrays, given.origin, given.raw)


def fit_names(given: Given, inputs: Mapping[str, TensorFacts]) -> Given | None:
    """Samples by the names that a file has for its inputs; None where they are none of its own."""
    arrays = given.arrays
    if len(arrays) == len(inputs) == 1:
        arrays = dict.fromkeys(inputs, next(iter(arrays.values())))
    matching = arrays.keys() == inputs.keys() and all(
        fits(array.shape[1:], inputs[name].shape[1:]) for name, array in arrays.items()
    )
    return Given(arrays, given.origin, given.raw) if matching else None


def made_up(filepath: Path, inputs: Mapping[str, TensorFacts], count: int, *, run: Run | None = None) -> Given:
    """Values that nobody has measured: in the range that the metadata tell, else normally distributed; seeded.

    Raises:
        InputError: If the file takes texts: nobody can make them up.
    """
    generator = np.random.default_rng(SEED)
    images = _images(filepath, run)
    arrays, told = {}, []
    for name, facts in inputs.items():
        shape = [count, *(OPEN_LENGTH if length is None else length for length in facts.shape[1:])]
        if facts.dtype == "string":
            raise InputError(
                f"{filepath.name} takes texts in {name!r}: name the run that it belongs to, which has them."
            )
        if name in images or (images and len(inputs) == 1):
            arrays[name] = generator.integers(0, 256, shape).astype(np.float32)
            told.append("0 to 255, the range of its images")
        elif facts.scale is not None and facts.zero_point is not None:
            ends = np.iinfo(facts.dtype)
            low, high = (facts.scale * (end - facts.zero_point) for end in (ends.min, ends.max))
            arrays[name] = generator.uniform(low, high, shape).astype(np.float32)
            told.append(f"{low:g} to {high:g}, the range of its integers")
        elif np.dtype(facts.dtype).kind in "iub":
            arrays[name] = np.zeros(shape, facts.dtype)
            told.append("zeros: which ids there are nobody tells")
        else:
            arrays[name] = generator.standard_normal(shape).astype(np.float32)
            told.append("normally distributed: which range it is for nobody tells")
    return Given(arrays, f"random values, seed {SEED}: {'; '.join(dict.fromkeys(told))}")


def _images(filepath: Path, run: Run | None) -> set[str]:
    """The inputs that are images, by what TrainKit has written into the file or its run."""
    try:
        told = run.data.read_text(encoding="utf-8") if run is not None else _told(filepath)
        description = Description.from_json(json.loads(told))
    except (ValueError, LookupError, TypeError, AttributeError, OSError, TrainKitError):
        return set()
    return {name for name, one in description.inputs.items() if one.image is not None}


def _told(filepath: Path) -> str:
    if filepath.suffix != ".onnx":
        return read_packed(filepath)["data"]
    import onnx

    model = onnx.load(str(filepath), load_external_data=False)
    return {entry.key: entry.value for entry in model.metadata_props}["data"]
