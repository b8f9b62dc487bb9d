"""Run directories: numbered, opened, owned by one process."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainkit.errors import OutputError, RunError
from trainkit.runs import Run


def finish(directory, *, but=()):
    """Write the files of a finished run."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in {"manifest.json", "resolved.yaml", "model.keras"} - set(but):
        (directory / name).write_text("{}")
    return directory


def test_create_counts_up(tmp_path):
    names = [Run.create(tmp_path / "runs", "digits").directory for _ in range(3)]
    assert names == [tmp_path / "runs" / "digits" / number for number in ("001", "002", "003")]
    assert Run.create(tmp_path / "runs", "letters").directory.name == "001"


@pytest.mark.parametrize(
    ("taken", "number"),
    [(["007"], "008"), (["999"], "1000"), (["1000"], "1001"), (["best", ".lock", "3x", "²"], "001"), (["12"], "013")],
    ids=["gap", "thousand", "beyond", "others", "short"],
)
def test_create_takes_the_number_after_the_last(taken, number, tmp_path):
    for name in taken:
        (tmp_path / "digits" / name).mkdir(parents=True)
    assert Run.create(tmp_path, "digits").directory.name == number


def test_create_gives_every_process_its_own(tmp_path):
    script = "import sys, pathlib; from trainkit.runs import Run; Run.create(pathlib.Path(sys.argv[1]), 'a')"
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: Run.create(tmp_path, "a"), range(24)))
    assert [child.wait(timeout=30) for child in children] == [0, 0, 0]
    assert len({run.directory for run in runs}) == 24
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [f"{number:03d}" for number in range(1, 28)]


def test_create_goes_on_where_another_was_quicker(tmp_path, monkeypatch):
    Run.create(tmp_path, "a")
    listings = [iter(()), (tmp_path / "a").iterdir()]
    monkeypatch.setattr("pathlib.Path.iterdir", lambda _: listings.pop(0))
    assert Run.create(tmp_path, "a").directory.name == "002"


def test_create_says_why_it_cannot(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(
        OutputError, match=r"runs/a cannot be written: Not a directory\. Choose another place with --runs"
    ):
        Run.create(tmp_path / "runs", "a")


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ([], []),
        (["runs"], ["runs"]),
        (["runs/a"], ["runs", "runs/a"]),
        (["runs/b"], ["runs", "runs/b"]),
        (["runs/a/001"], ["runs", "runs/a", "runs/a/001"]),
    ],
    ids=["nothing", "root", "name", "other-name", "other-run"],
)
def test_discard_removes_what_create_made(there, left, tmp_path):
    for name in there:
        (tmp_path / name).mkdir(parents=True)
    run = Run.create(tmp_path / "runs", "a")
    (run.directory / "config.yaml").touch()
    run.discard()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == left


def test_discard_leaves_a_run_that_came_later(tmp_path):
    first = Run.create(tmp_path / "deep" / "runs", "a")
    second = Run.create(tmp_path / "deep" / "runs", "a")
    first.discard()
    assert second.directory.is_dir()
    second.discard()
    assert sorted(path.name for path in (tmp_path / "deep" / "runs").iterdir()) == ["a"]


def test_runs_are_the_same_where_their_directories_are(tmp_path):
    run = Run.create(tmp_path, "a")
    finish(run.directory)
    assert Run.open(run.directory) == run
    assert repr(run) == f"Run(directory={run.directory!r})"


def test_open_takes_the_newest_of_many(tmp_path):
    for number in ("001", "009", "010", "1000", "999"):
        finish(tmp_path / number)
    (tmp_path / "2000").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "manifest.json").touch()
    assert Run.open(str(tmp_path)).directory == tmp_path / "1000"
    assert Run.open(tmp_path / "009").directory == tmp_path / "009"


def test_open_tells_of_a_newest_run_that_did_not_finish(tmp_path):
    finish(tmp_path / "001")
    finish(tmp_path / "002", but=["model.keras"])
    with pytest.raises(
        RunError, match=r"002 has no model\.keras: its training did not finish\. Go on with it: .*002\.$"
    ):
        Run.open(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing", r"missing does not exist\. A run is a directory that `trainkit fit` made\.$"),
        ("empty", r"empty is not a run directory: it has no manifest\.json and resolved\.yaml\.$"),
        ("file", r"file is not a run directory"),
        ("half", r"half is not a run directory"),
        ("unfinished", r"did not finish\. Go on with it: trainkit fit --resume .*unfinished\.$"),
    ],
)
def test_open_says_what_is_missing(name, told, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    finish(tmp_path / "half", but=["resolved.yaml"])
    finish(tmp_path / "unfinished", but=["model.keras"])
    with pytest.raises(RunError, match=told):
        Run.open(tmp_path / name)


def test_lock_puts_back_exports_that_a_kill_left_aside(tmp_path):
    finish(tmp_path / "001")
    (tmp_path / "001" / ".old.deploy").mkdir()
    (tmp_path / "001" / ".old.deploy" / "model.tflite").touch()
    run = Run.open(tmp_path / "001")
    assert not run.deploy.exists()
    with run.lock():
        assert (run.deploy / "model.tflite").is_file()


def test_manifest_keeps_what_is_not_updated(tmp_path):
    run = Run(tmp_path)
    run.update_manifest(name="a", outcome="running")
    run.update_manifest(outcome="finished")
    assert run.read_manifest() == {"name": "a", "outcome": "finished"}


@pytest.mark.parametrize("content", [None, "", "{", b"\xff"], ids=["missing", "empty", "half", "bytes"])
def test_read_manifest_tells_of_a_damaged_one(content, tmp_path):
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=r"manifest\.json cannot be read: "):
        Run(tmp_path).read_manifest()


LOCKING = """
import pathlib, sys, time
from trainkit.runs import Run
with Run(pathlib.Path(sys.argv[1])).lock():
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    """Another process that owns the run in `tmp_path`."""
    with subprocess.Popen([sys.executable, "-c", LOCKING, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        yield child
        child.kill()


def test_lock_names_the_process_that_has_it(owner, tmp_path):
    told = rf"in use by process {owner.pid} on {os.uname().nodename}\.$"
    with pytest.raises(RunError, match=told), Run(tmp_path).lock():
        pass


def test_lock_goes_with_the_process_that_had_it(owner, tmp_path):
    owner.send_signal(signal.SIGKILL)
    owner.wait(timeout=10)
    with Run(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"process {os.getpid()} on {os.uname().nodename}"


def test_lock_writes_over_what_an_owner_left(tmp_path):
    (tmp_path / ".lock").write_text("process 1 on " + "a" * 100)
    with Run(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"process {os.getpid()} on {os.uname().nodename}"


def test_lock_is_held_while_the_block_lasts(tmp_path):
    run = Run(tmp_path)
    with run.lock(), pytest.raises(RunError, match=f"in use by process {os.getpid()} on "), run.lock():
        pass
    with run.lock():
        pass


def test_lock_is_dropped_when_the_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), Run(tmp_path).lock():
        raise ZeroDivisionError
    with Run(tmp_path).lock():
        pass


def test_lock_says_why_it_cannot_be_made(tmp_path):
    with pytest.raises(OutputError, match=r"\.lock cannot be written: No such file or directory\.$"):
        Run(tmp_path / "missing").lock().__enter__()


def test_lock_says_that_a_file_system_has_none(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OutputError, match=r"\.lock cannot be locked: No locks available\.$"):
        Run(tmp_path).lock().__enter__()
