"""What a network changes by itself when its inputs move by less than an integer can say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from trainkit.deploy.parity import decisive_changes

DRAWS = 3
_STEPS = 255
"""Steps between the least and the largest of 256 integers."""

Arrays = Mapping[str, np.ndarray]


def noise_floor(
    answer: Callable[[Arrays], Arrays], inputs: Arrays, outputs: Arrays, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, int]:
    """Count the decisive answers that a network changes by itself.

    An int8 file rounds what goes into it to the nearest of 256 values, and rounds again behind every layer. So its
    inputs may move by half a step; a network that answers otherwise then is no fault of the file.

    Args:
        answer: The network.
        inputs: Real samples by input name, shape `(samples, …)`.
        outputs: What the network answers to them.
        ranges: The least and largest value of the inputs of which they are known; of the others, the step of each
            value follows from the samples.

    Returns:
        By output, the mean of three draws, rounded down: the answers whose margin is decisive, and that change.
    """
    counts = [_changes(answer, inputs, outputs, ranges, seed) for seed in range(DRAWS)]
    return {name: sum(count[name] for count in counts) // DRAWS for name in outputs}


def _changes(
    answer: Callable[[Arrays], Arrays],
    inputs: Arrays,
    outputs: Arrays,
    ranges: Mapping[str, tuple[float, float]],
    seed: int,
) -> dict[str, int]:
    generator = np.random.default_rng(seed)
    moved = {name: _move(x, ranges.get(name), generator) for name, x in inputs.items()}
    found = answer(moved)
    return {name: decisive_changes(outputs[name], found[name], "int8") for name in outputs}


def _move(array: np.ndarray, ends: tuple[float, float] | None, generator: np.random.Generator) -> np.ndarray:
    """Real numbers, each moved by up to half a step; whatever is none stays as it is."""
    if array.dtype.kind != "f":
        return array
    least, most = ends if ends is not None else (np.fmin.reduce(array), np.fmax.reduce(array))
    step = (np.asarray(most, np.float32) - np.asarray(least, np.float32)) / _STEPS
    return array + step * generator.uniform(-0.5, 0.5, array.shape).astype(np.float32)
