"""Which weights learn at another rate: patterns of a config, matched with the weights of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from trainkit.config import SettingError
from trainkit.registry import did_you_mean

SHOWN = 12


def multipliers_of(model: Any, patterns: Mapping[str, float]) -> dict[str, float]:
    """The multiplier of each weight that a pattern matches, by the name of its variable; the last pattern wins.

    Args:
        model: A `tf.keras.Model`.
        patterns: Multipliers by the path of a layer, or `layer/weight`; `*` stands for anything.
    """
    return {
        variable.name: factor
        for layer, weight, variable in _weights(model)
        for pattern, factor in patterns.items()
        if _matches(pattern, layer, weight)
    }


def check_multipliers(model: Any, patterns: Mapping[str, float]) -> None:
    """Refuse a pattern that no weight matches, and multipliers of weights that cannot be told apart.

    Raises:
        SettingError: At the first one.
    """
    _check_names(model, patterns)
    weights = [(layer, weight) for layer, weight, _ in _weights(model)]
    layers = list(dict.fromkeys(layer for layer, _ in weights))
    for pattern in patterns:
        if any(_matches(pattern, layer, weight) for layer, weight in weights):
            continue
        names = [f"{layer}/{weight}" for layer, weight in weights] if "/" in pattern else layers
        rule = "`layer/weight`" if "/" in pattern else "the path of a layer with weights, or `layer/weight`"
        known = f"{', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}"
        near = did_you_mean(pattern, names)
        message = f"matches no weight that learns. It must be {rule}; there are {known}. Received: {pattern!r}.{near}"
        raise SettingError(("training", "learning_rate_multipliers", pattern), message)


def _check_names(model: Any, patterns: Mapping[str, float]) -> None:
    """An optimizer knows a variable by its name; layers of one's own may give two the same."""
    factors = defaultdict(set)
    for layer, weight, variable in _weights(model):
        found = [factor for pattern, factor in patterns.items() if _matches(pattern, layer, weight)]
        factors[variable.name].add(found[-1] if found else 1.0)
        if len(factors[variable.name]) > 1:
            message = f"gives two variables of the name {variable.name!r} different rates, the second in {layer!r}."
            cure = "Give the variables of that layer names: `self.add_weight(name=…)`."
            raise SettingError(("training", "learning_rate_multipliers"), f"{message} {cure}")


def _matches(pattern: str, layer: str, weight: str) -> bool:
    return fnmatchcase(f"{layer}/{weight}" if "/" in pattern else layer, pattern)


def _weights(model: Any) -> Iterator[tuple[str, str, Any]]:
    """Each weight that may learn, now or when its layer is no longer frozen: its layer, its own name, its variable."""
    for layer in model.layers:
        for variable in layer.weights:
            if getattr(variable, "trainable", False):
                yield layer.name, variable.name.split(":")[0].split("/")[-1], variable
