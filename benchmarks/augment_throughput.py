"""TrainKit's augmentations against the Keras layers of the same names, in one run, interleaved.

    python benchmarks/augment_throughput.py [--rounds 101]

Prints images a second of both inside the same `tf.data` map, the median ratio and its quartiles, for three sizes
of images. TrainKit draws by seed, epoch and sample; the time that takes is counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.augment.pipeline import Augment
from trainkit.framework import tf

BATCHES = 8  # a round: short, so that both sides meet the same moods of the machine
SHAPES = [(128, 28, 28, 1), (128, 32, 32, 3), (32, 128, 128, 3)]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomFlip": {},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomRotation": {"factor": 0.1},
    "RandomZoom": {"height_factor": 0.2},
    "RandomContrast": {"factor": 0.3},
    "RandomBrightness": {"factor": 0.2},
    "Cutout": {},
    "MixUp": {},
    "CutMix": {},
}


def batches(images: Any, change: Callable[[Any, Any], Any]) -> Iterator[Any]:
    """The same batch again and again, changed one at a time: nothing is made ahead, outside the time that is taken."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.inject_prefetch = False
    steps = tf.data.Dataset.counter()
    return iter(steps.map(lambda step: change(images, step)).with_options(options))


def ours(name: str, images: Any) -> Iterator[Any]:
    augment = Augment([AUGMENTATIONS.get(name)(**ARGUMENTS[name])], seed=1)
    indices, targets = tf.range(len(images), dtype=tf.int64), {"target": tf.eye(len(images), 10)}
    return batches(images, lambda batch, step: augment(batch, targets, epoch=step, indices=indices)[0])


def theirs(name: str, images: Any) -> Iterator[Any] | None:
    layer_class = getattr(tf.keras.layers, name, None)
    if layer_class is None:
        return None
    layer = layer_class(**ARGUMENTS[name])
    layer(images, training=True)  # makes the variables of its generator, which a map may not
    return batches(images, lambda batch, _: layer(batch, training=True))


def seconds(iterator: Iterator[Any]) -> float:
    began = time.perf_counter()
    for _ in range(BATCHES):
        next(iterator)
    return time.perf_counter() - began


def compare(name: str, shape: tuple[int, ...], rounds: int) -> None:
    images = tf.random.uniform(shape, maxval=255.0, seed=1)
    mine, keras = ours(name, images), theirs(name, images)
    seconds(mine), keras and seconds(keras)  # the first batches trace
    times = [(seconds(mine), seconds(keras) if keras else None) for _ in range(rounds)]
    count = shape[0] * BATCHES
    speed = count / statistics.median(mine for mine, _ in times)
    line = f"{name:<18}{'x'.join(map(str, shape[1:])):<11} TrainKit {speed:>9,.0f} images/s"
    pairs = [(mine, other) for mine, other in times if other is not None]
    if pairs:
        low, middle, high = statistics.quantiles((other / mine for mine, other in pairs), n=4)
        keras_speed = count / statistics.median(other for _, other in pairs)
        line += f", Keras {keras_speed:>9,.0f} images/s, ratio {middle:.2f} ({low:.2f}-{high:.2f})"
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=101)
    rounds = parser.parse_args().rounds
    print(f"TensorFlow {tf.__version__}, {BATCHES} batches a round, {rounds} rounds")
    for shape in SHAPES:
        for name in ARGUMENTS:
            compare(name, shape, rounds)


if __name__ == "__main__":
    main()
