"""What a source returns: the columns of each part of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from trainkit.data.columns import Column

Part = TypeVar("Part")


@dataclass(frozen=True)
class Splits(Generic[Part]):
    """The parts of a data set; `validation` and `test` may be missing.

    Args:
        train: What is learned from.
        validation: What choices are made by.
        test: What only reports.
        notes: What a person should know: samples that were left out, classes that a part has none of.
    """

    train: Part
    validation: Part | None = None
    test: Part | None = None
    notes: tuple[str, ...] = ()

    @property
    def present(self) -> dict[str, Part]:
        """The parts that there are, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if part is not None}


@dataclass(frozen=True)
class Records:
    """One part of a data set, as its source found it: nothing is chosen, sized or left out yet.

    Args:
        columns: By name, all of the same length: `image` and `label`, or the columns of a table.
        target: The column that is learned where the config does not say which; all the others are inputs.
        bad: Rows that cannot be used, each with where it stands and the reason, as one sentence.
    """

    columns: Mapping[str, Column]
    target: str | None = None
    bad: Mapping[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))


Source = Splits[Records]
"""What every source returns."""
