"""A two-layer net as a graph and line by line: static against eager, 10 and 1,000 steps, in one run, interleaved.

    python benchmarks/two_layer_net.py [--rounds 7]

64 samples of 1,000 inputs, 100 hidden units with ReLU, 10 outputs, squared error, gradient descent: written with
TensorFlow's operations. Static is a `tf.function` of one step, made anew in every round, so that its time has the
tracing; eager is the same Python function. Then the same net by `trainkit.fit`, `graph: static` and `graph: eager`: a
phase of so many steps, with compiling, what `execution: auto` measures first, and the checkpoints; of passes over
6,400 samples, 100 steps each.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import middle, print_place, print_table
from rich.console import Console

import trainkit
from trainkit.framework import tf
from trainkit.training.train import Training

BATCH, INPUTS, HIDDEN, OUTPUTS = 64, 1000, 100, 10
RATE = 1e-4
STEPS = (10, 1000)
SAMPLES = 100 * BATCH
"""What `trainkit.fit` trains on."""
LECTURE = {("TensorFlow", 10): (0.039, 0.025), ("TensorFlow", 1000): (1.17, 2.36)}
"""Seconds of static and of eager, as the tables of the lecture have them, on another machine."""


def by_operations(graph: str, steps: int) -> float:
    """Seconds of some steps that are written with operations."""
    inputs = tf.random.stateless_normal([BATCH, INPUTS], [1, 1])
    targets = tf.random.stateless_normal([BATCH, OUTPUTS], [1, 2])
    first = tf.Variable(tf.random.stateless_normal([INPUTS, HIDDEN], [1, 3]))
    second = tf.Variable(tf.random.stateless_normal([HIDDEN, OUTPUTS], [1, 4]))

    def step() -> Any:
        with tf.GradientTape() as tape:
            answers = tf.nn.relu(inputs @ first) @ second
            loss = tf.reduce_mean(tf.reduce_sum((answers - targets) ** 2, axis=1))
        gradients = tape.gradient(loss, [first, second])
        first.assign_sub(RATE * gradients[0])
        second.assign_sub(RATE * gradients[1])
        return loss

    began = time.perf_counter()
    run = tf.function(step) if graph == "static" else step
    for _ in range(steps):
        loss = run()
    float(loss)
    return time.perf_counter() - began


def by_trainkit(graph: str, steps: int) -> float:
    """Seconds of the same steps by `trainkit.fit`, from the planning of their execution on."""
    random = np.random.default_rng(1)
    seconds: list[float] = []
    run_phase = Training._run_phase

    def timed(self: Training, signals: Any) -> None:
        began = time.perf_counter()
        run_phase(self, signals)
        seconds.append(time.perf_counter() - began)

    Training._run_phase = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        np.savez(
            data,
            x=random.normal(size=(SAMPLES, INPUTS)).astype(np.float32),
            y=random.normal(size=(SAMPLES, OUTPUTS)).astype(np.float32),
        )
        try:
            trainkit.fit(config_of(data, graph, steps), runs=folder, console=Console(file=io.StringIO()))
        finally:
            Training._run_phase = run_phase  # type: ignore[method-assign]
    return seconds[0]


def config_of(data: Path, graph: str, steps: int) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "benchmark",
        "data": {"source": {"Npz": {"path": str(data), "target": "y"}}, "batch_size": BATCH, "validation_split": 0.0},
        "model": {
            "input": [INPUTS],
            "layers": [
                {"Dense": {"units": HIDDEN, "activation": "relu", "use_bias": False}},
                {"Dense": {"units": OUTPUTS, "use_bias": False}},
            ],
        },
        "training": {
            "epochs": 1,
            "steps_per_epoch": steps,
            "optimizer": {"SGD": {"learning_rate": RATE}},
            "loss": "MeanSquaredError",
            "graph": graph,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    by_operations("static", 2), by_operations("eager", 2)  # what TensorFlow does once in a process
    rows = []
    for name, run in (("TensorFlow", by_operations), ("TrainKit", by_trainkit)):
        for steps in STEPS:
            times: dict[str, list[float]] = {"static": [], "eager": []}
            for index in range(rounds):
                for graph in ("static", "eager") if index % 2 else ("eager", "static"):
                    times[graph].append(run(graph, steps))
            ratios = [eager / static for static, eager in zip(*times.values(), strict=True)]
            lecture = LECTURE.get((name, steps))
            told = f"{lecture[0]:g} / {lecture[1]:g}: {lecture[1] / lecture[0]:.2f}" if lecture else "–"
            columns = (middle(values, ".3f") for values in times.values())
            rows.append([name, f"{steps:,}", *columns, middle(ratios), told])
    print_place()
    print_table(["by", "steps", "static, s", "eager, s", "static is faster by", "lecture"], rows)


if __name__ == "__main__":
    main()
