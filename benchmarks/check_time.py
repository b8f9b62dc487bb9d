"""How long `trainkit check` of a wrong file and `trainkit --help` take, against importing TensorFlow, interleaved.

python benchmarks/check_time.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WRONG = "version: 1\nname: x\ndata: {source: Smaple}\nmodel: {input: [2], layers: [Dens]}\ntraining: {los: x}\n"
MAIN = "from trainkit.cli import main; main()"


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        wrong = Path(folder, "wrong.yaml")
        wrong.write_text(WRONG)
        commands = {
            "check": [sys.executable, "-c", MAIN, "check", str(wrong)],
            "help": [sys.executable, "-c", MAIN, "--help"],
            "import tensorflow": [sys.executable, "-c", "import tensorflow"],
        }
        times = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
    whole = statistics.median(times["import tensorflow"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(
            f"{name}: {middle:.2f} s ({min(taken):.2f}-{max(taken):.2f}), {middle / whole:.2f} of importing TensorFlow"
        )


if __name__ == "__main__":
    main()
