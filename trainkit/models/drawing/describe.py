"""What is written in the box of a layer: its class and the arguments that people look for, its shape, its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_SIZES = ("kernel_size", "pool_size", "size")
_WRAPPED = ("Bidirectional", "TimeDistributed", "SpectralNormalization")
_OPERATIONS = ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty")


def is_operation(layer: Any) -> bool:
    """Whether a layer is a bare TensorFlow function; the dots in its name are those of the function."""
    return type(layer).__name__ in _OPERATIONS


def describe_layer(layer: Any) -> str:
    """The class of a layer and the arguments that tell it from others of its class.

    Args:
        layer: A `tf.keras.layers.Layer`.

    Example:
        >>> from trainkit.framework import tf
        >>> describe_layer(tf.keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"))
        'Conv2D 64, 3×3, stride 2, same, relu'
    """
    config = layer.get_config() if hasattr(layer, "get_config") else {}
    name = type(layer).__name__
    if name in _WRAPPED:
        return f"{name} {describe_layer(layer.layer)}"
    if is_operation(layer):
        return str(config.get("function", name))
    words = ", ".join(_words(name, config))
    return f"{name} {words}" if words else name


def show_shape(shape: Any) -> str:
    """Axes without the batch, `any` for a free one; several tensors one after the other.

    Example:
        >>> show_shape((None, 56, None, 64)), show_shape((None,)), show_shape([(None, 2), (None, 3)])
        ('56 × any × 64', 'scalar', '2 and 3')
    """
    if isinstance(shape, Mapping):
        shape = list(shape.values())
    if isinstance(shape, list):
        return " and ".join(show_shape(one) for one in shape)
    try:
        axes = tuple(shape)[1:]
    except (TypeError, ValueError):  # of unknown rank
        return "any shape"
    return " × ".join("any" if axis is None else str(axis) for axis in axes) or "scalar"


def _words(name: str, config: Mapping[str, Any]) -> Iterator[str]:
    for key, write in _WRITERS.items():
        if key in config and config[key] is not None and (word := write(config[key], name, config)):
            yield word


def _plain(value: Any, name: str, config: Mapping[str, Any]) -> str:
    value = value.item() if hasattr(value, "item") else value  # of NumPy
    return f"{value:g}" if isinstance(value, float) else str(value)


def _times(value: Any, name: str = "", config: Mapping[str, Any] | None = None) -> str:
    return "×".join(map(str, value)) if isinstance(value, Sequence) else str(value)


def _unless(default: Any, words: str) -> Callable[[Any, str, Mapping[str, Any]], str]:
    """A writer that leaves a default out; `{}` in `words` is the value."""

    def write(value: Any, name: str, config: Mapping[str, Any]) -> str:
        return "" if value == default else words.format(_plain(value, name, config))

    return write


def _strides(value: Any, name: str, config: Mapping[str, Any]) -> str:
    """As one number where all axes have the same; those of a pooling are its size by default."""
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    size = config.get("pool_size", 1)
    default = tuple(size) if isinstance(size, Sequence) else (size,) * len(values)
    if values == default:
        return ""
    return f"stride {values[0] if len(set(values)) == 1 else _times(values)}"


def _padding(value: Any, name: str, config: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return "" if value == "valid" else value
    flat = [side for axis in value for side in (axis if isinstance(axis, Sequence) else [axis])]
    return str(flat[0]) if len(set(flat)) == 1 else ", ".join(map(_times, value))


def _dilation(value: Any, name: str, config: Mapping[str, Any]) -> str:
    values = set(value) if isinstance(value, Sequence) else {value}
    return "" if values == {1} else f"dilation {values.pop() if len(values) == 1 else _times(value)}"


def _activation(value: Any, name: str, config: Mapping[str, Any]) -> str:
    word = value if isinstance(value, str) else str(value.get("class_name", "")) if isinstance(value, Mapping) else ""
    usual = "tanh" if name in ("LSTM", "GRU", "SimpleRNN") else "linear"
    return "" if word == usual and name != "Activation" else word


def _axis(value: Any, name: str, config: Mapping[str, Any]) -> str:
    axis = value[0] if isinstance(value, Sequence) and len(value) == 1 else value
    return "" if axis == -1 or name not in ("Concatenate", "Softmax", "Dot") else f"axis {_times(axis)}"


def _embedding(value: Any, name: str, config: Mapping[str, Any]) -> str:
    return f"{config.get('input_dim')} to {value}"


def _heads(value: Any, name: str, config: Mapping[str, Any]) -> str:
    return f"{value} heads of {config.get('key_dim')}"


def _shape(value: Any, name: str, config: Mapping[str, Any]) -> str:
    return "" if name == "InputLayer" else " × ".join("any" if axis in (-1, None) else str(axis) for axis in value)


def _scale(value: Any, name: str, config: Mapping[str, Any]) -> str:
    """As a fraction where it is one: 1/255."""
    if name != "Rescaling" or not isinstance(value, int | float):
        return ""
    times = 1 / value if value else 0.0
    return f"× 1/{times:.0f}" if times > 1 and abs(times - round(times)) < 1e-6 * times else f"× {value:g}"


def _sides(value: Any, name: str, config: Mapping[str, Any]) -> str:
    return f"{value} × {config.get('width')}"


_WRITERS: dict[str, Callable[[Any, str, Mapping[str, Any]], str]] = {
    "filters": _plain,
    "units": _plain,
    "output_dim": _embedding,
    "num_heads": _heads,
    "target_shape": _shape,
    "height": _sides,
    "n": _unless(None, "×{}"),
    **dict.fromkeys(_SIZES, _times),
    "strides": _strides,
    "padding": _padding,
    "dilation_rate": _dilation,
    "groups": _unless(1, "{} groups"),
    "depth_multiplier": _unless(1, "multiplier {}"),
    "rate": _plain,
    "stddev": _plain,
    "scale": _scale,
    "max_value": lambda value, name, config: f"at most {_plain(value, name, config)}" if name == "ReLU" else "",
    "axis": _axis,
    "activation": _activation,
    "return_sequences": _unless(False, "sequences"),
    "go_backwards": _unless(False, "backwards"),
}
