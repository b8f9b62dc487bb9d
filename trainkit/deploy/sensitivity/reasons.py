"""Why a layer suffers from 8 bits: what can be measured of its weights and of what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainkit.deploy.sensitivity.parts import SAME_SCALE, Part, Parts
from trainkit.deploy.sensitivity.rounded import LEVELS, kernels_of, range_of

KERNEL_PEAK = 40.0
"""Largest weight of a channel, in medians of the others, from which it is an outlier: 127 steps then leave a typical
weight 3. Of 5,000 normal numbers the largest is 6 medians of their sizes."""
OUTPUT_PEAK = 4.0
"""Largest value that a layer gives, in 99.9th percentiles, from which it is an outlier."""
UNEVEN = 16.0
"""Range of the widest channel, in that of the median one, from which one scale for both is coarse: 4 bits are lost."""
BEYOND = 0.01
"""Share of values beyond the range of calibration, from which the range is too narrow."""
_NORMALIZING = ("ADD", "MUL", "SUB", "DIV", "RSQRT")


@dataclass(frozen=True)
class Reason:
    """Something that makes 8 bits too few.

    Args:
        kind: A word or two.
        text: A sentence with the figures.
        figures: The figures by name.
    """

    kind: str
    text: str
    figures: dict[str, Any] = field(default_factory=dict)


class Reasons:
    """Finds them.

    Args:
        parts: Those of a calibrated network.
        interpreter: Has run the network in float32 on samples, and kept every tensor.
    """

    def __init__(self, parts: Parts, interpreter: Any) -> None:
        self._parts, self._interpreter = parts, interpreter

    def of(self, part: Part) -> list[Reason]:
        """All that is to be said of a layer, the weights first."""
        found: list[Reason] = []
        for operation in self._parts.operations_of(part):
            for index, axis in kernels_of(self._parts.file, operation):
                values = self._parts.file.values(index)
                if values is not None and operation.kind not in _NORMALIZING:
                    found += _of_kernel(values, axis, is_depthwise=operation.kind.startswith("DEPTHWISE"))
            if part.class_name == "BatchNormalization" and operation.kind in _NORMALIZING:
                found.append(_unfolded(operation.kind))
            if operation.kind not in SAME_SCALE:
                found += self._of_values(operation.outputs[0])
        return list({reason.kind: reason for reason in found[::-1]}.values())[::-1]

    def of_input(self, name: str) -> list[Reason]:
        """All that is to be said of an input."""
        return [reason for index, one in self._parts.inputs.items() if one == name for reason in self._of_values(index)]

    def _of_values(self, index: int) -> Iterator[Reason]:
        if (ends := range_of(self._parts.file.tensor(index))) is not None:
            yield from of_values(self._interpreter.get_tensor(index), ends)


def _of_kernel(values: np.ndarray, axis: int | None, *, is_depthwise: bool) -> Iterator[Reason]:
    """What is to be said of a kernel; with an axis each channel has a scale of its own."""
    channels = values.reshape(1, *values.shape) if axis is None else np.moveaxis(values, axis, 0)
    sizes = np.abs(channels.reshape(len(channels), -1))
    largest, used = sizes.max(axis=1), sizes.max(axis=1) > 0
    if not used.any():
        return
    peaks = np.array([peak_of(channel) for channel in sizes])
    worst = int(np.argmax(peaks))
    if peaks[worst] > KERNEL_PEAK:
        outliers = int((peaks > KERNEL_PEAK).sum())
        yield Reason(
            "weight outlier",
            f"the largest weight of channel {worst} is {largest[worst]:.3g}, {peaks[worst]:.0f} times its median one: "
            f"8 bits leave that {LEVELS / peaks[worst]:.1f} steps (so in {outliers} of {len(peaks)} channels)",
            {"channel": worst, "largest": float(largest[worst]), "peak": float(peaks[worst]), "channels": outliers},
        )
    ratio = float(largest.max() / np.median(largest[used]))
    if ratio > UNEVEN and (is_depthwise or axis is None):
        yield Reason(
            "uneven kernel",
            f"weights of channel {int(np.argmax(largest))} reach {largest.max():.3g}, those of the median channel "
            f"{np.median(largest[used]):.3g}: {ratio:.0f} times less",
            {"channel": int(np.argmax(largest)), "ratio": ratio},
        )
    if dead := int((~used).sum()):
        yield Reason("dead weights", f"{dead} of {len(used)} channels have no weight but 0", {"channels": dead})


def peak_of(weights: np.ndarray) -> float:
    """The largest of some sizes, in medians of those that are not 0; 1 where all are 0.

    Example:
        >>> peak_of(np.array([0.0, 1.0, 2.0, 50.0]))
        25.0
    """
    used = weights[weights > 0]
    return float(used.max() / np.median(used)) if used.size else 1.0


def of_values(values: np.ndarray, ends: tuple[float, float]) -> Iterator[Reason]:
    """What is to be said of a tensor with one scale for all.

    Args:
        values: What it holds for some samples, shape `(samples, …, channels)`.
        ends: The range that calibration has found.
    """
    sizes, step = np.abs(values.astype(np.float64)), (ends[1] - ends[0]) / 255
    largest, typical = max(float(sizes.max(initial=0.0)), -ends[0], ends[1]), float(np.percentile(sizes, 99.9))
    if typical > 0 and largest > OUTPUT_PEAK * typical:
        yield Reason(
            "value outlier",
            f"values reach {largest:.3g}, but 99.9% stay below {typical:.3g}: {largest / typical:.0f} times less",
            {"largest": largest, "percentile_99_9": typical, "peak": largest / typical},
        )
    yield from _of_channels(values, step)
    beyond = float(np.mean((values < ends[0] - step) | (values > ends[1] + step)))
    if beyond > BEYOND:
        yield Reason(
            "too narrow",
            f"{beyond:.1%} of the values are beyond the range of calibration, {ends[0]:.3g} to {ends[1]:.3g}, and are "
            "cut off",
            {"share": beyond, "low": ends[0], "high": ends[1]},
        )


def _of_channels(values: np.ndarray, step: float) -> Iterator[Reason]:
    if values.ndim < 2 or values.shape[-1] < 2:
        return
    rows = values.reshape(-1, values.shape[-1])
    reach, alive = np.abs(rows).max(axis=0), np.ptp(rows, axis=0) > 0
    median = float(np.median(reach[alive])) if alive.any() else 0.0
    steps = median / step if step else 0.0
    if median > 0 and (ratio := float(reach.max()) / median) > UNEVEN:
        yield Reason(
            "uneven channels",
            f"channel {int(np.argmax(reach))} reaches {reach.max():.3g}, the median channel {median:.3g}: one scale "
            f"for both leaves that {steps:.1f} steps",
            {"channel": int(np.argmax(reach)), "ratio": ratio, "steps": steps},
        )
    if dead := int((~alive).sum()):
        yield Reason("dead channels", f"{dead} of {len(alive)} channels never change", {"channels": dead})


def _unfolded(kind: str) -> Reason:
    return Reason(
        "not folded",
        f"this batch normalization is computed by a {kind} of its own, with one scale for all channels: no convolution "
        "or dense layer stands directly before it",
        {"operation": kind},
    )
