"""The learning rate of this moment."""

from __future__ import annotations

from typing import Any


def current_learning_rate(optimizer: Any) -> float:
    """The rate of a Keras optimizer's last step, whether it is a number or a schedule."""
    return float(optimizer.learning_rate.numpy())
