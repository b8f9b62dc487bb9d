"""The lower_case keys of a config: what they are, what they may be, what they are by default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from trainkit.config.node import Node, parse_node, to_plain


@dataclass(frozen=True)
class Builds:
    """Marks a field that holds a node of one kind."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the node; all its problems travel in one error."""
        return core_schema.no_info_plain_validator_function(
            self._parse, serialization=core_schema.plain_serializer_function_ser_schema(to_plain)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Mark the place: `schema.py` puts the schema of the kind there."""
        return {"x-builds": self.kind}

    def _parse(self, value: Any) -> Node:
        node, problems = parse_node(value, self.kind)
        if problems or node is None:
            raise PydanticCustomError("node", "the node has problems", {"problems": problems})
        return node


Source = Annotated[Node, Builds("source")]
Layer = Annotated[Node, Builds("layer")]
Optimizer = Annotated[Node, Builds("optimizer")]
Loss = Annotated[Node, Builds("loss")]
Metric = Annotated[Node, Builds("metric")]
Callback = Annotated[Node, Builds("callback")]
Exporter = Annotated[Node, Builds("exporter")]

Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """A mapping of settings: strict types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Last(Settings):
    """The last samples of the training set, in their order."""

    last: Count = Field(description="How many of the last training samples validate.")


ValidationSplit = Annotated[
    Annotated[float, Field(ge=0, lt=1), Tag("a share")] | Annotated[Last, Tag("a mapping")],
    Discriminator(lambda value: "a mapping" if isinstance(value, dict | Last) else "a share"),
]


class Data(Settings):
    """What to learn from."""

    source: Source = Field(description="Where the samples come from.")
    batch_size: Count = Field(default=32, description="Samples a training step.")
    validation_split: ValidationSplit = Field(
        default=0.1,
        description="Share of the training samples that validate (seeded, stratified), or {last: N}; 0 for none.",
    )


class Model(Settings):
    """The network: a chain of layers."""

    input: list[Count | None] = Field(min_length=1, description="Shape of one sample, without the batch.")
    preprocess: list[Layer] = Field(default=[], description="Layers before the network, part of every exported file.")
    layers: list[Layer] = Field(min_length=1, description="The layers, each fed by the one before.")


class Best(Settings):
    """Which epoch's model is the best."""

    monitor: str = Field(default="val_loss", description="A metric of the training, as the progress bar shows it.")
    mode: Literal["min", "max"] = Field(default="min", description="Whether less or more of it is better.")


class Training(Settings):
    """How to learn."""

    epochs: Count = Field(default=10, description="Passes over the training samples.")
    optimizer: Optimizer = Field(Node("optimizer", "Adam"), description="A Keras optimizer.")
    loss: Loss = Field(description="A Keras loss.")
    metrics: list[Metric] = Field(default=[], description="Keras metrics.")
    best: Best | None = Field(
        default=None, description="The epoch to keep; by default the one of the least (validation) loss."
    )
    callbacks: list[Callback] = Field(default=[], description="Keras callbacks.")


def _all_exports() -> list[Node]:
    precisions = [Node("exporter", "TFLite", {"precision": precision}) for precision in ("float32", "int8")]
    return [*precisions, Node("exporter", "ONNX")]


class Deploy(Settings):
    """What to make of the trained model."""

    export: list[Exporter] = Field(
        default_factory=_all_exports, min_length=1, description="The files to write, each proved against the model."
    )


class Experiment(Settings):
    """A whole configuration."""

    version: Literal[1] = Field(description="The version of the config language.")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100, description="Names the runs and the exported files."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        default=0, description="Of the order, the split and the weights."
    )
    data: Data
    model: Model
    training: Training
    deploy: Deploy = Field(default_factory=Deploy)


def settings_at(path: Sequence[str | int]) -> type[Settings] | None:
    """The class of the settings at a path of the config, or None where there is something else."""
    current: type[Settings] = Experiment
    for part in path:
        field = current.model_fields.get(str(part))
        found = next(_settings_in(field.annotation), None) if field else None
        if found is None:
            return None
        current = found
    return current


def _settings_in(annotation: Any) -> Iterator[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _settings_in(part)
