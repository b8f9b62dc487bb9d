"""How the cost of a training grows: with epochs, with data that are streamed, with workers.

    TRAINKIT_DATA=… python benchmarks/growth.py epochs [--counts 1 3 10]    # LeNet-5, beside a bare script
    python benchmarks/growth.py data [--images 3000]      # so many JPEG files, and ten times as many
    TRAINKIT_DATA=… python benchmarks/growth.py workers [--counts 1 2 3]    # LeNet-5, `trainkit fit --workers N`

Each training is a process of its own, in every round one of each size. The size of the model is a matter of
`training_throughput.py --networks ResNet-50`.

- epochs: seconds of the whole process and its peak memory, of `trainkit fit` and of a script with `model.fit`.
- data: seconds an image and peak memory of a small convolutional network on JPEG files that are read anew for each
  batch. TrainKit keeps images that fit an eighth of the free memory, as these would: it is told that nothing is free.
  Both are trained without XLA: it is tried only where there are many steps, and its compiler takes memory of its own.
- workers: seconds of an epoch, as the history of the run has them, with the same global batch. All workers are on this
  machine and share its cores: what more workers take longer is what their all-reduce and their waiting cost.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fit_overhead import bare, config_of, measure, trainkit
from interleaved import middle, mnist, print_place, print_table, wanted
from PIL import Image

SIZE, CLASSES, FEW = 128, 4, 200
"""Of an image, of the classes, and of the files that differ: the others are links to them."""


def measure_epochs(counts: list[int], rounds: int, _: int) -> None:
    sides: dict[str, Callable[[Path, int], dict[str, Any]]] = {"bare script": bare, "trainkit fit": trainkit}
    found: dict[tuple[str, int], list[dict[str, Any]]] = {(side, count): [] for side in sides for count in counts}
    images, labels, told = mnist()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        np.savez(data, x=images, y=labels)
        for _index in range(rounds):
            for side, count in found:
                found[side, count].append(sides[side](data, count))
    rows = []
    for count in counts:
        plain, own = (found[side, count] for side in sides)
        columns = [middle([one["whole"] for one in side], ".1f") for side in (plain, own)]
        ratio = middle(after["whole"] / before["whole"] for before, after in zip(plain, own, strict=True))
        peaks = [f"{statistics.median(one['peak'] for one in side) / 1e6:,.0f}" for side in (plain, own)]
        rows.append([str(count), *columns, ratio, *peaks])
    print_table(["epochs", "bare script, s", "trainkit fit, s", "ratio", "its memory, MB", "TrainKit's, MB"], rows)
    print(f"\nLeNet-5, {told}, batch 128")


def measure_data(_: list[int], rounds: int, images: int) -> None:
    sizes = (images, 10 * images)
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            write_images(folder / str(size), size)
        for index in range(rounds):
            for size in sizes[:: 1 if index % 2 else -1]:
                config = folder / f"{size}.yaml"
                config.write_text(json.dumps(folder_config(folder / str(size))))
                found[size].append(measure("streamed.py", str(config), "--runs", str(folder / "runs")))
    ratios = [large["peak"] / small["peak"] for small, large in zip(*found.values(), strict=True)]
    rows = [
        [
            f"{size:,}",
            middle([size / one["epoch"] for one in found[size]], ",.0f"),
            middle([one["peak"] / 1e6 for one in found[size]], ",.0f"),
            middle(ratios, ".3f") if size != images else "1",
            wanted(1.1, ratios, most=True) if size != images else "–",
        ]
        for size in sizes
    ]
    print_table(["files", "images/s", "memory, MB", "times that of a tenth", "wanted"], rows)
    pixels = SIZE * SIZE * 3 * sizes[1] / 1e6
    print(f"\nJPEG files of {SIZE}×{SIZE}; all pixels of {sizes[1]:,} are {pixels:,.0f} MB; 2 epochs")


def write_images(folder: Path, count: int) -> None:
    """A folder for each class; of few files, which have many names."""
    random = np.random.default_rng(1)
    for index in range(CLASSES):
        (folder / f"class{index}").mkdir(parents=True)
    for index in range(count):
        filepath = folder / f"class{index % CLASSES}" / f"{index:06}.jpg"
        if index < FEW:
            coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(filepath, quality=90)
        else:
            first = index % FEW
            os.link(folder / f"class{first % CLASSES}" / f"{first:06}.jpg", filepath)


def folder_config(folder: Path) -> dict[str, Any]:
    conv = {"filters": 8, "kernel_size": 3, "strides": 4, "activation": "relu"}
    return {
        "version": 1,
        "name": "benchmark",
        "data": {"source": {"ImageFolder": {"path": str(folder)}}, "batch_size": 50, "validation_split": 0.0},
        "model": {
            "input": [SIZE, SIZE, 3],
            "layers": [
                {"Conv2D": conv},
                "GlobalAveragePooling2D",
                {"Dense": {"units": "$classes", "activation": "softmax"}},
            ],
        },
        "training": {
            "epochs": 2,
            "loss": "SparseCategoricalCrossentropy",
            "execution": {"jit_compile": False},  # XLA is tried where many steps are to be done: memory of its own
        },
    }


def measure_workers(counts: list[int], rounds: int, _: int) -> None:
    images, labels, told = mnist()
    found: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        np.savez(data, x=images, y=labels)
        config = data.with_name("config.yaml")
        config.write_text(json.dumps(config_of(data)))
        for index in range(rounds):
            for count in counts[index % len(counts) :] + counts[: index % len(counts)]:
                found[count].append(train(config, count, Path(folder, f"runs{index}.{count}")))
    steps = -(-len(labels) // 128)
    rows = []
    for count in counts:
        one, several = ([each["epoch"] for each in found[key]] for key in (counts[0], count))
        cost = [1000 * (after - before) / steps for before, after in zip(one, several, strict=True)]
        ratio = middle(after / before for before, after in zip(one, several, strict=True))
        whole = middle([each["whole"] for each in found[count]], ".1f")
        rows.append([str(count), middle(several), ratio, middle(cost, ".1f"), whole])
    first = f"{counts[0]} worker{'' if counts[0] == 1 else 's'}"
    print_table(["workers", "epoch, s", f"times that of {first}", "more a step, ms", "whole command, s"], rows)
    print(f"\nLeNet-5 ({4 * 431_080 / 1e6:.1f} MB of gradients), {told}, global batch 128, {steps} steps an epoch")


def train(config: Path, workers: int, runs: Path) -> dict[str, float]:
    """Seconds of an epoch after the first, and of the whole command."""
    main = "from trainkit.cli import main; main()"
    command = [sys.executable, "-c", main, "fit", str(config), "training.epochs=3", "--runs", str(runs)]
    began = time.time()
    done = subprocess.run([*command, "--workers", str(workers)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"trainkit fit --workers {workers} failed:\n{done.stderr[-3000:]}")
    with next(runs.glob("*/*/history.csv")).open() as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return {"epoch": statistics.median(seconds[1:]), "whole": time.time() - began}


MEASURES = {"epochs": (measure_epochs, [1, 3, 10]), "data": (measure_data, []), "workers": (measure_workers, [1, 2, 3])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("--counts", type=int, nargs="+", help="Of epochs or of workers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=3000)
    options = parser.parse_args()
    measure_it, counts = MEASURES[options.what]
    print_place()
    measure_it(options.counts or counts, options.rounds, options.images)


if __name__ == "__main__":
    main()
