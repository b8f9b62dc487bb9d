"""Errors in the user's words: places, problems, exit codes."""

from __future__ import annotations

import pytest

from trainkit import errors
from trainkit.errors import ConfigError, Place, Problem, shown


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is wrong."), "it is wrong."),
        (Problem("it is wrong.", "a.b"), "a.b: it is wrong."),
        (Problem("it is wrong.", place=Place(3, 7)), "3:7: it is wrong."),
        (Problem("it is wrong.", "a.b", Place(3, 7)), "3:7    a.b: it is wrong."),
        (Problem("it is wrong.", "a.b", Place(1234, 567)), "1234:567 a.b: it is wrong."),
        (Problem("it is wrong.", "a.b", Place(override="a.b")), "command line: a.b: it is wrong."),
        (Problem("it is wrong.", "a[0].B.c", Place(override="a[0]")), "command line: a[0] a[0].B.c: it is wrong."),
    ],
    ids=["bare", "path", "place", "both", "wide", "override", "inside-override"],
)
def test_problem_says_where_and_what(problem, text):
    assert str(problem) == text


def test_config_error_lists_all_problems_by_place():
    problems = [Problem("late.", "z", Place(12, 1)), Problem("early.", "a", Place(2, 10)), Problem("first.", "b")]
    error = ConfigError("bad.yaml", problems)
    assert str(error).splitlines() == ["bad.yaml: 3 problems", "  b: first.", "  2:10   a: early.", "  12:1   z: late."]
    assert [problem.path for problem in error.problems] == ["b", "a", "z"]


def test_config_error_counts_one_problem_in_the_singular():
    assert str(ConfigError("bad.yaml", [Problem("empty.")])) == "bad.yaml: 1 problem\n  empty."


@pytest.mark.parametrize(
    ("name", "builtin", "exit_code"),
    [
        ("TrainKitError", Exception, 1),
        ("InputError", ValueError, 2),
        ("ConfigError", ValueError, 2),
        ("DataError", ValueError, 2),
        ("RunError", ValueError, 2),
        ("OutputError", OSError, 2),
        ("DiskFullError", OSError, 1),
        ("TrainingError", RuntimeError, 1),
        ("ExportError", RuntimeError, 1),
        ("PredictionError", RuntimeError, 1),
        ("PromiseError", Exception, 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_error_refines_a_builtin_and_has_an_exit_code(name, builtin, exit_code):
    kind = getattr(errors, name)
    assert issubclass(kind, errors.TrainKitError)
    assert issubclass(kind, builtin)
    assert kind.exit_code == exit_code


def test_shown_cuts_what_is_long():
    assert shown("a" * 78) == "'" + "a" * 78 + "'"
    assert shown("a" * 79) == "'" + "a" * 78 + "…"
    assert shown([1, 2, 3], most=5) == "[1, …"
