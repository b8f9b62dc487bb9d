"""What files are proved against: samples, and a Keras model that answers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.data import Split
from trainkit.deploy.export.layer_graph import LayerGraph, flat
from trainkit.deploy.noise import noise_floor
from trainkit.deploy.parity import Parity, Precision, compare
from trainkit.deploy.probes import Probe, make_probes
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.metrics import accuracy, answers, confusion_matrix, mean_iou, regression
from trainkit.runs import sha256_of

MOST_BYTES = 1_000_000_000
"""Memory that samples may take: of large images there are fewer."""


@dataclass(frozen=True)
class Proof:
    """What files are proved against: samples, and a Keras model that answers them.

    Args:
        file: Name of the model's file.
        sha256: Of that file.
        model: The `tf.keras.Model`.
        inputs: Samples by input name, shape `(samples, …)`.
        targets: What is right, by output name: class ids, shape `(samples, …)`, or real numbers, shape
            `(samples, units)`.
        data: What an app has to know of inputs and outputs, ready for JSON.
        ranges: The least and largest value of those inputs of which the data tells them.
        trained: The proof by the model that was trained, where this one was made of it.
    """

    file: str
    sha256: str
    model: Any = field(repr=False)
    inputs: Mapping[str, np.ndarray] = field(repr=False)
    targets: Mapping[str, np.ndarray] = field(repr=False)
    data: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    trained: Proof | None = None

    def answer(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the model answers, by output name."""
        return KerasPredictor(self.model).predict(inputs)

    @cached_property
    def outputs(self) -> dict[str, np.ndarray]:
        """What the model answers to the samples, by output name."""
        return self.answer(self.inputs)

    @cached_property
    def layers(self) -> LayerGraph:
        """The layers of the model, by which the operations of files are told."""
        return LayerGraph.of(flat(self.model))

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """What files are tried on besides."""
        return make_probes(self.answer, self.inputs, self.ranges)

    @cached_property
    def floors(self) -> dict[str, int]:
        """How many decisive answers of each output the model changes by itself."""
        taken = KerasPredictor(self.model).inputs
        numbers = [name for name, facts in taken.items() if facts.dtype.startswith("float")]
        return noise_floor(self.answer, self.inputs, self.outputs, numbers=numbers, ranges=self.ranges)

    def compare(self, outputs: Mapping[str, np.ndarray], precision: Precision) -> Parity:
        """The verdict on a file's answers to the samples.

        Where int8 changes too many of them, the noise of the network itself is asked for.
        """
        judge = partial(compare, self.outputs, outputs, precision=precision, numbers=self.numbers)
        parity = judge()
        is_excusable = precision == "int8" and parity.changed > parity.allowed > 0
        return judge(floors=self.floors) if is_excusable else parity

    @property
    def numbers(self) -> list[str]:
        """The outputs that are numbers, not classes."""
        return [name for name, target in self.targets.items() if target.dtype.kind == "f"]

    @property
    def accuracy(self) -> float | None:
        """Of the model on these samples; with several outputs that are classes, the mean of theirs."""
        return self.of_model[0]

    @cached_property
    def of_model(self) -> tuple[float | None, dict[str, dict[str, float]]]:
        """What `measure` says of the model's own answers."""
        return self.measure(self.outputs)

    def against(self, model: Any, name: str) -> Proof:
        """The same samples with a model that was made of this one.

        Args:
            model: A `tf.keras.Model`.
            name: What reports call it.
        """
        return replace(self, file=name, model=model, trained=self)

    def drop_points(self, accuracy: float | None) -> float | None:
        """Accuracy that is lost against the model that was trained, in points (hundredths)."""
        trained = (self.trained or self).accuracy
        return None if accuracy is None or trained is None else 100 * (trained - accuracy)

    def measure(self, outputs: Mapping[str, np.ndarray]) -> tuple[float | None, dict[str, dict[str, float]]]:
        """How right answers are: the accuracy, and of each output what suits it.

        That is `accuracy` of classes, with `mean_iou` where every pixel has one, and `rmse`, `mae` and `r2` of numbers.
        """
        measured: dict[str, dict[str, float]] = {}
        for name, target in self.targets.items():
            if name not in outputs or len(outputs[name]) != len(target):
                continue
            if name in self.numbers and outputs[name].shape == target.shape:
                measured[name] = regression(target, outputs[name])
            elif target.shape == (given := answers(outputs[name])).shape:
                measured[name] = _measure_classes(target, given, max(2, outputs[name].shape[-1]))
        accuracies = [values["accuracy"] for values in measured.values() if "accuracy" in values]
        return (float(np.mean(accuracies)) if accuracies else None), measured

    @property
    def samples(self) -> int:
        """How many samples the files are proved on."""
        return len(next(iter(self.inputs.values())))


def _measure_classes(target: np.ndarray, given: np.ndarray, classes: int) -> dict[str, float]:
    measured = {"accuracy": accuracy(target, given)}
    if target.ndim > 1:
        measured["mean_iou"] = mean_iou(confusion_matrix(target, given, classes))
    return measured


def collect(split: Split, most: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The inputs and targets of the first samples of a split, as many as there is memory for.

    Args:
        split: The samples.
        most: How many are wanted.
    """
    count = max(1, min(most, MOST_BYTES // split.sample_bytes))
    return split.first_inputs(count), {name: split.labels(name)[:count] for name in split.facts.targets}


def make_proof(
    model: Any,
    model_filepath: Path,
    inputs: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    *,
    data: Mapping[str, Any] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Proof:
    """Choose what files will be proved on.

    Args:
        model: The `tf.keras.Model` that the files are made from.
        model_filepath: Where it was saved.
        inputs: Samples by input name, shape `(samples, …)`.
        targets: What is right, by output name; nothing where it is not known.
        data: What an app has to know of inputs and outputs.
        ranges: The least and largest value of those inputs of which the data tells them.

    Returns:
        What `verify_file` compares with.
    """
    sha256 = sha256_of(model_filepath)
    return Proof(model_filepath.name, sha256, model, inputs, targets, data or {}, ranges or {})
