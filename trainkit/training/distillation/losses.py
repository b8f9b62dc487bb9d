"""How far a network's answers are from its teacher's."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from trainkit.config import Experiment, Node
from trainkit.framework import tf
from trainkit.training.outputs import ONE_HOT_LOSSES

_OF_CLASSES = {"SparseCategoricalCrossentropy", *ONE_HOT_LOSSES}
_OF_TWO = {"BinaryCrossentropy", "BinaryFocalCrossentropy"}
LEAST = 1e-30
"""A probability of 0 is taken for this one, whose logarithm is finite, and so is the gradient of that."""


class Form(NamedTuple):
    """What the answers of an output are.

    Args:
        kind: A probability for each class; for each of some yes-or-no questions; or numbers.
        logits: Whether they are logits of such probabilities.
    """

    kind: Literal["classes", "questions", "numbers"]
    logits: bool = False


def forms_of(experiment: Experiment) -> dict[str, Form]:
    """What the answers of each output of a config are, by its name."""
    names, loss = experiment.model.output_names, experiment.training.loss
    losses = loss if isinstance(loss, dict) else dict.fromkeys(names, loss)
    return {name: form_of(losses[name]) for name in names}


def form_of(loss: Node) -> Form:
    """What a loss takes answers for."""
    logits = loss.arguments.get("from_logits") is True
    if loss.class_name in _OF_CLASSES:
        return Form("classes", logits)
    return Form("questions", logits) if loss.class_name in _OF_TWO else Form("numbers")


def to_logits(answers: Any, form: Form) -> Any:
    """The logits that answers came from; numbers stay as they are.

    Where Keras has computed a softmax or sigmoid in the last layer, it knows them. Of probabilities `p` of classes,
    `log p` gives the same softmax.
    """
    if form.kind == "numbers" or form.logits:
        return answers
    if (known := getattr(answers, "_keras_logits", None)) is not None:
        return known
    logarithm = tf.math.log(tf.maximum(answers, LEAST))
    return logarithm if form.kind == "classes" else logarithm - tf.math.log(tf.maximum(1 - answers, LEAST))


class DistillationLoss(tf.keras.losses.Loss):
    """What a network loses by answering otherwise than its teacher, for each sample.

    Of probabilities it is the divergence of the student's from the teacher's, both softened: their logits are divided
    by the temperature `T`. It is multiplied by `T²`, so that its gradients are as large as those of the targets' loss
    at any temperature. Of numbers it is the mean squared difference; a temperature means nothing there.

    Args:
        form: What the student's answers are.
        temperature: `T`, at least 1.

    Example:
        >>> loss = DistillationLoss(Form("classes", logits=True), temperature=2.0)
        >>> float(loss(tf.constant([[2.0, 0.0]]), tf.constant([[2.0, 0.0]])))
        0.0

    Reference:
        Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2.
    """

    def __init__(self, form: Form, *, temperature: float) -> None:
        super().__init__(name="distillation")
        self.form, self.temperature = form, temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample.

        Args:
            y_true: The teacher's logits, or numbers.
            y_pred: The student's answers, in its own form.
        """
        own = to_logits(y_pred, self.form)
        if self.form.kind == "numbers":
            return tf.reduce_mean(tf.square(y_true - own), axis=-1)
        theirs, own = y_true / self.temperature, own / self.temperature
        divergence = _of_classes if self.form.kind == "classes" else _of_questions
        return self.temperature**2 * divergence(theirs, own)


def _of_classes(theirs: Any, own: Any) -> Any:
    """Kullback and Leibler's divergence of two softmaxes, by their logits."""
    expected = tf.nn.log_softmax(theirs)
    return tf.reduce_sum(tf.exp(expected) * (expected - tf.nn.log_softmax(own)), axis=-1)


def _of_questions(theirs: Any, own: Any) -> Any:
    """The same of two sigmoids, the mean over the questions."""
    yes, no = tf.math.log_sigmoid(theirs), tf.math.log_sigmoid(-theirs)
    gained = tf.exp(yes) * (yes - tf.math.log_sigmoid(own)) + tf.exp(no) * (no - tf.math.log_sigmoid(-own))
    return tf.reduce_mean(gained, axis=-1)
