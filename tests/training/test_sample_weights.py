"""What samples count: the losses that are logged, against arithmetic on paper, of a network that learns nothing."""

from __future__ import annotations

import numpy as np
import pytest

SAMPLE = "data.sample_weight=weight"
BALANCED = "data.class_weight=balanced"


def balanced(kinds):
    """The weight of each sample: samples / (classes × samples of its class)."""
    return (len(kinds) / (3 * np.bincount(kinds)))[kinds]


@pytest.mark.parametrize(
    ("overrides", "of_training"),
    [
        ([BALANCED], lambda kinds, weights: balanced(kinds)),
        (["data.class_weight={'2': 5.0}"], lambda kinds, weights: np.where(kinds == 2, 5.0, 1.0)),
        ([SAMPLE], lambda kinds, weights: weights),
        ([SAMPLE, BALANCED], lambda kinds, weights: weights * balanced(kinds)),
    ],
    ids=["balanced", "mapping", "sample", "both"],
)
def test_losses_are_weighted_and_metrics_are_not(overrides, of_training, train):
    trained = train(*overrides, "training.metrics=[SparseCategoricalAccuracy]")
    for role, prefix in (("train", ""), ("validation", "val_")):
        answers, kinds, weights = trained.samples(role)
        own = weights if SAMPLE in overrides else np.ones(len(kinds))
        counts = of_training(kinds, weights) if role == "train" else own
        losses = -np.log(answers[np.arange(len(kinds)), kinds])
        assert trained.logged[f"{prefix}loss"] == pytest.approx(np.sum(counts * losses) / len(kinds), rel=1e-5)
        right = (answers.argmax(axis=1) == kinds).mean()
        assert trained.logged[f"{prefix}sparse_categorical_accuracy"] == pytest.approx(right)


def test_test_metrics_are_weighted_as_validation_is(train):
    trained = train(SAMPLE, BALANCED)
    answers, kinds, weights = trained.samples("test")
    losses = -np.log(answers[np.arange(len(kinds)), kinds])
    assert trained.metrics["test"]["metrics"]["loss"] == pytest.approx(np.mean(weights * losses), rel=1e-5)


def test_class_ids_are_learned_with_label_smoothing(train):
    """The targets are 1 - 0.3 + 0.3 / 3 for the class and 0.3 / 3 for the others: Szegedy et al. 2016, section 7."""
    trained = train(
        "training.loss={CategoricalCrossentropy: {label_smoothing: 0.3}}",
        "training.metrics=[CategoricalAccuracy, TopKCategoricalAccuracy: {k: 2}]",
    )
    measured = {"train": trained.logged, "validation": trained.logged, "test": trained.metrics["test"]["metrics"]}
    for role, values in measured.items():
        prefix = "val_" if role == "validation" else ""
        answers, kinds, _ = trained.samples(role)
        targets = 0.7 * np.eye(3)[kinds] + 0.1
        expected = -(targets * np.log(answers)).sum(axis=1).mean()
        assert values[f"{prefix}loss"] == pytest.approx(expected, rel=1e-5)
        assert values[f"{prefix}categorical_accuracy"] == pytest.approx((answers.argmax(axis=1) == kinds).mean())
        is_last = answers[np.arange(len(kinds)), kinds] == answers.min(axis=1)
        assert values[f"{prefix}top_k_categorical_accuracy"] == pytest.approx(1 - is_last.mean())
    answers, kinds, _ = trained.samples("test")
    assert trained.metrics["test"]["accuracy"] == pytest.approx((answers.argmax(axis=1) == kinds).mean())
