"""What outputs say, and how right they are."""

from __future__ import annotations

import numpy as np

_ROUNDING = 1e-3


def are_logits(outputs: np.ndarray) -> bool:
    """Whether some finite output lies outside `[0, 1]`: then they are no probabilities."""
    finite = outputs[np.isfinite(outputs)]
    return bool(finite.size and (finite.min() < -_ROUNDING or finite.max() > 1 + _ROUNDING))


def answers(outputs: np.ndarray, *, logits: bool | None = None) -> np.ndarray:
    """The class that each sample is answered with.

    Args:
        outputs: Probabilities or logits, shape `(samples, …, classes)`; the last axis is 1 for one sigmoid unit.
        logits: Whether one unit says 1 above 0 (a logit) or above 0.5; by default, as the values tell.

    Returns:
        Class ids, shape `(samples, …)`.

    Example:
        >>> answers(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist(), answers(np.array([[0.7], [0.2]])).tolist()
        ([1, 0], [1, 0])
    """
    if outputs.shape[-1] > 1:
        return np.argmax(outputs, axis=-1)
    threshold = 0.0 if (are_logits(outputs) if logits is None else logits) else 0.5
    return (outputs[..., 0] > threshold).astype(np.int64)


def margin(outputs: np.ndarray, *, logits: bool | None = None) -> np.ndarray:
    """By how much the best answer leads, in the units of the outputs.

    Args:
        outputs: Probabilities or logits, shape `(samples, …, classes)`.
        logits: As for `answers`.

    Returns:
        Best minus second, shape `(samples, …)`; for one unit twice the distance from its threshold, which is
        `|2p - 1|` for a sigmoid.

    Example:
        >>> margin(np.array([[0.125, 0.75, 0.125]])).tolist(), margin(np.array([[0.75]])).tolist()
        ([0.625], [0.5])
    """
    if outputs.shape[-1] > 1:
        second, best = np.moveaxis(np.partition(outputs, -2, axis=-1)[..., -2:], -1, 0)
        return best - second
    threshold = 0.0 if (are_logits(outputs) if logits is None else logits) else 0.5
    return 2 * np.abs(outputs[..., 0] - threshold)


def probabilities(outputs: np.ndarray, *, logits: bool | None = None) -> np.ndarray:
    """Outputs as probabilities: logits go through a softmax, or through a sigmoid if there is one unit.

    Args:
        outputs: Probabilities or logits, shape `(samples, …, classes)`.
        logits: Whether they are logits; by default, as the values tell.

    Returns:
        Probabilities of the same shape; probabilities are unchanged.
    """
    if not (are_logits(outputs) if logits is None else logits):
        return outputs
    if outputs.shape[-1] == 1:
        return 0.5 * (1 + np.tanh(outputs / 2))
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def accuracy(labels: np.ndarray, answers: np.ndarray) -> float:
    """The share of answers that are right.

    Args:
        labels: Class ids, shape `(samples, …)`.
        answers: Class ids of the same shape.

    Example:
        >>> accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))
        0.75
    """
    return float(np.mean(labels == answers))


def confusion_matrix(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """Count each pair of label and answer.

    Args:
        labels: Class ids in `[0, classes)`, any shape.
        answers: Class ids of the same shape.
        classes: Number of classes.

    Returns:
        Counts, shape `(classes, classes)`: a row a true class, a column an answer.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    pairs = labels.ravel().astype(np.int64) * classes + answers.ravel().astype(np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def per_class(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Measure each class on its own.

    Args:
        matrix: A confusion matrix, shape `(classes, classes)`.

    Returns:
        Precision, recall, F1 and support, each of shape `(classes,)`; a share of nothing is 0.

    Example:
        >>> precision, recall, f1, support = per_class(np.array([[1, 1], [0, 2]]))
        >>> recall.tolist(), support.tolist()
        ([0.5, 1.0], [2, 2])
    """
    right = np.diag(matrix).astype(np.float64)
    answered, support = matrix.sum(axis=0), matrix.sum(axis=1)
    precision, recall = _share(right, answered), _share(right, support)
    return precision, recall, _share(2 * right, answered + support), support


def mean_iou(matrix: np.ndarray) -> float:
    """The mean over classes of intersection over union, as segmentation is measured.

    Args:
        matrix: A confusion matrix, shape `(classes, classes)`; a class that neither occurs nor is answered counts
            nothing.

    Example:
        >>> round(mean_iou(np.array([[1, 1], [0, 2]])), 4)
        0.5833

    Reference:
        Everingham et al., IJCV 2015, section 4.3 (there called segmentation accuracy).
    """
    right = np.diag(matrix).astype(np.float64)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - right
    return float((right[union > 0] / union[union > 0]).mean())


def regression(targets: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """How near numbers come to what they should be.

    Args:
        targets: Shape `(samples, units)`.
        outputs: Of the same shape.

    Returns:
        `mae`, `rmse` (in the units of the targets) and `r2`, the share of the variance that is explained (0 where the
        targets do not vary).

    Example:
        >>> regression(np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))
        {'mae': 0.5, 'rmse': 0.7071067811865476, 'r2': 0.5}
    """
    error = outputs.astype(np.float64) - targets
    spread = float(((targets - targets.mean(axis=0)) ** 2).sum())
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / spread if spread else 0.0,
    }


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
