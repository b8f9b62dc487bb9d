"""Models made elsewhere whose inputs and outputs have names that a config cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from trainkit.config import BEFORE, is_node_name
from trainkit.inference.isolated import IsolatedPredictor
from trainkit.inference.predictor import Predictor, describe


class RenamedPredictor:
    """A predictor whose inputs and outputs go by names that a config can say.

    Args:
        predictor: What runs the file.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._inputs = _sayable(predictor.inputs, "input", taken=())
        self._outputs = _sayable(predictor.outputs, "output", taken=self._inputs)
        self.inputs = {name: predictor.inputs[own] for name, own in self._inputs.items()}
        self.outputs = {name: predictor.outputs[own] for name, own in self._outputs.items()}

    @property
    def facts(self) -> dict[str, Any]:
        """What the file tells, with the names that it goes by here."""
        return self.predictor.facts | describe(self.inputs, self.outputs)

    def predict(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Answer samples; see `Predictor.predict`."""
        outputs = self.predictor.predict({self._inputs.get(name, name): array for name, array in inputs.items()})
        return {name: outputs[own] for name, own in self._outputs.items()}


def with_names(predictor: Predictor) -> Predictor:
    """The predictor itself where a config can say all its names, else one with other names."""
    renamed = RenamedPredictor(predictor)
    is_sayable = [*renamed.inputs, *renamed.outputs] == [*predictor.inputs, *predictor.outputs]
    return predictor if is_sayable else renamed


def is_isolated(predictor: Predictor) -> bool:
    """Whether each call begins a child process."""
    inner = predictor.predictor if isinstance(predictor, RenamedPredictor) else predictor
    return isinstance(inner, IsolatedPredictor)


def _sayable(names: Iterable[str], kind: str, *, taken: Iterable[str]) -> dict[str, str]:
    """From a name that a config can say to that of the file: `input.1` goes by `input_1`, `x` by `input_x`.

    `Predictions` goes by `predictions`.
    """
    found: dict[str, str] = {}
    for own in names:
        name = re.sub("[^A-Za-z0-9_]", "_", own[:1].lower() + own[1:])
        if name == BEFORE or not is_node_name(name):
            name = f"{kind}_{name}"
        while name in found or name in taken:
            name += "_"
        found[name] = own
    return found
