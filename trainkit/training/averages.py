"""The averages of the weights that an optimizer with `use_ema` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainkit.training.loss_scale import plain_optimizer


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """While it lasts, the weights of a model are their moving averages; after it, what they were, bit for bit.

    Nothing happens where the optimizer keeps no averages, or has not made an update yet. What no optimizer trains
    (frozen layers, the statistics of batch normalization) stays as it is. No weight is copied: the model and the
    optimizer share the numbers until one of them writes.

    Args:
        model: A compiled `tf.keras.Model`.

    Note:
        Keras begins each average with the weight before the first update, and corrects nothing: after `t` updates,
        `ema_momentum^t` of the average is still that weight.
    """
    pairs = [(variable, variable.read_value()) for variable in model.trainable_variables]
    pairs = [(variable, raw) for variable, raw in pairs if _average_of(model.optimizer, variable) is not None]
    try:
        for variable, _ in pairs:
            variable.assign(_average_of(model.optimizer, variable).read_value())
        yield
    finally:
        for variable, raw in pairs:
            variable.assign(raw)


def _average_of(optimizer: Any, variable: Any) -> Any:
    """The variable that holds the average of another, or None."""
    optimizer = plain_optimizer(optimizer)
    if not getattr(optimizer, "use_ema", False) or not getattr(optimizer, "_built", False):
        return None
    index = optimizer._index_dict.get(optimizer._var_key(variable))
    return None if index is None else optimizer._model_variables_moving_average[index]
