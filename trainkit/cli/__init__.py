"""The command line: one file a command, no logic."""

from trainkit.cli.main import main

__all__ = ["main"]
