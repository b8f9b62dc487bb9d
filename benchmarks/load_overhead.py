"""What `trainkit.load(file)(x)` adds to the bare LiteRT interpreter, at batch 1, in one run, interleaved.

    python benchmarks/load_overhead.py [--rounds 40] [--calls 500]

For LeNet-5 in float32 and int8 it prints the microseconds of a call of both, the median over the rounds of their ratio,
and its quartiles. Bare is `set_tensor`, `invoke`, `get_tensor` on an interpreter of the same file with the threads that
LiteRT takes by itself. Both get the same float32 image, the type that the files take; in odd rounds ours goes first.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from lenet5_files import FLOAT32, INT8, export_lenet5

import trainkit
from trainkit.native import quiet_stderr

TARGET = 1.15
Call = Callable[[np.ndarray], np.ndarray]


def bare(filepath: Path) -> Call:
    """The interpreter by hand."""
    with quiet_stderr():
        interpreter = Interpreter(str(filepath))
        interpreter.allocate_tensors()
    given, taken = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def call(images: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        return interpreter.get_tensor(taken)

    return call


def microseconds(call: Call, images: list[np.ndarray]) -> float:
    began = time.perf_counter()
    for image in images:
        call(image)
    return (time.perf_counter() - began) / len(images) * 1e6


def compare(filepath: Path, images: np.ndarray, *, rounds: int, calls: int) -> float:
    """Print one line; returns the median ratio."""
    ours, by_hand = trainkit.load(filepath, trusted=True), bare(filepath)
    singles = [images[index : index + 1].astype(np.float32) for index in range(calls)]
    difference = max(float(np.abs(ours(image) - by_hand(image)).max()) for image in singles[:100])
    times = []
    for number in range(rounds):
        order = (ours, by_hand) if number % 2 else (by_hand, ours)
        taken = {call: microseconds(call, singles) for call in order}
        times.append((taken[by_hand], taken[ours]))
    ratios = [after / before for before, after in times]
    low, median, high = statistics.quantiles(ratios, n=4)
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"{filepath.name:<24} bare {before:6.1f} µs, trainkit.load {after:6.1f} µs, ratio {median:.3f} "
        f"({low:.3f}-{high:.3f}), target {TARGET}; greatest difference of answers {difference:.1e}",
        flush=True,
    )
    return median


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files, images = export_lenet5(Path(folder), [FLOAT32, INT8])
        for filepath in files:
            compare(filepath, images, rounds=arguments.rounds, calls=arguments.calls)


if __name__ == "__main__":
    main()
