"""Losses that are scaled, so that small gradients are not 0 in float16: Keras' LossScaleOptimizer, and its state."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from trainkit.framework import tf

_Keras: Any = import_module(tf.keras.mixed_precision.LossScaleOptimizer.__module__).LossScaleOptimizerV3
LEAST = 1.0
"""Keras never halves the scale to less."""


@tf.keras.saving.register_keras_serializable("trainkit")
class LossScaleOptimizer(_Keras):
    """Keras' LossScaleOptimizer around an optimizer that may make one update of several batches.

    A batch whose gradients overflow is left out, and the scale is halved. Keras then counts an update; of several
    batches it is none, and none is counted.
    """

    def apply_gradients(self, grads_and_vars: Iterable[Any], *args: Any, **kwargs: Any) -> None:
        """Update the variables, unless a gradient is not finite."""
        pairs, inner = list(grads_and_vars), self.inner_optimizer
        if getattr(inner, "gradient_accumulation_steps", 1) == 1:
            super().apply_gradients(pairs, *args, **kwargs)
            return
        with tf.init_scope():
            self.build([variable for _, variable in pairs])
        batches, updates = tf.identity(inner._batches), tf.identity(inner.iterations)
        super().apply_gradients(pairs, *args, **kwargs)
        is_left_out = tf.equal(batches, inner._batches)
        inner.iterations.assign(tf.where(is_left_out, updates, inner.iterations))


def loss_scaled(optimizer: Any, model: Any) -> Any:
    """An optimizer that scales the loss, where layers of a model compute in float16; else the optimizer itself."""
    needs = any(layer.dtype_policy.name == "mixed_float16" for layer in model.layers)
    return LossScaleOptimizer(optimizer) if needs else optimizer


def plain_optimizer(optimizer: Any) -> Any:
    """The optimizer of a config, without the one around it that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def scale_variables(optimizer: Any) -> list[Any]:
    """The scale of the loss, and how many good steps it has seen since it changed; nothing where none is scaled."""
    state = getattr(optimizer, "_loss_scale", None)
    return [] if state is None else [state.current_loss_scale, state.counter]


def is_stuck(optimizer: Any) -> bool:
    """Whether the gradients of the last step were not finite, and a smaller scale could not mend that."""
    variables = scale_variables(optimizer)
    if not variables:
        return False
    scale, good_steps = (tf.convert_to_tensor(one) for one in variables)  # replicas have one of their own each
    return float(scale) <= LEAST and int(good_steps) == 0
