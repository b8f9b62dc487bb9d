"""The colours of the network's picture where the page is dark."""

from __future__ import annotations

from markupsafe import Markup

from trainkit.models.drawing.palette import BLOCK_EDGE, BLOCK_PAPERS, FAINT, FAMILIES, INK, PAPER, WIRE

_GROUND = "#171c22"
_INKS = {INK: "#e8ecf0", FAINT: "#aab4be", WIRE: "#9aa6b2", PAPER: _GROUND, BLOCK_EDGE: "#46525e"}
_BLOCKS = ("#1c222a", "#222932", "#29313b")


def network_colours() -> Markup:
    """Rules that give every colour of the picture its dark one."""
    rules = []
    for light, dark in _dark_colours().items():
        rules.append(f'.network [fill="{light}"]{{fill:{dark}}}.network [stroke="{light}"]{{stroke:{dark}}}')
    return Markup("".join(rules))


def _dark_colours() -> dict[str, str]:
    """From every colour to its dark one: papers become a tint of their stripes, stripes become lighter."""
    dark = dict(_INKS) | dict(zip(BLOCK_PAPERS, _BLOCKS, strict=False))
    for family in FAMILIES.values():
        dark.setdefault(family.stripe, _mix(family.stripe, "#ffffff", 0.45))
        dark.setdefault(family.paper, _mix(_GROUND, family.stripe, 0.32))
    return dark


def _mix(one: str, other: str, share: float) -> str:
    """A colour between two."""
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
