"""Optimizers of Keras that update from several batches, and that give each weight its own share of the rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from trainkit.config import known_names
from trainkit.framework import tf
from trainkit.objects import keras_class

_Optimizer = tf.keras.optimizers.Optimizer


def extend(optimizer: Any, *, gradient_accumulation_steps: int = 1, multipliers: Mapping[str, float] = {}) -> Any:
    """Let an optimizer of Keras do more; it stays the object that it is, with all its arguments.

    Args:
        optimizer: A `tf.keras.optimizers.Optimizer` that has not been built.
        gradient_accumulation_steps: How many batches make an update.
        multipliers: By what the learning rate is multiplied for a variable, by the variable's name; 1 for others.

    Returns:
        The optimizer; as it was where there is nothing to add.
    """
    if gradient_accumulation_steps > 1 or multipliers:
        optimizer.__class__ = extended_class(optimizer.__class__)
        optimizer.extend(gradient_accumulation_steps, multipliers)
    return optimizer


class Extension:
    """What an optimizer's class gets in front of it: see `extend`.

    The gradients of the batches add up in variables of the optimizer, which checkpoints hold like all others; every
    `gradient_accumulation_steps`-th call of `apply_gradients` applies their mean. So `iterations`, schedules, clipping,
    weight decay and averages know nothing but updates, and an update may have batches of two epochs.

    While one variable is updated, `learning_rate` is its own; at any other time it is the true one.
    """

    gradient_accumulation_steps = 1
    multipliers: Mapping[str, float] = {}
    _multiplier = 1.0

    def extend(self: Any, gradient_accumulation_steps: int, multipliers: Mapping[str, float]) -> None:
        """Set what is added."""
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.multipliers = self._no_dependency(dict(multipliers))

    @property
    def learning_rate(self) -> Any:
        """The rate: a variable; while a variable with a multiplier is updated, its product with that."""
        rate = _Optimizer.learning_rate.fget(self)
        return rate if self._multiplier == 1 else rate * self._multiplier

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        _Optimizer.learning_rate.fset(self, rate)

    def build(self: Any, var_list: Any) -> None:
        """Make the variables of the optimizer."""
        is_new = not getattr(self, "_built", False)
        super().build(var_list)  # type: ignore[misc]
        if is_new and self.gradient_accumulation_steps > 1:
            self._batches = self.add_variable((), tf.int64, name="accumulated_batches")
            self._sums = [self.add_variable_from_reference(variable, "accumulated") for variable in var_list]

    def apply_gradients(self: Any, grads_and_vars: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Update the variables, or, before the last batch of an update, only keep the gradients.

        Returns:
            How many updates there were.
        """
        apply = super().apply_gradients  # type: ignore[misc]
        pairs = list(grads_and_vars)
        if self.gradient_accumulation_steps == 1 or not pairs:
            return apply(pairs, *args, **kwargs)
        with tf.init_scope():
            self.build([variable for _, variable in pairs])
        given = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            return self._accumulate(given, lambda means: apply(means(), *args, **kwargs), _directly)
        variables = [variable for _, variable in given]

        def meet(strategy: Any, *gradients: Any) -> Any:
            def part(means: Callable[[], list[Any]]) -> None:
                strategy.extended.call_for_each_replica(lambda: apply(means(), skip_gradients_aggregation=True))

            def change(variable: Any, function: Callable[..., Any], *values: Any) -> None:
                strategy.extended.update(variable, function, args=values, group=False)

            return self._accumulate(list(zip(gradients, variables, strict=True)), part, change)

        # replicas cannot meet inside of a condition: they meet before it, and part in it
        return replica.merge_call(meet, args=tuple(gradient for gradient, _ in self.aggregate_gradients(given)))

    def _accumulate(
        self: Any, given: list[Any], apply: Callable[[Callable[[], list[Any]]], Any], change: Callable[..., None]
    ) -> Any:
        """Keep gradients; after the last batch of an update, apply their means."""
        totals = [(self._sum_of(variable), variable) for _, variable in given]
        for (gradient, _), (total, _) in zip(given, totals, strict=True):
            change(total, _add, gradient)
        self._batches.assign_add(1)

        def update() -> Any:
            apply(lambda: [(total / self.gradient_accumulation_steps, variable) for total, variable in totals])
            for variable in [self._batches, *(total for total, _ in totals)]:
                change(variable, lambda one: one.assign(tf.zeros_like(one)))
            return tf.identity(self.iterations)

        is_last = self._batches >= self.gradient_accumulation_steps
        return tf.cond(is_last, update, lambda: tf.identity(self.iterations))

    def update_step(self: Any, gradient: Any, variable: Any) -> None:
        """Update one variable, at its own rate; one whose rate is 0 stays, also where the rate is a divisor."""
        with self._at_rate_of(variable) as multiplier:
            if multiplier:
                super().update_step(gradient, variable)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the optimizer, and what is added."""
        added = {"gradient_accumulation_steps": self.gradient_accumulation_steps, "multipliers": dict(self.multipliers)}
        return dict(super().get_config()) | added  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The same again, from `get_config`."""
        config = dict(config)
        added = config.pop("gradient_accumulation_steps", 1), config.pop("multipliers", {})
        optimizer = super().from_config(config, *args, **kwargs)  # type: ignore[misc]
        optimizer.extend(*added)
        return optimizer

    def _apply_weight_decay(self: Any, variables: Iterable[Any]) -> None:
        for variable in variables:
            with self._at_rate_of(variable):
                super()._apply_weight_decay([variable])  # type: ignore[misc]

    def _sum_of(self: Any, variable: Any) -> Any:
        return self._sums[self._index_dict[self._var_key(variable)]]

    @contextmanager
    def _at_rate_of(self, variable: Any) -> Iterator[float]:
        self._multiplier = self.multipliers.get(variable.name, 1.0)
        try:
            yield self._multiplier
        finally:
            self._multiplier = 1.0


def _directly(variable: Any, function: Callable[..., Any], *values: Any) -> None:
    function(variable, *values)


def _add(total: Any, gradient: Any) -> None:
    if isinstance(gradient, tf.IndexedSlices):  # of an embedding: the rows that the batch has used
        total.scatter_add(gradient)
    else:
        total.assign_add(gradient)


@cache
def extended_class(base: Any) -> type:
    """The class of an optimizer with `Extension` in front; it goes by the name of the optimizer."""
    return type(base.__name__, (Extension, base), {"__module__": __name__, "__doc__": base.__doc__})


for _name in known_names("optimizer"):  # so that a saved model finds them
    tf.keras.saving.register_keras_serializable("trainkit", _name)(extended_class(keras_class("optimizer", _name)))
