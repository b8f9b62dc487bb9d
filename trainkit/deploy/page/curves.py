"""Curves as SVG, small enough to be read on a phone; colours are those of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup, escape

WIDTH, HEIGHT = 300, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 18, 28
LETTER = 6.4
"""Width of a letter of the axes."""
_RATIO = 100
"""Values that differ by more than so much are drawn on a logarithmic axis, if they are all above 0."""


def draw_curves(
    epochs: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    kept: float | None = None,
    linear: bool = False,
    along: str = "epochs",
    mark: str = "kept",
) -> Markup:
    """Draw the values of a metric by epoch, or by another number.

    Args:
        epochs: Where each value stands.
        series: Values by `training` or `validation`; what is not finite leaves a gap.
        title: What is drawn, for who does not see it.
        kept: The epoch that is marked.
        linear: Whether the axis is linear, whatever the values are.
        along: What the values are told to stand over.
        mark: What is said of what is marked.

    Returns:
        An `svg` element.
    """
    values = [value for one in series.values() for value in one if math.isfinite(value)]
    if not values:
        return Markup("")
    scale = _Scale(epochs, values, ratio=math.inf if linear else _RATIO)
    parts = [*_axes(scale), *_mark(scale, kept, mark)]
    for name, one in series.items():
        parts += _curve(scale, name, epochs, one)
    parts += _dots(scale, epochs, series, kept)
    marked = "" if kept is None else f", {mark}: {kept:.0f}"
    told = escape(f"{_told(title, len(epochs), along, series)}{marked}")
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}"><title>{told}</title>'
    return Markup(head + "".join(parts) + "</svg>")


class _Scale:
    """From epochs and values to places in the picture."""

    def __init__(self, epochs: Sequence[float], values: Sequence[float], *, ratio: float) -> None:
        self.first, self.last = min(epochs), max(epochs)
        low, high = min(values), max(values)
        self.is_log = low > 0 and high / low > ratio
        self.ticks = _powers(low, high) if self.is_log else round_ticks(low, high)
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        if self.low == self.high:
            self.low, self.high = self.low - 0.5, self.high + 0.5

    def x(self, epoch: float) -> float:
        whole = WIDTH - LEFT - RIGHT
        return LEFT + whole * ((epoch - self.first) / (self.last - self.first) if self.last > self.first else 0.5)

    def y(self, value: float) -> float:
        low, high, at = (math.log(x) if self.is_log else x for x in (self.low, self.high, value))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (at - low) / (high - low)


def round_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers around a range: steps of 1, 2 or 5 times a power of ten.

    Example:
        >>> round_ticks(0.93, 0.998), round_ticks(2, 2)
        ([0.92, 0.94, 0.96, 0.98, 1.0], [2.0])
    """
    if high <= low:
        return [float(low)]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * times for times in (1, 2, 5, 10)), key=lambda step: abs(step - rough))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    step = max(1, (last - first) // 4)
    return [10.0**power for power in range(first, last + 1, step)]


def _axes(scale: _Scale) -> Iterator[str]:
    for tick in scale.ticks:
        y = scale.y(tick)
        if TOP - 1 <= y <= HEIGHT - BOTTOM + 1:
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{_tick(tick)}</text>'
    for epoch in _whole_ticks(scale.first, scale.last):
        x = scale.x(epoch)
        yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{epoch:,.0f}</text>'


def _whole_ticks(first: float, last: float) -> list[float]:
    ticks = [tick for tick in round_ticks(first, last, 5) if tick == int(tick) and first <= tick <= last]
    near = (last - first) / 12
    return sorted({first, last, *(tick for tick in ticks if first + near < tick < last - near)})


def _tick(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e−").replace("e-", "e−") if 0 < abs(value) < 1e-3 else f"{value:,.6g}"


def _mark(scale: _Scale, kept: float | None, mark: str) -> Iterator[str]:
    """A line at the epoch that was kept, and what it is."""
    if kept is None or not scale.first <= kept <= scale.last:
        return
    x, text = scale.x(kept), f"{mark}: {kept:.0f}"
    half = len(text) * LETTER / 2
    middle = min(max(x, LEFT + half), WIDTH - RIGHT - half)
    yield f'<line class="kept" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 2}" y2="{HEIGHT - BOTTOM}"/>'
    yield f'<text class="kept" x="{middle:.1f}" y="{TOP - 5}" text-anchor="middle">{text}</text>'


def _curve(scale: _Scale, name: str, epochs: Sequence[float], values: Sequence[float]) -> Iterator[str]:
    """Lines through what is finite."""
    pairs = list(zip(epochs, values, strict=False))
    for is_finite, group in groupby(pairs, key=lambda pair: math.isfinite(pair[1])):
        if is_finite:
            points = " ".join(f"{scale.x(epoch):.1f},{scale.y(value):.1f}" for epoch, value in group)
            yield f'<polyline class="{name}" points="{points}"/>'


def _dots(
    scale: _Scale, epochs: Sequence[float], series: Mapping[str, Sequence[float]], kept: float | None
) -> Iterator[str]:
    """The values of the epoch that was kept; of a single epoch, its values."""
    shown = {kept} if len(epochs) > 1 else set(epochs)
    for name, values in series.items():
        for epoch, value in zip(epochs, values, strict=False):
            if epoch in shown and math.isfinite(value):
                yield f'<circle class="{name}" cx="{scale.x(epoch):.1f}" cy="{scale.y(value):.1f}" r="3.5"/>'


def _told(title: str, count: int, along: str, series: Mapping[str, Sequence[float]]) -> str:
    ends = "; ".join(f"{name} {values[0]:.4g} to {values[-1]:.4g}" for name, values in series.items() if values)
    return f"{title} over {count} {along}: {ends}"
