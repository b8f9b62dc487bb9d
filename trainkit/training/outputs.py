"""What is learned at each output: its loss, its metrics, and the form of its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.config import Experiment, Model, Node, metric_names
from trainkit.data import Facts, Field
from trainkit.framework import tf

ONE_HOT_LOSSES = {"CategoricalCrossentropy", "CategoricalFocalCrossentropy", "KLDivergence"}
"""Losses whose targets are a probability for each class."""

DISTILLATION = "distillation"
"""What logs call the loss by the answers of a teacher."""


@dataclass(frozen=True)
class Output:
    """What is learned at one output.

    Args:
        name: Of the output.
        node: The layer that gives it.
        loss: Its loss.
        metrics: By the names that logs call them.
        target: What is known of its target.
    """

    name: str
    node: Node
    loss: Node
    metrics: Mapping[str, Node]
    target: Field

    @property
    def is_one_hot(self) -> bool:
        """Whether class ids become vectors with a single 1: that is what the loss takes."""
        return self.target.classes is not None and self.loss.class_name in ONE_HOT_LOSSES

    def encode(self, target: Any) -> Any:
        """A batch of targets in the form that the loss takes; works inside a `tf.data` function."""
        return tf.one_hot(target, len(self.target.classes or ())) if self.is_one_hot else target

    def expected(self, target: Any) -> Any:
        """A batch of targets as a step of Keras hands them to loss and metrics: encoded, with an axis of units."""
        encoded = tf.convert_to_tensor(self.encode(target))
        return encoded[:, tf.newaxis] if encoded.shape.rank == 1 else encoded


def outputs_of(experiment: Experiment, facts: Facts) -> dict[str, Output]:
    """What is learned at each output of a config, by its name."""
    model, training = experiment.model, experiment.training
    losses = training.loss if isinstance(training.loss, dict) else dict.fromkeys(model.output_names, training.loss)
    return {
        name: Output(
            name, _node_of(model, name), losses[name], _named_metrics(training.metrics, name), facts.targets[name]
        )
        for name in model.output_names
    }


def _node_of(model: Model, output: str) -> Node:
    """The layer that gives an output."""
    call = model.network.maker(output)
    if call is None:
        raise ValueError(f"no layer gives the output {output!r}")
    return call.node


def logged_names(outputs: Mapping[str, Output], *, validation: bool, distilled: bool = False) -> list[str]:
    """What the logs of an epoch hold: with several outputs, loss and metrics of each have its name in front."""
    several = len(outputs) > 1
    names = ["loss"]
    if several:
        names += [f"{name}_loss" for name in outputs]
    names += [f"{output.name}_{name}" if several else name for output in outputs.values() for name in output.metrics]
    names += [DISTILLATION] if distilled else []
    return names + [f"val_{name}" for name in names] if validation else names


def _named_metrics(metrics: list[Node] | dict[str, list[Node]], output: str) -> dict[str, Node]:
    """The metrics with the names that logs call them by; Keras' own depend on what the process has built before."""
    nodes = metrics.get(output, []) if isinstance(metrics, dict) else metrics
    names = metric_names((node.class_name, node.name) for node in nodes)
    return dict(zip(names, nodes, strict=True))
