"""Which channels of a network go together: each is followed from the layer that makes it to those that take it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.filters.rules import Passed, Tie, rule_of
from trainkit.framework import tf
from trainkit.models.calls import calls_of


@dataclass(frozen=True)
class Group:
    """Channels that go together or not at all: those that an addition ties, for example.

    Args:
        root: The number that all of them go by.
        filters: What makes them: by layer, positions among its filters.
    """

    root: int
    filters: Mapping[str, tuple[int, ...]]

    @property
    def makers(self) -> tuple[str, ...]:
        """The layers that make them: groups of the same makers are compared with each other."""
        return tuple(self.filters)


class Channels:
    """The channels of a network, each known by a number wherever it passes.

    A layer that computes channel by channel passes them on, one with a kernel makes its own, and an addition lets two
    numbers mean the same. What is not known to be right, as a layer of a user, keeps all the channels that it takes and
    gives; so do the inputs and the outputs of the network.

    Args:
        model: A flat functional `tf.keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self._parents: list[int] = []
        self._kept: list[np.ndarray] = []
        self._own: dict[str, np.ndarray] = {}
        self._passed: dict[str, Passed] = {}
        self._strange: set[str] = set()
        known = {id(tensor): self._fixed(tensor) for tensor in model.inputs}
        for call in calls_of(model):
            outputs = tf.nest.flatten(call.outputs)
            found = self._follow(call, [known[id(tensor)] for tensor in call.keras_inputs], outputs)
            known |= {id(tensor): channels for tensor, channels in zip(outputs, found, strict=True)}
        for tensor in model.outputs:
            self.keep(known[id(tensor)])
        self._roots = np.array([self._root(number) for number in self._parents], int)

    def own(self, layer: Any, count: int) -> np.ndarray:
        """The channels that a layer makes, the same in each of its calls."""
        if layer.name not in self._own:
            self._own[layer.name] = self._new(count)
        return self._own[layer.name]

    def tie(self, first: np.ndarray, second: np.ndarray) -> None:
        """Let channels go together, pair by pair."""
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self._parents[self._root(one)] = self._root(other)

    def keep(self, channels: np.ndarray | None) -> None:
        """Let channels stay."""
        if channels is not None:
            self._kept.append(channels)

    def of(self, layer: str) -> Passed | None:
        """What a layer does with its channels; None where its sizes must stay."""
        return self._passed.get(layer)

    def roots(self, channels: np.ndarray) -> np.ndarray:
        """The number that each channel's group goes by."""
        return self._roots[channels]

    def makers(self) -> dict[str, Tie]:
        """The filters of each layer that has such."""
        ties = ((layer, tie) for layer, passed in self._passed.items() for tie in passed.ties if tie.makes)
        return dict(ties)

    def groups(self) -> list[Group]:
        """The groups of channels that may go, in the order of the network."""
        kept = {root for channels in self._kept for root in self.roots(channels).tolist()}
        members: dict[int, dict[str, list[int]]] = {}
        for layer, tie in self.makers().items():
            for position, root in enumerate(self.roots(tie.channels).tolist()):
                if root not in kept:
                    members.setdefault(root, {}).setdefault(layer, []).append(position)
        return [
            Group(root, {layer: tuple(positions) for layer, positions in filters.items()})
            for root, filters in members.items()
        ]

    def staying(self, channels: np.ndarray, gone: Collection[int]) -> np.ndarray:
        """Of each channel, whether its group stays when some have gone."""
        return ~np.isin(self.roots(channels), list(gone))

    def _new(self, count: int) -> np.ndarray:
        first = len(self._parents)
        self._parents += range(first, first + count)
        return np.arange(first, first + count)

    def _root(self, number: int) -> int:
        parents = self._parents
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    def _fixed(self, tensor: Any) -> np.ndarray | None:
        """Channels that stay; None where their number is not known."""
        count = tensor.shape[-1] if tensor.shape.rank and tensor.shape.rank > 1 else None
        channels = None if count is None else self._new(count)
        self.keep(channels)
        return channels

    def _follow(self, call: Any, given: Sequence[Any], outputs: Sequence[Any]) -> list[np.ndarray | None]:
        """The channels of what a call gives."""
        layer, rule = call.layer, rule_of(call.layer)
        is_plain = len(outputs) == 1 and not any(map(_is_constant, tf.nest.flatten([call.call_args, call.call_kwargs])))
        if rule and is_plain and layer.name not in self._strange and all(one is not None for one in given):
            passed = rule(self, call, given)
            if passed is not None and _covers(layer, passed) and len(passed.gives) == outputs[0].shape[-1]:
                self._note(layer, passed)
                return [passed.gives]
        self._estrange(layer)
        for channels in given:
            self.keep(channels)
        return [self._fixed(tensor) for tensor in outputs]

    def _note(self, layer: Any, passed: Passed) -> None:
        """A layer that is called again has the weights that it had: its channels go together with those of before."""
        before = self._passed.setdefault(layer.name, passed)
        for one, other in zip(_channels_of(before), _channels_of(passed), strict=True):
            self.tie(one, other)

    def _estrange(self, layer: Any) -> None:
        """Let a layer stay as it is."""
        self._strange.add(layer.name)
        if (passed := self._passed.pop(layer.name, None)) is not None:
            for channels in _channels_of(passed):
                self.keep(channels)


def _channels_of(passed: Passed) -> list[np.ndarray]:
    return [*(tie.channels for tie in passed.ties), *passed.sizes.values()]


def _covers(layer: Any, passed: Passed) -> bool:
    """Whether a rule has told of all weights of a layer, and their sizes are what it says."""
    told = {id(getattr(layer, name)) for name in (*(tie.weight for tie in passed.ties), *passed.free)}
    fits = all(getattr(layer, tie.weight).shape[tie.axis] == len(tie.channels) for tie in passed.ties)
    return fits and told == {id(weight) for weight in layer.weights}


def _is_constant(argument: Any) -> bool:
    """Whether an argument of a call holds numbers that no other call has made."""
    return isinstance(argument, tf.Tensor | tf.Variable | np.ndarray)
