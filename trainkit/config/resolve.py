"""The names that layers are called with -> the calls that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainkit.config.binding import text_now
from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError
from trainkit.config.network import BEFORE, Network, part_of
from trainkit.config.place import Copy, Faults, Place
from trainkit.registry import did_you_mean

WITH_PARTS = ("KerasApplication",)
"""Layers of which a name may be a part: what these are is known when they are built."""


class References:
    """What each name stands for where it is written.

    Args:
        network: As far as it is written out.
        faults: Where problems are told.
        elsewhere: Why a full name cannot be used.
    """

    def __init__(self, network: Network, faults: Faults, elsewhere: dict[str, str]) -> None:
        self._network, self._faults, self._elsewhere = network, faults, elsewhere
        self._known: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Let what stands below use a name."""
        self._known[name] = None

    def knows(self, name: str) -> bool:
        """Whether a full name can be used."""
        return name in self._known

    def forget(self) -> None:
        """Let nothing that was added be used."""
        self._known.clear()

    def before(self, copy: Copy, before: str | None, path: KeyPath = ()) -> str:
        """What stands before a layer."""
        if before is None and not self._faults.is_told(copy.node, path):
            known = _listed(self._local(copy.place))
            message = f"nothing stands before it: write `inputs:` with one of {known}, or several."
            self._faults.tell(copy.node, copy.place, path, message)
        return before or ""

    def all(self, copy: Copy, written: Any, path: KeyPath, before: str | None) -> Any:
        """The full names of everything in the `inputs` of a layer."""
        if isinstance(written, str):
            return self._resolve(copy, written, path, before)
        items = written.items() if isinstance(written, dict) else enumerate(written)
        found = {key: self.all(copy, item, (*path, key), before) for key, item in items}
        return found if isinstance(written, dict) else list(found.values())

    def _resolve(self, copy: Copy, written: str, path: KeyPath, before: str | None) -> str:
        """The call or input that a name stands for where it is written."""
        place = copy.place
        try:
            name = text_now("inputs", written, place.values)
        except ExpressionError as error:
            self._faults.tell(copy.node, place, path, str(error))
            return ""
        if name == BEFORE:
            return self.before(copy, before, path)
        if name in place.inputs:
            return self._network.answers.get(place.inputs[name], place.inputs[name])
        full = place.prefix + name
        if full in self._known:
            return self._network.answers.get(full, full)
        whole = part_of(full, self._network.calls)
        if whole and (name.rpartition(".")[2].isdecimal() or self._network.calls[whole].node.class_name in WITH_PARTS):
            return full
        if not self._faults.is_told(copy.node, path):
            self._faults.tell(copy.node, place, path, self.unknown(name, place))
        return ""

    def unknown(self, name: str, place: Place, known: Iterable[str] | None = None) -> str:
        """What is wrong with a name that stands for nothing; `known` are the full names that could stand there."""
        full = place.prefix + name
        if full in self._elsewhere:
            return f"{name!r} {self._elsewhere[full]}"
        if place.prefix and name in self._known:
            return (
                f"{name!r} stands outside: a block knows its own layers. Give it `inputs:`, and write {name!r} there."
            )
        names = self._local(place) if known is None else [one[len(place.prefix) :] for one in known]
        near = did_you_mean(name, names)
        return f"unknown layer {name!r}.{near}{'' if near else f' Known: {_listed(names)}.'}"

    def _local(self, place: Place) -> list[str]:
        """The names that can be written at a place."""
        start = len(place.prefix)
        return [*place.inputs, *(name[start:] for name in self._known if name.startswith(place.prefix))]


def _listed(names: list[str]) -> str:
    return ", ".join(names if len(names) < 20 else [*names[:10], "…", *names[-8:]]) or "none"
