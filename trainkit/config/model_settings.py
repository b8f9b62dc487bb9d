"""The keys of `model:`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, ModelWrapValidatorHandler, PrivateAttr, Tag, ValidationInfo, model_validator

from trainkit.config.block import Blocks, entering
from trainkit.config.document import KeyPath
from trainkit.config.expand import expand
from trainkit.config.kinds import Count, Layer, Name, PathName, Patterns, Settings, form_of, nodes_or_mapping
from trainkit.config.network import Network
from trainkit.config.node import Node
from trainkit.config.place import Fault
from trainkit.config.scope import Scope
from trainkit.config.signatures import Definition

INPUT_NAME = "input"
"""What the input is called where there is one only."""


class Input(Settings):
    """One input of a network."""

    shape: list[Count | None] = Field(min_length=1, description="Of one sample, without the batch.")
    dtype: Literal["float32", "int32", "int64", "string"] = Field(
        default="float32", description="What the network takes."
    )


class Weights(Settings):
    """Weights of an earlier model, for the layers of the same names."""

    file: str = Field(description="A run, a directory of runs (the newest), or a .keras, .h5 or .weights.h5 file.")
    layers: Patterns | None = Field(
        default=None, min_length=1, description="Patterns of the layers of this network that take weights; all."
    )
    rename: dict[str, str] = Field(
        default={}, description="From patterns of the names in the file to those here: {'*': 'backbone.*'}."
    )
    statistics: Literal["file", "data"] = Field(
        default="file",
        description="Whose means and borders layers have that learn them: those of the file, or of these data.",
    )


class Model(Settings):
    """The network."""

    input: list[Count | None] | None = Field(
        default=None, min_length=1, description="Shape of one sample, without the batch."
    )
    inputs: dict[Name, Input] | None = Field(
        default=None, min_length=1, description="Or several inputs, each with its shape: {left: {shape: [28, 28, 1]}}."
    )
    blocks: Blocks = Field(default={}, description="Layers with parameters, used like a layer by their name.")
    outputs: list[PathName] | None = Field(
        default=None, min_length=1, description="The layers that answer; by default the last."
    )
    preprocess: Annotated[
        Annotated[list[Layer], Tag("a list")] | Annotated[dict[Name, list[Layer]], Tag("a mapping")],
        Discriminator(nodes_or_mapping),
    ] = Field(
        default=[],
        description="Layers before the network, part of every exported file; with several inputs a list for each.",
    )
    weights: (
        Annotated[Annotated[str, Tag("a text")] | Annotated[Weights, Tag("a mapping")], Discriminator(form_of)] | None
    ) = Field(default=None, description="A run or a file of Keras: layers of the same names begin with its weights.")
    _custom: Mapping[str, Mapping[str, Definition]] = PrivateAttr(default_factory=dict)
    layers: list[Layer] = Field(min_length=1, description="The layers, each fed by the one before, or by its `inputs`.")

    @model_validator(mode="wrap")
    @classmethod
    def _with_its_blocks(cls, value: Any, handler: ModelWrapValidatorHandler[Model], info: ValidationInfo) -> Model:
        if info.context is None:
            return cls.model_validate(value, context={"scope": Scope()})
        with entering(value, info):
            model = handler(value)
        model._custom = info.context["scope"].custom
        return model

    @property
    def custom(self) -> Mapping[str, Mapping[str, Definition]]:
        """What the config's own Python code adds, by kind and name."""
        return self._custom

    @property
    def input_specs(self) -> dict[str, Input]:
        """Each input by its name; the one of `input` is called `input`."""
        return self.inputs or {INPUT_NAME: Input(shape=self.input or [])}

    def path_of_input(self, name: str, key: str = "shape") -> KeyPath:
        """Where the shape or the dtype of an input is written, in the short form too."""
        return ("model", "input") if self.inputs is None else ("model", "inputs", name, key)

    @property
    def preprocess_by_input(self) -> dict[str, list[Node]]:
        """The layers between each input and the network."""
        written = self.preprocess
        return written if isinstance(written, dict) else {next(iter(self.input_specs)): written}

    @cached_property
    def expansion(self) -> tuple[Network, list[Fault]]:
        """Every layer that is called, blocks and repetitions written out; and what cannot be."""
        return expand(self)

    @property
    def network(self) -> Network:
        """Every layer that is called, of a model without faults."""
        return self.expansion[0]

    @property
    def output_names(self) -> list[str]:
        """What the outputs are called."""
        return self.outputs or [self.network.last]
