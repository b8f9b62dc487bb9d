"""Training with random layers that draw by (seed, step) against the same as Keras draws, in one run, interleaved.

    python benchmarks/random_time.py [--rounds 7] [--xla]

Prints milliseconds a step of both, the median ratio and its range, for LeNet-5 with dropout and for an LSTM with
dropout of its inputs and of its state. 20 steps a call, random data.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from trainkit.framework import tf
from trainkit.training.random_streams import key_random_layers

L = tf.keras.layers
BATCH_SIZE, STEPS, CLASSES = 128, 20, 10


def lenet() -> Any:
    return tf.keras.Sequential(
        [
            L.Conv2D(20, 5, activation="relu", input_shape=(28, 28, 1)),
            L.MaxPooling2D(),
            L.Dropout(0.25),
            L.Conv2D(50, 5, activation="relu"),
            L.MaxPooling2D(),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(500, activation="relu"),
            L.Dropout(0.5),
            L.Dense(CLASSES),
        ]
    )


def lstm() -> Any:
    return tf.keras.Sequential([L.LSTM(64, dropout=0.2, recurrent_dropout=0.2, input_shape=(28, 28)), L.Dense(CLASSES)])


def make_training(make: Any, *, keyed: bool, xla: bool) -> Any:
    model, step, optimizer = make(), tf.Variable(0, dtype=tf.int64), tf.keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    if keyed:
        key_random_layers(model, seed=1, step=step)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    shape = model.inputs[0].shape[1:]
    inputs = tf.random.stateless_uniform([BATCH_SIZE, *shape], [1, 2])
    classes = tf.random.stateless_uniform([BATCH_SIZE], [1, 2], 0, CLASSES, tf.int32)

    @tf.function(jit_compile=xla)
    def train() -> None:
        for _ in tf.range(STEPS):
            with tf.GradientTape() as tape:
                value = loss(classes, model(inputs, training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            step.assign_add(1)

    return train


def milliseconds(train: Any) -> float:
    began = time.perf_counter()
    train()
    return 1000 * (time.perf_counter() - began) / STEPS


def compare(name: str, make: Any, *, rounds: int, xla: bool) -> None:
    stock, keyed = (make_training(make, keyed=keyed, xla=xla) for keyed in (False, True))
    stock(), keyed()  # the first call traces
    times = []
    for index in range(rounds):
        pair = {train: milliseconds(train) for train in ((stock, keyed) if index % 2 else (keyed, stock))}
        times.append((pair[stock], pair[keyed]))
    ratios = sorted(after / before for before, after in times)
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"{name}: stock {before:.2f} ms a step, keyed {after:.2f}, "
        f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f}-{ratios[-1]:.3f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--xla", action="store_true", help="compile the steps")
    arguments = parser.parse_args()
    for name, make in (("LeNet-5", lenet), ("LSTM", lstm)):
        compare(name, make, rounds=arguments.rounds, xla=arguments.xla)


if __name__ == "__main__":
    main()
