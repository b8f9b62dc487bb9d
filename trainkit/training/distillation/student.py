"""A network that learns from a teacher, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.config import Distill, Experiment
from trainkit.data import Facts, describe
from trainkit.framework import tf
from trainkit.training.distillation.agreement import pair_inputs, pair_outputs
from trainkit.training.distillation.losses import DistillationLoss, Form, forms_of, to_logits
from trainkit.training.distillation.teacher import Teacher
from trainkit.training.outputs import DISTILLATION


@dataclass(frozen=True)
class Lesson:
    """What a network is taught.

    Args:
        teacher: Whose answers it learns.
        inputs: The names of the network's inputs that the teacher takes, in the order of those.
        outputs: From each output of the network to the teacher's.
        forms: What the network's own answers are, by output.
        settings: Temperature and weight.
    """

    teacher: Teacher
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    forms: Mapping[str, Form]
    settings: Distill

    def __str__(self) -> str:
        """What a person is told of it."""
        told = f"temperature {self.settings.temperature:g}, weight {self.settings.weight:g}"
        return f"teacher: {self.teacher.name}, {told}"

    def answers(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What the teacher says of a batch, by the network's outputs: logits, or numbers; no gradient goes into it."""
        model = self.teacher.model
        taken = [inputs[name] for name in self.inputs]
        given = tf.nest.flatten(model(taken if len(taken) > 1 else taken[0], training=False))
        named = dict(zip(model.output_names, given, strict=True))
        forms = self.teacher.forms
        return {own: tf.stop_gradient(to_logits(named[theirs], forms[theirs])) for own, theirs in self.outputs.items()}

    def losses(self) -> dict[str, DistillationLoss]:
        """The loss of each output."""
        temperature = self.settings.temperature
        return {name: DistillationLoss(self.forms[name], temperature=temperature) for name in self.outputs}


class Student(tf.keras.Model):
    """A functional model that learns from a teacher, too.

    What it loses is `(1 - weight) * loss + weight * distillation`, each with the whole of the regularization, and with
    the same weights of samples, classes and outputs. `loss` and metrics that are logged are those of the targets. The
    teacher is no part of the model, of its checkpoints, or of what is saved of it.
    """

    lesson: Lesson

    def compile(self, *args: Any, loss_weights: Any = None, **settings: Any) -> None:
        """As `Model.compile`; the distillation is measured anew."""
        super().compile(*args, loss_weights=loss_weights, **settings)
        total = tf.keras.metrics.Mean(name=DISTILLATION)
        self._taught = type(self.compiled_loss)(
            self.lesson.losses(), loss_weights, output_names=self.output_names, total_loss_mean=total
        )

    @property
    def metrics(self) -> list[Any]:
        """Those of the targets, and the distillation."""
        taught = getattr(self, "_taught", None)
        return [*super().metrics, *(taught.metrics[:1] if taught else [])]

    def save(self, filepath: Any, *args: Any, **settings: Any) -> None:
        """Save the plain model, without optimizer, loss and metrics: opening it takes no teacher, nor this class."""
        tf.keras.Model(self.inputs, self.outputs, name=self.name).save(filepath, *args, **settings)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """What it loses by its answers to the batch `x`."""
        weight = self.lesson.settings.weight
        loss = super().compute_loss(x, y, y_pred, sample_weight)
        return (1 - weight) * loss + weight * self.distillation(x, y_pred, sample_weight)

    def distillation(self, x: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """What it loses by answering otherwise than its teacher."""
        return self._taught(self.lesson.answers(x), y_pred, sample_weight, regularization_losses=self.losses)


def teach(model: Any, lesson: Lesson) -> Student:
    """A functional model of the same layers that learns from a teacher, too; it has to be compiled."""
    student = Student(model.inputs, model.outputs, name=model.name)
    student.lesson = lesson
    return student


def lesson_of(model: Any, teacher: Teacher, settings: Distill, experiment: Experiment, facts: Facts) -> Lesson:
    """What a network can be taught by a teacher.

    Args:
        model: A functional `tf.keras.Model` with the inputs and outputs of a config.
        teacher: The teacher.
        settings: How it teaches.
        experiment: Of the config.
        facts: Of the training samples.

    Raises:
        InputError: If the teacher takes or gives something else.
    """
    description, forms = describe(experiment, facts), forms_of(experiment)
    inputs = pair_inputs(model, description, teacher)
    return Lesson(teacher, inputs, pair_outputs(model, description, forms, teacher), forms, settings)
