"""`repeat`, `for_each` and `when` -> the copies of each node, with their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from trainkit.config.binding import known_now, text_now
from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError
from trainkit.config.names import automatic_names
from trainkit.config.network import BEFORE, MOST_LAYERS
from trainkit.config.node import Node
from trainkit.config.node_settings import NAME_RULE, is_node_name, unequal
from trainkit.config.place import Copy, Fault, Faults, Place, TooLargeError


class Copies:
    """Writes out how often each node stands there.

    Args:
        faults: Where problems are told.
        elsewhere: Why a full name cannot be used yet: what is left out, and what stands below, is added.
    """

    def __init__(self, faults: Faults, elsewhere: dict[str, str]) -> None:
        self._faults = faults
        self._elsewhere = elsewhere
        self._count = 0

    def of(self, nodes: Iterable[Node], place: Place) -> list[Copy]:
        """The copies of some nodes, and in each those of its branches; they have no names yet."""
        copies: list[Copy] = []
        for node in nodes:
            try:
                for number, values in enumerate(self._repetitions(node, place), start=1):
                    self._count_one(node, place)
                    inner = replace(place, values={**place.values, **values}) if values else place
                    copies += self._copy(node, inner, number)
            except ExpressionError as error:
                self._faults.tell(node, place, getattr(error, "path", _setting_of(node)), str(error))
        return copies

    def _repetitions(self, node: Node, place: Place) -> Iterable[Mapping[str, Any]]:
        if node.repeat is not None:
            times = known_now("repeat", node.repeat, place.values)
            if not isinstance(times, int) or isinstance(times, bool) or times < 0:
                raise ExpressionError(f"`repeat` must be a whole number, at least 0. Received: {times!r}.")
            if times > MOST_LAYERS:
                raise TooLargeError(self._too_large(node, place, ("repeat",), f"{times:,} copies"))
            return ({} for _ in range(times))
        if node.for_each is not None:
            lists = known_now("for_each", node.for_each, place.values)
            for name, items in lists.items():
                if not isinstance(items, list):
                    raise ExpressionError(f"`for_each` must have lists of values. Received: {name}={items!r}.")
            if wrong := unequal({name: len(items) for name, items in lists.items()}):
                raise ExpressionError(wrong[0])
            return (dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True))
        return ({},)

    def _copy(self, node: Node, place: Place, number: int) -> Iterator[Copy]:
        is_numbered = (node.repeat, node.for_each) != (None, None) and "$" not in (node.name or "")
        given = node.name and text_now("name", node.name, place.values) + (str(number) if is_numbered else "")
        stands = known_now("when", node.when, place.values)
        if stands is True:
            yield Copy(node, place, given, [self.of(branch, place) for branch in node.branches or []])
        elif stands is not False:
            raise ExpressionError(f"`when` must be true or false. Received: {node.when}, which is {stands!r}.")
        elif given:
            self._elsewhere[place.prefix + given] = "is left out here: its `when` is false."

    def _count_one(self, node: Node, place: Place) -> None:
        self._count += 1
        if self._count > MOST_LAYERS:
            raise TooLargeError(self._too_large(node, place, (), "more"))

    def _too_large(self, node: Node, place: Place, path: KeyPath, came: str) -> Fault:
        message = f"a network must have at most {MOST_LAYERS:,} layers and blocks. Received: {came}."
        return Fault((node, *place.users), path, message)

    def name(self, copies: list[Copy], place: Place) -> None:
        """Name what is written side by side: as given, or by its kind, counted."""
        entries = list(_in_order(copies))
        taken: dict[str, str | Node] = {name: f"the input {name!r}" for name in place.inputs}
        taken[BEFORE] = "what stands before a layer"
        for copy in entries:
            if copy.given is None:
                continue
            if not is_node_name(copy.given):
                self._faults.tell(copy.node, place, ("name",), f"must {NAME_RULE}. Received: name={copy.given!r}.")
            elif first := taken.get(copy.given):
                other, told = (first, "{first}") if isinstance(first, Node) else (None, first)
                message = f"the name {copy.given!r} is taken already, by {told}."
                if first is copy.node:
                    message = (
                        f"each copy would be called {copy.given!r}: remove it, or let it have a value of `for_each`."
                    )
                self._faults.tell(copy.node, place, ("name",), message, first=other)
            taken.setdefault(copy.given, copy.node)
        inputs = [("input", name) for name in place.inputs]
        names = automatic_names([*inputs, *((copy.node.class_name, copy.given) for copy in entries)])
        for copy, name in zip(entries, names[len(inputs) :], strict=True):
            copy.name = name
            self._elsewhere[place.prefix + name] = "stands below: a layer takes what stands above it."


def _in_order(copies: Iterable[Copy]) -> Iterator[Copy]:
    """Copies in the order in which they are called: those of branches before the layer that merges them."""
    for copy in copies:
        for branch in copy.branches:
            yield from _in_order(branch)
        yield copy


def _setting_of(node: Node) -> KeyPath:
    """The setting that says how often a node stands there."""
    return next(
        ((key,) for key in ("repeat", "for_each", "when", "name") if getattr(node, key) not in (None, True)), ()
    )
