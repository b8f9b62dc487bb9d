"""Few images of new classes: a network that begins with the weights of an earlier one, against one that begins anew.

    python benchmarks/fine_tuning.py --seeds 1 2 3 4 5

The digits 0 to 4 of the bundled sample train the earlier network. Of each of the digits 5 to 9 a few images, others
for each seed, train the later ones: from random weights; with the earlier weights and every layer learning; with the
earlier convolutions frozen. All three have as many epochs, and each the rate that was the best of several for it, with
images of another seed, on training images that nobody learns from. Printed are the accuracies on all test images of
these digits, and their means over the seeds.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

import trainkit
from trainkit.data.sources.sample import FOLDER

CONFIG = """\
version: 1
name: digits
data: {source: {Npz: {path: train.npz, test: test.npz}}, batch_size: 25}
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  blocks:
    Features:
      layers:
        - Conv2D: {filters: 16, kernel_size: 3, activation: relu}
        - MaxPooling2D
        - Conv2D: {filters: 32, kernel_size: 3, activation: relu}
        - MaxPooling2D
  layers:
    - Features:
      name: backbone
    - Flatten
    - Dense: {units: 64, activation: relu}
      name: hidden
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 5
  optimizer: {Adam: {learning_rate: 1e-3}}
  loss: SparseCategoricalCrossentropy
"""
EARLIER = ["model.weights={file: OLD, layers: [backbone, hidden]}"]
WAYS = {"from scratch": [], "all learns": EARLIER, "backbone frozen": [*EARLIER, "training.freeze=[backbone]"]}
QUIET = Console(file=io.StringIO())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--images", type=int, default=10, help="Of each new class.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3, 3e-3], help="Tried for each way.")
    parser.add_argument("--tuning-seed", type=int, default=100, help="Of the images that the rates are chosen with.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_digits(folder / "old", range(5))
        old = train(folder / "old", [], "earlier network: digits 0 to 4")
        print(f"earlier network, digits 0 to 4: {old[1]:.2%}", flush=True)
        settings = [f"training.epochs={arguments.epochs}", "data.validation_split=0"]

        def accuracy(way: str, rate: float, seed: int) -> float:
            place = folder / f"new{seed}"
            if not place.exists():
                write_digits(
                    place, range(5, 10), images=arguments.images, seed=seed, tuning=seed == arguments.tuning_seed
                )
            more = [one.replace("OLD", str(old[0])) for one in WAYS[way]]
            optimizer = f"training.optimizer={{Adam: {{learning_rate: {rate}}}}}"
            return train(place, [*settings, optimizer, f"seed={seed}", *more], way)[1]

        rates = {}
        for way in WAYS:
            tried = {rate: accuracy(way, rate, arguments.tuning_seed) for rate in arguments.rates}
            rates[way] = max(tried, key=lambda rate: tried[rate])
        print("rates: " + ", ".join(f"{way} {rate:g}" for way, rate in rates.items()))
        print("seed  " + "  ".join(WAYS), flush=True)
        rows = []
        for seed in arguments.seeds:
            rows.append([accuracy(way, rates[way], seed) for way in WAYS])
            show(str(seed), rows[-1])
        show("mean", np.mean(rows, axis=0))


def write_digits(
    folder: Path, digits: range, *, images: int | None = None, seed: int = 0, tuning: bool = False
) -> None:
    """Write the sample's images of some digits: so many of each for training, all of them for testing.

    For tuning, the training images that are not chosen take the place of the test images.
    """
    folder.mkdir(parents=True)
    (folder / "digits.yaml").write_text(CONFIG)
    (x, y), test = read("train"), read("t10k")
    rows = {digit: np.random.default_rng(seed).permutation(np.flatnonzero(y == digit)) for digit in digits}
    chosen = np.concatenate([rows[digit][:images] for digit in digits])
    others = np.setdiff1d(np.arange(len(y)), chosen)
    x_test, y_test = (x[others], y[others]) if tuning else test
    known = np.isin(y_test, digits)
    np.savez(folder / "train.npz", x=x[chosen], y=y[chosen] - digits.start)
    np.savez(folder / "test.npz", x=x_test[known], y=y_test[known] - digits.start)


def read(part: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of a part of the sample."""
    images = gzip.decompress((FOLDER / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((FOLDER / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16)
    return pixels.reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8).astype(int)


def train(folder: Path, overrides: list[str], what: str) -> tuple[Path, float]:
    run = trainkit.fit(folder / "digits.yaml", overrides, runs=folder / "runs" / what.replace(" ", "_"), console=QUIET)
    return run.directory, json.loads(run.metrics.read_text())["test"]["accuracy"]


def show(name: str, values: list[float]) -> None:
    cells = (f"{value:>{len(way)}.2%}" for way, value in zip(WAYS, values, strict=True))
    print(f"{name:<4}  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
