"""`predict` of a loaded file over 10,000 digits against the file's runtime driven by hand, in one run, interleaved.

    python benchmarks/predict_throughput.py [--rounds 9] [--images 10000] [--threads 2]

For LeNet-5 as .tflite (float32 and int8) and .onnx it prints images a second of both, the median over the rounds of the
ratio, and its quartiles. By hand is the interpreter of LiteRT, resized to batches, or a session of ONNX Runtime, with
the fastest size of batch of BATCHES, which is found first, and answers in one array. Both sides get the same float32
images. `--threads` is for the side by hand; without it, LiteRT takes 1 and ONNX Runtime all cores.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from lenet5_files import FLOAT32, INT8, ONNX, export_lenet5

import trainkit
from trainkit.native import quiet_stderr

TARGET = 0.95
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
TRIALS = 3
Call = Callable[[np.ndarray], np.ndarray]


def litert(filepath: Path, batch: int, threads: int | None) -> Call:
    """The interpreter by hand, resized; the last batch may be shorter."""
    with quiet_stderr():
        interpreter = Interpreter(str(filepath), num_threads=threads)
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]

    def resize(size: int) -> None:
        with quiet_stderr():
            interpreter.resize_tensor_input(given["index"], [size, *given["shape"][1:]])
            interpreter.allocate_tensors()

    def predict(images: np.ndarray) -> np.ndarray:
        answers, size = [], batch
        resize(batch)
        for start in range(0, len(images), batch):
            piece = images[start : start + batch]
            if len(piece) != size:
                resize(size := len(piece))
            interpreter.set_tensor(given["index"], piece)
            interpreter.invoke()
            answers.append(interpreter.get_tensor(taken))
        return np.concatenate(answers)

    return predict


def onnx_runtime(filepath: Path, batch: int, threads: int | None) -> Call:
    """A session by hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(str(filepath), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def predict(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), batch)
        return np.concatenate([session.run(None, {name: images[start : start + batch]})[0] for start in starts])

    return predict


def seconds(call: Call, images: np.ndarray) -> float:
    began = time.perf_counter()
    call(images)
    return time.perf_counter() - began


def best_by_hand(filepath: Path, images: np.ndarray, threads: int | None) -> tuple[Call, int]:
    """The fastest size of batch; the sizes take turns."""
    by_hand = litert if filepath.suffix == ".tflite" else onnx_runtime
    calls = {batch: by_hand(filepath, batch, threads) for batch in BATCHES}
    part = images[: max(2 * max(BATCHES), len(images) // 4)]
    times: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for _ in range(TRIALS):
        for batch, call in calls.items():
            times[batch].append(seconds(call, part))
    best = min(BATCHES, key=lambda batch: min(times[batch]))
    return calls[best], best


def compare(filepath: Path, images: np.ndarray, *, rounds: int, threads: int | None) -> float:
    """Print one line; returns the median ratio."""
    predictor = trainkit.load(filepath, trusted=True).predictor
    (name,), (output,) = predictor.inputs, predictor.outputs

    def ours(images: np.ndarray) -> np.ndarray:
        return predictor.predict({name: images})[output]

    by_hand, batch = best_by_hand(filepath, images, threads)
    difference = float(np.abs(ours(images) - by_hand(images)).max())
    times = []
    for number in range(rounds):
        order = (ours, by_hand) if number % 2 else (by_hand, ours)
        taken = {call: seconds(call, images) for call in order}
        times.append((taken[by_hand], taken[ours]))
    low, ratio, high = statistics.quantiles([before / after for before, after in times], n=4)
    speeds = [len(images) / statistics.median(column) for column in zip(*times, strict=True)]
    print(
        f"{filepath.name:<24} by hand {speeds[0]:9,.0f} images/s (batch {batch}), trainkit.load {speeds[1]:9,.0f}, "
        f"ratio {ratio:.3f} ({low:.3f}-{high:.3f}), target {TARGET}; greatest difference of answers {difference:.1e}",
        flush=True,
    )
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files, images = export_lenet5(Path(folder), [FLOAT32, INT8, ONNX])
        images = images[: arguments.images].astype(np.float32)
        for filepath in files:
            compare(filepath, images, rounds=arguments.rounds, threads=arguments.threads)


if __name__ == "__main__":
    main()
