"""Blocks, repetitions and shared layers of a model -> every layer that it calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trainkit.config.binding import bind, copy_node, known_now, text_now
from trainkit.config.block import Block, zoo_block
from trainkit.config.document import KeyPath
from trainkit.config.expressions import ExpressionError
from trainkit.config.names import automatic_names
from trainkit.config.network import BEFORE, DEEPEST_BLOCK, MOST_LAYERS, Inputs, LayerCall, Network, part_of
from trainkit.config.node import SHARE, Node
from trainkit.config.node_settings import NAME_RULE, is_node_name, unequal
from trainkit.config.zoo import zoo_files
from trainkit.registry import did_you_mean

if TYPE_CHECKING:
    from trainkit.config.model_settings import Model

WITH_PARTS = ("KerasApplication",)
"""Layers of which a name may be a part: what these are is known when they are built."""


@dataclass(frozen=True)
class Fault:
    """Something in a network that cannot be written out.

    Args:
        nodes: The node at fault, as written, then those that use the block it stands in, from the inside out.
        path: Of what is wrong, from the node.
        message: What is wrong and what to do; `{first}` in it is the place of another node.
        first: That node.
    """

    nodes: tuple[Node, ...]
    path: KeyPath
    message: str
    first: Node | None = None


def expand(model: Model) -> tuple[Network, list[Fault]]:
    """Write out the network that a model describes.

    Returns:
        The network, complete where there are no faults, and all faults.
    """
    expander = _Expander(model)
    try:
        expander.run()
    except _TooLargeError as error:
        expander.faults.append(error.fault)
    return expander.network, expander.faults


class _TooLargeError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True)
class _Blocks:
    """The blocks that are known at a place, and those known where they were written."""

    own: Mapping[str, Block]
    outer: _Blocks | None = None
    networks: bool = True

    def find(self, name: str) -> tuple[Block, _Blocks] | None:
        """A block with the blocks known in it, or None where the name is none of a block."""
        place: _Blocks | None = self
        while place is not None:
            if name in place.own:
                return place.own[name], place
            place = place.outer
        if self.networks and name in zoo_files():
            block, beside = zoo_block(name)
            return block, _Blocks(beside, networks=False)
        return None

    def inside(self, block: Block) -> _Blocks:
        """What is known in one of them."""
        return _Blocks(block.blocks, self, self.networks) if block.blocks else self


@dataclass(frozen=True)
class _Place:
    """Where layers are written out.

    Args:
        prefix: The path of the block around them, with its dot.
        layers: The prefix of the layers that are called: another one where they are shared.
        values: What `$name` stands for.
        blocks: What can be used.
        inputs: What the names of the block's inputs stand for.
        users: The nodes that use the blocks around, from the inside out.
        wrappers: The layers around each.
    """

    prefix: str
    layers: str
    values: Mapping[str, Any]
    blocks: _Blocks
    inputs: Mapping[str, str]
    users: tuple[Node, ...] = ()
    wrappers: tuple[Node, ...] = ()


@dataclass(eq=False)
class _Copy:
    """One of the copies that `repeat` and `for_each` make of a node, or the node itself."""

    node: Node
    place: _Place
    given: str | None
    branches: list[list[_Copy]] = field(default_factory=list)
    name: str = ""


@dataclass(frozen=True)
class _Use:
    """How a block was used, so that its layers can be called again."""

    class_name: str
    block: Block
    blocks: _Blocks
    values: Mapping[str, Any]
    layers: str
    wrappers: tuple[Node, ...]


class _Expander:
    def __init__(self, model: Model) -> None:
        self.network = Network()
        self.faults: list[Fault] = []
        self._model = model
        self._uses: dict[str, _Use] = {}
        self._known: dict[str, None] = {}
        self._elsewhere: dict[str, str] = {}
        self._count = 0

    def run(self) -> None:
        names = list(self._model.input_specs)
        self.network.answers.update({name: name for name in names})
        place = _Place("", "", {}, _Blocks(self._model.blocks), {name: name for name in names})
        layers = self._unroll(self._model.layers, place)
        prepared = {name: self._unroll(nodes, place) for name, nodes in self._model.preprocess_by_input.items()}
        self._name([*layers, *(copy for copies in prepared.values() for copy in copies)], place)
        for name, copies in prepared.items():
            self.network.answers[name] = self._chain(copies, name) or name
        self._known.clear()
        for name, copies in prepared.items():
            message = f"is a layer of preprocess: take {name!r}, the input that it prepares."
            self._elsewhere.update({copy.name: message for copy in copies})
        first = self.network.answers[names[0]] if len(names) == 1 else None
        self.network.last = self._chain(layers, first) or ""

    # Copies, and their names

    def _unroll(self, nodes: Iterable[Node], place: _Place) -> list[_Copy]:
        copies: list[_Copy] = []
        for node in nodes:
            try:
                for number, values in enumerate(self._repetitions(node, place), start=1):
                    self._count_one(node, place)
                    inner = replace(place, values={**place.values, **values}) if values else place
                    copies += self._copy(node, inner, number)
            except ExpressionError as error:
                self._fault(node, place, _setting_of(node), str(error))
        return copies

    def _repetitions(self, node: Node, place: _Place) -> Iterable[Mapping[str, Any]]:
        if node.repeat is not None:
            times = known_now("repeat", node.repeat, place.values)
            if not isinstance(times, int) or isinstance(times, bool) or times < 0:
                raise ExpressionError(f"`repeat` must be a whole number, at least 0. Received: {times!r}.")
            if times > MOST_LAYERS:
                raise _TooLargeError(self._too_large(node, place, ("repeat",), f"{times:,} copies"))
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

    def _copy(self, node: Node, place: _Place, number: int) -> Iterator[_Copy]:
        is_numbered = (node.repeat, node.for_each) != (None, None) and "$" not in (node.name or "")
        given = node.name and text_now("name", node.name, place.values) + (str(number) if is_numbered else "")
        if known_now("when", node.when, place.values) is True:
            yield _Copy(node, place, given, [self._unroll(branch, place) for branch in node.branches or []])
        elif not isinstance(known_now("when", node.when, place.values), bool):
            raise ExpressionError(f"`when` must be true or false. Received: {node.when!r}.")
        elif given:
            self._elsewhere[place.prefix + given] = "is left out here: its `when` is false."

    def _count_one(self, node: Node, place: _Place) -> None:
        self._count += 1
        if self._count > MOST_LAYERS:
            raise _TooLargeError(self._too_large(node, place, (), "more"))

    def _too_large(self, node: Node, place: _Place, path: KeyPath, came: str) -> Fault:
        message = f"a network must have at most {MOST_LAYERS:,} layers and blocks. Received: {came}."
        return Fault((node, *place.users), path, message)

    def _name(self, copies: list[_Copy], place: _Place) -> None:
        """Name what is written side by side: as given, or by its kind, counted."""
        entries = list(_in_order(copies))
        taken: dict[str, str | Node] = {name: f"the input {name!r}" for name in place.inputs}
        taken[BEFORE] = "what stands before a layer"
        for copy in entries:
            if copy.given is None:
                continue
            if not is_node_name(copy.given):
                self._fault(copy.node, place, ("name",), f"must {NAME_RULE}. Received: name={copy.given!r}.")
            elif first := taken.get(copy.given):
                other, told = (first, "{first}") if isinstance(first, Node) else (None, first)
                message = f"the name {copy.given!r} is taken already, by {told}."
                self._fault(copy.node, place, ("name",), message, first=other)
            taken.setdefault(copy.given, copy.node)
        inputs = [("input", name) for name in place.inputs]
        names = automatic_names([*inputs, *((copy.node.class_name, copy.given) for copy in entries)])
        for copy, name in zip(entries, names[len(inputs) :], strict=True):
            copy.name = name
            self._elsewhere[place.prefix + name] = "stands below: a layer takes what stands above it."

    # Layers, in the order in which they are called

    def _chain(self, copies: list[_Copy], before: str | None) -> str | None:
        for copy in copies:
            before = self._call(copy, before)
        return before

    def _call(self, copy: _Copy, before: str | None) -> str:
        place, node = copy.place, copy.node
        name = place.prefix + copy.name
        inputs = self._inputs(copy, before)
        self._known[name] = None
        self.network.answers.setdefault(name, name)
        try:
            if node.share is not None:
                self._share(copy, name, inputs)
            else:
                inner, wrappers = self._unwrap(node, place)
                if found := place.blocks.find(inner.class_name):
                    values = bind(inner, found[0], place.values)
                    self._block(copy, name, inputs, _Use(inner.class_name, *found, values, "", wrappers))
                else:
                    made = copy_node(inner, place.values, self._single(place), place.users)
                    self._add(LayerCall(name, made, inputs, place.layers + copy.name, wrappers))
        except ExpressionError as error:
            self._fault(node, place, getattr(error, "path", ()), str(error))
        return self.network.answers[name]

    def _add(self, call: LayerCall) -> None:
        self.network.calls[call.name] = call
        self.network.answers[call.name] = call.name

    def _share(self, copy: _Copy, name: str, inputs: Inputs) -> None:
        """Call the layers of another again."""
        place = copy.place
        target = text_now(SHARE, copy.node.share or "", place.values)
        full = place.prefix + target
        if use := self._uses.get(full):
            self._block(copy, name, inputs, use)
        elif first := self.network.calls.get(full):
            self._add(replace(first, name=name, inputs=inputs))
        else:
            told = (
                f"{target!r} is an input: it has no layers." if target in place.inputs else self._unknown(target, place)
            )
            self._fault(copy.node, place, (SHARE,), told)

    def _unwrap(self, node: Node, place: _Place) -> tuple[Node, tuple[Node, ...]]:
        """The layers around a block: `TimeDistributed` of a block wraps each layer of it."""
        wrappers, inner = [*place.wrappers], node
        while inner.class_name == "TimeDistributed" and isinstance(inner.arguments.get("layer"), Node):
            others = {key: item for key, item in inner.arguments.items() if key != "layer"}
            wrappers.append(copy_node(replace(inner, arguments=others, origin=node), place.values, _as_it_is))
            inner = inner.arguments["layer"]
        if inner.class_name in WITH_PARTS or place.blocks.find(inner.class_name):
            return inner, tuple(wrappers)
        return node, place.wrappers

    def _single(self, place: _Place) -> Any:
        """From a node that stands for a block of one layer to that layer; others stay as they are."""

        def resolve(node: Node, values: Mapping[str, Any]) -> Node:
            found = place.blocks.find(node.class_name)
            if found is None:
                return copy_node(node, values, resolve)
            block, blocks = found
            inner = _Place("", "", bind(node, block, values), blocks.inside(block), {}, (node, *place.users))
            copies = self._unroll(block.layers, inner)
            if len(copies) != 1 or copies[0].branches or copies[0].node.inputs is not None:
                raise ExpressionError(f"{node.class_name} must be one layer, to stand inside another.")
            return self._single(inner)(copies[0].node, copies[0].place.values)

        return resolve

    def _block(self, copy: _Copy, name: str, inputs: Inputs, use: _Use) -> None:
        """Write out a block; `use.layers` is where its layers are, if they are called again."""
        place, block = copy.place, use.block
        if len(place.users) >= DEEPEST_BLOCK:
            message = f"blocks must be at most {DEEPEST_BLOCK} deep inside each other."
            raise _TooLargeError(Fault((copy.node, *place.users), (), message))
        layers = use.layers or place.layers + copy.name + "."
        self._uses.setdefault(name, replace(use, layers=layers))
        self.network.blocks[name] = use.class_name
        given = self._block_inputs(copy, use, inputs)
        names = block.input_names
        users = (copy.node, *place.users)
        inner = _Place(f"{name}.", layers, use.values, use.blocks.inside(block), given, users, use.wrappers)
        before = given.get(BEFORE) if len(names) > 1 else given.get(names[0])
        copies = self._unroll(block.layers, inner)
        self._name(copies, inner)
        self.network.answers[name] = self._chain(copies, before) or name

    def _block_inputs(self, copy: _Copy, use: _Use, inputs: Inputs) -> dict[str, str]:
        """What each input of a block stands for."""
        names, given = use.block.input_names, inputs
        if isinstance(given, str):
            given = [given]
        pairs = dict(zip(names, given, strict=False)) if isinstance(given, list) else given
        if len(given) != len(names) or set(pairs) != set(names) or not all(isinstance(v, str) for v in pairs.values()):
            several = f"{len(names)} inputs, {', '.join(names)}" if len(names) > 1 else "one input"
            came = ", ".join(given) or "none"
            path = ("inputs",) if copy.node.inputs is not None else ()
            self._fault(copy.node, copy.place, path, f"{use.class_name} takes {several}. Received: {came}.")
            return dict.fromkeys(names, "")
        return {name: str(pairs[name]) for name in names}

    # What layers are called with

    def _inputs(self, copy: _Copy, before: str | None) -> Inputs:
        node, place = copy.node, copy.place
        if node.branches is not None:
            return [self._end(copy, number, before) for number in range(len(copy.branches))]
        if node.inputs is None:
            if before is None:
                self._fault(node, place, (), self._nothing_before(place))
            return before or ""
        return self._resolve_all(copy, node.inputs, ("inputs",), before)

    def _end(self, copy: _Copy, number: int, before: str | None) -> str:
        """What stands at the end of a branch."""
        end = self._chain(copy.branches[number], before)
        if end is None:
            self._fault(copy.node, copy.place, ("branches", number), self._nothing_before(copy.place))
        return end or ""

    def _resolve_all(self, copy: _Copy, written: Any, path: KeyPath, before: str | None) -> Any:
        if isinstance(written, str):
            return self._resolve(copy, written, path, before)
        items = written.items() if isinstance(written, dict) else enumerate(written)
        found = {key: self._resolve_all(copy, item, (*path, key), before) for key, item in items}
        return found if isinstance(written, dict) else list(found.values())

    def _resolve(self, copy: _Copy, written: str, path: KeyPath, before: str | None) -> str:
        """The call or input that a name stands for where it is written."""
        place = copy.place
        try:
            name = text_now("inputs", written, place.values)
        except ExpressionError as error:
            self._fault(copy.node, place, path, str(error))
            return ""
        if name == BEFORE:
            if before is None:
                self._fault(copy.node, place, path, self._nothing_before(place))
            return before or ""
        if name in place.inputs:
            return self.network.answers.get(place.inputs[name], place.inputs[name])
        full = place.prefix + name
        if full in self._known:
            return self.network.answers.get(full, full)
        whole = part_of(full, self.network.calls)
        if whole and (name.rpartition(".")[2].isdecimal() or self.network.calls[whole].node.class_name in WITH_PARTS):
            return full
        self._fault(copy.node, place, path, self._unknown(name, place))
        return ""

    def _unknown(self, name: str, place: _Place) -> str:
        full = place.prefix + name
        if full in self._elsewhere:
            return f"{name!r} {self._elsewhere[full]}"
        names = self._local(place)
        near = did_you_mean(name, names)
        return f"unknown layer {name!r}.{near}{'' if near else f' Known: {_listed(names)}.'}"

    def _local(self, place: _Place) -> list[str]:
        """The names that can be written at a place."""
        start = len(place.prefix)
        return [*place.inputs, *(name[start:] for name in self._known if name.startswith(place.prefix))]

    def _nothing_before(self, place: _Place) -> str:
        return f"nothing stands before it: write `inputs:` with one of {_listed(self._local(place))}, or several."

    def _fault(self, node: Node, place: _Place, path: KeyPath, message: str, *, first: Node | None = None) -> None:
        where = f" (in {place.prefix[:-1]})" if place.prefix else ""
        self.faults.append(Fault((node, *place.users), path, message + where, first))


def _as_it_is(node: Node, values: Mapping[str, Any]) -> Node:
    return node


def _listed(names: list[str]) -> str:
    return ", ".join(names if len(names) < 20 else [*names[:10], "…", *names[-8:]]) or "none"


def _in_order(copies: Iterable[_Copy]) -> Iterator[_Copy]:
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
