"""All that a training needs to go on, but for the variables: where it is, what it found best, what callbacks know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1


@dataclass
class Position:
    """Where a training is.

    Args:
        step: Training steps done.
        epoch: Epochs done.
        phase: Phases done.
        phase_step: The step at which the phase at hand began.
        phase_epoch: The epoch at which it began.
        lacking: Steps that a last epoch of the phase lacked, before the training was made longer.
        stopping: Whether a callback asked to end the phase at hand with this epoch.
        over: Whether the phase at hand has ended so.
    """

    step: int = 0
    epoch: int = 0
    phase: int = 0
    phase_step: int = 0
    phase_epoch: int = 0
    lacking: int = 0
    stopping: bool = False
    over: bool = False

    def is_over(self, epochs: int) -> bool:
        """Whether nothing is left of the phase at hand, which lasts so many epochs."""
        return self.over or self.epoch - self.phase_epoch >= epochs

    def next_phase(self) -> None:
        """Begin another phase here."""
        self.phase, self.phase_step, self.phase_epoch = self.phase + 1, self.step, self.epoch
        self.lacking, self.stopping, self.over = 0, False, False


@dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Args:
        epoch: Counted from 1.
        monitor: The metric that says so.
        value: Its value.
        step: Of the checkpoint that has its model.
    """

    epoch: int
    monitor: str
    value: float
    step: int

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {"epoch": self.epoch, "monitor": self.monitor, "value": self.value}


@dataclass
class State:
    """What a checkpoint says beside its variables.

    Args:
        seed: Of weights, order and random layers.
        position: Where the training is.
        best: The best epoch so far, if one had a finite value.
        rate_factor: What the learning rates were multiplied by, after numbers that were not finite.
        rollbacks: How many times that was.
        callbacks: What each callback knows, by its name.
        files: Bytes of each file that grows by appending.
    """

    seed: int = 0
    position: Position = field(default_factory=Position)
    best: Best | None = None
    rate_factor: float = 1.0
    rollbacks: int = 0
    callbacks: dict[str, Any] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What `state.json` holds."""
        return {"version": VERSION} | asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> State:
        """What `to_json` returned, as a state again.

        Raises:
            ValueError: If it is not that.
        """
        if values.get("version") != VERSION:
            raise ValueError(f"its version must be {VERSION}. Received: {values.get('version')!r}")
        best = values["best"] and Best(**values["best"])
        rest = {key: value for key, value in values.items() if key not in ("version", "position", "best")}
        return cls(position=Position(**values["position"]), best=best, **rest)
