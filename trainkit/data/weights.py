"""How much each training sample counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainkit.config import SettingError
from trainkit.data.columns import ArrayColumn
from trainkit.data.fields import Field
from trainkit.data.splits import Split
from trainkit.registry import did_you_mean

BALANCED = "balanced"


def weigh(train: Split, class_weight: str | Mapping[str, float] | None) -> Split:
    """Let the training samples of a class count more or less; what a sample itself counts is kept as a factor.

    Args:
        train: The training split.
        class_weight: `balanced`, so that each class counts the same in sum and the mean weight is 1; or a mapping from
            class to weight, 1 for those that are not named.

    Returns:
        The split with its weights.

    Raises:
        SettingError: If the targets are no classes, or a class is unknown.

    Reference:
        King and Zeng, Logistic Regression in Rare Events Data, 2001: the weight of a class is
        samples / (classes × samples of the class).
    """
    if class_weight is None:
        return train
    targets = {name: field.classes for name, field in train.facts.targets.items() if field.classes is not None}
    if not targets:
        raise SettingError(("data", "class_weight"), "needs a target that is a class: here all are numbers.")
    if class_weight != BALANCED and len(targets) > 1:
        raise SettingError(("data", "class_weight"), f"must be {BALANCED} where several outputs are classes.")
    weights = dict(train.weights)
    for name, classes in targets.items():
        of_class = _class_weights(train.labels(name), classes, class_weight)
        labels = train.whole_labels(name)
        factor = np.asarray(weights[name].array) if name in weights else np.float32(1)
        values = (of_class[labels] * factor).astype(np.float32)
        weights[name] = ArrayColumn(values, Field(()))
    return train.weighted(weights)


def _class_weights(labels: np.ndarray, classes: tuple[str, ...], class_weight: str | Mapping[str, float]) -> np.ndarray:
    if isinstance(class_weight, str):
        counts = np.bincount(labels, minlength=len(classes))
        return len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    for name in class_weight:
        if name not in classes:
            message = f"unknown class {name!r}.{did_you_mean(name, classes)} Classes: {', '.join(classes[:12])}."
            raise SettingError(("data", "class_weight"), message)
    return np.array([class_weight.get(name, 1.0) for name in classes])
