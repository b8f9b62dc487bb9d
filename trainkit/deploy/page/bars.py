"""Bars and whiskers as SVG, for a cell of a table; the number stands beside them."""

from __future__ import annotations

from markupsafe import Markup

_HEAD = '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'


def draw_bar(value: float | None, most: float, kind: str = "") -> Markup:
    """A bar.

    Args:
        value: How long it is.
        most: As long as a bar can be.
        kind: Its class: `good`, `bad`, `second`, or nothing.
    """
    width = 100 * min(max(value or 0.0, 0.0) / most, 1.0) if most else 0.0
    return Markup(
        f'{_HEAD}<rect class="ground" width="100" height="10"/>'
        f'<rect class="{_known(kind)}" width="{width:.2f}" height="10"/></svg>'
    )


def draw_spread(value: float | None, end: float | None, most: float) -> Markup:
    """A bar for the median, and behind it how far most go."""
    most = most or 1.0
    width, far = (100 * min(max(one or 0.0, 0.0) / most, 1.0) for one in (value, end))
    return Markup(
        f'{_HEAD}<rect class="ground" width="100" height="10"/><rect class="faint" width="{far:.2f}" height="10"/>'
        f'<rect class="fill" width="{width:.2f}" height="10"/></svg>'
    )


def draw_range(low: float, value: float, high: float, ends: tuple[float, float], mark: float | None = None) -> Markup:
    """A dot in its interval, and a line where something else stands.

    Args:
        low: Where the interval begins.
        value: Where the dot stands.
        high: Where it ends.
        ends: What is shown from side to side.
        mark: Where a line stands.
    """
    first, whole = ends[0], max(ends[1] - ends[0], 1e-9)
    left, dot, right = (4 + 112 * (min(max(one, ends[0]), ends[1]) - first) / whole for one in (low, value, high))
    line = "" if mark is None else _line(4 + 112 * (mark - first) / whole)
    return Markup(
        '<svg class="range" viewBox="0 0 120 16" aria-hidden="true" focusable="false">'
        f'{line}<line class="whisker" x1="{left:.1f}" x2="{right:.1f}" y1="8" y2="8"/>'
        f'<line class="whisker" x1="{left:.1f}" x2="{left:.1f}" y1="4.5" y2="11.5"/>'
        f'<line class="whisker" x1="{right:.1f}" x2="{right:.1f}" y1="4.5" y2="11.5"/>'
        f'<circle class="dot" cx="{dot:.1f}" cy="8" r="3.6"/></svg>'
    )


def draw_pair(one: float, other: float, ends: tuple[float, float]) -> Markup:
    """Two dots on a line, for two shares of one thing.

    Args:
        one: Where the first stands.
        other: Where the second stands.
        ends: What is shown from side to side.
    """
    whole = max(ends[1] - ends[0], 1e-9)
    first, second = (6 + 188 * (min(max(share, ends[0]), ends[1]) - ends[0]) / whole for share in (one, other))
    return Markup(
        '<svg class="pair" viewBox="0 0 200 16" aria-hidden="true" focusable="false">'
        '<line class="ground" x1="6" x2="194" y1="8" y2="8"/>'
        f'<line class="between" x1="{first:.1f}" x2="{second:.1f}" y1="8" y2="8"/>'
        f'<circle class="one" cx="{first:.1f}" cy="8" r="4.2"/>'
        f'<circle class="other" cx="{second:.1f}" cy="8" r="4.2"/></svg>'
    )


def _line(x: float) -> str:
    return f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="16"/>'


def _known(kind: str) -> str:
    return kind if kind in ("good", "bad", "second") else "fill"
