"""Training from folders of PNG files through TrainKit against a hand-tuned tf.data loop, in one run, interleaved.

    TRAINKIT_DATA=… python benchmarks/folder_throughput.py [--rounds 3] [--images 60000] [--epochs 3]

Writes Fashion-MNIST as PNG files, a folder a class, and trains LeNet-300-100 and a small convolutional network,
from reading the files to the last epoch. Prints images a second of both, of the whole and of the later epochs, the
median ratio and its range. The hand-tuned loop decodes in parallel, caches in memory, shuffles, batches, prefetches.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from trainkit.config import Model, load_config
from trainkit.data import load_data, read_idx
from trainkit.framework import tf
from trainkit.models import build_model

BATCH_SIZE = 128
OUTPUT = "garment"
HEAD = {"Dense": {"units": 10, "activation": "softmax"}, "name": OUTPUT}
NETWORKS = {
    "LeNet-300-100": ["Flatten", {"Dense": {"units": 300, "activation": "relu"}}, {"Dense": {"units": 100}}],
    "small CNN": [{"Conv2D": {"filters": 16, "kernel_size": 3, "activation": "relu"}}, "MaxPooling2D", "Flatten"],
}


def write_folders(root: Path, count: int) -> None:
    data = Path(os.environ["TRAINKIT_DATA"]) / "fashion_mnist"
    images, labels = (read_idx(data / f"train-{name}.gz") for name in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    for name in range(10):
        (root / f"class{name}").mkdir()
    for index in range(count):
        Image.fromarray(images[index]).save(root / f"class{labels[index]}" / f"{index:05}.png")


def make_model(layers: list[Any]) -> Any:
    rescaling = {"Rescaling": {"scale": 1 / 255}}
    settings = Model.model_validate({"input": [28, 28, 1], "preprocess": [rescaling], "layers": [*layers, HEAD]})
    model = build_model(settings, {}, name="benchmark")
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def hand_tuned(root: Path) -> tuple[Any, int]:
    files = sorted(root.glob("*/*.png"))
    labels = [int(filepath.parent.name.removeprefix("class")) for filepath in files]

    def read(filepath: Any, label: Any) -> Any:
        return tf.cast(tf.io.decode_png(tf.io.read_file(filepath), channels=1), tf.float32), label

    dataset = tf.data.Dataset.from_tensor_slices(([str(filepath) for filepath in files], labels))
    dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE).cache().shuffle(10_000)
    return dataset.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE), len(files)


def ours(root: Path) -> tuple[Any, int]:
    config = {
        "version": 1,
        "name": "benchmark",
        "data": {"source": {"ImageFolder": {"path": str(root)}}, "validation_split": 0.0},
        "model": {"input": [28, 28, 1], "layers": ["Flatten", HEAD]},
        "training": {"loss": "SparseCategoricalCrossentropy"},
    }
    train = load_data(load_config(config)).train
    return train.batches(BATCH_SIZE, seed=1), train.size


def train(make_data: Any, root: Path, layers: list[Any], epochs: int) -> tuple[float, float]:
    """Seconds of everything, and of an epoch after the first."""
    model = make_model(layers)
    began = time.perf_counter()
    data, size = make_data(root)
    steps = -(-size // BATCH_SIZE) if make_data is ours else None
    ends: list[float] = []
    tick = tf.keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    model.fit(data, epochs=epochs, steps_per_epoch=steps, callbacks=[tick], verbose=0)
    return ends[-1] - began, (ends[-1] - ends[0]) / (epochs - 1)


def report(what: str, images: int, pairs: list[tuple[float, float]]) -> None:
    ratios = sorted(plain / own for plain, own in pairs)
    speeds = [images / statistics.median(column) for column in zip(*pairs, strict=True)]
    print(
        f"{what}: hand-tuned {speeds[0]:,.0f} images/s, TrainKit {speeds[1]:,.0f} images/s, "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_folders(root, options.images)
        print(
            f"TensorFlow {tf.__version__}, {options.images:,} files, {options.epochs} epochs, {options.rounds} rounds"
        )
        for name, layers in NETWORKS.items():
            times = [
                [train(make_data, root, layers, options.epochs) for make_data in (hand_tuned, ours)]
                for _ in range(options.rounds)
            ]
            whole = [(plain[0], own[0]) for plain, own in times]
            report(f"{name}, reading included", options.images * options.epochs, whole)
            report(f"{name}, later epochs", options.images, [(plain[1], own[1]) for plain, own in times])


if __name__ == "__main__":
    main()
