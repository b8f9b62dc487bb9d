"""Blocks, repetitions and shared layers of a model -> every layer that it calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainkit.config.binding import BindingError, bind, copy_node, text_now
from trainkit.config.block import Block
from trainkit.config.copies import Copies
from trainkit.config.expressions import ExpressionError
from trainkit.config.network import BEFORE, DEEPEST_BLOCK, Inputs, LayerCall, Network
from trainkit.config.node import SHARE, Node
from trainkit.config.place import Blocks, Copy, Fault, Faults, Place, TooLargeError
from trainkit.config.resolve import WITH_PARTS, References

if TYPE_CHECKING:
    from trainkit.config.model_settings import Model


def expand(model: Model) -> tuple[Network, list[Fault]]:
    """Write out the network that a model describes.

    Returns:
        The network, complete where there are no faults, and all faults.
    """
    expander = _Expander(model)
    try:
        expander.run()
    except TooLargeError as error:
        expander.faults.append(error.fault)
    except RecursionError:
        message = "its blocks, branches and wrappers are too deep inside each other."
        expander.faults.append(Fault((model.layers[0],), (), message))
    return expander.network, expander.faults


@dataclass(frozen=True)
class _Use:
    """How a block was used, so that its layers can be called again."""

    class_name: str
    block: Block
    blocks: Blocks
    values: Mapping[str, Any]
    layers: str
    wrappers: tuple[Node, ...]


class _Expander:
    def __init__(self, model: Model) -> None:
        self.network = Network()
        self.faults = Faults()
        self._model = model
        self._uses: dict[str, _Use] = {}
        self._elsewhere: dict[str, str] = {}
        self._copies = Copies(self.faults, self._elsewhere)
        self._references = References(self.network, self.faults, self._elsewhere)

    def run(self) -> None:
        names = list(self._model.input_specs)
        self.network.answers.update({name: name for name in names})
        place = Place("", "", {}, Blocks(self._model.blocks, custom=self._model.custom), {name: name for name in names})
        layers = self._copies.of(self._model.layers, place)
        prepared = {name: self._copies.of(nodes, place) for name, nodes in self._model.preprocess_by_input.items()}
        self._copies.name([*layers, *(copy for copies in prepared.values() for copy in copies)], place)
        for name, copies in prepared.items():
            self.network.answers[name] = self._chain(copies, name) or name
        self._references.forget()
        for name, copies in prepared.items():
            message = f"is a layer of preprocess: take {name!r}, the input that it prepares."
            self._elsewhere.update({copy.name: message for copy in copies})
        first = self.network.answers[names[0]] if len(names) == 1 else None
        self.network.last = self._chain(layers, first) or ""

    def _chain(self, copies: list[Copy], before: str | None) -> str | None:
        for copy in copies:
            before = self._call(copy, before)
        return before

    def _call(self, copy: Copy, before: str | None) -> str:
        place, node = copy.place, copy.node
        name = place.prefix + copy.name
        inputs = self._inputs(copy, before)
        self._references.add(name)
        self.network.answers.setdefault(name, name)
        try:
            if node.share is not None:
                self._share(copy, name, inputs)
            else:
                inner, wrappers = self._unwrap(node, place)
                if found := place.blocks.find(inner.class_name):
                    _check_given(inner, place, *found)
                    values = bind(inner, found[0], place.values)
                    self._block(copy, name, inputs, _Use(inner.class_name, *found, values, "", wrappers))
                else:
                    made = copy_node(inner, place, self._single, place.users)
                    self._add(LayerCall(name, made, inputs, place.layers + copy.name, wrappers))
        except ExpressionError as error:
            self.faults.tell(node, place, getattr(error, "path", ()), str(error))
        return self.network.answers[name]

    def _add(self, call: LayerCall) -> None:
        self.network.calls[call.name] = call
        self.network.answers[call.name] = call.name
        if call.node.class_name in WITH_PARTS:
            self.network.blocks[call.name], self.network.users[call.name] = call.node.class_name, call.node

    def _share(self, copy: Copy, name: str, inputs: Inputs) -> None:
        """Call the layers of another again."""
        place = copy.place
        target = text_now(SHARE, copy.node.share or "", place.values)
        full = place.prefix + target
        if use := self._uses.get(full):
            self._block(copy, name, inputs, use)
        elif (first := self.network.calls.get(full)) and self._references.knows(full):
            self._add(replace(first, name=name, inputs=inputs))
        else:
            self.faults.tell(copy.node, place, (SHARE,), self._unknown_share(target, place))

    def _unknown_share(self, target: str, place: Place) -> str:
        """Why there are no layers of a name."""
        if target in place.inputs:
            return f"{target!r} is an input: it has no layers."
        if place.prefix and (target in self._uses or target in self.network.calls):
            return f"{target!r} stands outside: a block can call its own layers again only."
        names = [*self._uses, *(name for name in self.network.calls if name not in self._uses)]
        return self._references.unknown(target, place, [name for name in names if name.startswith(place.prefix)])

    def _unwrap(self, node: Node, place: Place) -> tuple[Node, tuple[Node, ...]]:
        """The layers around a block: `TimeDistributed` of a block wraps each layer of it."""
        wrappers, inner = [*place.wrappers], node
        while inner.class_name == "TimeDistributed" and isinstance(inner.arguments.get("layer"), Node):
            others = {key: item for key, item in inner.arguments.items() if key != "layer"}
            wrappers.append(copy_node(replace(inner, arguments=others, origin=node), place, self._single))
            inner = inner.arguments["layer"]
        if inner.class_name in WITH_PARTS or place.blocks.find(inner.class_name):
            return inner, tuple(wrappers)
        return node, place.wrappers

    def _single(self, node: Node, place: Place) -> Node:
        """A layer inside another: that of a block of one layer, or itself."""
        if node.class_name in WITH_PARTS:
            raise ExpressionError(f"{node.class_name} is many layers: of those around it, only TimeDistributed can be.")
        found = place.blocks.find(node.class_name)
        if found is None:
            return copy_node(node, place, self._single)
        block, blocks = found
        users = self._deeper(node, place)
        inner = Place(
            f"{place.prefix}{node.class_name}.", "", bind(node, block, place.values), blocks.inside(block), {}, users
        )
        copies = self._copies.of(block.layers, inner)
        if len(copies) != 1 or copies[0].branches or copies[0].node.inputs is not None or copies[0].node.share:
            raise ExpressionError(f"{node.class_name} must be one layer, to stand inside another.")
        return self._single(copies[0].node, copies[0].place)

    def _block(self, copy: Copy, name: str, inputs: Inputs, use: _Use) -> None:
        """Write out a block; `use.layers` is where its layers are, if they are called again."""
        place, block = copy.place, use.block
        users = self._deeper(copy.node, place)
        layers = use.layers or place.layers + copy.name + "."
        self._uses.setdefault(name, replace(use, layers=layers))
        self.network.blocks[name], self.network.users[name] = use.class_name, _used(copy.node, place)
        given = self._block_inputs(copy, use, inputs)
        names = block.input_names
        inner = Place(f"{name}.", layers, use.values, use.blocks.inside(block), given, users, use.wrappers)
        before = given.get(BEFORE) if len(names) > 1 else given.get(names[0])
        copies = self._copies.of(block.layers, inner)
        self._copies.name(copies, inner)
        answer = self._chain(copies, before)
        if answer is None:
            message = f"{use.class_name} has no layer here: each is left out, and it cannot pass on several inputs."
            self.faults.tell(copy.node, place, (), message)
        self.network.answers[name] = answer or ""

    def _deeper(self, node: Node, place: Place) -> tuple[Node, ...]:
        """The nodes that use the blocks around the layers of one that a node at a place uses."""
        if len(place.users) >= DEEPEST_BLOCK:
            message = f"blocks must be at most {DEEPEST_BLOCK} deep inside each other."
            raise TooLargeError(Fault((node, *place.users), (), message))
        return (node, *place.users)

    def _block_inputs(self, copy: Copy, use: _Use, inputs: Inputs) -> dict[str, str]:
        """What each input of a block stands for."""
        names, given = use.block.input_names, inputs
        if isinstance(given, str):
            given = [given]
        pairs = dict(zip(names, given, strict=False)) if isinstance(given, list) else given
        if len(given) != len(names) or set(pairs) != set(names) or not all(isinstance(v, str) for v in pairs.values()):
            several = f"{len(names)} inputs, {', '.join(names)}" if len(names) > 1 else "one input"
            came = ", ".join(given) or "none"
            if lists := [name for name, value in pairs.items() if not isinstance(value, str)]:
                came = f"several for {lists[0]}"
            path = ("inputs",) if copy.node.inputs is not None else ()
            self.faults.tell(copy.node, copy.place, path, f"{use.class_name} takes {several}. Received: {came}.")
            return dict.fromkeys(names, "")
        return {name: str(pairs[name]) for name in names}

    def _inputs(self, copy: Copy, before: str | None) -> Inputs:
        node = copy.node
        if node.branches is not None:
            ends = []
            for number, branch in enumerate(copy.branches):
                ends.append(self._references.before(copy, self._chain(branch, before), ("branches", number)))
            return ends
        if node.inputs is None:
            return self._references.before(copy, before)
        return self._references.all(copy, node.inputs, ("inputs",), before)


def _used(node: Node, place: Place) -> Node:
    """A node that uses a block, with what is needed to find where it is written."""
    return replace(node, origin=node, users=place.users)


def _check_given(node: Node, place: Place, block: Block, blocks: Blocks) -> None:
    """Refuse a block that is given to another where its name means something else, or nothing."""
    inside = blocks.inside(block)
    for key, value in node.arguments.items():
        name = next(iter(value), None) if isinstance(value, dict) else value
        if not isinstance(name, str) or not name[:1].isupper():
            continue
        given, known = place.blocks.find(name), inside.find(name)
        if given and (known is None or known[0] is not given[0]):
            told = "another block" if known else "unknown"
            message = f"{name!r} is {told} inside {node.class_name}: give it another name, or let it stand at the top."
            raise BindingError((node.class_name, key), message)
