"""The lower_case keys of a config: what they are, what they may be, what they are by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from trainkit.config.data_settings import Data
from trainkit.config.distill_settings import Teaching
from trainkit.config.execution import Execution
from trainkit.config.kinds import (
    Callback,
    Compressor,
    Count,
    Exporter,
    Loss,
    Metric,
    Name,
    Optimizer,
    PathName,
    Patterns,
    Rate,
    Settings,
    Strategy,
    Weight,
    form_of,
    node_or_mapping,
    nodes_or_mapping,
    word_or_node,
)
from trainkit.config.model_settings import Model
from trainkit.config.node import Node


class Best(Settings):
    """Which epoch's model is the best."""

    monitor: str = Field(default="val_loss", description="A metric of the training, as the progress bar shows it.")
    mode: Literal["min", "max"] | None = Field(
        default=None, description="Whether less or more of it is better; of a loss, by default, less."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_loss_less(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("mode") is not None:
            return value
        monitor = value.get("monitor", "val_loss")
        is_loss = isinstance(monitor, str) and f"_{monitor}".endswith("_loss")
        return value | {"mode": "min"} if is_loss else value


class CheckpointSettings(Settings):
    """When a training writes down all that it needs to go on."""

    every_epochs: Count | None = Field(
        default=None,
        description="After so many epochs, and after one that is the best so far; by default after each, short ones as"
        " often as takes half a percent of the time.",
    )
    every_steps: Count | None = Field(default=None, description="Besides, after so many training steps.")
    every_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Besides, after so many minutes without one."
    )
    keep: Count = Field(default=2, description="How many of the newest stay, beside the best.")


class OnNaN(Settings):
    """What to do when a loss or a weight is no finite number any more."""

    action: Literal["stop", "rollback"] = Field(
        default="stop", description="End the training, or go back to the last good checkpoint with a lower rate."
    )
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.1, description="What the rate is multiplied by.")
    times: Count = Field(default=3, description="How many times to go back before the training ends.")


class Phase(Settings):
    """A part of the training, and what is another in it."""

    name: Name | None = Field(default=None, description="What it is called; by default phase1, phase2, ….")
    epochs: Count | None = Field(default=None, description="How long it lasts.")
    steps: Count | None = Field(default=None, description="Or how many batches it lasts.")
    freeze: Patterns = Field(default=[], description="Layers that do not learn in it, besides those of the training.")
    unfreeze: Patterns = Field(default=[], description="Layers that learn in it all the same.")
    optimizer: Optimizer | None = Field(default=None, description="Its optimizer.")
    learning_rate: Rate | None = Field(
        default=None, description="In the place of the optimizer's: a number, or a schedule over this phase."
    )
    learning_rate_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Or what the optimizer's learning rate, a schedule too, is multiplied by."
    )
    callbacks: list[Callback] | None = Field(default=None, description="In the place of those of the training.")


class Training(Settings):
    """How to learn."""

    epochs: Count | None = Field(
        default=None, description="Passes over the training samples, or parts of steps_per_epoch; 10 by default."
    )
    steps: Count | None = Field(default=None, description="In the place of epochs: training steps, that is batches.")
    steps_per_epoch: Count | None = Field(
        default=None,
        description="Training steps between two validations, which are called an epoch; by default one pass.",
    )
    optimizer: Optimizer = Field(Node("optimizer", "Adam"), description="A Keras optimizer.")
    gradient_accumulation_steps: Count = Field(
        default=1, description="Batches whose mean gradient makes one update of the weights."
    )
    learning_rate_multipliers: dict[str, Weight] | None = Field(
        default=None,
        min_length=1,
        description="By what the rate of some weights is multiplied: by patterns of layers or `layer/weight`; the last "
        "that matches wins.",
    )
    loss: Annotated[
        Annotated[Loss, Tag("a node")] | Annotated[dict[PathName, Loss], Field(min_length=1), Tag("a mapping")],
        Discriminator(node_or_mapping),
    ] = Field(description="A Keras loss; with several outputs a mapping from each to its loss.")
    loss_weights: dict[PathName, Weight] | None = Field(
        default=None, min_length=1, description="How much the loss of each output counts; 1 by default."
    )
    distill: Teaching = Field(default=None, description="A run, whose answers the network learns besides the targets.")
    metrics: Annotated[
        Annotated[list[Metric], Tag("a list")] | Annotated[dict[PathName, list[Metric]], Tag("a mapping")],
        Discriminator(nodes_or_mapping),
    ] = Field(default=[], description="Keras metrics; with several outputs a mapping from each to its list.")
    best: Best | None = Field(
        default=None, description="The epoch to keep; by default the one of the least (validation) loss."
    )
    callbacks: list[Callback] = Field(default=[], description="Keras callbacks.")
    execution: Annotated[
        Annotated[Literal["auto"], Tag("a text")] | Annotated[Execution, Tag("a mapping")], Discriminator(form_of)
    ] = Field(default="auto", description="How training steps are run: auto chooses, by measuring where that pays.")
    strategy: Annotated[
        Annotated[Literal["auto"], Tag("a text")] | Annotated[Strategy, Tag("a node")], Discriminator(word_or_node)
    ] = Field(
        default="auto",
        description="How a training is spread over devices and machines, by TensorFlow's names; auto: over all that "
        "there are.",
    )
    graph: Literal["static", "eager"] = Field(
        default="static",
        description="static: TensorFlow makes a graph of the training step; eager: Python runs it line by line, for "
        "breakpoints and prints.",
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = Field(
        default="float32",
        description="What layers compute in while they learn: float32, or 16 bits, with weights of 32. The model that "
        "is left computes in float32.",
    )
    determinism: Literal["off", "seeded", "strict"] = Field(
        default="seeded",
        description="off: another seed in every run; seeded: order, weights and random layers follow from the seed; "
        "strict: every bit does, with slower operations.",
    )
    checkpoints: CheckpointSettings = Field(
        default_factory=CheckpointSettings, description="When the training writes down what it needs to go on."
    )
    on_nan: Annotated[
        Annotated[Literal["stop", "rollback"], Tag("a text")] | Annotated[OnNaN, Tag("a mapping")],
        Discriminator(form_of),
    ] = Field(default="stop", description="What to do when a loss or a weight is no finite number any more.")
    freeze: Patterns = Field(
        default=[], description="Layers that do not learn: patterns of their paths, or blocks. backbone, conv?"
    )
    unfreeze: Patterns = Field(default=[], description="Of those, layers that learn all the same.")
    phases: list[Phase] | None = Field(
        default=None,
        min_length=1,
        description="Parts of the training, one after the other, in the place of `epochs`; each says what is another "
        "in it.",
    )

    @property
    def how(self) -> Execution:
        """`execution` in its long form."""
        return self.execution if isinstance(self.execution, Execution) else Execution()

    @property
    def when_nan(self) -> OnNaN:
        """`on_nan` in its long form."""
        return self.on_nan if isinstance(self.on_nan, OnNaN) else OnNaN(action=self.on_nan)


def _all_exports() -> list[Node]:
    precisions = [Node("exporter", "TFLite", {"precision": precision}) for precision in ("float32", "int8")]
    return [*precisions, Node("exporter", "ONNX")]


class FineTune(Settings):
    """How compression steps go on training: with the data, loss, metrics and callbacks of the run."""

    learning_rate: Rate | None = Field(
        default=None,
        description="Of the run's optimizer, a number or a schedule over each step; by default a constant tenth of the "
        "run's highest rate.",
    )
    distill: Teaching = Field(
        default=None,
        description="A teacher of all steps: a run, or self, the model before them; that of the training is none.",
    )


class Deploy(Settings):
    """What to make of the trained model."""

    fine_tune: FineTune = Field(default_factory=FineTune, description="How compression steps go on training.")
    compress: list[Compressor] = Field(
        default=[], description="The steps that make the model small, one after the other; each keeps its promises."
    )
    export: list[Exporter] = Field(
        default_factory=_all_exports, min_length=1, description="The files to write, each proved against the model."
    )
    benchmark: bool = Field(
        default=True, description="Whether the files are timed, about a second each, into benchmark.json."
    )


class CustomCodeFile(Settings):
    """A Python file that has to be a certain one."""

    file: str = Field(description="The file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of its bytes: another file is refused.")


class Experiment(Settings):
    """A whole configuration."""

    version: Literal[1] = Field(description="The version of the config language.")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100, description="Names the runs and the exported files."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        default=0, description="Of the order, the split and the weights."
    )
    include: str | list[str] | None = Field(default=None, description="Files of `blocks:` that this one uses, too.")
    custom_code: (
        Annotated[Annotated[str, Tag("a text")] | Annotated[CustomCodeFile, Tag("a mapping")], Discriminator(form_of)]
        | None
    ) = Field(default=None, description="A Python file with layers, losses, … of its own; runs with --allow-code only.")
    data: Data
    model: Model
    training: Training
    deploy: Deploy = Field(default_factory=Deploy)


def settings_at(path: Sequence[str | int]) -> type[Settings] | None:
    """The class of the settings at a path of the config, or None where there is something else."""
    current: Any = Experiment
    for part in path:
        if isinstance(current, type) and issubclass(current, Settings):
            field = current.model_fields.get(str(part))
            current = _inside(field.annotation) if field else None
        else:  # a mapping by name, or a list
            current = None if current is None else _inside(current[1])
    return current if isinstance(current, type) else None


def _inside(annotation: Any) -> Any:
    """The settings in an annotation, or `(dict or list, annotation of the values)`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    parts: tuple[Any, ...] = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if origin is dict or origin is list:
        return (origin, parts[-1]) if _inside(parts[-1]) is not None else None
    return next((found for part in parts if (found := _inside(part)) is not None), None)
