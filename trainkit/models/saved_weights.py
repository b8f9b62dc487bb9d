"""What the files that Keras writes hold of each layer: weights, arguments, vocabulary; nothing in a file is run."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py  # type: ignore[import-untyped]
import numpy as np

from trainkit.config import snake_case

Parts = Mapping[str, Mapping[str, np.ndarray]]
"""The weights of a layer: by the path of the layer in it that has them, `""` for its own, and by their keys there."""
By = Literal["arguments", "names", "order"]
"""What a file tells of its layers: names and arguments, names alone, or only their kinds and their order."""

_DAMAGED = (
    *(OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What reading a file that is damaged, or none of Keras, may raise."""


class WeightsError(ValueError):
    """A file of weights cannot be read, or does not fit; the message is for the user."""


@dataclass(frozen=True)
class SavedLayer:
    """A layer in a file.

    Args:
        parts: Its weights.
        class_name: Its class, `""` where the file does not tell.
        config: Its arguments, as Keras writes them; None where the file does not tell.
        vocabulary: What it has learned or was given, with its special tokens if it was learned.
        is_flat: Whether its weights, and those of the layers in it, stand in one row.
    """

    parts: Parts
    class_name: str = ""
    config: Mapping[str, Any] | None = None
    vocabulary: tuple[str, ...] | None = None
    is_flat: bool = False

    @property
    def arrays(self) -> list[np.ndarray]:
        """All its weights."""
        return [array for part in self.parts.values() for array in part.values()]


@dataclass(frozen=True)
class SavedNetwork:
    """The layers of a file.

    Args:
        filepath: The file.
        by: What is known of the layers.
        layers: By name; where there are no names, by kind and number: `conv2d`, `conv2d_1`.
    """

    filepath: Path
    by: By
    layers: Mapping[str, SavedLayer] = field(default_factory=dict)


def find_weights(path: Path) -> Path:
    """The file of weights that a path means: a file, the model of a run, or that of the newest of several runs.

    Raises:
        WeightsError: If there is none.
    """
    if path.is_dir() and not (path / "manifest.json").exists():
        numbered = [one.parent for one in path.glob("*/manifest.json") if one.parent.name.isdecimal()]
        path = max(numbered, key=lambda run: int(run.name), default=path)
    if (path / "manifest.json").exists() and not (path / "model.keras").exists():
        raise WeightsError(f"{path} has no model: its training did not finish. trainkit fit --resume {path}")
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise WeightsError(f"must be a file of Keras or a run. Received: {str(path)!r}, which does not exist.")
    return path


def read_weights(filepath: Path) -> SavedNetwork:
    """What a .keras or .h5 file has of each layer; those of models inside the model are called `model.layer`.

    Raises:
        WeightsError: If it is no such file.
    """
    try:
        if zipfile.is_zipfile(filepath):
            return SavedNetwork(filepath, "arguments", _read_archive(filepath))
        with h5py.File(filepath) as file:
            holder = file.get("model_weights", file)
            if "layer_names" not in holder.attrs:
                return SavedNetwork(filepath, "order", _by_order(_layers_in(file)))
            layers = _read_legacy(holder, file.attrs.get("model_config"))
            return SavedNetwork(filepath, "arguments" if "model_config" in file.attrs else "names", layers)
    except _DAMAGED as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise WeightsError(f"{filepath} is no file of weights of Keras: {said}.") from error


def order_keys(class_names: list[str]) -> list[str]:
    """What Keras calls layers where it writes their weights: by kind, counted.

    Example:
        >>> order_keys(["Conv2D", "Dense", "Conv2D"])
        ['conv2d', 'dense', 'conv2d_1']
    """
    counts: dict[str, int] = {}
    keys = []
    for class_name in class_names:
        kind = snake_case(class_name.split(">")[-1])
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        keys.append(f"{kind}_{number}" if number else kind)
    return keys


def _read_archive(filepath: Path) -> dict[str, SavedLayer]:
    """A .keras file: its config has the names, in the order in which the weights are kept by class."""
    with zipfile.ZipFile(filepath) as archive:
        config = json.loads(archive.read("config.json"))["config"]
        vocabularies = {
            name.removeprefix("assets/").rpartition("/")[0]: tuple(archive.read(name).decode().split("\n"))
            for name in archive.namelist()
            if name.startswith("assets/") and name.endswith("/vocabulary.txt")
        }
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            return dict(_of_layers(config.get("layers", []), file, vocabularies))


def _of_layers(
    layers: list[Mapping[str, Any]], holder: Any, vocabularies: Mapping[str, tuple[str, ...]], prefix: str = ""
) -> Iterator[tuple[str, SavedLayer]]:
    group = _layers_in(holder)
    for layer, key in zip(layers, order_keys([layer["class_name"] for layer in layers]), strict=True):
        config = layer["config"]
        if key not in group:
            continue
        if isinstance(config.get("layers"), list):
            yield from _of_layers(config["layers"], group[key], vocabularies, f"{prefix}{config['name']}.")
            continue
        given = config.get("vocabulary")
        learned = vocabularies.get(group[key].name.strip("/"))
        vocabulary = tuple(map(str, given)) if isinstance(given, list) else learned
        yield prefix + config["name"], SavedLayer(dict(_parts(group[key])), _class(layer), config, vocabulary)


def _by_order(group: Any) -> dict[str, SavedLayer]:
    return {key: SavedLayer(dict(_parts(group[key]))) for key in group}


def _layers_in(holder: Any) -> Any:
    return holder["_layer_checkpoint_dependencies" if "_layer_checkpoint_dependencies" in holder else "layers"]


def _parts(group: Any, path: str = "") -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """The weights below a group, each row of them with its path."""
    own = group.get("vars", {})
    if len(own):
        yield path, {key: np.asarray(own[key]) for key in sorted(own, key=_number)}
    for key in sorted(set(group) - {"vars"}):
        if isinstance(group[key], h5py.Group):
            yield from _parts(group[key], f"{path}/{key}".strip("/"))


def _number(key: str) -> tuple[int, str]:
    return (int(key), "") if key.isdecimal() else (0, key)


def _read_legacy(group: Any, told: Any) -> dict[str, SavedLayer]:
    """An .h5 file: a group a layer, with the names of its variables in their order; maybe with the network, too."""
    found = json.loads(_text(told))["config"] if told is not None else {}
    layers = found.get("layers", []) if isinstance(found, dict) else found
    known = {layer["config"].get("name"): layer for layer in layers}
    saved = {}
    for name in map(_text, group.attrs["layer_names"]):
        rows = {_text(key): np.asarray(group[name][_text(key)]) for key in group[name].attrs["weight_names"]}
        layer = known.get(name, {})
        inside = layer.get("config", {}).get("layers")
        if isinstance(inside, list):  # a model: its weights stand in one row, each with the name of its layer
            for one in inside:
                own = {key: array for key, array in rows.items() if key.startswith(f"{one['config'].get('name')}/")}
                saved[f"{name}.{one['config'].get('name')}"] = _flat(own, one)
        else:
            saved[name] = _flat(rows, layer)
    return saved


def _flat(rows: Mapping[str, np.ndarray], layer: Mapping[str, Any]) -> SavedLayer:
    parts = {"": dict(rows)} if rows else {}
    return SavedLayer(parts, _class(layer) if layer else "", layer.get("config"), is_flat=True)


def _class(layer: Mapping[str, Any]) -> str:
    return str(layer["class_name"]).split(">")[-1]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
