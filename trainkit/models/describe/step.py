"""What a network is made of while it is described: inputs, and one step for each call of a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def is_tensor(value: Any) -> bool:
    """Whether a value stands for a tensor of a graph."""
    return hasattr(value, "_keras_history")


class RefusalError(Exception):
    """Why a layer cannot be written in the config language, and what to do."""


@dataclass(eq=False)
class Given:
    """An input of the network.

    Args:
        wish: What the model calls it.
        shape: Of a sample.
        dtype: One that the language has.
    """

    wish: str
    shape: list[int | None]
    dtype: str


@dataclass(eq=False)
class Step:
    """One layer of the list that is written.

    Args:
        class_name: As Keras spells it.
        arguments: As the language writes them.
        inputs: What it is called with: one value, a list, or a mapping from call arguments.
        wish: What the model calls it; None where that is a name nobody chose.
        same_as: The earlier step whose weights it uses again.
    """

    class_name: str
    arguments: dict[str, Any]
    inputs: Inputs
    wish: str | None = None
    same_as: Step | None = None


@dataclass(frozen=True)
class Size:
    """The length of an axis, or with None of every axis, as a graph asks for it to reshape something."""

    of: Any
    axis: int | None = None


Ref = Given | Step
Inputs = Ref | list[Ref] | dict[str, Ref]


@dataclass
class Record:
    """What is found while a model is walked through.

    Args:
        steps: The layers, in order.
        notes: What a reader should know, a sentence each.
        problems: What cannot be written: the name of the layer, its class, the reason.
        first: The step that called a layer with weights first, by id of the layer.
    """

    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    first: dict[int, Step] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        """Add a sentence, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
