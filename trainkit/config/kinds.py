"""The types that settings are made of: nodes of each kind, names, columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from trainkit.config.node import Node, to_plain
from trainkit.config.parse import looks_like_node, parse_node


@dataclass(frozen=True)
class Builds:
    """Marks a field that holds a node of one kind."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the node; all its problems travel in one error."""
        return core_schema.with_info_plain_validator_function(
            self._parse, serialization=core_schema.plain_serializer_function_ser_schema(to_plain)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Mark the place: `schema.py` puts the schema of the kind there."""
        return {"x-builds": self.kind}

    def _parse(self, value: Any, info: core_schema.ValidationInfo) -> Node:
        node, problems = parse_node(value, self.kind, info.context["scope"] if info.context else None)
        if problems or node is None:
            raise PydanticCustomError("node", "the node has problems", {"problems": problems})
        return node


Source = Annotated[Node, Builds("source")]
Augmentation = Annotated[Node, Builds("augmentation")]
Layer = Annotated[Node, Builds("layer")]
Optimizer = Annotated[Node, Builds("optimizer")]
Loss = Annotated[Node, Builds("loss")]
Metric = Annotated[Node, Builds("metric")]
Schedule = Annotated[Node, Builds("schedule")]
Callback = Annotated[Node, Builds("callback")]
Compressor = Annotated[Node, Builds("compressor")]
Exporter = Annotated[Node, Builds("exporter")]
Strategy = Annotated[Node, Builds("strategy")]

Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """A mapping of settings: strict types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


def form_of(value: Any) -> str:
    """Which form a setting with several forms was written in."""
    if isinstance(value, dict | BaseModel):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "a number"


def nodes_or_mapping(value: Any) -> str:
    """As `form_of`, for a list of nodes or a mapping to lists: a node alone is neither."""
    return "a node" if looks_like_node(value) else form_of(value)


def node_or_mapping(value: Any) -> str:
    """As `form_of`, for a node or a mapping to nodes: what holds nothing is taken for a node."""
    return "a mapping" if isinstance(value, dict) and value and not looks_like_node(value) else "a node"


def word_or_node(value: Any) -> str:
    """As `form_of`, for a word in small letters or a node."""
    return "a text" if isinstance(value, str) and not looks_like_node(value) else "a node"


def number_or_node(value: Any) -> str:
    """As `form_of`, for a number or a node."""
    return "a number" if isinstance(value, int | float) else "a node"


Rate = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False), Tag("a number")] | Annotated[Schedule, Tag("a node")],
    Discriminator(number_or_node),
]
"""A learning rate: a number, or a schedule."""

Patterns = list[Annotated[str, Field(min_length=1)]]
"""Patterns of the paths of layers, `conv?` or `backbone.*`; the name of a block stands for all in it."""

NAME_PATTERN = "^[a-z][A-Za-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""What a user calls an input, an output or a layer."""

PATH_PATTERN = r"^[a-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$"
PathName = Annotated[str, Field(pattern=PATH_PATTERN)]
"""What an output is called: the name of a layer, which may be the path of one in a block."""

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""How much something counts."""

Columns = Annotated[
    Annotated[str, Tag("a text")] | Annotated[list[str], Field(min_length=1), Tag("a list")], Discriminator(form_of)
]
"""A column of the data, or several that are put side by side."""

ColumnsByName = Annotated[
    Annotated[str, Tag("a text")]
    | Annotated[list[str], Field(min_length=1), Tag("a list")]
    | Annotated[dict[PathName, Columns], Field(min_length=1), Tag("a mapping")],
    Discriminator(form_of),
]
