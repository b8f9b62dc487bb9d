"""Statistics that each replica keeps of its own part, made the same on all."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf

_MOST = 4
"""How often the mean of equal numbers may be another number than they are: once, but for rare counts of replicas."""


class Settling:
    """Sets what replicas keep apart, and whose mean a checkpoint holds, to that mean on all of them.

    So the model that is validated is the one that is saved, and a training that goes on has what it had. The moving
    statistics of batch normalization are such: their mean after any number of steps is the same with and without this.

    Args:
        model: A `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self._strategy = model.distribute_strategy
        several = self._strategy.num_replicas_in_sync > 1
        self._apart = [one for one in model.variables if isinstance(one, tf.Variable) and several and _is_apart(one)]

    def __call__(self) -> None:
        """Do it; all workers have to."""
        if not self._apart:
            return
        before = None
        with self._strategy.scope():
            for _ in range(_MOST):
                # as a checkpoint reads them: a function would multiply by a third where that divides by three
                means = [variable.read_value().numpy() for variable in self._apart]
                if before is not None and all((one == other).all() for one, other in zip(means, before, strict=True)):
                    return
                before = means
                for variable, mean in zip(self._apart, means, strict=True):
                    for component in self._strategy.experimental_local_results(variable):
                        component.assign(mean)


def _is_apart(variable: Any) -> bool:
    is_on_read = variable.synchronization == tf.VariableSynchronization.ON_READ
    return is_on_read and variable.aggregation == tf.VariableAggregation.MEAN
