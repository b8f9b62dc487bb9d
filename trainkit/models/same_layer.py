"""Whether the weights that a file has of a layer mean the same in a layer of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from trainkit.errors import shown
from trainkit.framework import tf
from trainkit.models.saved_weights import Parts, SavedLayer

_saving = import_module(tf.keras.Model.__module__.replace("engine.training", "saving.saving_lib"))

_OF_LEARNING = ("_initializer", "_regularizer", "_constraint")
_WITHOUT_MEANING = {
    *("name", "trainable", "dtype", "dtype_policy", "autocast", "seed", "batch_input_shape", "batch_shape"),
    *("momentum", "renorm_momentum", "renorm_clipping", "synchronized", "fused"),
    *("rate", "dropout", "recurrent_dropout", "noise_shape"),
    *("return_sequences", "return_state", "stateful", "unroll", "implementation", "time_major"),
    *("zero_output_for_mask", "mask_zero", "input_length", "query_shape", "key_shape", "value_shape"),
    *("vocabulary", "vocabulary_size", "max_tokens", "pad_to_max_tokens", "idf_weights", "sparse", "ragged"),
    *("output_sequence_length", "module", "registered_name", "build_config", "shared_object_id", "inbound_nodes"),
}
"""Arguments of layers that may differ: how a layer learns, how long its inputs are, what else it gives."""


class _Rows:
    """Keeps the weights of a layer and of those in it as Keras' files do."""

    def __init__(self, parts: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.parts: dict[str, Any] = dict(parts or {})

    def make(self, path: str) -> dict[str, Any]:
        return self.parts.setdefault(path.strip("/"), {})

    def get(self, path: str) -> Mapping[str, Any]:
        return self.parts.get(path.strip("/"), {})


def parts_of(layer: Any) -> dict[str, dict[str, np.ndarray]]:
    """The weights of a layer by the paths and keys that a file of Keras would have them under."""
    rows = _Rows()
    _saving._save_state(layer, rows, None, "", set())
    return {path: {key: np.asarray(one) for key, one in part.items()} for path, part in rows.parts.items() if part}


def put(layer: Any, saved: SavedLayer) -> None:
    """Give a layer the weights of a file, which fit it."""
    if saved.is_flat:
        layer.set_weights(saved.arrays)
    else:
        own = parts_of(layer)
        _saving._load_state(layer, _Rows(_by_paths_of(own, saved.parts)), None, "", visited_trackables=set())
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()


def difference(layer: Any, saved: SavedLayer) -> str | None:
    """Why the weights of a file cannot be those of a layer: its class, their shapes, or an argument; else None."""
    class_name = type(layer).__name__
    if saved.class_name and saved.class_name != class_name:
        return f"is {class_name} here, {saved.class_name} in the file"
    return _other_shapes(layer, saved) or _other_argument(layer, saved)


def _other_shapes(layer: Any, saved: SavedLayer) -> str | None:
    if saved.is_flat:
        ours, theirs = _own_shapes(layer), [one.shape for one in saved.arrays]
        return None if _agree(ours, theirs) else _told("has weights", _shapes(ours), _shapes(theirs))
    own = parts_of(layer)
    parts = _by_paths_of(own, saved.parts)
    if own.keys() != parts.keys():
        return _told("has weights in", ", ".join(own) or "none", ", ".join(parts) or "none")
    for path, part in own.items():
        ours = _own_shapes(layer) if hasattr(layer, "adapt") else [one.shape for one in part.values()]
        theirs = [one.shape for one in parts[path].values()]
        if not _agree(ours, theirs) or part.keys() != parts[path].keys():
            return _told("has weights", _shapes(ours), _shapes(theirs))
    return None


def _own_shapes(layer: Any) -> list[tuple[int | None, ...]]:
    """The shapes of a layer's weights; None where one may be of any length, as that of learned borders."""
    return [tuple(one.shape) for one in layer.weights]


def _agree(ours: Sequence[tuple[int | None, ...]], theirs: Sequence[tuple[int, ...]]) -> bool:
    return len(ours) == len(theirs) and all(
        len(one) == len(other) and all(a in (None, b) for a, b in zip(one, other, strict=True))
        for one, other in zip(ours, theirs, strict=True)
    )


def _by_paths_of(own: Parts, parts: Parts) -> Parts:
    """The weights of a file by the paths of a layer; where each has one row of them, whatever it is called."""
    return {next(iter(own)): next(iter(parts.values()))} if len(own) == len(parts) == 1 else parts


def _other_argument(layer: Any, saved: SavedLayer) -> str | None:
    if saved.config is None:
        return None
    shape = getattr(layer, "input_shape", None)
    rank = len(shape) if isinstance(shape, tuple) else 0
    ours = tf.keras.saving.serialize_keras_object(layer)["config"]
    pairs = _compared(ours, saved.config, rank)
    return next((_told(key, shown(one, most=40), shown(other, most=40)) for key, one, other in pairs), None)


def _compared(ours: Any, theirs: Any, rank: int, path: str = "") -> list[tuple[str, Any, Any]]:
    """The arguments that differ, of those that both have."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return [
            found
            for key in ours
            if key in theirs and key not in _WITHOUT_MEANING and not key.endswith(_OF_LEARNING)
            for found in _compared(ours[key], theirs[key], rank, key if key != "config" else path)
        ]
    if _are_nested(ours) and _are_nested(theirs) and len(ours) == len(theirs):
        return [found for pair in zip(ours, theirs, strict=True) for found in _compared(*pair, rank, path)]
    if path == "axis":
        ours, theirs = _axes(ours, rank), _axes(theirs, rank)
    ours, theirs = _plain(ours), _plain(theirs)
    return [] if ours == theirs else [(path or "it", ours, theirs)]


def _are_nested(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value)


def _axes(axis: Any, rank: int) -> Any:
    """Axes counted from the first; a layer may have written one, or a list of one."""
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return sorted(one % rank if rank and isinstance(one, int) else one for one in axes) if None not in axes else None


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        return _plain(value.get("items"))
    return value


def _shapes(shapes: list[Any]) -> str:
    return ", ".join(str(tuple(shape)) for shape in shapes) or "none"


def _told(what: str, ours: str, theirs: str) -> str:
    return f"{what}: {ours} here, {theirs} in the file"
