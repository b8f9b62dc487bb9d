"""What a Keras callback knows, as plain data that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from trainkit.errors import TrainingError, shown

_OF_KERAS = frozenset({"model", "params", "validation_data", "_supports_tf_logs", "_chief_worker_only"})
_OF_FILES = frozenset({"append", "append_header"})
"""What a `CSVLogger` finds out from the file when a training begins."""
_ARRAY, _NUMBER, _TUPLE = "__array__", "__number__", "__tuple__"


def recall(callback: Any) -> dict[str, Any]:
    """What a callback knows, as plain values.

    A callback that has `get_state()` and `set_state(state)` says so itself; of any other it is every attribute that
    is a number, a text, an array, or a list, tuple or dictionary of such. The arguments of Keras' own callbacks are
    left out: they are the config's.

    Raises:
        TrainingError: If what it says is no dictionary by text of such values.
    """
    if hasattr(callback, "get_state"):
        state = callback.get_state()
        if not isinstance(state, dict) or not is_plain(state):
            rule = "a dictionary by text of numbers, texts, arrays, and lists, tuples or dictionaries of such"
            raise TrainingError(f"{type(callback).__name__}.get_state() must return {rule}. Received: {shown(state)}.")
        return state
    return {name: value for name, value in _attributes(callback).items() if is_plain(value)}


def remind(callback: Any, state: Mapping[str, Any]) -> None:
    """Let a callback know what it knew when `recall` was asked."""
    if hasattr(callback, "set_state"):
        callback.set_state(state)
    else:
        for name, value in state.items():
            setattr(callback, name, value)


def _is_keras(callback: Any) -> bool:
    return type(callback).__module__.startswith(("keras.", "tf_keras."))


def unkept(callback: Any) -> dict[str, str]:
    """The attributes of a callback of one's own that `recall` leaves out, each with the name of its class."""
    is_own = not _is_keras(callback) and not type(callback).__module__.startswith("trainkit.")
    if not is_own or hasattr(callback, "get_state"):
        return {}
    left = {name: value for name, value in _attributes(callback).items() if not is_plain(value) and not callable(value)}
    return {name: type(value).__name__ for name, value in left.items()}


def why_unkept(callback: Any) -> str:
    """Why a callback of one's own could not go on as it was, and the cure; nothing where it can."""
    for name, kind in unkept(callback).items():
        told = f"{type(callback).__name__} keeps {kind} in `self.{name}`, which no checkpoint can hold"
        return f"{told}. Keep numbers, texts, arrays, lists or dictionaries, or write get_state() and set_state(state)."
    return ""


def is_plain(value: Any) -> bool:
    """Whether a value is data that JSON and NumPy can hold."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(is_plain(one) for one in value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufcS" or _is_vocabulary(value)
    return value is None or isinstance(value, bool | int | float | str | np.generic)


def _is_vocabulary(array: np.ndarray) -> bool:
    """Whether an array has texts as TensorFlow gives them, which Keras counts among the weights of a model."""
    return array.dtype.kind == "O" and all(isinstance(one, bytes) for one in array.flat)


def _attributes(callback: Any) -> dict[str, Any]:
    left_out = set(_OF_KERAS)
    if _is_keras(callback):
        left_out |= _OF_FILES | set(signature(type(callback)).parameters)
    return {name: value for name, value in vars(callback).items() if name not in left_out}


def pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value as JSON has it; its arrays, and the numbers of NumPy, are put into `arrays`."""
    if isinstance(value, np.ndarray | np.generic):
        arrays.append(value.astype(bytes) if value.dtype.kind == "O" else np.asarray(value))
        return {_ARRAY if isinstance(value, np.ndarray) else _NUMBER: len(arrays) - 1}
    if isinstance(value, tuple):
        return {_TUPLE: [pack(one, arrays) for one in value]}
    if isinstance(value, list):
        return [pack(one, arrays) for one in value]
    return {key: pack(one, arrays) for key, one in value.items()} if isinstance(value, dict) else value


def unpack(value: Any, arrays: Sequence[np.ndarray]) -> Any:
    """The value that `pack` was given."""
    if isinstance(value, list):
        return [unpack(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    if _TUPLE in value:
        return tuple(unpack(one, arrays) for one in value[_TUPLE])
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    if _NUMBER in value:
        return arrays[value[_NUMBER]][()]
    return {key: unpack(one, arrays) for key, one in value.items()}
