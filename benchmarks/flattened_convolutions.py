"""Flattened convolutions against full ones: parameters, multiplications, error and time, in one run.

    TRAINKIT_DATA=… python benchmarks/flattened_convolutions.py --ranks 64 32 --epochs 8

The convolutions of a config after the first become flattened ones (Jin et al., 2014): across channels, down, along, and
across channels again. All networks start from new weights, are trained alike, with the samples in the same order, and
take turns when they are timed: one batch, forward, and forward and backward. Below stands what `LowRank` makes of the
full network that was trained, after a quarter of the epochs more.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from pathlib import Path

import numpy as np
from interleaved import middle, print_place, print_table
from rich.console import Console

from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.factoring import choose_ranks, factored, factoring_of
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.models import build_model, layer_costs
from trainkit.models.costs import total
from trainkit.training.evaluation import evaluate
from trainkit.training.fine_tune import FineTuning
from trainkit.training.outputs import outputs_of

CONFIG = Path(__file__).parents[1] / "configs/fashion_cnn.yaml"
CALLS = 5
"""Batches of a turn."""


def flatten_convolutions(model, rank):
    """A copy in which convolutions, but for the first, are flattened."""
    _, *names = [layer.name for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]
    found = {name: factoring_of(model.get_layer(name), "cp") for name in names}
    chosen, reasons = choose_ranks(found, dict.fromkeys(names, rank), None)
    if reasons:
        raise SystemExit(f"--ranks must make every convolution smaller. Received: {rank}: {reasons}.")
    return factored(model, chosen)


def ways_of(model, images, labels):
    """What is timed: a batch forward, and forward and backward."""
    loss = tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def forward():
        return model(images, training=False)

    @tf.function
    def backward():
        with tf.GradientTape() as tape:
            value = loss(labels, model(images, training=True))
        return tape.gradient(value, model.trainable_variables)

    return forward, backward


def milliseconds(way):
    began = time.perf_counter()
    for _ in range(CALLS):
        result = way()
    tf.nest.map_structure(lambda tensor: tensor.numpy(), result)
    return 1e3 * (time.perf_counter() - began) / CALLS


def time_in_turn(models, images, labels, rounds):
    """Milliseconds of each way of each network, round by round, each time another network first."""
    ways = {name: ways_of(model, images, labels) for name, model in models.items()}
    names, found = list(models), {name: ([], []) for name in models}
    for each in ways.values():
        for way in each:
            milliseconds(way)
    for index in range(rounds):
        for name in names[index % len(names) :] + names[: index % len(names)]:
            for times, way in zip(found[name], ways[name], strict=True):
                times.append(milliseconds(way))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--ranks", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("overrides", nargs="*", help="KEY=VALUE")
    arguments = parser.parse_args()
    print_place()
    rate = "deploy.fine_tune.learning_rate={CosineDecay: {initial_learning_rate: 2e-3}}"
    config = load_config(arguments.config, [f"seed={arguments.seed}", rate, *arguments.overrides])
    experiment, splits = config.experiment, load_data(config)
    outputs = outputs_of(experiment, splits.train.facts)
    quiet = Console(file=io.StringIO())

    def train(model, epochs):
        tf.keras.utils.set_random_seed(arguments.seed)
        FineTuning(config, splits, quiet)(model, epochs=epochs)
        return model

    def row(name, model, times):
        costs = layer_costs(model)
        error = 1 - evaluate(KerasPredictor(model), splits.test, outputs, None)["accuracy"]
        macs = total(cost.macs for cost in costs).fixed
        return [name, f"{model.count_params():,}", f"{macs:,}", f"{error:.2%}", *times]

    tf.keras.utils.set_random_seed(arguments.seed)
    full = build_model(experiment.model, splits.train.facts.values, name=experiment.name)
    models = {"full": full} | {f"flattened, {one}": flatten_convolutions(full, one) for one in arguments.ranks}
    models = {name: tf.keras.models.clone_model(model) for name, model in models.items()}  # with new weights
    shape = (experiment.data.batch_size, *full.input_shape[1:])
    images = tf.constant(np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32))
    found = time_in_turn(models, images, tf.zeros(len(images), tf.int64), arguments.rounds)
    first = found["full"]
    rows = []
    for name, model in models.items():
        train(model, arguments.epochs)
        ratios = [
            middle(mine / its for mine, its in zip(times, whole, strict=True))
            for times, whole in zip(found[name], first, strict=True)
        ]
        times = [f"{statistics.median(times):.1f} ms" for times in found[name]]
        rows.append(row(name, model, [f"{one}, ×{ratio}" for one, ratio in zip(times, ratios, strict=True)]))
        print(rows[-1], flush=True)
    for rank in arguments.ranks:
        model = train(flatten_convolutions(models["full"], rank), max(1, arguments.epochs // 4))
        rows.append(row(f"LowRank of the full one, {rank}", model, ["as above", "as above"]))
    again = train(copy_model(models["full"]), max(1, arguments.epochs // 4))
    rows.append(row("the full one trained on", again, ["as full", "as full"]))
    print(f"\n{arguments.config.name}, {arguments.epochs} epochs, seed {arguments.seed}, batch {len(images)}\n")
    print_table(["network", "parameters", "MACs", "test error", "forward", "forward and backward"], rows)


if __name__ == "__main__":
    main()
