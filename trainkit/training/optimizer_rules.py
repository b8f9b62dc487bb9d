"""What the arguments that all optimizers of Keras share must be; Keras lets most of it pass without a word."""

from __future__ import annotations

from trainkit.config import Node, NodeError
from trainkit.errors import shown

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
OF_AVERAGES = ("ema_momentum", "ema_overwrite_frequency")


def check_optimizer(node: Node) -> None:
    """Refuse clipping, weight decay and averages that Keras would ignore, or that make no sense.

    Raises:
        NodeError: At the argument.
    """
    if node.definition is not None:  # of the config's own code: its arguments are its own affair
        return
    given = {key: value for key, value in node.arguments.items() if value is not None}
    for key in (*CLIPPING, "weight_decay", "ema_momentum"):
        if isinstance(given.get(key), list):
            raise _error(node, key, "must be a number")
    clipping = [key for key in CLIPPING if key in given]
    for key in clipping:
        if not given[key] > 0:
            raise _error(node, key, "must be greater than 0; leave it out for no clipping")
    if len(clipping) > 1:
        raise _error(node, clipping[1], f"must not stand beside {clipping[0]}: gradients are clipped in one way")
    if given.get("weight_decay", 0) < 0:
        raise _error(node, "weight_decay", "must be at least 0")
    rate = given.get("learning_rate", 0)
    if isinstance(rate, int | float) and rate < 0:
        raise _error(node, "learning_rate", "must be at least 0")
    for key in OF_AVERAGES:
        if key in given and given[key] != node.signature[key].default and not given.get("use_ema"):
            raise _error(node, key, "has no effect without `use_ema: true`")
    if not 0 <= given.get("ema_momentum", 0) < 1:
        raise _error(node, "ema_momentum", "must be at least 0 and less than 1")


def _error(node: Node, key: str, rule: str) -> NodeError:
    return NodeError(node, f"`{key}` {rule}. Received: {key}={shown(node.arguments[key])}.", argument=key)
