"""The keys of `distill:`, wherever something is trained."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from trainkit.config.kinds import Settings, form_of

SELF = "self"
"""As a teacher of compression steps: the model before the first of them."""


class Distill(Settings):
    """Whose answers a network learns, too."""

    teacher: str = Field(description="A run, or a directory of runs (the newest); for compression steps also self.")
    temperature: Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        default=2.0, description="By what logits are divided before they are compared: how soft the answers are."
    )
    weight: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.8, description="How much the teacher's answers count; the loss of the targets counts the rest."
    )


Teaching = (
    Annotated[Annotated[str, Tag("a text")] | Annotated[Distill, Tag("a mapping")], Discriminator(form_of)] | None
)
"""A teacher, alone or with the way that it teaches."""
