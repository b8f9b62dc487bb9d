"""One table of names for each kind of thing a config can build."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from trainkit.errors import InputError


class Registry:
    """Names of one kind of thing, each with the place of the code that builds it.

    The code is imported when it is first asked for, so that a table can be read without TensorFlow.

    Args:
        kind: What the names stand for, in the singular: `source`, `exporter`.
        entries: Name to `"module:attribute"`.

    Example:
        >>> shapes = Registry("shape", {"Fraction": "fractions:Fraction"})
        >>> shapes.get("Fraction")(1, 2)
        Fraction(1, 2)
        >>> shapes.get("Fractoin")
        Traceback (most recent call last):
        ...
        trainkit.errors.InputError: unknown shape 'Fractoin'. Did you mean 'Fraction'? Known: Fraction.
    """

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self.kind = kind
        self._entries: dict[str, str | Callable[..., Any]] = dict(entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def add(self, name: str, target: Callable[..., Any]) -> None:
        """Add a name; one that is taken already is an error."""
        if name in self._entries:
            raise InputError(f"{self.kind} {name!r} is registered already.")
        self._entries[name] = target

    def get(self, name: str) -> Callable[..., Any]:
        """The thing that `name` stands for, imported now if it was not before."""
        if name not in self._entries:
            known = ", ".join(self._entries)
            raise InputError(f"unknown {self.kind} {name!r}.{did_you_mean(name, self)} Known: {known}.")
        target = self._entries[name]
        if isinstance(target, str):
            module, attribute = target.split(":")
            target = self._entries[name] = getattr(import_module(module), attribute)
        return target

    def copy(self) -> Registry:
        """A table of its own, for names that only one experiment adds."""
        twin = Registry(self.kind, {})
        twin._entries.update(self._entries)
        return twin


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'filters'?` for the known name nearest to `name`, or nothing if none is near.

    Example:
        >>> did_you_mean("lr", ["learning_rate", "decay"])
        " Did you mean 'learning_rate'?"
        >>> did_you_mean("mse", ["Hinge", "MeanSquaredError"])
        " Did you mean 'MeanSquaredError'?"
    """
    candidates = sorted(known)
    plain = {_plain(candidate): candidate for candidate in candidates}
    initials = {_initials(candidate): candidate for candidate in candidates if len(_initials(candidate)) > 1}
    near = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    found = plain.get(_plain(name)) or initials.get(name.lower()) or (plain[near[0]] if near else None)
    return f" Did you mean {found!r}?" if found else ""


def _initials(name: str) -> str:
    words = name.split("_") if "_" in name else re.findall("[A-Z]", name)
    return "".join(word[0] for word in words if word).lower()


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
