"""`training.execution`: how training steps are run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainkit.config.kinds import Count, Settings


class Execution(Settings):
    """How training steps are run; what is not said is chosen, by measuring where it is worth that."""

    steps_per_execution: Count | None = Field(
        default=None, description="Training steps of one call; callbacks of batches are asked once a call."
    )
    jit_compile: bool | None = Field(default=None, description="Whether XLA compiles the steps.")
    data: Literal["device", "stream"] | None = Field(
        default=None,
        description="Whether batches are gathered from tensors on the device that hold all samples, or come from "
        "tf.data.",
    )
