"""`trainkit.fit` against plain `fit`, a whole epoch in a `tf.function`, and PyTorch: in one run, interleaved.

    TRAINKIT_DATA=… python benchmarks/training_throughput.py --torch /path/to/python [--rounds 7] [--networks LeNet-5 …]

Each side is a process of its own that is kept alive and does one epoch when it is asked to, while the others wait; a
first epoch, which traces and compiles, is not counted. All sides have the same network, batches and Adam, and measure
loss and accuracy; nobody validates.

- TrainKit: `trainkit.fit` with its defaults. An epoch lasts until the next one begins, with everything that TrainKit
  does between two: history, TensorBoard, looking for NaN, checkpoints. The last column has the steps alone.
- fit: `model.fit` of float32 NumPy arrays that were scaled before, verbose=0.
- function, function XLA: a loop over all batches, written by hand in a `tf.function`, without and with `jit_compile`.
- PyTorch: DataLoader, TensorDataset, zero_grad, backward, step; its own threads. `--torch` names a Python that has it;
  without it, that side is left out.

LeNet-300-100 and LeNet-5 learn MNIST, or the bundled sample of it; the data of the others are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import Answer, Side, ask_in_turn, middle, mnist, print_place, print_table, wanted

RESCALING = {"Rescaling": {"scale": "$(1/255)"}}
HEADER = ["network", "beside", "its samples/s", "TrainKit's", "TrainKit is", "wanted", "steps alone"]
EPOCHS = 1000
"""What TrainKit is told to do: so many that measuring how steps are run pays."""


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
        [{"ResNet50": {"classes": "$classes"}}], 8, {"fit": 0.97, "PyTorch": None}, (224, 224, 3), 32, epochs=10
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


def start(name: str, side: str, data: Path, torch: str) -> Side:
    network = NETWORKS[name]
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
    execution: dict[str, Any]
    rounds: list[dict[str, Answer]]
    versions: list[str] = field(default_factory=list)

    def seconds(self, side: str, key: str = "seconds") -> list[float]:
        """Of each round's epoch."""
        return [answers[side][key] for answers in self.rounds]

    def speed(self, side: str) -> str:
        """Samples a second."""
        return f"{self.samples / statistics.median(self.seconds(side)):,.0f}"

    def ratios(self, side: str, key: str = "seconds") -> list[float]:
        """How many times as fast TrainKit was, round by round."""
        return [other / own for other, own in zip(self.seconds(side), self.seconds("TrainKit", key), strict=True)]


def compare(name: str, names: list[str], *, rounds: int, torch: str) -> Compared:
    network = NETWORKS[name]
    arrays, told = make_data(network)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.npz")
        np.savez(data, **arrays)
        data.with_name("config.json").write_text(json.dumps(config_of(network, data, arrays["x"].shape[1:])))
        sides: dict[str, Side] = {}
        try:
            for side in names:
                sides[side] = start(name, side, data, torch)
            learned = {side: one.facts["learned"] for side, one in sides.items()}
            assert len(set(learned.values())) == 1, f"{name}: the sides differ in what they learn: {learned}"
            found = ask_in_turn(sides, rounds)
        finally:
            for one in sides.values():
                one.close()
    versions = [f"PyTorch {sides['PyTorch'].facts['torch']}"] if "PyTorch" in sides else []
    return Compared(len(arrays["y"]), told, sides["TrainKit"].facts["execution"], found, versions)


def show(name: str, found: Compared, names: list[str]) -> None:
    """A line for each side beside TrainKit, and what was measured of all."""
    bars = NETWORKS[name].bars
    rows = [
        [
            name,
            side,
            found.speed(side),
            found.speed("TrainKit"),
            middle(found.ratios(side)),
            wanted(bars.get(side), found.ratios(side)),
            middle(found.ratios(side, "steps")),
        ]
        for side in names
        if side != "TrainKit"
    ]
    print_table(HEADER, rows)
    print(f"\n{name}: {found.told}, batch {NETWORKS[name].batch_size}; {found.execution}")
    for side in names:
        logs, peak = found.rounds[-1][side]["logs"], found.rounds[-1][side]["peak"]
        values = ", ".join(f"{key} {value:.4f}" for key, value in logs.items())
        print(
            f"- {side}: {statistics.median(found.seconds(side)):.3f} s an epoch, {peak / 1e6:,.0f} MB at most; {values}"
        )
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--sides", nargs="+", help="Of each network, by default those that it is to be compared with.")
    parser.add_argument("--torch", default="", metavar="PYTHON", help="An interpreter that has PyTorch.")
    options = parser.parse_args()
    if not options.torch:
        print("PyTorch is not measured: --torch PYTHON names an interpreter that has it", file=sys.stderr)
    is_placed = False
    for name in options.networks:
        names = ["TrainKit", *(options.sides or NETWORKS[name].bars)]
        names = [side for side in names if side != "PyTorch" or options.torch]
        found = compare(name, names, rounds=options.rounds, torch=options.torch)
        if not is_placed:
            print_place(*found.versions)
            is_placed = True
        show(name, found, names)


if __name__ == "__main__":
    main()
