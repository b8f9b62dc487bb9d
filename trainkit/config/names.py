"""The names of layers that were given none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trainkit.config.document import KeyPath

_REPEATS = {"repeat", "for_each", "when"}


def automatic_names(entries: Iterable[tuple[str, str | None]]) -> list[str]:
    """Name each layer: the name it was given, or its class in small letters, counted; `resnet50_1` after a digit.

    Args:
        entries: Class name and given name of each.

    Example:
        >>> automatic_names([("Conv2D", None), ("Dense", "conv2d2"), ("Conv2D", None), ("Conv2D", None)])
        ['conv2d1', 'conv2d2', 'conv2d3', 'conv2d4']
        >>> automatic_names([("ResNet50", None)])
        ['resnet50_1']
    """
    entries = list(entries)
    taken = {name for _, name in entries if name}
    counts: Counter[str] = Counter()
    return [name or _next_name(class_name.lower(), counts, taken) for class_name, name in entries]


def snake_case(class_name: str) -> str:
    """A class name as Keras writes it in logs.

    Example:
        >>> snake_case("SparseCategoricalAccuracy"), snake_case("AUC")
        ('sparse_categorical_accuracy', 'auc')
    """
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()


def metric_names(entries: Iterable[tuple[str, str | None]]) -> list[str]:
    """Name each metric: the name it was given, or its class in snake case, the second of a class with `_2`.

    Args:
        entries: Class name and given name of each.

    Example:
        >>> metric_names([("AUC", None), ("AUC", None), ("Recall", "caught")])
        ['auc', 'auc_2', 'caught']
    """
    entries = list(entries)
    taken = {name for _, name in entries if name}
    names: list[str] = []
    for class_name, given in entries:
        name, count = given or snake_case(class_name), 1
        while given is None and (name in taken or name in names):
            count += 1
            name = f"{snake_case(class_name)}_{count}"
        names.append(name)
    return names


def _next_name(kind: str, counts: Counter[str], taken: set[str]) -> str:
    kind += "_" if kind[-1:].isdigit() else ""
    counts[kind] += 1
    while f"{kind}{counts[kind]}" in taken:
        counts[kind] += 1
    return f"{kind}{counts[kind]}"


def names_in_list(items: Sequence[Any], path: KeyPath = ()) -> list[set[str]]:
    """What each entry of a written list may be called by: its name, given or automatic, and its class.

    What stands there several times, or not always, makes automatic names uncertain: then there are none.

    Args:
        items: The list, or one that holds it in the branches of its layers.
        path: From `items` to the list.
    """
    written = list(_in_building_order(items, ()))
    taken_apart = [_class_and_name(item) for _, item in written]
    automatic = automatic_names((class_name or "value", name) for class_name, name in taken_apart)
    is_certain = not any(isinstance(item, dict) and _REPEATS & item.keys() for _, item in written)
    return [
        {name if is_certain else given or class_name, class_name} if class_name else set()
        for (at, _), name, (class_name, given) in zip(written, automatic, taken_apart, strict=True)
        if at[:-1] == path
    ]


def _in_building_order(items: Sequence[Any], path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """The entries of a written list and of the branches in it, each with its path, in the order they are called."""
    for index, item in enumerate(items):
        branches = item.get("branches") if isinstance(item, dict) else None
        for number, branch in enumerate(branches if isinstance(branches, list) else []):
            if isinstance(branch, list):
                yield from _in_building_order(branch, (*path, index, "branches", number))
        yield (*path, index), item


def _class_and_name(item: Any) -> tuple[str | None, str | None]:
    if isinstance(item, str):
        return (item, None) if item[:1].isupper() else (None, None)
    if not isinstance(item, dict):
        return None, None
    class_name = next((key for key in item if key[:1].isupper()), None)
    name = item.get("name")
    return class_name, name if isinstance(name, str) else None
