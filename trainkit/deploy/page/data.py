"""What a model was trained on, and what goes into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from trainkit.data import fingerprint
from trainkit.deploy.export.wording import input_text
from trainkit.deploy.page.nodes import node_text, plain_text, short_node
from trainkit.deploy.page.origin import run_of
from trainkit.deploy.page.records import part_of, read_record
from trainkit.deploy.subject import Subject
from trainkit.deploy.wording import shape_text

MOST_CLASSES = 40
"""Of more classes, the rarest and the most frequent are shown."""


@dataclass(frozen=True)
class ClassCounts:
    """How many samples each class of an output has.

    Args:
        output: Its name.
        names: Of the classes.
        counts: By part of the data, in the order of `names`.
    """

    output: str
    names: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]

    @property
    def shown(self) -> list[int]:
        """The classes that are shown: all, or of many the rarest and the most frequent in the first part."""
        order = list(range(len(self.names)))
        if len(order) <= MOST_CLASSES:
            return order
        first = next(iter(self.counts.values()))
        ranked = sorted(order, key=lambda index: (first[index], index))
        return sorted({*ranked[: MOST_CLASSES // 2], *ranked[-MOST_CLASSES // 2 :]})

    @property
    def balance(self) -> float | None:
        """The most frequent class of the first part in multiples of the rarest."""
        first = next(iter(self.counts.values()))
        return max(first) / min(first) if min(first, default=0) else None


@dataclass(frozen=True)
class InputFacts:
    """One input of the network.

    Args:
        name: Its name.
        shape: Of one sample, as text.
        dtype: Of the network.
        given: What an app gives, a sentence; nothing where that is not known.
        columns: Of a table, those that stand side by side in it.
        inside: What the network does with it first, a node each.
    """

    name: str
    shape: str
    dtype: str
    given: str
    columns: tuple[str, ...]
    inside: tuple[str, ...]


@dataclass(frozen=True)
class OutputFacts:
    """One output of the network: its classes, or None where it is numbers."""

    name: str
    classes: tuple[str, ...] | None


@dataclass(frozen=True)
class DataFacts:
    """What a model was trained on.

    Args:
        source: The source, as the config has it.
        samples: By part: `train`, `validation`, `test`.
        fingerprint: Of all of them.
        inputs: Of the network.
        outputs: Of the network.
        classes: How often each class occurs.
        settings: What else the config says of the data.
        notes: What is worth a note.
    """

    source: str
    samples: Mapping[str, int]
    fingerprint: str
    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputFacts, ...]
    classes: tuple[ClassCounts, ...]
    settings: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def describe_data(subject: Subject, data: Mapping[str, Any]) -> DataFacts:
    """Read what a model was trained on.

    Args:
        subject: What is deployed.
        data: What `verify.json` says of inputs and outputs.
    """
    settings, splits, run = subject.config.experiment.data, subject.splits, run_of(subject)
    known = part_of(read_record(run.manifest), "data").get("fingerprint") if run else None
    targets = splits.train.facts.targets
    return DataFacts(
        source=plain_text(_names(short_node(settings.source))),
        samples={role: split.size for role, split in splits.present.items()},
        fingerprint=str(known or fingerprint(splits)),
        inputs=tuple(_inputs(subject, data)),
        outputs=tuple(OutputFacts(name, field.classes) for name, field in targets.items()),
        classes=tuple(_count(subject, name, field.classes) for name, field in targets.items() if field.classes),
        settings=tuple(_settings(settings)),
        notes=tuple(splits.notes),
    )


def _inputs(subject: Subject, data: Mapping[str, Any]) -> Iterator[InputFacts]:
    inside = subject.config.experiment.model.preprocess_by_input
    for name, entry in part_of(data, "inputs").items():
        yield InputFacts(
            name,
            shape_text(entry.get("shape", ())),
            str(entry.get("dtype", "")),
            input_text(entry),
            tuple(map(str, entry.get("columns", ()))),
            tuple(map(node_text, inside.get(name, ()))),
        )


def _names(value: Any) -> Any:
    """Plain data in which absolute paths are the names of their files: where they stand is nobody else's business."""
    if isinstance(value, dict):
        return {key: _names(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_names(one) for one in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _count(subject: Subject, target: str, classes: tuple[str, ...]) -> ClassCounts:
    counts = {
        role: tuple(np.bincount(split.labels(target).ravel(), minlength=len(classes)).tolist())
        for role, split in subject.splits.present.items()
    }
    return ClassCounts(target, classes, counts)


def _settings(settings: Any) -> Iterator[tuple[str, str]]:
    for key in ("validation_split", "test_split", "resize", "augment", "class_weight", "sample_weight"):
        value = getattr(settings, key, None)
        if isinstance(value, BaseModel):
            value = value.model_dump(exclude_defaults=True)
        if isinstance(value, list):
            yield from ((key, node_text(node)) for node in value)
        elif value:
            yield key, plain_text(value)
