"""What reliability costs: `determinism` off, seeded and strict in turn, and what a checkpoint takes.

    python benchmarks/reliability_cost.py [--rounds 3]

Each training is a process of its own, for `strict` holds for a whole process; the three follow each other in every
round. Prints the seconds of an epoch (the median of all but the first, which traces), their ratio to `off` in the same
round with its range, and the time of a checkpoint: its median, and its share of an epoch. LeNet-5 is bound by
arithmetic, the small net by overhead; both on the digits that come with TrainKit.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KINDS = ("off", "seeded", "strict")
EPOCHS = 4
NETWORKS: dict[str, list[Any]] = {
    "LeNet-5": [
        {"Conv2D": {"filters": 20, "kernel_size": 5, "activation": "relu"}},
        "MaxPooling2D",
        {"Conv2D": {"filters": 50, "kernel_size": 5, "activation": "relu"}},
        "MaxPooling2D",
        "Flatten",
        {"Dense": {"units": 500, "activation": "relu"}},
    ],
    "small": ["Flatten", {"Dense": {"units": 32, "activation": "relu"}}],
}


def config(layers: list[Any], determinism: str) -> dict[str, Any]:
    head = {"Dense": {"units": "$classes", "activation": "softmax"}, "name": "digit"}
    return {
        "version": 1,
        "name": "benchmark",
        "data": {"source": "Sample", "batch_size": 128},
        "model": {
            "input": [28, 28, 1],
            "preprocess": [{"Rescaling": {"scale": "$(1/255)"}}],
            "layers": [*layers, head],
        },
        "training": {
            "epochs": EPOCHS,
            "optimizer": "Adam",
            "loss": "SparseCategoricalCrossentropy",
            "determinism": determinism,
        },
    }


def train(name: str, determinism: str) -> None:
    """Train in this process; prints the seconds of each epoch and of each checkpoint."""
    import trainkit
    from trainkit.training.checkpointing import Checkpointer

    times: list[float] = []
    save = Checkpointer.save

    def timed(self: Checkpointer) -> None:
        began = time.perf_counter()
        save(self)
        times.append(time.perf_counter() - began)

    Checkpointer.save = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        run = trainkit.fit(config(NETWORKS[name], determinism), runs=folder)
        with run.history.open() as file:
            epochs = [float(row["seconds"]) for row in csv.DictReader(file)]
    print(json.dumps({"epochs": epochs, "checkpoints": times}))


def measure(name: str, determinism: str) -> tuple[float, list[float]]:
    """The seconds of an epoch and of each checkpoint but the first, in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--train", name, determinism]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    facts = json.loads(out.splitlines()[-1])
    return statistics.median(facts["epochs"][1:]), facts["checkpoints"][1:]


def compare(name: str, rounds: int) -> None:
    times: list[dict[str, float]] = []
    saves: list[float] = []
    for index in range(rounds):
        order = KINDS[index % 3 :] + KINDS[: index % 3]
        measured = {kind: measure(name, kind) for kind in order}
        times.append({kind: seconds for kind, (seconds, _) in measured.items()})
        saves += [seconds for _, found in measured.values() for seconds in found]
    for kind in KINDS:
        ratios = sorted(row[kind] / row["off"] for row in times)
        seconds = statistics.median(row[kind] for row in times)
        middle = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        print(f"{name}: {kind:<6} {seconds:.3f} s an epoch, {middle} times that of off")
    save, epoch = statistics.median(saves), statistics.median(row["seeded"] for row in times)
    print(f"{name}: a checkpoint takes {1000 * save:.0f} ms, {save / epoch:.1%} of an epoch (seeded)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", nargs=2, metavar=("NETWORK", "DETERMINISM"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        train(*arguments.train)
        return
    for name in NETWORKS:
        compare(name, arguments.rounds)


if __name__ == "__main__":
    main()
