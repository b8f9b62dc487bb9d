"""Weights of a file for the layers of a network that have the same names and mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainkit.models.patterns import fits
from trainkit.models.same_layer import difference, parts_of, put
from trainkit.models.saved_weights import (
    By,
    SavedLayer,
    SavedNetwork,
    WeightsError,
    find_weights,
    order_keys,
    read_weights,
)

Find = Callable[[str], str | None]
"""From the name of a layer of the network to that in the file, or None."""


@dataclass
class Transfer:
    """What became of each layer with weights.

    Args:
        filepath: The file.
        by: What is known of the layers in it.
        loaded: The layers that have its weights now.
        statistics: Those of them whose weights were learned from the data of the file: means, vocabularies.
        skipped: Those that have a layer of their name in the file, and why they do not have its weights.
        missing: Those that have none.
        unused: The layers of the file that no layer of the network takes.
        numbers: How many numbers were loaded.
    """

    filepath: Path
    by: By
    loaded: list[str] = field(default_factory=list)
    statistics: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    numbers: int = 0


def transfer_weights(
    model: Any,
    saved: SavedNetwork,
    *,
    find: Find | None = None,
    layers: Sequence[str] | None = None,
    statistics: bool = True,
) -> Transfer:
    """Give the layers of a network the weights that a file has for layers of their names.

    A layer takes them if its class, the shapes and every argument that changes what they mean are the same, as far as
    the file tells. Vocabularies stay as they are: a layer behind one that is another in the file keeps its weights.

    Args:
        model: A `tf.keras.Model`.
        saved: What the file holds.
        find: The name in the file of each layer; by default its own.
        layers: Patterns of the layers that take weights; by default all.
        statistics: Whether layers that learn from the data take what they have learned in the file.

    Returns:
        What became of each layer.
    """
    own = _own_layers(model, saved)
    find = find or (lambda name: name if name in saved.layers else None)
    found = {name: find(name) for name in own}
    result = Transfer(saved.filepath, saved.by)
    strangers = _behind_other_words(own, found, saved)
    for name, layer in own.items():
        key = found[name]
        if key is None or not (saved.layers[key].parts or _has_words(layer)):
            result.missing.append(layer.name)
            continue
        reason = strangers.get(name) or _reason(layer, saved.layers[key], layers, statistics)
        if reason:
            result.skipped[layer.name] = reason
            continue
        result.loaded.append(layer.name)
        if _has_words(layer):
            continue
        if hasattr(layer, "adapt"):
            result.statistics.append(layer.name)
        put(layer, saved.layers[key])
        result.numbers += sum(array.size for array in saved.layers[key].arrays)
    used = set(found.values())
    result.unused = [key for key, one in saved.layers.items() if key not in used and (one.parts or one.vocabulary)]
    return result


def assign_weights(model: Any, path: Path, *, prefixes: Sequence[str] = ("",)) -> None:
    """Give every layer of a network the weights that a file has for layers of their names.

    Args:
        model: A `tf.keras.Model`.
        path: A .keras or .h5 file, or a run.
        prefixes: What the names may begin with in the file, the likeliest first; `_` there may be `/`.

    Raises:
        WeightsError: If the file cannot be read, a layer is missing in it, or its weights do not fit.
    """
    try:
        saved = read_weights(find_weights(path))
    except WeightsError as error:
        raise WeightsError(f"`weights` {error}" if str(error).startswith("must") else str(error)) from error
    result = transfer_weights(model, saved, find=_with_prefix(saved, prefixes) if saved.by != "order" else None)
    wanted = len(result.loaded) + len(result.skipped) + len(result.missing)
    if result.missing:
        told = ", ".join(result.missing[:3]) + (", …" if len(result.missing) > 3 else "")
        raise WeightsError(f"{saved.filepath} has no weights for {len(result.missing)} of {wanted} layers: {told}.")
    for name, reason in result.skipped.items():
        raise WeightsError(f"{saved.filepath} has other weights than {name!r}, which {reason}.")


def renamed(saved: SavedNetwork, rename: Mapping[str, str]) -> Find:
    """Find layers by what patterns make of their names in the file: `{"*": "backbone.*"}`; the first that fits.

    Raises:
        WeightsError: If a pattern fits no layer, or two layers of the file get one name.
    """
    names: dict[str, str] = {}
    unfit = dict.fromkeys(rename)
    for key, layer in saved.layers.items():
        if not layer.parts and not layer.vocabulary:
            continue
        name = key.replace("/", "_")
        fitting = {one: new for one, to in rename.items() if (new := _renamed(name, one, to)) is not None}
        unfit = {one: None for one in unfit if one not in fitting}
        name = next(iter(fitting.values()), name)
        if name in names:
            both = f"{names[name]!r} and {key!r} as {name!r}"
            raise WeightsError(f"must give each layer a name of its own. Received: {both}.")
        names[name] = key
    for pattern in unfit:
        known = ", ".join(list(names)[:8]) + (", …" if len(names) > 8 else "")
        raise WeightsError(f"must fit names of the file. Received: {pattern!r}. It has {known}.")
    return names.get


def _renamed(name: str, pattern: str, becomes: str) -> str | None:
    """A name with what `*` and `?` stand for in one pattern put into the other; None where the pattern does not fit."""
    for end in ("", ".*"):  # the name of a block is a pattern for all in it
        wild = "".join({"*": "(.*)", "?": "(.)"}.get(letter, re.escape(letter)) for letter in pattern + end)
        if match := re.fullmatch(wild, name):
            rest = iter(match.groups())
            return "".join(next(rest, "") if letter in "*?" else letter for letter in becomes + end)
    return None


def _with_prefix(saved: SavedNetwork, prefixes: Sequence[str]) -> Find:
    plain = {name.replace("/", "_"): name for name in saved.layers}

    def find(name: str) -> str | None:
        keys = [f"{prefix}{name}".replace("/", "_") for prefix in prefixes]
        return next((plain[key] for key in keys if key in plain), None)

    return find


def _own_layers(model: Any, saved: SavedNetwork) -> dict[str, Any]:
    """The layers of a network that have weights or a vocabulary, by what the file would call them."""
    keys = [layer.name for layer in model.layers]
    if saved.by == "order":
        keys = order_keys([type(layer).__name__ for layer in model.layers])
    pairs = zip(keys, model.layers, strict=True)
    return {key: layer for key, layer in pairs if _has_words(layer) or parts_of(layer)}


def _reason(layer: Any, saved: SavedLayer, layers: Sequence[str] | None, statistics: bool) -> str | None:
    """Why a layer does not take its weights."""
    if layers is not None and not any(fits(pattern, layer.name) for pattern in layers):
        return "is not in `layers`"
    if _has_words(layer):
        return _other_words(layer, saved)
    if reason := difference(layer, saved):
        return reason
    if hasattr(layer, "adapt") and not statistics:
        return "keeps what it has learned from these data (`statistics: data`)"
    return None


def _has_words(layer: Any) -> bool:
    return hasattr(layer, "get_vocabulary")


def _other_words(layer: Any, saved: SavedLayer) -> str | None:
    """Why a vocabulary is not that of the file."""
    whole = [str(one) for one in layer.get_vocabulary(include_special_tokens=True)]
    words = [str(one) for one in layer.get_vocabulary(include_special_tokens=False)]
    if saved.vocabulary is None:
        return "has a vocabulary, which the file does not tell"
    if list(saved.vocabulary) not in (whole, words):
        return (
            f"has another vocabulary: {len(words):,} words here, {_count(saved, len(whole) - len(words)):,} in the file"
        )
    return difference(layer, saved)


def _count(saved: SavedLayer, special: int) -> int:
    given = isinstance((saved.config or {}).get("vocabulary"), list)
    return len(saved.vocabulary or ()) - (0 if given else special)


def _behind_other_words(own: Mapping[str, Any], found: Mapping[str, str | None], saved: SavedNetwork) -> dict[str, str]:
    """The first layers with weights behind a vocabulary that is another in the file: a row there is another word."""
    keys = {id(layer): name for name, layer in own.items()}
    reasons = {}
    for name, layer in own.items():
        key = found[name]
        if key is None or not _has_words(layer) or _other_words(layer, saved.layers[key]) is None:
            continue
        for one in _next_with_weights(layer, keys):
            reasons[one] = f"stands behind {layer.name!r}, whose vocabulary is another in the file"
    return reasons


def _next_with_weights(layer: Any, keys: Mapping[int, str]) -> Iterator[str]:
    for node in layer._outbound_nodes:
        if id(node.layer) in keys:
            yield keys[id(node.layer)]
        else:
            yield from _next_with_weights(node.layer, keys)
