"""`trainkit board`: TensorBoard on runs, each under its own name."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from tensorboard.summary import Writer

from trainkit.errors import InputError
from trainkit.runs.board import link_events, open_board

CODE = (
    "import sys, atexit\n"
    "atexit.register(lambda: print('TENSORFLOW' if 'tensorflow' in sys.modules else 'light', file=sys.stderr))\n"
    "from trainkit.cli import main; main()"
)


def write_events(directory, **scalars):
    writer = Writer(str(directory))
    for tag, values in scalars.items():
        for step, value in enumerate(values, start=1):
            writer.add_scalar(tag, value, step)
    writer.close()
    return directory


@pytest.fixture
def runs(tmp_path):
    """Two runs with events, and what is no event of a run."""
    for name in ("digits/001", "digits/002"):
        run = tmp_path / "runs" / name
        write_events(run / "tensorboard/train", epoch_loss=[0.5, 0.25])
        write_events(run / "tensorboard/validation", epoch_loss=[0.75, 0.5])
        (run / "manifest.json").write_text("{}")
    write_events(tmp_path / "runs/digits/001/elsewhere", other=[1.0])
    (tmp_path / "runs/digits/001/tensorboard/notes.txt").touch()
    return tmp_path / "runs"


@contextmanager
def board(*arguments, **options):
    """A child process that serves, and its address."""
    command = [sys.executable, "-c", CODE, "board", *map(str, arguments), "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        yield child, re.search(r"http://127\.0\.0\.1:\d+/", child.stdout.readline())[0]
    finally:
        child.terminate()
        child.communicate(timeout=10)


def ask(address, path, *, until, seconds=15):
    """The answer to a request, once TensorBoard has read its files."""
    last = time.monotonic() + seconds
    while True:
        with urlopen(f"{address}data/{path}", timeout=10) as response:
            answer = json.load(response)
        if until(answer) or time.monotonic() > last:
            return answer
        time.sleep(0.1)


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"])
def test_board_shows_runs_by_their_names_until_it_is_stopped(ending, code, runs):
    with board(cwd=runs.parent) as (child, address):
        tags = ask(address, "plugin/scalars/tags", until=lambda tags: len(tags) == 4)
        splits = ("train", "validation")
        assert sorted(tags) == [f"digits/{number}/{split}" for number in ("001", "002") for split in splits]
        assert [list(names) for names in tags.values()] == [["epoch_loss"]] * 4
        query = "plugin/scalars/scalars?run=digits/002/validation&tag=epoch_loss"
        assert [event[1:] for event in ask(address, query, until=bool)] == [[1, 0.75], [2, 0.5]]
        for page in ("plugins_listing", "plugin/text/tags", "plugin/graphs/info", "plugin/histograms/tags"):
            ask(address, page, until=lambda _: True)
        child.send_signal(ending)
        _, errors = child.communicate(timeout=10)
    assert child.returncode == code
    assert errors == "light\n"


@pytest.mark.parametrize("root", ["digits", "digits/002"], ids=["name", "run"])
def test_board_gives_a_run_one_name(root, runs):
    with board(runs / root) as (_, address):
        names = ask(address, "runs", until=lambda names: len(names) >= 2)
    assert {"digits/002/train", "digits/002/validation"} <= set(names)


def test_link_events_links_what_is_new(runs, tmp_path):
    view = tmp_path / "view"
    assert link_events(runs, view) == 4
    write_events(runs / "digits/003/tensorboard/train", epoch_loss=[1.0])
    assert link_events(runs, view) == 5
    linked = sorted(path.relative_to(view).parent.as_posix() for path in view.rglob("*tfevents*"))
    assert linked == [
        f"digits/{name}" for name in ("001/train", "001/validation", "002/train", "002/validation", "003/train")
    ]
    assert all(path.is_symlink() and path.is_file() for path in view.rglob("*tfevents*"))


def test_board_refuses_a_port_that_is_taken(runs):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-c", CODE, "board", str(runs), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert ended.returncode == 2
    message = f"error: port {port} of 127.0.0.1 is taken. Choose another with --port; --port 0 takes a free one."
    assert ended.stderr.splitlines() == [message, "light"]


def test_board_refuses_an_address_that_is_not_ours(runs):
    command = [sys.executable, "-c", CODE, "board", str(runs), "--port", "0", "--host", "192.0.2.1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    told = "error: TensorBoard cannot listen at 192.0.2.1, port 0: Cannot assign requested address."
    assert ended.stderr.splitlines()[0] == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "nowhere does not exist"),
        ("empty", r"empty has no event files\. A training writes them to RUN/tens"),
    ],
)
def test_open_board_refuses_what_it_cannot_show(name, told, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=told), open_board(tmp_path / name, port=0):
        pass
