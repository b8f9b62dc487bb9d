"""What `trainkit fit` adds to a bare Keras script, for LeNet-5 on MNIST: processes that take turns, from begin to end.

    TRAINKIT_DATA=… python benchmarks/fit_overhead.py [--rounds 3] [--epochs 3]

`trainkit fit` shows progress and writes TensorBoard, checkpoints, history, log and manifest, and looks for NaN; the
script has `model.fit` of the same images and nothing else. Compared are

- the start: from the start of the process to the first training step done; both read the same .npz;
- an epoch after the first, up to the begin of the next one with all that is written between the two. What TrainKit does
  beside training steps is told as well, as a share of its own epoch;
- the peak of the resident memory of the process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import Side, middle, mnist, print_place, print_table, wanted

HEADER = ["LeNet-5", "bare script", "trainkit fit", "difference or ratio", "wanted"]


def config_of(data: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "benchmark",
        "data": {
            "source": {"Npz": {"path": str(data), "target": "y"}},
            "batch_size": 128,
            "validation_split": 0.0,
        },
        "model": {
            "input": [28, 28, 1],
            "preprocess": [{"Rescaling": {"scale": "$(1/255)"}}],
            "layers": [{"LeNet5": {"classes": "$classes", "activation": "relu"}}],
        },
        "training": {
            "optimizer": "Adam",
            "loss": "SparseCategoricalCrossentropy",
            "metrics": ["SparseCategoricalAccuracy"],
        },
    }


def measure(script: str, *arguments: str) -> dict[str, Any]:
    """A whole process: its start in seconds, the median of its later epochs, its peak in bytes."""
    began = time.time()
    side = Side(script, *arguments)
    side.close()
    facts = side.facts
    later = slice(1, None) if len(facts["epochs"]) > 1 else slice(None)
    epoch = statistics.median(facts["epochs"][later])
    measured = {"start": facts["first"] - began, "epoch": epoch, "peak": facts["peak"], "whole": facts["ended"] - began}
    if "steps" in facts:
        shares = [1 - steps / whole for steps, whole in zip(facts["steps"], facts["epochs"], strict=True)]
        measured["share"] = statistics.median(shares[later])
    return measured


def bare(data: Path, epochs: int) -> dict[str, Any]:
    return measure("bare_script.py", str(data), str(epochs))


def trainkit(data: Path, epochs: int) -> dict[str, Any]:
    config = data.with_name("config.yaml")
    config.write_text(json.dumps(config_of(data)))  # JSON is YAML
    return measure("command.py", str(config), f"training.epochs={epochs}", "--runs", str(data.parent))


def compare(rounds: int, epochs: int) -> str:
    """Print the table; returns what the images are."""
    images, labels, told = mnist()
    plain, own = [], []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        np.savez(data, x=images, y=labels)
        for index in range(rounds):
            for side in (bare, trainkit) if index % 2 else (trainkit, bare):
                (plain if side is bare else own).append(side(data, epochs))
    print_rows(plain, own)
    return told


def print_rows(plain: list[dict[str, Any]], own: list[dict[str, Any]]) -> None:
    def of(measured: list[dict[str, Any]], key: str) -> list[float]:
        return [one[key] for one in measured]

    def ratios(key: str) -> list[float]:
        return [after / before for before, after in zip(of(plain, key), of(own, key), strict=True)]

    added = [after - before for before, after in zip(of(plain, "start"), of(own, "start"), strict=True)]
    peaks = [[one / 1e6 for one in of(side, "peak")] for side in (plain, own)]
    print_table(
        HEADER,
        [
            [
                "start, s",
                *(middle(of(side, "start")) for side in (plain, own)),
                middle(added),
                wanted(1.5, added, most=True),
            ],
            [
                "epoch, s",
                *(middle(of(side, "epoch")) for side in (plain, own)),
                middle(ratios("epoch"), ".3f"),
                wanted(1.05, ratios("epoch"), most=True),
            ],
            [
                "beside steps, share of an epoch",
                "–",
                middle(of(own, "share"), ".1%"),
                "–",
                wanted(0.05, of(own, "share"), most=True),
            ],
            [
                "memory, MB",
                *(middle(side, ",.0f") for side in peaks),
                middle(ratios("peak")),
                wanted(1.1, ratios("peak"), most=True),
            ],
            [
                "whole process, s",
                *(middle(of(side, "whole"), ".1f") for side in (plain, own)),
                middle(ratios("whole")),
                "–",
            ],
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    print_place()
    told = compare(options.rounds, options.epochs)
    print(f"\n{told}, batch 128, {options.epochs} epochs, {options.rounds} rounds")


if __name__ == "__main__":
    main()
