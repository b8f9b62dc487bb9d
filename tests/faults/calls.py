"""The calls with which a training changes what is on the disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One of them.

    Args:
        number: In the life of its process, from 0.
        operation: A function of `os`.
        target: A path.
    """

    number: int
    operation: str
    target: str

    @property
    def kind(self) -> str:
        """The same for calls that do the same for another step or another process."""
        return f"{self.operation} {re.sub(r'[0-9]{2,}', '#', self.target.rpartition('runs/')[2])}"

    @property
    def step(self) -> int:
        """The training step that the checkpoint of the path is of, or -1."""
        found = re.search(r"step_(\d+)", self.target)
        return int(found[1]) if found else -1

    @property
    def commits(self) -> bool:
        """Whether a checkpoint is there when the call is done."""
        return self.operation == "rename" and re.search(r"/\.\d+\.step_\d+$", self.target) is not None


def read_calls(filepath: Path) -> list[Call]:
    """The calls that a process has written down."""
    lines = (line.split(maxsplit=2) for line in filepath.read_text().splitlines())
    return [Call(int(number), operation, target) for number, operation, target in lines]


def ends(calls: Sequence[Call]) -> list[Call]:
    """The first and the last call of each kind."""
    first = {call.kind: call for call in reversed(calls)}
    last = {call.kind: call for call in calls}
    return sorted({*first.values(), *last.values()}, key=lambda call: call.number)


def committed(calls: Sequence[Call], before: int) -> int:
    """The newest step that has a checkpoint when a call is about to be made, or -1."""
    return max((call.step for call in calls if call.commits and call.number < before), default=-1)
