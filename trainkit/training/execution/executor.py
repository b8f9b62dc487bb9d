"""Runs steps of a model, several a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainkit.framework import tf
from trainkit.training.execution.feeds import Feed, Sizes
from trainkit.training.execution.plan import Plan
from trainkit.training.execution.steps import Step, test_step, train_step
from trainkit.training.finite import has_finite_norms, learned_variables

Function = Any
"""`function(*arguments of a feed, looks)`, metrics and whether all is finite; of TensorFlow, but for eager models."""


class Executor:
    """Runs the training steps of a model as a plan says.

    Args:
        model: A compiled `tf.keras.Model`.
        feed: Where the batches come from.
        plan: How many steps a call does, and what XLA compiles.
    """

    make_step: Callable[[Any], Step] = staticmethod(train_step)
    is_finite: bool | None = None
    """Whether all that training changes is finite, as the last call saw it; None where that did not look."""

    def __init__(self, model: Any, feed: Feed, plan: Plan) -> None:
        self.model, self.feed, self.plan = model, feed, plan
        self._step = self._replica_step()
        self._steps = _steps(model, feed, self._step)
        self._loops: dict[Sizes, Function] = {}
        """What XLA has compiled."""

    def __call__(self, step: int, most: int, *, end: int | None = None) -> tuple[int, dict[str, Any]]:
        """Do some steps.

        Args:
            step: Steps done before; after a call it has to go on where that ended.
            most: How many steps may be done.
            end: The call that comes to this step looks whether all that training changes is finite.

        Returns:
            How many were done, and the metrics as they are now.
        """
        count = min(most, self.plan.steps_per_execution, self.feed.most(step))
        function = self._function_of(step, count)
        self._show(function)
        looks = step + count == end and self._may_look
        values, is_finite = function(*self._arguments(step, count, looks=looks))
        self.is_finite = bool(is_finite) if looks else None
        return count, values

    def _function_of(self, step: int, count: int) -> Function:
        sizes = self.feed.sizes(step, count) if self.plan.jit_compile == "loop" else None
        if sizes is None:
            return self._steps
        if sizes not in self._loops:
            self._loops[sizes] = _compiled_loop(self.model, self.feed.of_sizes(sizes), self._step)
        return self._loops[sizes]

    def operations(self, step: int) -> set[str]:
        """The kinds of TensorFlow's operations that a training step has, by their names."""
        graph = self._steps.get_concrete_function(*self._arguments(step, 1)).graph
        return {node.op for function in graph.as_graph_def().library.function for node in function.node_def}

    def _arguments(self, step: int, count: int, *, looks: bool = False) -> tuple[Any, ...]:
        """Of the function of a call."""
        return *self.feed.arguments(step, count), tf.constant(looks) if self._may_look else None

    @property
    def _may_look(self) -> bool:
        """Several replicas look together, outside of a call: some of what they keep has to be gathered first."""
        return bool(self.model.distribute_strategy.num_replicas_in_sync == 1)

    def _show(self, function: Function) -> None:
        """Let TensorBoard draw the graph of a function."""
        if not self.model.run_eagerly:
            self.model.train_tf_function = function

    def _replica_step(self) -> Step:
        model, step = self.model, self.make_step(self.model)
        if model.run_eagerly or model.distribute_strategy.num_replicas_in_sync > 1:
            return step  # replicas meet in the middle of a step, which a function inside of a function must not
        # a graph of its own: random layers count their draws from its beginning, however many steps a call does
        is_compiled = self.plan.jit_compile == "step"
        return tf.function(step, jit_compile=is_compiled or None, reduce_retracing=True)


class Evaluator(Executor):
    """Runs the test steps of a model."""

    make_step = staticmethod(test_step)
    _may_look = False

    def _show(self, function: Function) -> None:
        """TensorBoard draws the training."""


def _steps(model: Any, feed: Feed, step: Step) -> Function:
    """The function of a call."""
    return _call(model, lambda *items: _each(model, feed, step, items))


def _compiled_loop(model: Any, feed: Feed, step: Step) -> Function:
    """The same, all steps compiled by XLA as one program."""
    return _call(model, tf.function(lambda *items: _each(model, feed, step, items), jit_compile=True))


def _call(model: Any, steps: Callable[..., None]) -> Function:
    """Some steps, then the metrics, and whether all is finite, if it is to look."""

    def run(*arguments: Any) -> tuple[dict[str, Any], Any]:
        *items, looks = arguments
        steps(*items)
        return dict(model.get_metrics_result()), _is_finite(model, looks)

    return run if model.run_eagerly else tf.function(run, reduce_retracing=True)


def _is_finite(model: Any, looks: Any | None) -> Any:
    if looks is None:
        return None
    return tf.cond(looks, lambda: has_finite_norms(learned_variables(model)), lambda: tf.constant(False))


def _each(model: Any, feed: Feed, step: Step, arguments: tuple[Any, ...]) -> None:
    def replica(*item: Any) -> None:
        step(*feed.batch(*item))

    feed.each(lambda *item: model.distribute_strategy.run(replica, args=item), *arguments)
