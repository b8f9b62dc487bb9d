"""`trainkit.fit` against plain `fit`, a whole epoch in a `tf.function`, and PyTorch: in one run, interleaved.

    TRAINKIT_DATA=… python benchmarks/training_throughput.py --torch /path/to/python [--starts 5] [--networks LeNet-5 …]

Each side is a process of its own that does epochs for some seconds when it is asked to, while the others wait; the
first epoch of each turn is not counted. The same steps differ by some percent from one process to the next, as their
memory lies: so all sides are started several times, each time another one first. All have the same network, batches
and Adam, and measure loss and accuracy; nobody validates.

- TrainKit: `trainkit.fit` with its defaults. An epoch lasts until the next one begins, with everything that TrainKit
  does between two: history, TensorBoard, checkpoints. The last column has the steps alone, and the look for NaN.
- fit: `model.fit` of float32 NumPy arrays that were scaled before, verbose=0.
- function, function XLA: a loop over all batches, written by hand in a `tf.function`, without and with `jit_compile`.
- PyTorch: DataLoader, TensorDataset, zero_grad, backward, step; as many threads as it takes by itself, and the
  `num_workers` that is fastest. `--torch` names a Python that has it; without it, that side is not measured.

LeNet-300-100 and LeNet-5 learn MNIST, or the bundled sample of it; the data of the others are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import Answer, Side, ask_in_turn, middle, mnist, print_place, print_table, rotated, wanted

RESCALING = {"Rescaling": {"scale": "$(1/255)"}}
HEADER = ["network", "beside", "its samples/s", "TrainKit's", "TrainKit is", "wanted", "steps alone"]
EPOCHS = 1000
"""What TrainKit is told to do: so many that measuring how steps are run pays."""
SIDES = ("fit", "function", "function XLA", "PyTorch")


@dataclass(frozen=True)
class Network:
    """A network that is compared.

    Args:
        layers: As configs have them.
        batch_size: Of all sides.
        bars: By side, how many times as fast TrainKit has to be.
        shape: Of a sample that is drawn; images of 0 to 255 where it has three axes. MNIST where it is empty.
        samples: That are drawn.
        classes: Of the classifier.
        epochs: What TrainKit is told to do.
    """

    layers: list[Any]
    batch_size: int
    bars: Mapping[str, float | None]
    shape: tuple[int, ...] = ()
    samples: int = 0
    classes: int = 10
    epochs: int = EPOCHS


NETWORKS = {
    "LeNet-300-100": Network(
        [{"LeNet300": {"classes": "$classes"}}],
        128,
        {"fit": 2.5, "function": 0.97, "function XLA": 0.97, "PyTorch": 1.8},
    ),
    "LeNet-5": Network([{"LeNet5": {"classes": "$classes", "activation": "relu"}}], 128, {"fit": 1.0, "PyTorch": 1.3}),
    "ResNet-8": Network([{"ResNet8": {"classes": "$classes"}}], 128, {"fit": 0.97, "PyTorch": None}, (32, 32, 3), 2560),
    "MobileNetV1 0.25": Network(
        [{"MobileNetV1": {"classes": "$classes", "alpha": 0.25}}],
        32,
        {"fit": 0.97, "PyTorch": None},
        (96, 96, 3),
        1280,
        classes=2,
    ),
    "LSTM": Network(
        [{"LSTM": {"units": 64}}, {"Dense": {"units": "$classes", "activation": "softmax"}}],
        128,
        {"fit": 0.97, "PyTorch": None},
        (32, 16),
        12800,
    ),
    "ResNet-50": Network(
        [{"ResNet50": {"classes": "$classes"}}], 8, {"fit": 0.97, "PyTorch": None}, (224, 224, 3), 96, epochs=100
    ),
}


def make_data(network: Network) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of the file that all sides read, and what they are."""
    if not network.shape:
        images, labels, told = mnist()
        return {"x": images, "y": labels}, told
    random = np.random.default_rng(1)
    labels = np.arange(network.samples) % network.classes
    shape = (network.samples, *network.shape)
    if len(network.shape) == 3:
        inputs = random.integers(0, 200, shape, np.uint8) + (5 * labels[:, None, None, None]).astype(np.uint8)
        return {"x": inputs, "y": labels}, f"{network.samples:,} images that were drawn"
    inputs = random.normal(size=shape).astype(np.float32) + labels[:, None, None].astype(np.float32) / network.classes
    return {"x": inputs, "y": labels}, f"{network.samples:,} sequences that were drawn"


def config_of(network: Network, data: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "benchmark",
        "data": {
            "source": {"Npz": {"path": str(data), "target": "y"}},
            "batch_size": network.batch_size,
            "validation_split": 0.0,
        },
        "model": {
            "input": list(shape),
            "preprocess": [RESCALING] if len(shape) == 3 else [],
            "layers": network.layers,
        },
        "training": {
            "epochs": network.epochs,
            "optimizer": "Adam",
            "loss": "SparseCategoricalCrossentropy",
            "metrics": ["SparseCategoricalAccuracy"],
        },
    }


def start(name: str, network: Network, side: str, data: Path, torch: str) -> Side:
    arguments = [name, str(data), str(network.classes), str(network.batch_size), str(network.epochs)]
    if side == "TrainKit":
        return Side("trainkit_fit.py", str(data.with_name("config.json")))
    if side == "fit":
        return Side("keras_fit.py", *arguments)
    if side == "PyTorch":
        return Side("torch_loop.py", *arguments, python=torch)
    return Side("whole_epoch.py", *arguments, *(["--xla"] if side.endswith("XLA") else []))


@dataclass
class Compared:
    """What was measured of a network."""

    samples: int
    told: str
    rounds: list[dict[str, Answer]]
    facts: dict[str, Answer]
    """What the sides said when they were ready."""

    def seconds(self, side: str, key: str = "seconds") -> list[float]:
        """Of each round's epoch."""
        return [answers[side][key] for answers in self.rounds]

    def speed(self, side: str) -> str:
        """Samples a second."""
        return f"{self.samples / statistics.median(self.seconds(side)):,.0f}"

    def ratios(self, side: str, key: str = "seconds") -> list[float]:
        """How many times as fast TrainKit was, round by round."""
        return [other / own for other, own in zip(self.seconds(side), self.seconds("TrainKit", key), strict=True)]


def compare(name: str, names: list[str], *, starts: int, rounds: int, torch: str) -> Compared:
    network = NETWORKS[name]
    arrays, told = make_data(network)
    found = []
    for index in range(starts):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            data = Path(folder, "data.npz")
            np.savez(data, **arrays)
            data.with_name("config.json").write_text(json.dumps(config_of(network, data, arrays["x"].shape[1:])))
            sides: dict[str, Side] = {}
            for side in rotated(names, index):
                sides[side] = start(name, network, side, data, torch)
                stack.callback(sides[side].close)
            learned = {side: one.facts["learned"] for side, one in sides.items()}
            assert len(set(learned.values())) == 1, f"{name}: the sides differ in what they learn: {learned}"
            found += ask_in_turn(sides, rounds)
    return Compared(len(arrays["y"]), told, found, {side: sides[side].facts for side in names})


def show(name: str, found: Compared, names: list[str]) -> None:
    """A line for each side beside TrainKit, and what was measured of all."""
    print_table(HEADER, [row(name, side, found) for side in names])
    print(f"\n{name}: {found.told}, batch {NETWORKS[name].batch_size}; {found.facts['TrainKit']['execution']}")
    for side, facts in found.facts.items():
        logs, peak = found.rounds[-1][side]["logs"], found.rounds[-1][side]["peak"]
        values = ", ".join(f"{key} {value:.4f}" for key, value in logs.items())
        told = f"; {facts['told']}" if "told" in facts else ""
        seconds = statistics.median(found.seconds(side))
        print(f"- {side}: {seconds:.3f} s an epoch, {peak / 1e6:,.0f} MB at most; {values}{told}")
    print(flush=True)


def row(name: str, side: str, found: Compared) -> list[str]:
    if side not in found.facts:
        return [name, side, "not measured", found.speed("TrainKit"), *["–"] * 3]
    ratios = found.ratios(side)
    reached = wanted(NETWORKS[name].bars.get(side), ratios)
    return [
        name,
        side,
        found.speed(side),
        found.speed("TrainKit"),
        middle(ratios),
        reached,
        middle(found.ratios(side, "steps")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=5, help="How often the sides are started.")
    parser.add_argument("--rounds", type=int, default=1, help="Turns of each side, each time.")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--sides", nargs="+", choices=SIDES, help="By default those of the bars of each network.")
    parser.add_argument("--torch", default="", metavar="PYTHON", help="An interpreter that has PyTorch.")
    options = parser.parse_args()
    if options.torch and not shutil.which(options.torch):
        parser.error(f"`--torch` must be a Python interpreter. Received: {options.torch!r}")
    is_placed = False
    for name in options.networks:
        asked = options.sides or list(NETWORKS[name].bars)
        measured = [side for side in asked if side != "PyTorch" or options.torch]
        found = compare(
            name, ["TrainKit", *measured], starts=options.starts, rounds=options.rounds, torch=options.torch
        )
        if not is_placed:
            facts = found.facts.get("PyTorch")
            print_place(*([f"PyTorch {facts['torch']}"] if facts else []))
            is_placed = True
        show(name, found, asked)


if __name__ == "__main__":
    main()
