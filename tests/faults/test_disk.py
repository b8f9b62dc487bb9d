"""A disk that fills up or turns read-only ends a training with its name; with room again it goes on exactly."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from trainkit.runs.checkpoints import Checkpoints

from .calls import read_calls
from .comparison import differences

pytestmark = pytest.mark.slow

REASONS = {
    "ENOSPC": "No space left on device",
    "EDQUOT": "Disk quota exceeded",
    "EIO": "Input/output error",
    "EROFS": "Read-only file system",
}


def check_failure(training, ended, reason):
    """One line that names a path of the run and the reason, and checkpoints that are whole."""
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert "Exception ignored" not in ended.err
    lines = [reason, "a part of it is missing, as on a disk that is full"]  # TensorFlow does not know it always
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert any(told in line for told in lines)
    assert str(training.folder) in line or "runs/small/001" in line
    assert Checkpoints(training.run.checkpoints).newest()[1] == []


@pytest.mark.parametrize("size", [10_000, 16_000, 24_000, 32_000, 40_000, 48_000])
def test_files_that_may_not_grow(size, whole, begin):
    training = begin("brief")
    ended = training.fit(fault={"file_size": size})
    check_failure(training, ended, "File too large")
    assert training.fit().code == 0
    assert differences(training.run, whole("brief").run) == []


@pytest.mark.parametrize("operation", ["fsync", "mkdir", "rename", "replace"])
@pytest.mark.parametrize("error", REASONS)
def test_an_error_of_the_disk(error, operation, whole, begin):
    training, trial = begin("brief"), begin("brief")
    trial.fit(fault={"log": str(trial.folder / "calls")})
    made = read_calls(trial.folder / "calls")
    first = next(call.number for call in made if call.operation == operation and call.step >= 3)
    ended = training.fit(fault={"operation": operation, "first": first, "error": error})
    check_failure(training, ended, REASONS[error])
    assert training.fit().code == 0
    assert differences(training.run, whole("brief").run) == []


@pytest.fixture
def mount():
    """Mount something at a directory; it is taken away in the end."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mounted = []

    def mount(directory, *arguments):
        done = subprocess.run(["mount", *arguments, str(directory)], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        mounted.append(directory)

    yield mount
    for directory in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(directory)], check=False)  # a test may have done so


@pytest.fixture(scope="module")
def broken_off(begin):
    """A training that was killed in its second epoch."""
    training, trial = begin("brief"), begin("brief")
    trial.fit(fault={"log": str(trial.folder / "calls")})
    made = read_calls(trial.folder / "calls")
    assert training.fit(fault={"kill": next(call.number for call in made if call.step == 4)}).code == -9
    return training


@pytest.mark.parametrize("room", [0, 4, 16, 32, 48, 64, 80, 100, 120, 140])
def test_a_full_disk(room, broken_off, whole, mount, tmp_path):
    mount(tmp_path, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    training = broken_off.copy(tmp_path)
    ballast = tmp_path / "ballast"
    free = os.statvfs(tmp_path)
    ballast.write_bytes(b"0" * (free.f_bavail * free.f_frsize - 1024 * room))
    ended = training.fit()
    check_failure(training, ended, "No space left on device")
    ballast.unlink()
    assert training.fit().code == 0
    assert differences(training.run, whole("brief").run) == []


def test_a_disk_that_turns_read_only(whole, begin, mount):
    training = begin("stopped")
    process = training.begin()
    training.wait_for((training.run.checkpoints / "step_000000003").exists, process)
    mount(training.run.checkpoints, "--bind", str(training.run.checkpoints))
    mount(training.run.checkpoints, "-o", "remount,bind,ro", str(training.run.checkpoints))
    ended = process.wait()
    check_failure(training, ended, "Read-only file system")
    subprocess.run(["umount", "--lazy", str(training.run.checkpoints)], check=True)
    assert training.fit().code == 0
    assert differences(training.run, whole("stopped").run) == []


def test_a_disk_that_is_read_only_from_the_beginning(broken_off, mount, tmp_path):
    training = broken_off.copy(tmp_path / "folder")
    mount(training.run.directory, "--bind", str(training.run.directory))
    mount(training.run.directory, "-o", "remount,bind,ro", str(training.run.directory))
    ended = training.fit()
    assert ended.code == 2
    assert re.search(r"error: \S+/small/001/\.lock cannot be written: Read-only file system\.", ended.err)
