"""What the benchmarks of training share: sides that take turns, each a process of its own, and tables of Markdown."""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SIDES = Path(__file__).with_name("sides")
SAMPLE = Path(__file__).parents[1] / "trainkit/data/sample"
TURN = 10.0
"""Seconds that a side works before the next one does."""
Answer = dict[str, Any]


class Side:
    """A process that is kept alive and does an epoch when it is asked to; see `sides/channel.py`.

    Args:
        script: A file of `sides/`.
        arguments: Of the script.
        python: The interpreter that runs it.
    """

    def __init__(self, script: str, *arguments: str, python: str = sys.executable) -> None:
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, str(SIDES / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            text=True,
        )
        self.facts = self._read()
        """What it said when it was ready."""

    def ask(self) -> Answer:
        """Let it do an epoch; nobody else does anything meanwhile."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> Answer:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._told.seek(0)
            ended = f"{self._process.args} ended early with exit code {self._process.wait()}"
            raise SystemExit(f"{ended}:\n{self._told.read()[-3000:]}")
        return dict(json.loads(line))


def ask_in_turn(sides: Mapping[str, Side], rounds: int) -> list[dict[str, Answer]]:
    """Some epochs of each side in every round, each time another one first.

    A turn is of as many epochs as take about `TURN` seconds, and of one before them that is not counted: after a pause
    an epoch is up to a quarter slower, whoever runs it, and a training does not pause. The very first epoch, which
    traces, is not counted either; a second one tells how many a turn has.

    Returns:
        The answers, round by round, by the names of the sides; times are of an epoch, the mean of the turn.
    """
    for side in sides.values():
        side.ask()
    counts = {name: max(1, round(TURN / side.ask()["seconds"])) for name, side in sides.items()}
    return [{name: _turn(sides[name], counts[name]) for name in rotated(list(sides), index)} for index in range(rounds)]


def rotated(names: list[str], index: int) -> list[str]:
    """The same, another one first."""
    return names[index % len(names) :] + names[: index % len(names)]


def _turn(side: Side, count: int) -> Answer:
    side.ask()
    answers = [side.ask() for _ in range(count)]
    return answers[-1] | {key: statistics.fmean(one[key] for one in answers) for key in ("seconds", "steps")}


def middle(values: Iterable[float], form: str = ".2f") -> str:
    """The median and the range."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):{form}} ({ordered[0]:{form}}–{ordered[-1]:{form}})"


def wanted(bar: float | None, values: Iterable[float], *, most: bool = False, form: str = "g") -> str:
    """A bar, and whether the median reaches it."""
    if bar is None:
        return "–"
    value = statistics.median(values)
    return f"{'≤' if most else '≥'} {bar:{form}}, {'yes' if (value <= bar if most else value >= bar) else '**no**'}"


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table of Markdown."""
    for row in (header, ["---", *["--:"] * (len(header) - 1)], *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def print_place(*more: str) -> None:
    """Print the line above a table: the day, the machine and the versions."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    machine = f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB"
    versions = [f"Python {platform.python_version()}", f"TensorFlow {version('tensorflow')}"]
    versions += [f"tf_keras {version('tf_keras')}", f"TrainKit {version('trainkit')}", *more]
    print(f"{date.today()}; {machine}, {platform.system()} {platform.release()}; {', '.join(versions)}\n", flush=True)


def mnist() -> tuple[np.ndarray, np.ndarray, str]:
    """Training digits `(samples, 28, 28, 1)`, their labels, and which they are: all, else the ones of TrainKit."""
    folder = Path(os.environ.get("TRAINKIT_DATA", "")) / "mnist"
    told = "MNIST"
    if not os.environ.get("TRAINKIT_DATA") or not folder.is_dir():
        folder, told = SAMPLE, "the bundled sample of MNIST, as TRAINKIT_DATA names no folder that holds mnist/"
    images, labels = (_idx(next(folder.glob(f"train-{kind}*"))) for kind in ("images-idx3", "labels-idx1"))
    return images[..., np.newaxis], labels.astype(np.int64), f"{len(labels):,} images of {told}"


def _idx(filepath: Path) -> np.ndarray:
    content = gzip.decompress(filepath.read_bytes()) if filepath.suffix == ".gz" else filepath.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
