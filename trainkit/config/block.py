"""A block: layers with parameters, written once and used like a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from trainkit.config.document import KeyPath
from trainkit.config.expressions import expression_problems, is_word_of_expressions
from trainkit.config.kinds import Layer, Name, Settings
from trainkit.config.node import Node, nodes_inside
from trainkit.config.node_settings import KNOWN_VALUES, WORD_RULE
from trainkit.config.parse import NodeProblem
from trainkit.config.scope import Scope
from trainkit.config.signatures import block_definitions, known_names
from trainkit.config.zoo import zoo_data

BLOCK_PATTERN = "^[A-Z][A-Za-z0-9]*$"


def _check_defaults(params: dict[str, Any]) -> dict[str, Any]:
    known: list[str] = [*KNOWN_VALUES["layer"]]
    problems = []
    for name, default in params.items():
        if is_word_of_expressions(name):
            problems.append(NodeProblem((name,), WORD_RULE.format(name=name), True))
        for path, message in expression_problems(default, known):
            is_below = any(f"unknown name '${other}'" in message for other in params)
            cure = " A default knows the parameters before it." if is_below else ""
            problems.append(NodeProblem((name, *path), message + cure))
        known.append(name)
    return _or_raise(params, problems)


def _check_names(blocks: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    custom = scope_of(info.context).custom.get("layer", {})
    problems = []
    for name in blocks:
        if name in known_names("layer") or name in custom:
            whose = "Keras" if name in known_names("layer") else "`custom_code`"
            message = f"is the name of a layer of {whose}, which no block may take: choose another."
            problems.append(NodeProblem((name,), message, True))
    return _or_raise(blocks, problems)


def _or_raise(value: dict[str, Any], problems: list[NodeProblem]) -> dict[str, Any]:
    if problems:
        raise PydanticCustomError("node", "the block has problems", {"problems": problems})
    return value


BlockName = Annotated[str, Field(pattern=BLOCK_PATTERN)]


class Block(Settings):
    """Layers with parameters, used like a layer by its Capitalised name."""

    params: Annotated[dict[Name, Any], AfterValidator(_check_defaults)] = Field(
        default={}, description="Its arguments, each with its default; `required` where there is none."
    )
    inputs: list[Name] | None = Field(
        default=None, min_length=1, description="What it is called with, where that is more than one: [x, skip]."
    )
    blocks: Annotated[dict[BlockName, Block], AfterValidator(_check_names)] = Field(
        default={}, description="Blocks that only this one uses."
    )
    layers: list[Layer] = Field(min_length=1, description="The layers; names in them are known here only.")

    @model_validator(mode="wrap")
    @classmethod
    def _in_its_scope(cls, value: Any, handler: ModelWrapValidatorHandler[Block], info: ValidationInfo) -> Block:
        params = value.get("params") if isinstance(value, dict) else None
        values = [*params, *KNOWN_VALUES["layer"]] if isinstance(params, dict) else KNOWN_VALUES["layer"]
        with entering(value, info, values):
            return handler(value)

    @property
    def input_names(self) -> list[str]:
        """What it is called with."""
        return self.inputs or ["x"]


Blocks = Annotated[dict[BlockName, Block], AfterValidator(_check_names)]
"""Blocks by their names."""


@contextmanager
def entering(value: Any, info: ValidationInfo, values: Any = ()) -> Iterator[None]:
    """While it lasts, what is read is inside something that may bring blocks and values of its own."""
    context = info.context
    outer = scope_of(context)
    blocks = value.get("blocks") if isinstance(value, dict) else None
    if context is not None:
        context["scope"] = outer.inside(block_definitions(blocks), values)
    try:
        yield
    finally:
        if context is not None:
            context["scope"] = outer


def scope_of(context: Any) -> Scope:
    """The names that are known where something is being read."""
    return context["scope"] if context else Scope()


def self_containing(blocks: Mapping[str, Block], path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The blocks that contain themselves, by whatever way: one of each circle, with its path."""
    uses = {name: _used(block) & blocks.keys() for name, block in blocks.items()}
    done: set[str] = set()
    for name, block in blocks.items():
        for way in _circles(name, uses, done):
            yield (*path, way[0]), f"a block must not contain itself: {' → '.join((*way, way[0]))}."
        yield from self_containing(block.blocks, (*path, name, "blocks"))


def _circles(start: str, uses: Mapping[str, set[str]], done: set[str]) -> Iterator[list[str]]:
    """The ways from blocks to themselves that can be reached from one, each once."""
    way: dict[str, Iterator[str]] = {} if start in done else {start: iter(sorted(uses[start]))}
    while way:
        name, inner = way.popitem()
        used = next((used for used in inner if used not in done), None)
        if used is None:
            done.add(name)
            continue
        way[name] = inner
        if used in way:
            yield [*way][[*way].index(used) :]
        else:
            way[used] = iter(sorted(uses[used]))


def _used(block: Block) -> set[str]:
    """The names of everything that a block is made of, but for what its own blocks hide."""
    nested = set().union(*map(_used, block.blocks.values())) if block.blocks else set()
    return (_class_names(block.layers) | nested) - block.blocks.keys()


def _class_names(nodes: list[Node]) -> set[str]:
    names = {node.class_name for node in nodes}
    for node in nodes:
        names |= _class_names([inner for _, inner in nodes_inside(node)])
    return names


@cache
def zoo_block(name: str) -> tuple[Block, Mapping[str, Block]]:
    """A network of the zoo, and all blocks of its file."""
    holder = _File.model_validate(zoo_data(name), context={"scope": Scope(networks=False)})
    return holder.blocks[name], holder.blocks


class _File(Settings):
    """A file that holds blocks."""

    input: list[int | None] = Field(min_length=1)
    blocks: Blocks

    @model_validator(mode="wrap")
    @classmethod
    def _with_its_blocks(cls, value: Any, handler: ModelWrapValidatorHandler[_File], info: ValidationInfo) -> _File:
        with entering(value, info):
            return handler(value)
