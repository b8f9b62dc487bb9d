"""The samples that the model is most wrong about, shown as they are."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainkit.data import Split
from trainkit.data.fields import Field
from trainkit.deploy.page.answered import Answered
from trainkit.deploy.page.quality import logits_of
from trainkit.deploy.page.records import part_of
from trainkit.deploy.wording import number_text
from trainkit.errors import counted
from trainkit.inference.metrics import answers, probabilities

MOST_SHOWN = 12
MOST_PIXELS = 96
"""Of the longer side of a picture; larger images are made smaller."""
MOST_VALUES = 12
"""Of a longer row, the first values are shown."""


@dataclass(frozen=True)
class SampleImage:
    """One image of a sample.

    Args:
        name: Of the input.
        uri: A PNG as a `data:` address.
        width: In pixels.
        height: In pixels.
        is_small: Whether it is magnified: then pixels stay pixels.
    """

    name: str
    uri: str
    width: int
    height: int
    is_small: bool


@dataclass(frozen=True)
class Sample:
    """What goes in: images, and numbers and texts by column."""

    origin: str
    images: tuple[SampleImage, ...]
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mistake:
    """A sample of one class that was taken for another.

    Args:
        sample: What went in.
        true: The class that it is.
        answered: The class that the model says.
        probability: Of the answer, as the model gives it.
        of_true: Probability that the model gives the true class.
    """

    sample: Sample
    true: str
    answered: str
    probability: float
    of_true: float


@dataclass(frozen=True)
class NumberError:
    """A sample whose numbers are far from what they should be; `error` is the largest difference."""

    sample: Sample
    true: tuple[str, ...]
    answered: tuple[str, ...]
    error: float


@dataclass(frozen=True)
class Mistakes:
    """The worst of one output.

    Args:
        output: Its name.
        samples: On how many it was looked for.
        wrong: How many were answered wrongly; None of numbers.
        worst: The wrong answers that the model was surest of.
        farthest: The largest errors of numbers.
    """

    output: str
    samples: int
    wrong: int | None = None
    worst: tuple[Mistake, ...] = ()
    farthest: tuple[NumberError, ...] = ()


def find_mistakes(proof: Answered, split: Split) -> tuple[Mistakes, ...]:
    """Find what the model is most wrong about.

    Args:
        proof: The samples and the model's answers.
        split: Where the samples come from: they are its first.
    """
    show = _Show(proof, split)
    found: list[Mistakes] = []
    for name, field in split.facts.targets.items():
        if name not in proof.outputs or len(proof.outputs[name]) != proof.samples:
            continue
        if field.classes is None:
            found += _of_numbers(name, proof, show)
        else:
            found += _of_classes(name, field.classes, proof, show)
    return tuple(found)


def _of_classes(name: str, classes: tuple[str, ...], proof: Answered, show: _Show) -> Iterator[Mistakes]:
    given, target, logits = proof.outputs[name], proof.targets[name], logits_of(proof, name)
    answered = answers(given, logits=logits)
    if answered.shape != target.shape or target.ndim != 1:
        return
    shares = probabilities(given.astype(np.float64), logits=logits)
    if shares.shape[-1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=-1)
    rows = np.arange(len(target))
    sure, of_true = shares[rows, answered], shares[rows, target]
    wrong = np.flatnonzero(answered != target)
    ranked = wrong[np.lexsort((wrong, -sure[wrong]))][:MOST_SHOWN]
    worst = tuple(
        Mistake(show(row), classes[target[row]], classes[answered[row]], float(sure[row]), float(of_true[row]))
        for row in ranked.tolist()
    )
    yield Mistakes(name, len(target), len(wrong), worst=worst)


def _of_numbers(name: str, proof: Answered, show: _Show) -> Iterator[Mistakes]:
    given, target = proof.outputs[name], proof.targets[name]
    if given.shape != target.shape:
        return
    true, said = (values.reshape(len(values), -1).astype(np.float64) for values in (target, given))
    error = np.abs(said - true).max(axis=1)
    ranked = np.lexsort((np.arange(len(error)), -error))[:MOST_SHOWN]
    farthest = tuple(
        NumberError(show(row), tuple(_numbers(true[row])), tuple(_numbers(said[row])), float(error[row]))
        for row in ranked.tolist()
    )
    yield Mistakes(name, len(error), farthest=farthest)


class _Show:
    """Makes of a row of the samples what a person looks at."""

    def __init__(self, proof: Answered, split: Split) -> None:
        self._proof, self._split = proof, split
        self._fields = split.facts.inputs

    def __call__(self, row: int) -> Sample:
        images, values = [], []
        for name, array in self._proof.inputs.items():
            field = self._fields[name]
            if field.is_image and array.ndim == 4 and array.shape[-1] in (1, 3, 4):
                images.append(_image(name, array[row], field))
            else:
                values += list(self._values(name, array[row]))
        return Sample(self._split.original(row), tuple(images), tuple(values))

    def _values(self, name: str, value: np.ndarray) -> Iterator[tuple[str, str]]:
        columns = part_of(self._proof.data, "inputs", name).get("columns") or ()
        flat = np.asarray(value).ravel()
        names = list(columns) if len(columns) == len(flat) else []
        if not names:
            names = [name] if len(flat) == 1 else [f"{name}[{index}]" for index in range(len(flat))]
        yield from zip(map(str, names[:MOST_VALUES]), map(_plain, flat[:MOST_VALUES].tolist()), strict=False)
        if len(flat) > MOST_VALUES:
            yield "…", counted(len(flat) - MOST_VALUES, "more value")


def _image(name: str, values: np.ndarray, field: Field) -> SampleImage:
    from PIL import Image

    numbers = np.asarray(values, np.float64)
    low, high = field.value_range or (float(numbers.min()), float(numbers.max()))
    scaled = np.clip((numbers - low) * 255 / max(high - low, 1e-12), 0, 255).astype(np.uint8)
    picture = Image.fromarray(scaled[..., 0] if scaled.shape[-1] == 1 else scaled[..., :3])
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
    return SampleImage(name, uri, picture.width, picture.height, max(values.shape[:2]) < MOST_PIXELS)


def _numbers(values: np.ndarray) -> Iterator[str]:
    shown = values.tolist()[:MOST_VALUES]
    yield from map(number_text, shown)
    if len(values) > MOST_VALUES:
        yield "…"


def _plain(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return number_text(text) if isinstance(text, int | float) else str(text)
