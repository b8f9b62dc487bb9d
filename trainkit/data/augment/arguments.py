"""The rules that arguments of several augmentations share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainkit.errors import InputError, shown
from trainkit.registry import did_you_mean

_NO_PAIR = (math.nan, math.nan)


def refusal(name: str, value: object, *, rule: str, cure: str = "") -> InputError:
    """The error of an argument that breaks its rule."""
    return InputError(f"`{name}` must be {rule}. Received: {name}={shown(value)}.{cure and f' {cure}'}")


def is_number(value: object) -> bool:
    """Whether a value is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def as_pair(value: object) -> tuple[float, float]:
    """The two finite numbers of a list, or two NaN, which are in no range, for anything else.

    Example:
        >>> as_pair([1, 2.5]), as_pair([1]), as_pair("ab")
        ((1.0, 2.5), (nan, nan), (nan, nan))
    """
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(is_number, value)):
        return _NO_PAIR
    return float(value[0]), float(value[1])


def factor_bounds(
    name: str, value: object, *, least: float = -math.inf, most: float = math.inf, any_order: bool = False
) -> tuple[float, float]:
    """The least and the largest value of a random factor.

    Args:
        name: Of the argument.
        value: What was given: a number, for as much either way, or `[low, high]`.
        least: That both must reach.
        most: That neither may exceed.
        any_order: Whether `[high, low]` and a negative number mean the same, as Keras has it for some layers.

    Returns:
        The bounds, in order.

    Raises:
        InputError: If `value` is something else.

    Example:
        >>> factor_bounds("factor", 0.2), factor_bounds("factor", [0, 0.5])
        ((-0.2, 0.2), (0.0, 0.5))
    """
    low, high = as_pair([-value, value] if is_number(value) else value)  # type: ignore[operator]
    if any_order:
        low, high = min(low, high), max(low, high)
    if least <= low <= high <= most:
        return low, high
    order = "" if any_order else " with low no more than high"
    within = "" if math.isinf(least) else f", at least {least:g}" if math.isinf(most) else f" in [{least:g}, {most:g}]"
    number = "a number" if any_order else "a number of 0 or more"
    raise refusal(name, value, rule=f"{number} or [low, high]{order}{within}", cure="0.2 is short for [-0.2, 0.2].")


def check_number(name: str, value: object) -> None:
    """Refuse what is no finite number."""
    if not is_number(value):
        raise refusal(name, value, rule="a finite number")


def check_positive(name: str, value: object, *, most: float = math.inf) -> None:
    """Refuse what is no number above 0, or exceeds `most`."""
    if not is_number(value) or not 0 < value <= most:  # type: ignore[operator]
        raise refusal(name, value, rule="a number above 0" if math.isinf(most) else f"a number in (0, {most:g}]")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse what is none of the choices."""
    if value not in choices:
        near = did_you_mean(value, choices).strip() if isinstance(value, str) else ""
        raise refusal(name, value, rule=f"one of {', '.join(choices)}", cure=near)
