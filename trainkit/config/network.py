"""A network written out: every layer that it calls, by its full name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainkit.config.node import Node

MOST_LAYERS = 20_000
"""Layers of the largest network."""
DEEPEST_BLOCK = 50
"""Blocks inside each other."""
BEFORE = "x"
"""What a layer calls that which stands before it."""

Inputs = str | list[str] | dict[str, str | list[str]]
"""What a layer is called with: a name, a list of names, or a mapping from call arguments to names."""


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a layer.

    Args:
        name: Of what the call gives: the path through the blocks around it, `stage2.bottleneck1.conv2d3`.
        node: What is built: its arguments wait for facts of the data only.
        inputs: Full names, each of an input, of a call above it, or of a part of one.
        layer: The name of the layer that is called: that of the call, or of the first call where the layer is shared.
        wrappers: The layers around it, the outermost first: `TimeDistributed` of a block wraps each of its layers.
    """

    name: str
    node: Node
    inputs: Inputs
    layer: str
    wrappers: tuple[Node, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether the layer is called for the first time, and so has the name of the call."""
        return self.name == self.layer


@dataclass
class Network:
    """The layers of a model in the order in which they are called.

    Args:
        calls: By name. Those of `preprocess` come first.
        answers: What each name stands for: of an input, a layer, a block, the name of a call or an input.
        blocks: The class name of each block that was used, by its path; of networks of Keras, too.
        users: The node that uses each of them.
        last: What stands at the end.
    """

    calls: dict[str, LayerCall] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    users: dict[str, Node] = field(default_factory=dict)
    last: str = ""

    def maker(self, name: str) -> LayerCall | None:
        """The call that gives what a name stands for; None for an input."""
        answer = self.answers.get(name, name)
        return self.calls.get(answer) or self.calls.get(part_of(answer, self.calls) or "")


def part_of(name: str, known: Mapping[str, object]) -> str | None:
    """What in `known` a name is a part of: `backbone` for `backbone.conv1`, `lstm1` for `lstm1.0`."""
    end = len(name)
    while (end := name.rfind(".", 0, end)) > 0:
        if name[:end] in known:
            return name[:end]
    return None
