"""Writes happen whole or not at all, whatever ends the process."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys

import pytest

from trainkit.errors import DiskFullError, OutputError
from trainkit.runs.atomic import append_text, recover_directory, replace_directory, replace_file, write_json, write_text


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


def kill_while(code, directory):
    """Run code in a child process, and kill it when it says so."""
    script = f"""
import os, pathlib, time
from trainkit.runs import atomic
here = pathlib.Path({str(directory)!r})

def stop(*_):
    print("ready", flush=True)
    time.sleep(60)

{code}
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.kill()
        assert child.wait(timeout=10) == -signal.SIGKILL
    return child.pid


def test_replace_file_puts_the_new_file_in_place_of_the_old(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with replace_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new"
    assert names_in(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OutputError], ids=lambda error: error.__name__)
def test_replace_file_leaves_the_old_file_and_no_other_when_it_fails(error, tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def fail():
        with replace_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error("in the middle")

    with pytest.raises(error, match=r"^in the middle$"):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


def test_replace_file_leaves_the_old_file_when_the_process_is_killed(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    kill_while("with atomic.replace_file(here / 'a.txt') as new:\n    new.write_text('half')\n    stop()", tmp_path)
    assert (tmp_path / "a.txt").read_text() == "old"
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing/a.txt", r"missing/a\.txt cannot be written: No such file or directory\.$"),
        ("file/a.txt", r"file/a\.txt cannot be written: Not a directory\.$"),
        ("folder", r"folder cannot be written: Is a directory\.$"),
        ("a" * 300, r"aaa cannot be written: File name too long\.$"),
    ],
    ids=["missing", "below-a-file", "directory", "long"],
)
def test_write_text_says_why_it_cannot_write(name, told, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=told):
        write_text(tmp_path / name, "text")
    assert names_in(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
def test_replace_file_tells_a_full_disk(number, tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def fill():
        with replace_file(tmp_path / "a.txt"):
            raise OSError(number, os.strerror(number))

    with pytest.raises(DiskFullError, match=r"a\.txt cannot be written: (No space left on device|.*quota exceeded)\.$"):
        fill()
    assert (tmp_path / "a.txt").read_text() == "old"


def test_write_json_writes_text_that_people_read(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Ziffern für alle", "values": [1, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "name": "Ziffern für alle",\n')
    assert text.endswith("}\n")
    assert json.loads(text) == {"name": "Ziffern für alle", "values": [1, None]}


def test_write_json_leaves_the_old_file_where_the_value_is_no_json(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(tmp_path / "a.json", {"a": object()})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}


@pytest.fixture
def directory(tmp_path):
    """A directory with a file, made by `replace_directory`."""
    with replace_directory(tmp_path / "best") as temporary:
        (temporary / "old.txt").write_text("old")
    return tmp_path / "best"


def test_replace_directory_puts_the_new_directory_in_place_of_the_old(directory):
    with replace_directory(directory) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "new.txt").write_text("new")
        assert names_in(directory) == ["old.txt"]
    assert names_in(directory) == ["sub"]
    assert (directory / "sub" / "new.txt").read_text() == "new"
    assert names_in(directory.parent) == ["best"]


def test_replace_directory_makes_what_is_above_it(tmp_path):
    with replace_directory(tmp_path / "a" / "b"):
        pass
    assert names_in(tmp_path / "a") == ["b"]


def test_replace_directory_leaves_the_old_one_and_no_other_when_it_fails(directory):
    def fail():
        with replace_directory(directory) as temporary:
            (temporary / "new.txt").write_text("half")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match=r"^in the middle$"):
        fail()
    assert names_in(directory) == ["old.txt"]
    assert names_in(directory.parent) == ["best"]


def test_replace_directory_says_why_it_cannot_write(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"file/best cannot be written: Not a directory\.$"),
        replace_directory(tmp_path / "file" / "best"),
    ):
        pass


KILLED = {
    "writing": "with atomic.replace_directory(here / 'best') as new:\n    (new / 'new.txt').touch()\n    stop()",
    "between": "rename = os.rename\n"
    "def once(source, target):\n    rename(source, target)\n    stop()\n"
    "os.rename = once\n"
    "with atomic.replace_directory(here / 'best') as new:\n    (new / 'new.txt').touch()",
    "removing": "atomic.shutil.rmtree = lambda path, **_: stop() if '.old.' in str(path) and path.exists() else None\n"
    "with atomic.replace_directory(here / 'best') as new:\n    (new / 'new.txt').touch()",
}


@pytest.mark.parametrize(
    ("moment", "left"), [("writing", "old.txt"), ("between", "old.txt"), ("removing", "new.txt")], ids=KILLED.keys()
)
def test_recover_directory_finds_a_whole_one_when_the_process_was_killed(moment, left, directory):
    kill_while(KILLED[moment], directory.parent)
    recover_directory(directory)
    assert names_in(directory) == [left]
    assert not (directory.parent / ".old.best").exists()


@pytest.mark.parametrize("moment", KILLED)
def test_replace_directory_works_after_a_kill(moment, directory):
    kill_while(KILLED[moment], directory.parent)
    with replace_directory(directory) as temporary:
        (temporary / "third.txt").touch()
    assert names_in(directory) == ["third.txt"]
    assert not (directory.parent / ".old.best").exists()


def test_replace_directory_works_after_a_kill_of_a_process_with_the_same_id(directory):
    stale = directory.parent / f".{os.getpid()}.best"
    stale.mkdir()
    (stale / "half.txt").touch()
    with replace_directory(directory) as temporary:
        (temporary / "new.txt").touch()
    assert names_in(directory) == ["new.txt"]


def test_recover_directory_leaves_alone_what_needs_nothing(directory):
    recover_directory(directory)
    recover_directory(directory.parent / "other")
    assert names_in(directory.parent) == ["best"]


def test_append_text_leaves_a_file_as_it_was_where_there_is_no_room(tmp_path):
    filepath = tmp_path / "history.csv"
    filepath.write_text("x" * 90)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OutputError, match=r"history\.csv cannot be written"):
            append_text(filepath, "y" * 51)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert filepath.read_text() == "x" * 90
