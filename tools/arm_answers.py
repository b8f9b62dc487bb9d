"""The answers of a .tflite to samples, as they stand in the file: run by an interpreter of either processor.

python arm_answers.py FILE SAMPLES.npz ANSWERS.npz
"""

from __future__ import annotations

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(filepath: str, samples: str, answers: str) -> None:
    interpreter = Interpreter(filepath, num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner("serving_default")
    with np.load(samples) as arrays:
        inputs = {name: arrays[name] for name in arrays.files}
    count = len(next(iter(inputs.values())))
    found = [runner(**{name: array[i : i + 1] for name, array in inputs.items()}) for i in range(count)]
    np.savez(answers, **{name: np.concatenate([one[name] for one in found]) for name in found[0]})


if __name__ == "__main__":
    main(*sys.argv[1:])
