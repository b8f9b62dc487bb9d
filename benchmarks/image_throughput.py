"""Reading JPEG files batch by batch through TrainKit against a hand-tuned tf.data loop, in one run, interleaved.

    python benchmarks/image_throughput.py [--rounds 5] [--images 2000]

Prints images a second of both, the median ratio and its range, for 256×256 JPEG files that are sized to 128×128 with
antialiasing. Neither side keeps images in memory; the files themselves are in the system's cache on both sides.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainkit.data.images import ImageFiles, ImageSpec
from trainkit.framework import tf

BATCH_SIZE = 64
STORED, SIZE = 256, 128


def write_images(folder: Path, count: int) -> list[Path]:
    """Files that compress like photos: coarse shapes with some noise."""
    generator = np.random.default_rng(1)
    files = [folder / f"{index:05}.jpg" for index in range(count)]
    for filepath in files:
        coarse = Image.fromarray(generator.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        values = np.asarray(coarse.resize((STORED, STORED), Image.Resampling.BICUBIC)).astype(float)
        noisy = (values + generator.normal(0, 8, values.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(filepath, quality=90)
    return files


def plain_batches(files: list[Path]) -> Any:
    def read(filepath: Any) -> Any:
        image = tf.io.decode_jpeg(tf.io.read_file(filepath), channels=3)
        return tf.image.resize(image, (SIZE, SIZE), antialias=True)

    dataset = tf.data.Dataset.from_tensor_slices([str(filepath) for filepath in files])
    return dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


def our_batches(files: list[Path]) -> Any:
    column = ImageFiles(files, files[0].parent).read(ImageSpec(SIZE, SIZE, 3), budget=0)
    dataset = tf.data.Dataset.range(len(files)).batch(BATCH_SIZE)
    return dataset.map(column.gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def drain(dataset: Any) -> None:
    for _ in dataset:
        pass


def compare(files: list[Path], rounds: int) -> None:
    plain, ours = plain_batches(files), our_batches(files)
    difference = np.abs(next(iter(plain)).numpy() - next(iter(ours)).numpy()).mean()
    drain(plain), drain(ours)
    times = [(seconds(lambda: drain(plain)), seconds(lambda: drain(ours))) for _ in range(rounds)]
    ratios = sorted(before / after for before, after in times)
    speeds = [len(files) / statistics.median(column) for column in zip(*times, strict=True)]
    print(
        f"tf.data {speeds[0]:,.0f} images/s, TrainKit {speeds[1]:,.0f} images/s, ratio "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}); mean difference {difference:.2f} of 255"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_images(Path(folder), arguments.images)
        print(f"TensorFlow {tf.__version__}, {len(files):,} images, batch {BATCH_SIZE}, {arguments.rounds} rounds")
        compare(files, arguments.rounds)


if __name__ == "__main__":
    main()
