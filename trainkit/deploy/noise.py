"""What a network changes by itself when its inputs move by less than an integer can say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from trainkit.deploy.parity import decisive_changes

DRAWS = 3
PIECE = 256
"""Samples that are moved at once."""
_STEPS = 255
"""Steps between the least and the largest of 256 integers."""

Arrays = Mapping[str, np.ndarray]


def noise_floor(
    answer: Callable[[Arrays], Arrays],
    inputs: Arrays,
    outputs: Arrays,
    *,
    numbers: Collection[str],
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, int]:
    """Count the decisive answers that a network changes by itself.

    An int8 file rounds what goes into it to the nearest of 256 values, and rounds again behind every layer. So its
    inputs may move by half a step; a network that answers otherwise then is no fault of the file.

    Args:
        answer: The network.
        inputs: Real samples by input name, shape `(samples, …)`.
        outputs: What the network answers to them.
        numbers: The inputs that the network takes as real numbers; the others stay as they are.
        ranges: The least and largest value of the inputs of which they are known; of the others, the step of each
            value follows from the samples.

    Returns:
        By output, the mean of three draws, rounded down: the answers whose margin is decisive, and that change.
    """
    steps = {name: _step(inputs[name], ranges.get(name)) for name in numbers}
    counts = dict.fromkeys(outputs, 0)
    for seed in range(DRAWS):
        generator = np.random.default_rng(seed)
        for start in range(0, len(next(iter(inputs.values()))), PIECE):
            here = slice(start, start + PIECE)
            found = answer({name: _move(x[here], steps.get(name), generator) for name, x in inputs.items()})
            for name in outputs:
                counts[name] += decisive_changes(outputs[name][here], found[name], "int8")
    return {name: count // DRAWS for name, count in counts.items()}


def _step(array: np.ndarray, ends: tuple[float, float] | None) -> np.ndarray:
    """How far two integers are apart: everywhere the same, or value by value."""
    least, most = ends if ends is not None else (np.fmin.reduce(array), np.fmax.reduce(array))
    return (np.asarray(most, np.float32) - np.asarray(least, np.float32)) / _STEPS


def _move(array: np.ndarray, step: np.ndarray | None, generator: np.random.Generator) -> np.ndarray:
    """Values, each moved by up to half a step; without a step they stay as they are."""
    if step is None:
        return array
    return array + step * generator.uniform(-0.5, 0.5, array.shape).astype(np.float32)
