"""A way to run training steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Plan:
    """A way to run training steps.

    Args:
        data: Whether batches are gathered on the device from tensors that hold all samples, or come from tf.data.
        jit_compile: What XLA compiles: nothing, each step, or the loop over the steps of a call.
        steps_per_execution: Steps of a call; callbacks of batches are asked once a call.

    Example:
        >>> print(Plan("device", "loop", 50))
        samples on the device, XLA, 50 steps a call
    """

    data: Literal["device", "stream"] = "stream"
    jit_compile: Literal["", "step", "loop"] = ""
    steps_per_execution: int = 1

    def __str__(self) -> str:
        data = "samples on the device" if self.data == "device" else "batches from tf.data"
        xla = {"": "no XLA", "step": "XLA for each step", "loop": "XLA"}[self.jit_compile]
        count = self.steps_per_execution
        return f"{data}, {xla}, {count:,} step{'' if count == 1 else 's'} a call"

    def to_json(self) -> dict[str, Any]:
        """As manifest.json has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Plan:
        """What `to_json` returned, as a plan again."""
        return cls(**values)
