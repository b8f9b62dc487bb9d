"""Predictions for files, folders and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainkit.data import Description
from trainkit.errors import InputError
from trainkit.inference.locate import locate
from trainkit.inference.metrics import probabilities
from trainkit.inference.predictor import by_position, check_classes
from trainkit.inference.samples import Samples, read_samples


@dataclass(frozen=True)
class Prediction:
    """What a model answers to one sample.

    Args:
        sample: Its file, or its file and row.
        classes: By output that is a class: the most probable classes, each with its probability, the best first.
        numbers: By output that is numbers: its values.
        error: Why there is no answer, or nothing.
    """

    sample: str
    classes: Mapping[str, list[tuple[str, float]]] = field(default_factory=dict)
    numbers: Mapping[str, list[float]] = field(default_factory=dict)
    error: str = ""


def predict(
    path: Path | str, inputs: Sequence[Path | str], *, data: Path | str | None = None, top: int = 1
) -> Iterator[Prediction]:
    """Let a model answer files.

    Args:
        path: A run, a directory of runs (the newest), or a .keras, .h5, .tkz, .tflite, .onnx file or SavedModel.
        inputs: Image files and folders of them, CSV files, .npy or .npz files.
        data: The config of its data, for a file of which nothing else is known.
        top: How many classes are told.

    Yields:
        A prediction for each sample, in their order; one that cannot be read has an `error` instead.

    Raises:
        InputError: If there is no such model or input, or nobody says how inputs are made.
        PredictionError: If the file cannot be run.

    Example:
        ```python
        for prediction in trainkit.predict("runs/pets", ["photos/"], top=3):
            print(prediction.sample, prediction.classes)
        ```
    """
    if top < 1:
        raise InputError(f"`top` must be at least 1. Received: top={top!r}.")
    if isinstance(inputs, str | Path):
        inputs = [inputs]
    found = locate(path, data=Path(data) if data else None)
    description = found.description()
    for samples in read_samples(description, [Path(item) for item in inputs]):
        arrays = samples.inputs
        if len(arrays) == len(found.predictor.inputs) == 1:  # which may go by another name there
            arrays = dict.fromkeys(found.predictor.inputs, next(iter(arrays.values())))
        outputs = found.predictor.predict(arrays) if arrays else {}
        yield from _tell(samples, outputs, description, top)


def _tell(
    samples: Samples, outputs: Mapping[str, np.ndarray], description: Description, top: int
) -> Iterator[Prediction]:
    outputs = by_position(outputs, list(description.classes)) if outputs else {}
    shares = {
        name: _shares(outputs[name], classes, description, name)
        for name, classes in description.classes.items()
        if outputs and classes is not None
    }
    index = 0
    for name in samples.names:
        if name in samples.unreadable:
            yield Prediction(name, error=samples.unreadable[name])
            continue
        finite = all(np.isfinite(values[index]).all() for values in outputs.values())
        classes = {output: _best(shares[output][index], description.classes[output] or (), top) for output in shares}
        numbers = {
            output: [float(value) for value in values[index].ravel()]
            for output, values in outputs.items()
            if output not in shares
        }
        index += 1
        if finite:
            yield Prediction(name, classes, numbers)
        else:
            yield Prediction(name, error="the model's answer is not finite.")


def _shares(outputs: np.ndarray, classes: Sequence[str], description: Description, name: str) -> np.ndarray:
    """The probability of each class; one unit stands for two."""
    check_classes(outputs, classes, name=name)
    found = probabilities(outputs, logits=name in description.logits or None)
    return np.concatenate([1 - found, found], axis=-1) if found.shape[-1] == 1 else found


def _best(shares: np.ndarray, classes: Sequence[str], top: int) -> list[tuple[str, float]]:
    order = np.argsort(-shares, kind="stable")[:top]
    return [(classes[index], float(shares[index])) for index in order]
