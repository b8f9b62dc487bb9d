"""What inputs and layers are called: as in the model, where the language can say it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from trainkit.config import BEFORE, automatic_names, is_node_name
from trainkit.models.describe.step import Given, Ref, Step

_MADE_BY_KERAS = re.compile(r"input_\d+|\w+_input")


def sayable(name: str, kind: str = "layer") -> str:
    """The nearest name that the language can say.

    Example:
        >>> [sayable(name) for name in ("block_1_expand_BN", "Conv1/bn", "BN", "1x1", "x", "tower.conv1")]
        ['block_1_expand_BN', 'conv1_bn', 'bn', 'layer_1x1', 'layer_x', 'tower_conv1']
    """
    name = re.sub("[^A-Za-z0-9_]", "_", name).lstrip("_")
    name = re.sub("^(?:[A-Z]+(?![a-z])|[A-Z])", lambda match: match[0].lower(), name)
    return name if is_node_name(name) and name != BEFORE else f"{kind}_{name}"


def choose_names(inputs: Sequence[Given], steps: Sequence[Step]) -> tuple[dict[Ref, str], set[Step]]:
    """Name everything, no two alike.

    Args:
        inputs: Of the network.
        steps: Its layers, in order.

    Returns:
        The names, and the steps which have theirs without that it is written.
    """
    names: dict[Ref, str] = {}
    for given in inputs:
        alone = len(inputs) == 1 and _MADE_BY_KERAS.fullmatch(given.wish)
        names[given] = unique_name("input" if alone else sayable(given.wish, "input"), names.values())
    for step in steps:
        if wish := step.wish or (step.class_name.lower() if step.same_as else None):
            names[step] = unique_name(sayable(wish), names.values())
    unwritten = {step for step in steps if step not in names or _looks_automatic(step, names[step])}
    while True:
        automatic = _automatic(names, inputs, steps, unwritten)
        others = {step for step in unwritten if step in names and names[step] != automatic[step]}
        if not others:
            return names | automatic, unwritten
        unwritten -= others


def _looks_automatic(step: Step, name: str) -> bool:
    return step.same_as is None and re.fullmatch(f"{step.class_name.lower()}[0-9]+", name) is not None


def _automatic(
    names: dict[Ref, str], inputs: Sequence[Given], steps: Sequence[Step], unwritten: Collection[Step]
) -> dict[Ref, str]:
    """What the language calls the layers whose names are not written."""
    entries: list[tuple[str, str | None]] = [("input", names[given]) for given in inputs]
    entries += [(step.class_name, None if step in unwritten else names[step]) for step in steps]
    found = automatic_names(entries)[len(inputs) :]
    return {step: name for step, name in zip(steps, found, strict=True) if step in unwritten}


def unique_name(name: str, taken: Collection[str]) -> str:
    """A name that is not taken: the same, or with the first number that makes it one.

    Example:
        >>> unique_name("conv", []), unique_name("conv", ["conv", "conv_1"])
        ('conv', 'conv_2')
    """
    count, unique = 0, name
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique
