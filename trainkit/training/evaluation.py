"""The metrics of a trained model on one split of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainkit.data.splits import Split
from trainkit.inference.metrics import accuracy, answers, confusion_matrix, per_class

MEASURES = ("precision", "recall", "f1", "support")


def evaluate_model(model: Any, split: Split, *, batch_size: int, rename: Callable[..., Any]) -> dict[str, Any]:
    """Measure a compiled model.

    Args:
        model: A compiled `tf.keras.Model` with one output.
        split: The samples.
        batch_size: Samples a call.
        rename: Fits an element of the data to the model's output names.

    Returns:
        `samples`, `metrics` (loss and the metrics of the config) and, where the data has classes, `accuracy`,
        `confusion_matrix` (a row a true class, a column an answer) and `per_class`.
    """
    data = split.ordered(batch_size).map(rename)
    values = model.evaluate(data, return_dict=True, verbose=0)
    result: dict[str, Any] = {"samples": split.size, "metrics": {name: float(value) for name, value in values.items()}}
    classes = split.facts.classes
    if classes is not None:
        labels = split.labels()
        given = answers(model.predict(data.map(lambda inputs, targets, weights: inputs), verbose=0))
        matrix = confusion_matrix(labels, given, len(classes))
        result["accuracy"] = float(accuracy(labels, given))
        result["classes"] = list(classes)
        result["confusion_matrix"] = matrix.tolist()
        result["per_class"] = {
            name: [float(value) for value in values] for name, values in zip(MEASURES, per_class(matrix), strict=True)
        }
    return result
