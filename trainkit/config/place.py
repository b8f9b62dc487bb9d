"""Where layers of a network are written out, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from trainkit.config.block import Block, zoo_block
from trainkit.config.document import KeyPath
from trainkit.config.node import Node
from trainkit.config.node_settings import KNOWN_VALUES
from trainkit.config.scope import Scope
from trainkit.config.signatures import Definition, block_signature
from trainkit.config.zoo import zoo_files


@dataclass(frozen=True)
class Blocks:
    """The blocks that are known at a place, and those known where they were written."""

    own: Mapping[str, Block]
    outer: Blocks | None = None
    networks: bool = True
    custom: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Block, Blocks] | None:
        """A block with the blocks known in it, or None where the name is none of a block."""
        place: Blocks | None = self
        while place is not None:
            if name in place.own:
                return place.own[name], place
            place = place.outer
        if self.networks and name in zoo_files():
            block, beside = zoo_block(name)
            return block, Blocks(beside, networks=False)
        return None

    @cached_property
    def scope(self) -> Scope:
        """The names that what stands for a parameter may use."""
        return Scope(frozenset(KNOWN_VALUES["layer"]), self._definitions(), self.custom, self.networks)

    def _definitions(self) -> dict[str, Definition]:
        outer = self.outer._definitions() if self.outer else {}
        return outer | {name: Definition(block_signature(block.params)) for name, block in self.own.items()}

    def inside(self, block: Block) -> Blocks:
        """What is known in one of them."""
        return replace(self, own=block.blocks, outer=self) if block.blocks else self


@dataclass(frozen=True)
class Place:
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
    blocks: Blocks
    inputs: Mapping[str, str]
    users: tuple[Node, ...] = ()
    wrappers: tuple[Node, ...] = ()


@dataclass(eq=False)
class Copy:
    """One of the copies that `repeat` and `for_each` make of a node, or the node itself."""

    node: Node
    place: Place
    given: str | None
    branches: list[list[Copy]] = field(default_factory=list)
    name: str = ""


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


class TooLargeError(Exception):
    """The network has no end, or none that can be built: writing it out stops at once."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Faults(list[Fault]):
    """Everything that was found to be wrong: of copies of a node, the first."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[Node, KeyPath]] = set()

    def is_told(self, node: Node, path: KeyPath) -> bool:
        """Whether something was found there already."""
        return (node, path) in self._told

    def tell(self, node: Node, place: Place, path: KeyPath, message: str, *, first: Node | None = None) -> None:
        """Add what is wrong with a node."""
        if not self.is_told(node, path):
            self._told.add((node, path))
            where = f" (in {place.prefix[:-1]})" if place.prefix else ""
            self.append(Fault((node, *place.users), path, message + where, first))
