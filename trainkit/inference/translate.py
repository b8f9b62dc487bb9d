"""A layer of Keras 3, described in plain values, as a layer of tf_keras."""

from __future__ import annotations

import inspect
from typing import Any

from trainkit.errors import shown
from trainkit.framework import tf
from trainkit.inference.predictor import reason_of

ACTIVATIONS = {name: name for name in ("elu", "exponential", "gelu", "linear", "mish", "relu", "selu", "sigmoid")}
ACTIVATIONS |= {"softmax": "softmax", "softplus": "softplus", "softsign": "softsign", "tanh": "tanh", "silu": "swish"}
"""Activations of Keras 3, and what tf_keras calls them."""
RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}
"""Arguments that tf_keras has by another name."""
NEUTRAL = {
    "data_format": "channels_last",
    "fill_mode": "constant",
    "fill_value": 0.0,
    "renorm_momentum": 0.99,
    "value_range": [0, 255],
}
"""What tf_keras does where it lacks an argument; None and False say that a feature is not used."""
REFUSED = dict.fromkeys(
    ("Hashing", "HashedCrossing", "IntegerLookup", "StringLookup", "TextVectorization"),
    "it works on a table or on text, which are not carried over",
)
REFUSED |= {
    "Lambda": "it holds Python code, which is not run",
    "SpectralNormalization": "tf_keras cannot read it back from a file",
}
"""Layers of tf_keras that cannot be carried over, and why."""
ALWAYS = {"name", "trainable", "dtype", "activity_regularizer"}
"""Arguments of every layer."""


class RefusalError(Exception):
    """Why an operation cannot be carried over."""


def build_layer(operation: dict[str, Any], config: dict[str, Any]) -> Any:
    """A layer of tf_keras from the config that it has in Keras 3; initializers are left out.

    Raises:
        RefusalError: If tf_keras has no such layer, or not these arguments.
    """
    class_name = operation["class_name"]
    layer_class = getattr(tf.keras.layers, class_name, None)
    if operation.get("module", "keras.layers") != "keras.layers":
        raise RefusalError("the class is none of Keras, and the file does not hold its code")
    if layer_class is None and "module" not in operation:
        raise RefusalError("no layer of Keras has this name, and an .h5 file says no more of it: a .keras file might")
    if layer_class is None:
        raise RefusalError("tf_keras has no layer of this class")
    if class_name in REFUSED:
        raise RefusalError(REFUSED[class_name])
    accepted, arguments, refused = _accepted(layer_class), {}, []
    for key, value in config.items():
        name = RENAMED.get((class_name, key), key)
        is_neutral = value is None or value is False or value == NEUTRAL.get(key)
        if key.endswith("initializer") or (name not in accepted and (is_neutral or key == "seed")):
            continue
        if name not in accepted:
            refused.append(f"tf_keras has no argument {key}={shown(value)}")
            continue
        try:
            arguments[name] = _value(key, value)
        except RefusalError as refusal:
            refused.append(str(refusal))
    if refused:
        raise RefusalError("; ".join(refused))
    try:
        return layer_class(**arguments)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise RefusalError(f"tf_keras refuses its arguments: {reason_of(error)}") from error


def _accepted(layer_class: type) -> set[str]:
    """The arguments of a class, and of the base classes that it hands further ones on to."""
    names = set(ALWAYS)
    for owner in layer_class.__mro__:
        if "__init__" in vars(owner):
            parameters = inspect.signature(vars(owner)["__init__"]).parameters
            names |= parameters.keys()
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                break
    return names | ({"zero_output_for_mask"} if issubclass(layer_class, tf.keras.layers.RNN) else set())


def _value(key: str, value: Any) -> Any:
    """An argument of Keras 3 as one of tf_keras."""
    if key == "dtype":
        return policy_name(value)
    if key.endswith("activation") and value is not None:
        if not isinstance(value, str) or value not in ACTIVATIONS:
            known = "has another meaning in" if value == "hard_sigmoid" else "does not exist in"
            raise RefusalError(f"{key}={shown(value)} {known} tf_keras")
        return ACTIVATIONS[value]
    if isinstance(value, list):
        return [_value("", item) for item in value]
    return _object(key, value) if isinstance(value, dict) else value


def _object(key: str, value: dict[str, Any]) -> Any:
    module, class_name, config = value.get("module"), value.get("class_name", ""), value.get("config", {})
    if class_name in ("__numpy__", "__tensor__"):
        return config["value"]
    if module == "keras.layers":
        try:
            return build_layer(value, config)
        except RefusalError as refusal:
            raise RefusalError(f"{key}={class_name}: {refusal}") from None
    family = getattr(tf.keras, str(module).removeprefix("keras."), None)
    if module in ("keras.regularizers", "keras.constraints") and hasattr(family, class_name):
        return getattr(family, class_name)(**config)
    raise RefusalError(f"{key}={class_name} cannot be carried over")


def policy_name(value: Any) -> Any:
    """The name of a dtype policy."""
    if not isinstance(value, dict):
        return value
    if value["class_name"] != "DTypePolicy":
        raise RefusalError(f"tf_keras has no dtype policy of the class {value['class_name']}")
    return value["config"]["name"]
