"""Training through TrainKit's loop and pipeline against plain `model.fit` of NumPy arrays, in one run, interleaved.

    python benchmarks/fit_throughput.py [--rounds 5]

Prints images a second of both, the median ratio and its range, for LeNet-300-100 (bound by overhead) and LeNet-5
(bound by arithmetic), on the digits that come with TrainKit. XLA and several steps a call are off on both sides.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from trainkit.config import Model, load_config
from trainkit.data import load_data
from trainkit.framework import tf
from trainkit.models import build_model
from trainkit.training.length import Length
from trainkit.training.loop import Guard, Loop
from trainkit.training.signals import Signals
from trainkit.training.state import Position

BATCH_SIZE = 128
OUTPUT = "digit"
NETWORKS = {
    "LeNet-300-100": ["Flatten", {"Dense": {"units": 300, "activation": "relu"}}, {"Dense": {"units": 100}}],
    "LeNet-5": [
        {"Conv2D": {"filters": 20, "kernel_size": 5, "activation": "relu"}},
        "MaxPooling2D",
        {"Conv2D": {"filters": 50, "kernel_size": 5, "activation": "relu"}},
        "MaxPooling2D",
        "Flatten",
        {"Dense": {"units": 500, "activation": "relu"}},
    ],
}


def network(layers: list[Any]) -> dict[str, Any]:
    head = {"Dense": {"units": 10, "activation": "softmax"}, "name": OUTPUT}
    return {"input": [28, 28, 1], "preprocess": [{"Rescaling": {"scale": "$(1/255)"}}], "layers": [*layers, head]}


def make_model(layers: list[Any]) -> Any:
    model = build_model(Model.model_validate(network(layers)), {}, name="benchmark")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def compare(name: str, layers: list[Any], split: Any, rounds: int) -> None:
    images = np.concatenate([inputs["input"] for inputs, _, _ in split.ordered(1000).as_numpy_iterator()])
    labels = split.labels(OUTPUT)
    steps = -(-split.size // BATCH_SIZE)
    plain, ours = make_model(layers), make_model(layers)
    position = Position()

    def fit_plain() -> None:
        plain.fit(images, labels, batch_size=BATCH_SIZE, verbose=0)

    def fit_ours() -> None:
        loop = Loop(
            ours,
            batches=lambda step: split.batches(BATCH_SIZE, seed=1, first_epoch=step // steps),
            validation=None,
            callbacks=[],
            length=Length(steps, steps),
            position=position,
            guard=Guard(Signals()),
        )
        loop.run()
        position.next_phase()

    fit_plain(), fit_ours()  # the first call traces
    times = [(seconds(fit_plain), seconds(fit_ours)) for _ in range(rounds)]
    ratios = sorted(before / after for before, after in times)
    speeds = [split.size / statistics.median(column) for column in zip(*times, strict=True)]
    print(
        f"{name}: plain fit {speeds[0]:,.0f} images/s, TrainKit {speeds[1]:,.0f} images/s, "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    config = {"version": 1, "name": "benchmark", "data": {"source": "Sample", "validation_split": 0.0}}
    config |= {"model": network(NETWORKS["LeNet-5"]), "training": {"loss": "SparseCategoricalCrossentropy"}}
    split = load_data(load_config(config)).train
    print(f"TensorFlow {tf.__version__}, {split.size:,} images, batch {BATCH_SIZE}, {rounds} rounds")
    for name, layers in NETWORKS.items():
        compare(name, layers, split, rounds)


if __name__ == "__main__":
    main()
