"""Tests of `trainkit.data.images.workers`."""

from __future__ import annotations

import sys
import time

import pytest

from trainkit.data.images import workers
from trainkit.data.images.workers import available_memory, for_each_row


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 100])
def test_every_row_is_worked_on_once(rows):
    seen = []
    for_each_row(seen.append, rows, title="Reading")
    assert sorted(seen) == list(range(rows))


def test_exception_ends_the_work():
    seen = []

    def work(row):
        time.sleep(0.001)
        seen.append(row)
        if row == 0:
            raise KeyError(row)

    with pytest.raises(KeyError):
        for_each_row(work, 2_000, title="Reading")
    assert len(seen) < 1_000


@pytest.mark.parametrize("silent, terminal", [(0, True), (0, False), (60, True)], ids=["slow", "no terminal", "fast"])
def test_progress_is_shown_on_a_terminal_when_it_takes_a_while(monkeypatch, capsys, silent, terminal):
    monkeypatch.setattr(workers, "_SILENT", silent)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    for_each_row(lambda row: None, 1234, title="Reading images")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("\rReading images: 48 of 1,234") == (silent == 0 and terminal)
    assert err.endswith("\r\x1b[K") == (silent == 0 and terminal)


def test_memory_is_what_the_system_says_is_available(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       24 kB\nMemAvailable:    7 kB\n")
    assert available_memory(tmp_path / "meminfo") == 7 * 1024


@pytest.mark.parametrize("content", [None, "", "MemAvailable: many kB\n"], ids=["no file", "empty", "nonsense"])
def test_memory_is_known_where_the_system_does_not_say(tmp_path, content):
    if content is not None:
        (tmp_path / "meminfo").write_text(content)
    assert available_memory(tmp_path / "meminfo") > 2**20


def test_memory_of_this_machine_is_known():
    assert available_memory() > 2**20
