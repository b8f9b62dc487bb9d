"""What all tests share: fixed seeds, two small trainings, and how several processes divide the tests."""

from __future__ import annotations

import fcntl
import gc
import os
import random
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

SMALL = """\
# a small network on the digits that come with TrainKit
version: 1
name: small
seed: 3
data: {source: Sample, batch_size: 100}
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  layers:
    - Conv2D: {filters: 6, kernel_size: 5, strides: 2, activation: relu}
    - Conv2D: {filters: 12, kernel_size: 3, strides: 2, activation: relu}
    - Flatten
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 4
  optimizer: {Adam: {learning_rate: 5e-3}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
  checkpoints: {every_epochs: 1}
deploy: {benchmark: false}
"""

TWO = """\
# two tables in, a class and two numbers out
version: 1
name: two
seed: 2
data:
  source: {Npz: {path: two.npz, target: kind}}
  targets: {kind: kind, size: size}
  test_split: 0.2
  batch_size: 32
model:
  inputs: {left: {shape: [6]}, right: {shape: [4]}}
  preprocess: {left: [Normalization], right: [Normalization]}
  layers:
    - Concatenate:
      inputs: [left, right]
    - Dense: {units: 32, activation: relu}
      name: trunk
    - Dense: {units: $classes, activation: softmax}
      name: kind
    - Dense: {units: 2}
      name: size
      inputs: trunk
  outputs: [kind, size]
training:
  epochs: 12
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: {kind: SparseCategoricalCrossentropy, size: MeanSquaredError}
  loss_weights: {size: 0.2}
  metrics: {kind: [SparseCategoricalAccuracy], size: [MeanAbsoluteError]}
  best: {monitor: val_kind_sparse_categorical_accuracy, mode: max}
deploy: {benchmark: false}
"""


TOGETHER = ("tests/deploy/benchmark/", "tests/deploy/page/", "tests/deploy/sensitivity/")
"""Directories whose tests share what takes long to make, and cannot be read from files."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n`, tests that share fixtures run in one process: those of a file, and of a directory of `TOGETHER`."""
    from xdist.scheduler import LoadFileScheduling

    class ByFixtures(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return ByFixtures(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish():
    """Let the garbage collector leave alone what was imported, and look less often: it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory):
    """Fill a directory once for all processes of `-n`: `make_once(name, make)`, of which `make` gets its path."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def directory(name, make):
        folder, done = root / name, root / f"{name}.done"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second waits, and finds it done
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return directory


@pytest.fixture(autouse=True)
def interruptible():
    """SIGINT interrupts, also where the tests were begun in the background: there it is ignored, by children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def seeds():
    """Every test draws the same random numbers."""
    random.seed(1)
    np.random.seed(1)


@pytest.fixture(scope="session")
def still_running():
    """Those of some process ids whose processes have not ended; one that nobody has waited for has."""

    def is_running(process_id):
        try:
            return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return lambda process_ids: [one for one in process_ids if is_running(one)]


@pytest.fixture(scope="session")
def small_config(tmp_path_factory):
    """A config that trains in two seconds."""
    filepath = tmp_path_factory.mktemp("config") / "small.yaml"
    filepath.write_text(SMALL)
    return filepath


@pytest.fixture(scope="session")
def small_run(small_config, make_once):
    """A finished run of `small_config`, three epochs. Tests must not change it."""
    import trainkit
    from trainkit.runs import Run

    runs = make_once("small_run", lambda folder: trainkit.fit(small_config, ["training.epochs=3"], runs=folder))
    return Run(runs / "small/001")


@pytest.fixture(scope="session")
def two_config(make_once):
    """A config with two inputs and two outputs; the columns `kind`, a class of three, and `size` follow from both."""

    def write(folder):
        random = np.random.default_rng(0)
        left = random.normal(3, 2, (500, 6)).astype("float32")
        right = random.normal(-1, 1, (500, 4)).astype("float32")
        kind = np.digitize((left[:, 0] - 3) / 2 + right[:, 0] + 1, [0.0, 1.5])
        size = np.stack([left.sum(axis=1), left[:, 1] - 3 * right[:, 1]], axis=1)
        np.savez(folder / "two.npz", left=left, right=right, kind=kind, size=size, weight=random.uniform(0, 2, 500))
        (folder / "two.yaml").write_text(TWO)

    return make_once("two", write) / "two.yaml"


@pytest.fixture(scope="session")
def two_run(two_config, make_once):
    """A finished run of `two_config`. Tests must not change it."""
    import trainkit
    from trainkit.runs import Run

    return Run(make_once("two_run", lambda folder: trainkit.fit(two_config, runs=folder)) / "two/001")
