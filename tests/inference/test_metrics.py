"""Answers and how right they are: numbers from arithmetic on paper."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.inference.metrics import (
    accuracy,
    answers,
    are_logits,
    confusion_matrix,
    margin,
    per_class,
    probabilities,
)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([[0.1, 0.9], [0.6, 0.4]], [1, 0]),
        ([[-3.0, -1.0, -2.0]], [1]),
        ([[0.51], [0.5], [0.49]], [1, 0, 0]),
        ([[3.0], [0.2], [-0.2]], [1, 1, 0]),
    ],
    ids=["softmax", "logits", "sigmoid", "one logit"],
)
def test_answers(outputs, expected):
    assert answers(np.array(outputs)).tolist() == expected


def test_answers_of_pixels_have_their_shape():
    assert answers(np.zeros((2, 5, 6, 3))).shape == (2, 5, 6)


def test_answers_of_one_unit_know_when_they_are_told():
    assert answers(np.array([[0.2]]), logits=True).tolist() == [1]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [([[0.125, 0.25, 0.625]], [0.375]), ([[-1.0, 4.0, 1.5]], [2.5]), ([[0.75], [0.25], [0.5]], [0.5, 0.5, 0.0])],
    ids=["softmax", "logits", "sigmoid"],
)
def test_margin(outputs, expected):
    assert margin(np.array(outputs)).tolist() == expected


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [([[0.0, 1.0]], False), ([[0.3, 1.00001]], False), ([[0.3, 1.5]], True), ([[-0.5]], True), ([[np.nan]], False)],
    ids=["ends", "rounding", "above", "below", "nan"],
)
def test_are_logits(outputs, expected):
    assert are_logits(np.array(outputs)) is expected


def test_probabilities_of_logits():
    assert probabilities(np.log([[2.0, 6.0]])) == pytest.approx(np.array([[0.25, 0.75]]))
    assert probabilities(np.log([[3.0]])) == pytest.approx(np.array([[0.75]]))


def test_probabilities_are_left_as_they_are():
    outputs = np.array([[0.9, 0.8, 0.1]])
    assert probabilities(outputs) is outputs


def test_accuracy():
    assert accuracy(np.array([0, 1, 2, 3]), np.array([0, 1, 2, 0])) == 0.75


def test_confusion_matrix_has_a_row_a_label():
    matrix = confusion_matrix(np.array([0, 0, 0, 2]), np.array([0, 1, 1, 2]), 3)
    assert matrix.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_per_class():
    precision, recall, f1, support = per_class(np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]]))
    assert precision.tolist() == [0.75, 0.5, 0]
    assert recall.tolist() == [0.75, 0.5, 0]
    assert f1.tolist() == [0.75, 0.5, 0]
    assert support.tolist() == [4, 2, 0]
