"""An epoch of training with a look at every variable after it against one without, in one run, interleaved.

    python benchmarks/nan_watch_time.py [--rounds 7] [--steps 100]

Prints the median ratio of the two and its range, and what share of an epoch the look takes by itself, for LeNet-5 and
ResNet-8 with Adam: batches of 128, random data.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from trainkit.config import Model
from trainkit.framework import tf
from trainkit.models import build_model
from trainkit.training.finite import all_finite

BATCH_SIZE, CLASSES = 128, 10
NETWORKS: dict[str, tuple[list[int], str]] = {"LeNet-5": ([28, 28, 1], "LeNet5"), "ResNet-8": ([32, 32, 3], "ResNet8")}


def make_epoch(shape: list[int], block: str, *, steps: int) -> tuple[Any, Callable[[], object]]:
    network = {"input": shape, "layers": [{block: {"classes": CLASSES}}]}
    model = build_model(Model.model_validate(network), {"classes": CLASSES}, name="benchmark")
    model.compile("adam", "sparse_categorical_crossentropy")
    inputs = tf.random.stateless_uniform([BATCH_SIZE, *shape], [1, 2])
    classes = tf.random.stateless_uniform([BATCH_SIZE], [1, 2], 0, CLASSES, tf.int32)
    batches = tf.data.Dataset.from_tensors((inputs, classes)).repeat()
    return model, lambda: model.fit(batches, steps_per_epoch=steps, verbose=0)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def compare(name: str, *, rounds: int, steps: int) -> None:
    model, epoch = make_epoch(*NETWORKS[name], steps=steps)

    def look() -> None:
        assert all_finite([*model.variables, *model.optimizer.variables])

    def watched() -> None:
        epoch(), look()

    watched()  # the first call traces
    times = []
    for index in range(rounds):
        first, second = (epoch, watched) if index % 2 else (watched, epoch)
        pair = {first: seconds(first), second: seconds(second)}
        times.append((pair[epoch], pair[watched]))
    ratios = sorted(after / before for before, after in times)
    share = statistics.median(seconds(look) for _ in range(rounds)) / statistics.median(before for before, _ in times)
    print(
        f"{name}: ratio of an epoch of {steps} steps {statistics.median(ratios):.3f} "
        f"({ratios[0]:.3f}-{ratios[-1]:.3f}), the look is {share:.2%} of it"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    for name in NETWORKS:
        compare(name, rounds=arguments.rounds, steps=arguments.steps)


if __name__ == "__main__":
    main()
