"""What went wrong, in the user's words: every error TrainKit raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """Where a value was written: a line and column of the file (from 1), or a key on the command line.

    Args:
        line: From 1.
        column: From 1.
        override: The key on the command line.
        file: The file, where it is not the configuration itself but one that it includes.
    """

    line: int = 0
    column: int = 0
    override: str = ""
    file: str = ""

    def __str__(self) -> str:
        if self.override:
            return f"command line: {self.override}"
        return f"{self.file}:{self.line}:{self.column}" if self.file else f"{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where it stands, the path of the key, and what to do about it."""

    message: str
    path: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        place = str(self.place) if self.place else ""
        path = "" if self.place and self.place.override == self.path else self.path
        head = f"{place:<6} {path}".strip() if self.place and not self.place.override else f"{place} {path}".strip()
        return f"{head}: {self.message}" if head else self.message


def shown(value: object, *, most: int = 80) -> str:
    """The `repr` of a value for a message, cut with `…` where it is long.

    Example:
        >>> shown("relu"), shown(list(range(100)), most=10)
        ("'relu'", '[0, 1, 2,…')
    """
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def with_article(noun: str) -> str:
    """A noun with `a` or `an` before it.

    Example:
        >>> with_article("layer"), with_article("optimizer")
        ('a layer', 'an optimizer')
    """
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def counted(number: int, noun: str, several: str = "") -> str:
    """A number with its noun.

    Args:
        number: How many.
        noun: Of one.
        several: Of any other number, where an `s` does not do.

    Example:
        >>> counted(1, "epoch"), counted(2_000, "epoch"), counted(3, "class", "classes")
        ('1 epoch', '2,000 epochs', '3 classes')
    """
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"


class TrainKitError(Exception):
    """The base of all errors of TrainKit. `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(TrainKitError, ValueError):
    """The configuration, the data or an argument is wrong: nothing was written."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration file has problems; all of them are listed, each with its place.

    Args:
        source: The file, as the user named it.
        problems: What to mend, at least one.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = sorted(problems, key=lambda problem: problem.place or Place())
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {problem}" for problem in self.problems)]))


class DataError(InputError):
    """A data set cannot be used as it is: the message names the file and the row."""


class RunError(InputError):
    """A run directory is missing, incomplete, or in use by another process."""


class OutputError(TrainKitError, OSError):
    """A file or directory cannot be written."""

    exit_code = 2


class DiskFullError(OutputError):
    """A disk filled up while something was written."""

    exit_code = 1


class TrainingError(TrainKitError, RuntimeError):
    """Training could not go on."""


class ExportError(TrainKitError, RuntimeError):
    """A model cannot be converted to the format asked for."""


class PredictionError(TrainKitError, RuntimeError):
    """A model file could not be opened or run; a crash of the interpreter is one."""


class PromiseError(TrainKitError):
    """A file does not keep what was promised of it: parity with its model, say."""

    exit_code = 3
