"""The keys of `model:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from trainkit.config.document import KeyPath
from trainkit.config.kinds import Count, Layer, Name, Settings, nodes_or_mapping
from trainkit.config.names import automatic_names
from trainkit.config.node import Node, in_building_order

INPUT_NAME = "input"
"""What the input is called where there is one only."""


class Input(Settings):
    """One input of a network."""

    shape: list[Count | None] = Field(min_length=1, description="Of one sample, without the batch.")
    dtype: Literal["float32", "int32", "int64", "string"] = Field(
        default="float32", description="What the network takes."
    )


class Model(Settings):
    """The network."""

    input: list[Count | None] | None = Field(
        default=None, min_length=1, description="Shape of one sample, without the batch."
    )
    inputs: dict[Name, Input] | None = Field(
        default=None, min_length=1, description="Or several inputs, each with its shape: {left: {shape: [28, 28, 1]}}."
    )
    outputs: list[Name] | None = Field(
        default=None, min_length=1, description="The layers that answer; by default the last."
    )
    preprocess: Annotated[
        Annotated[list[Layer], Tag("a list")] | Annotated[dict[Name, list[Layer]], Tag("a mapping")],
        Discriminator(nodes_or_mapping),
    ] = Field(
        default=[],
        description="Layers before the network, part of every exported file; with several inputs a list for each.",
    )
    layers: list[Layer] = Field(min_length=1, description="The layers, each fed by the one before, or by its `inputs`.")

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

    @property
    def nodes(self) -> list[Node]:
        """All layers in the order in which they are built."""
        return [*in_building_order(self.preprocess_nodes), *in_building_order(self.layers)]

    @property
    def preprocess_nodes(self) -> list[Node]:
        """The layers of `preprocess`, input by input."""
        return [node for nodes in self.preprocess_by_input.values() for node in nodes]

    @property
    def layer_names(self) -> dict[Node, str]:
        """What each layer is called, whether it was given a name or not."""
        nodes = [*in_building_order(self.layers), *in_building_order(self.preprocess_nodes)]
        inputs = [(INPUT_NAME, name) for name in self.input_specs]  # a layer is never called as an input is
        names = automatic_names([*inputs, *((node.class_name, node.name) for node in nodes)])
        return dict(zip(nodes, names[len(inputs) :], strict=True))

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that answer."""
        return self.outputs or [self.layer_names[self.layers[-1]]]
