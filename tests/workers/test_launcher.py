"""The launcher, with small programs in the place of trainings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from trainkit.errors import InputError
from trainkit.workers import launch, launcher, worker
from trainkit.workers.environment import environment_of, free_ports, gpus_for

HEAD = """
import json, os, signal, sys, time
from trainkit.workers import die_with_launcher, resume_option, tell_run
from pathlib import Path
index, folder = json.loads(os.environ["TF_CONFIG"])["task"]["index"], Path(sys.argv[1])
(folder / f"pid{index}").write_text(str(os.getpid()))
die_with_launcher()
"""
FOR_EVER = "while True: time.sleep(0.01)\n"


@pytest.fixture
def run_program(tmp_path, monkeypatch):
    """Launch two or three processes of a small program, with little patience; returns the exit code."""

    def run(program, *, workers=2):
        monkeypatch.setattr(worker, "PROGRAM", HEAD + program)
        monkeypatch.setattr(launcher, "GRACE_SECONDS", 1)
        return launch([str(tmp_path)], workers=workers)

    return run


@pytest.fixture
def assert_nobody_is_left(still_running, tmp_path):
    """All processes were begun, and none is left."""

    def check(workers=2):
        ids = [int(path.read_text()) for path in tmp_path.glob("pid*")]
        assert len(ids) == workers
        assert still_running(ids) == []

    return check


def test_launch_gives_each_worker_its_place_and_keeps_what_the_others_say(
    assert_nobody_is_left, run_program, tmp_path, capfd
):
    (tmp_path / "run").mkdir()
    program = """
cluster = json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"]
if index == 0: tell_run(folder / "run")
time.sleep(0.3)
print("this is", index, "of", len(cluster), len(set(cluster)), os.environ["TF_NUM_INTRAOP_THREADS"], resume_option())
"""
    assert run_program(program, workers=3) == 0
    threads = max(len(os.sched_getaffinity(0)) // 3, 1)
    assert capfd.readouterr().out == f"this is 0 of 3 3 {threads}  --workers 3\n"
    for index in (1, 2):
        log = tmp_path / "run" / "workers" / f"worker_{index}.log"
        assert log.read_text() == f"this is {index} of 3 3 {threads}  --workers 3\n"
    assert_nobody_is_left(3)


def test_launch_ends_all_when_a_worker_is_killed(assert_nobody_is_left, run_program, tmp_path, capfd):
    (tmp_path / "run/checkpoints/step_000000001").mkdir(parents=True)
    program = """
if index == 0: tell_run(folder / "run")
if index == 1: time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""
    began = time.monotonic()
    assert run_program(program + FOR_EVER) == 1
    assert time.monotonic() - began < 10
    told = capfd.readouterr().err
    log = tmp_path / "run/workers/worker_1.log"
    command = f"trainkit fit --resume {tmp_path / 'run'} --workers 2"
    assert told == f"error: worker 1 was killed by SIGKILL; its output: {log}\ngo on with: {command}\n"
    assert_nobody_is_left()


def test_launch_tells_of_a_killed_worker_where_the_chief_has_to_be_ended(run_program, capfd):
    program = (
        "if index == 1: os.kill(os.getpid(), signal.SIGKILL)\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
    )
    assert run_program(program + FOR_EVER) == 1
    assert "error: worker 1 was killed by SIGKILL" in capfd.readouterr().err


def test_launch_shows_the_end_of_what_a_worker_said_before_there_was_a_run(run_program, capfd):
    code = run_program("if index == 1: print('no such file'); sys.exit(7)\n" + FOR_EVER)
    assert code == 1
    assert capfd.readouterr().err == "error: worker 1 ended with exit code 7\nno such file\n"


@pytest.mark.parametrize("code", [1, 2, 3])
def test_launch_ends_with_the_exit_code_of_the_chief(run_program, capfd, code):
    assert run_program(f"if index == 0: print('error: why', file=sys.stderr); sys.exit({code})\n" + FOR_EVER) == code
    assert capfd.readouterr().err == "error: why\n"


def test_launch_passes_a_signal_to_the_chief_alone(run_program, tmp_path, capfd):
    program = """
def note(number, frame):
    (folder / f"signal{index}").write_text(str(number))
    sys.exit(143)
signal.signal(signal.SIGTERM, note)
(folder / f"ready{index}").touch()
while index == 0 or not (folder / "signal0").exists(): time.sleep(0.01)
"""

    def terminate():
        while len(list(tmp_path.glob("ready*"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    assert run_program(program) == 143
    thread.join()
    assert [path.name for path in tmp_path.glob("signal*")] == ["signal0"]
    assert capfd.readouterr().err == ""


def test_launch_waits_for_the_chief_that_a_signal_has_stopped(run_program, capfd):
    program = """
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
if index == 0: time.sleep(3)  # it writes a checkpoint, which takes longer than the patience with those that failed
sys.exit(130)
"""
    assert run_program(program) == 130
    assert capfd.readouterr().err == ""


def test_workers_die_with_a_launcher_that_is_killed(assert_nobody_is_left, tmp_path):
    program = f"""
import sys
from trainkit.workers import launch, worker
worker.PROGRAM = {HEAD + FOR_EVER!r}
launch([{str(tmp_path)!r}], workers=2)
"""
    process = subprocess.Popen([sys.executable, "-c", program])
    until = time.monotonic() + 30
    while len(list(tmp_path.glob("pid*"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.kill()
    process.wait()
    time.sleep(0.5)
    assert_nobody_is_left()


def test_launcher_removes_what_a_killed_one_has_left(run_program, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = [tmp_path / f"trainkit-workers-{number}-abc" for number in (dead.pid, os.getpid())]
    for directory in left:
        directory.mkdir()
    assert run_program("") == 0
    assert [directory.exists() for directory in left] == [False, True]


@pytest.fixture
def four_gpus(monkeypatch):
    paths = [f"/dev/nvidia{number}" for number in (1, 0, 3, 2)]
    monkeypatch.setattr("glob.glob", lambda pattern: paths)


@pytest.mark.parametrize(
    ("shown", "workers", "expected"),
    [
        (None, 2, ["0,1", "2,3"]),
        (None, 4, ["0", "1", "2", "3"]),
        ("5,7,9", 2, ["5", "7,9"]),
        ("", 2, [None, None]),
    ],
)
def test_each_worker_has_gpus_of_its_own(four_gpus, shown, workers, expected):
    gpus = gpus_for(workers, {} if shown is None else {"CUDA_VISIBLE_DEVICES": shown})
    ports = list(range(workers))
    found = [environment_of(index, ports, gpus).get("CUDA_VISIBLE_DEVICES") for index in range(workers)]
    assert found == expected


def test_more_workers_than_gpus_are_refused(four_gpus):
    with pytest.raises(InputError, match=r"--workers must be at most 4, a GPU for each\. Received: 5\."):
        gpus_for(5, {})


def test_free_ports_are_different():
    assert len(set(free_ports(20))) == 20
