"""Where a config says the learning rate of its first phase, and how another one is written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainkit.config import Config, KeyPath, Node
from trainkit.training.phases import phases_of

_HIGHEST = ("initial_learning_rate", "max_learning_rate", "learning_rate")
"""What schedules call the rate that they begin with, or rise to, or a schedule inside them."""


@dataclass(frozen=True)
class RateKey:
    """Where a rate is, or would be, written.

    Args:
        path: The way to it.
        schedule: The class of the schedule that it is the highest rate of, or that a rate takes the place of.
        in_place_of: A setting that has to go when a rate is written there.
    """

    path: KeyPath
    schedule: str = ""
    in_place_of: str = ""

    @property
    def override(self) -> str:
        """The key of an override."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path if not _is_name(part))
        return text.removeprefix(".")

    def line(self, config: Config, rate: str) -> str:
        """What to write in the YAML."""
        holder = config.document.data
        for part in self.path[:-1]:
            holder = (
                holder.get(part) if isinstance(holder, Mapping) else holder[part] if isinstance(part, int) else None
            )
        if isinstance(holder, Mapping):
            return f"{self.path[-1]}: {rate}"
        return f"optimizer: {{{self.path[-2]}: {{{self.path[-1]}: {rate}}}}}"  # which is a bare name there, or missing

    def place(self, config: Config) -> str:
        """Where to write it."""
        place = config.document.place(self.path)
        if place is None or not (place.line or place.override):
            return ""
        return str(place) if place.file or place.override else f"line {place.line}"


def rate_key(config: Config) -> RateKey:
    """The key of the learning rate of the first phase; of a schedule, that of its highest rate."""
    phase = phases_of(config.experiment)[0]
    node, path, gone = phase.optimizer, (*phase.path, "learning_rate"), ""
    value = phase.learning_rate
    if phase.learning_rate_factor != 1:
        gone = "learning_rate_factor"
    elif value is None:
        value = node.arguments.get("learning_rate")
        path = (*(config.path_of(node) or ("training", "optimizer")), node.class_name, "learning_rate")
    schedule = value.class_name if isinstance(value, Node) else ""
    while isinstance(value, Node):
        key = next((key for key in _HIGHEST if key in value.arguments), None)
        if key is None:
            break
        path, value = (*path, value.class_name, key), value.arguments[key]
    return RateKey(path, schedule, gone)


def _is_name(part: str | int) -> bool:
    return isinstance(part, str) and part[:1].isupper()
