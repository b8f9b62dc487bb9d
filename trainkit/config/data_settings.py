"""The keys of `data:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from trainkit.config.kinds import Augmentation, ColumnsByName, Count, Settings, Source, Weight, form_of


class Last(Settings):
    """The last samples of the training set, in their order."""

    last: Count = Field(description="How many of the last training samples.")


class Skip(Settings):
    """Leave bad samples out."""

    skip: Count = Field(description="How many bad samples may be left out at most.")


Share = Annotated[
    Annotated[float, Field(ge=0, lt=1), Tag("a number")] | Annotated[Last, Tag("a mapping")], Discriminator(form_of)
]
"""A share of the training samples, or the last of them."""


class Resize(Settings):
    """How an image gets the size of the model's input; the same everywhere, and told to the app."""

    method: Literal["nearest", "bilinear", "bicubic", "area", "lanczos"] = Field(
        default="bilinear", description="The interpolation."
    )
    antialias: bool = Field(default=True, description="Average over all pixels where an image gets smaller.")
    fit: Literal["stretch", "crop", "pad"] = Field(
        default="stretch",
        description="stretch both sides; or keep their proportion, and crop the centre or pad with black.",
    )


class Data(Settings):
    """What to learn from."""

    source: Source = Field(description="Where the samples come from.")
    inputs: ColumnsByName | None = Field(
        default=None,
        description="The columns that go in: one or a list for the one input, or a mapping from the model's inputs.",
    )
    targets: ColumnsByName | None = Field(
        default=None,
        description="The columns to learn: one or a list for the one output, or a mapping from the model's outputs.",
    )
    sample_weight: str | None = Field(default=None, description="The column that says how much a sample counts.")
    class_weight: (
        Annotated[
            Annotated[Literal["balanced"], Tag("a text")]
            | Annotated[dict[str, Weight], Field(min_length=1), Tag("a mapping")],
            Discriminator(form_of),
        ]
        | None
    ) = Field(
        default=None,
        description="How much the training samples of a class count: balanced, or a mapping from class to weight.",
    )
    batch_size: Count = Field(default=32, description="Samples a training step.")
    validation_split: Share | None = Field(
        default=None,
        description="Share of the training samples that validate (seeded, stratified), or {last: N}; 0 for none. By "
        "default 0.1 where the source has no validation samples.",
    )
    test_split: Share = Field(
        default=0.0,
        description="Share of the samples that test (seeded, stratified), or {last: N}; where the source has no test.",
    )
    resize: Resize | None = Field(
        default=None, description="How images get the size of the model's input; image files always do."
    )
    padding: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        default=None,
        description="What stands behind the last step of a sequence in a batch with longer ones; by default 0.",
    )
    augment: list[Augmentation] = Field(
        default=[], description="Random changes of the training images; never part of an exported file."
    )
    bad_data: Annotated[
        Annotated[Literal["fail", "skip"], Tag("a text")] | Annotated[Skip, Tag("a mapping")], Discriminator(form_of)
    ] = Field(
        default="fail",
        description="Stop at samples that cannot be used, or skip them: 1 % at most, or as many as {skip: N} says.",
    )
