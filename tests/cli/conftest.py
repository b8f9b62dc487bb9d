"""What the tests of the commands share: a command in this process."""

from __future__ import annotations

import signal
import sys
from types import SimpleNamespace

import pytest

from trainkit.cli import main


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process, as `trainkit` does: its exit code, and what it printed."""

    def run(*arguments):
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["trainkit", *map(str, arguments)])
        handler = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit, match=r"^\d*$") as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, handler)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return SimpleNamespace(code=ended.value.code or 0, out=told.out, err=told.err)

    return run
