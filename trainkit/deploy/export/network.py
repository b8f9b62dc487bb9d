"""What a network is, as text"""

from __future__ import annotations

import json
from typing import Any

from trainkit.framework import tf


def describe_network(model: Any) -> str:
    """A model as JSON of which `tf.keras.saving.deserialize_keras_object` makes it again, without its weights."""
    described = json.loads(json.dumps(tf.keras.saving.serialize_keras_object(model)))
    return json.dumps(_without(described, ("build_config", "compile_config")), separators=(",", ":"))


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_without(item, keys) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    return value
