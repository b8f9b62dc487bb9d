"""The way back from a checkpoint: the state, and the variables of a model, its optimizer and its metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.callbacks.memory import unpack
from trainkit.errors import RunError
from trainkit.framework import tf
from trainkit.runs.checkpoints import Checkpoints, fault_of
from trainkit.runs.variables import read_variables
from trainkit.training.scale.team import Team
from trainkit.training.state import State

ARRAYS = "arrays.npz"
VARIABLES, AVERAGES = "variables", "averages"


def read_state(checkpoints: Checkpoints, step: int) -> State:
    """The state that a checkpoint holds.

    Raises:
        RunError: If it is damaged.
    """
    directory = checkpoints.at(step)
    try:
        with np.load(directory / ARRAYS, allow_pickle=False) as file:
            arrays = [file[name] for name in file.files]
        return State.from_json(unpack(checkpoints.read_state(step), arrays))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RunError(f"{directory} cannot be restored: {error}.") from error


def restore(checkpoints: Checkpoints, step: int, model: Any, *, optimizer: bool = True) -> None:
    """Set the weights, the optimizer and the metrics of a compiled model, which have been built, to a checkpoint's.

    Args:
        checkpoints: The checkpoints.
        step: Of the checkpoint.
        model: The model.
        optimizer: Whether the optimizer is set, too.
    """
    trackables = trackables_of(model, without_optimizer(model))
    if not optimizer:
        del trackables["optimizer"]
    team = Team(model.distribute_strategy)
    if team.is_chief:
        read_variables(checkpoints.at(step), VARIABLES, **trackables)
    team.spread(*tf.nest.flatten(trackables))


def restore_weights(checkpoints: Checkpoints, step: int, model: Any) -> None:
    """Set the weights of a model `without_optimizer` to a checkpoint's: to the averages, where it has such.

    Raises:
        RunError: If the checkpoint is missing or damaged.
    """
    directory, team = checkpoints.at(step), Team(model.distribute_strategy)
    if team.is_chief:
        if fault := fault_of(directory):
            raise RunError(f"{directory} {fault}.")
        averages = (directory / f"{AVERAGES}.index").exists()
        read_variables(directory, AVERAGES if averages else VARIABLES, model=model)
    team.spread(model)


def without_optimizer(model: Any) -> Any:
    """A model of the same layers, without the optimizer and the losses, which differ from phase to phase."""
    with model.distribute_strategy.scope():
        return tf.keras.Model(model.inputs, model.outputs, name=model.name)


def trackables_of(model: Any, plain: Any) -> dict[str, Any]:
    """What is written of a compiled model: the model `without_optimizer`, its optimizer and its metrics."""
    return {"model": plain, "optimizer": model.optimizer, "metrics": list(model.metrics)}
