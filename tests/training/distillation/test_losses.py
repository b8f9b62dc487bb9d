"""The loss by a teacher's answers, against arithmetic in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Node
from trainkit.framework import tf
from trainkit.training.distillation.losses import DistillationLoss, Form, form_of, to_logits

STUDENT = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, -3.0]])
TEACHER = np.array([[1.0, 0.0, -2.0], [4.0, -1.0, 0.0]])


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def tensor(values):
    return tf.constant(values, tf.float32)


def loss_of(kind, temperature, *, student, logits=True):
    loss = DistillationLoss(Form(kind, logits), temperature=temperature)
    return loss.call(tensor(TEACHER), tensor(student)).numpy()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_classes_are_compared_by_their_divergence(temperature):
    theirs, own = softmax(TEACHER / temperature), softmax(STUDENT / temperature)
    expected = temperature**2 * (theirs * np.log(theirs / own)).sum(axis=-1)
    assert loss_of("classes", temperature, student=STUDENT) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_questions_are_compared_by_the_mean_of_their_divergences(temperature):
    theirs, own = sigmoid(TEACHER / temperature), sigmoid(STUDENT / temperature)
    of_each = theirs * np.log(theirs / own) + (1 - theirs) * np.log((1 - theirs) / (1 - own))
    expected = temperature**2 * of_each.mean(axis=-1)
    assert loss_of("questions", temperature, student=STUDENT) == pytest.approx(expected, rel=1e-5)


def test_numbers_are_compared_by_their_squares_at_any_temperature():
    expected = ((TEACHER - STUDENT) ** 2).mean(axis=-1)
    assert loss_of("numbers", 4.0, student=STUDENT) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind, activation", [("classes", softmax), ("questions", sigmoid)])
def test_probabilities_are_as_good_as_the_logits_they_came_from(kind, activation):
    by_logits = loss_of(kind, 2.0, student=STUDENT)
    by_probabilities = loss_of(kind, 2.0, student=activation(STUDENT), logits=False)
    assert by_probabilities == pytest.approx(by_logits, rel=1e-4)


@pytest.mark.parametrize("kind", ["classes", "questions", "numbers"])
def test_the_same_answers_lose_nothing(kind):
    assert loss_of(kind, 2.0, student=TEACHER) == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("kind", ["classes", "questions"])
def test_a_probability_of_0_has_a_finite_loss_and_gradient(kind):
    own = tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(own)
        loss = DistillationLoss(Form(kind), temperature=10.0)(tensor(TEACHER), own)
    assert np.isfinite(loss)
    assert np.isfinite(tape.gradient(loss, own)).all()


def test_logits_that_keras_knows_are_taken():
    far = tf.constant([[0.0, 200.0]])  # whose softmax is 0 and 1
    layer = tf.keras.layers.Softmax()
    found = to_logits(tf.keras.activations.softmax(far), Form("classes"))
    assert found.numpy().tolist() == far.numpy().tolist()
    assert to_logits(layer(tensor(STUDENT)), Form("classes", logits=True)).shape == STUDENT.shape


@pytest.mark.parametrize(
    "loss, arguments, form",
    [
        ("SparseCategoricalCrossentropy", {}, Form("classes")),
        ("CategoricalFocalCrossentropy", {"from_logits": True}, Form("classes", True)),
        ("BinaryCrossentropy", {"from_logits": True}, Form("questions", True)),
        ("MeanAbsoluteError", {}, Form("numbers")),
        ("Hinge", {}, Form("numbers")),
    ],
)
def test_the_loss_says_what_answers_are(loss, arguments, form):
    assert form_of(Node("loss", loss, arguments)) == form
