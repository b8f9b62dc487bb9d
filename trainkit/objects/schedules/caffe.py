"""The learning-rate policies of Caffe, each by the formula of its `solver.prototxt`."""

from __future__ import annotations

from typing import Any

from trainkit.errors import InputError, shown
from trainkit.framework import tf
from trainkit.objects.schedules.base import Schedule, number, whole_number

_register = tf.keras.saving.register_keras_serializable(package="trainkit")


@_register
class FixedDecay(Schedule):
    """The same rate at every step: `initial_learning_rate`. Caffe's `lr_policy: "fixed"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.

    Reference:
        Jia et al. 2014, Caffe: `SGDSolver::GetLearningRate`, as for all schedules of this file.
    """

    def __init__(self, initial_learning_rate: float) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        return tf.constant(self.initial_learning_rate, tf.float64)


@_register
class StepDecay(Schedule):
    """A rate that falls every so many steps: `initial_learning_rate · gamma^⌊step / step_size⌋`. Caffe's `"step"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.
        gamma: The rate is multiplied by this, each time.
        step_size: Steps between two falls, Caffe's `stepsize`.
    """

    def __init__(self, initial_learning_rate: float, gamma: float, step_size: int) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.gamma = number("gamma", gamma, above=0)
        self.step_size = whole_number("step_size", step_size, least=1)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        return self.initial_learning_rate * tf.pow(_double(self.gamma), tf.floor(step / self.step_size))


@_register
class MultiStepDecay(Schedule):
    """A rate that falls at certain steps: `initial_learning_rate · gamma^(milestones reached)`. Caffe's `"multistep"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.
        gamma: The rate is multiplied by this at each milestone.
        milestones: The first step of each lower rate, increasing; Caffe's `stepvalue`.
    """

    def __init__(self, initial_learning_rate: float, gamma: float, milestones: list[int]) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.gamma = number("gamma", gamma, above=0)
        steps = milestones if isinstance(milestones, list | tuple) else [milestones]
        self.milestones = [whole_number("milestones", step, least=0) for step in steps]
        if not steps or self.milestones != sorted(set(self.milestones)):
            rule = "steps, each greater than the one before"
            raise InputError(f"`milestones` must be {rule}. Received: milestones={shown(milestones)}.")

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        reached = tf.reduce_sum(tf.cast(step >= tf.constant(self.milestones, tf.float64), tf.float64))
        return self.initial_learning_rate * tf.pow(_double(self.gamma), reached)


@_register
class ExpDecay(Schedule):
    """A rate that falls at every step: `initial_learning_rate · gamma^step`. Caffe's `"exp"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.
        gamma: The rate is multiplied by this at each step.
    """

    def __init__(self, initial_learning_rate: float, gamma: float) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.gamma = number("gamma", gamma, above=0)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        return self.initial_learning_rate * tf.pow(_double(self.gamma), step)


@_register
class InvDecay(Schedule):
    """A rate that falls ever more slowly: `initial_learning_rate · (1 + gamma · step)^(-power)`. Caffe's `"inv"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.
        gamma: How soon it falls.
        power: How far it falls.
    """

    def __init__(self, initial_learning_rate: float, gamma: float, power: float) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.gamma = number("gamma", gamma, least=0)
        self.power = number("power", power)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        return self.initial_learning_rate * tf.pow(1 + self.gamma * step, _double(-self.power))


@_register
class PolyDecay(Schedule):
    """A rate that reaches 0 and stays: `initial_learning_rate · (1 - step / total_steps)^power`. Caffe's `"poly"`.

    Args:
        initial_learning_rate: Caffe's `base_lr`.
        total_steps: Steps to 0, Caffe's `max_iter`.
        power: 1 for a straight line.
    """

    def __init__(self, initial_learning_rate: float, total_steps: int, power: float = 1.0) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.total_steps = whole_number("total_steps", total_steps, least=1)
        self.power = number("power", power, above=0)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        left = tf.maximum(1 - step / self.total_steps, 0)
        return self.initial_learning_rate * tf.pow(left, _double(self.power))


@_register
class SigmoidDecay(Schedule):
    """A rate that falls around one step: `initial_learning_rate / (1 + exp(-gamma · (step - midpoint)))`.

    Caffe's `"sigmoid"`. It falls where `gamma` is negative.

    Args:
        initial_learning_rate: Caffe's `base_lr`: the rate long before the midpoint.
        gamma: How steep it is; as in Caffe, negative for a rate that falls.
        midpoint: Where half of the rate is left, Caffe's `stepsize`.
    """

    def __init__(self, initial_learning_rate: float, gamma: float, midpoint: int) -> None:
        self.initial_learning_rate = number("initial_learning_rate", initial_learning_rate, least=0)
        self.gamma = number("gamma", gamma)
        self.midpoint = whole_number("midpoint", midpoint, least=0)

    def rate(self, step: Any) -> Any:
        """The rate at a step."""
        return self.initial_learning_rate * tf.sigmoid(self.gamma * (step - self.midpoint))


def _double(value: float) -> Any:
    return tf.constant(value, tf.float64)
