"""Plain scalars as YAML 1.2 types them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.config.scalars import LONGEST_NUMBER, resolve_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e-2", -0.005),
        ("+1", 1),
        ("-0", 0),
        ("010", 10),
        ("08", 8),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.001e-5", 0.00001001),
        (".inf", math.inf),
        ("+.INF", math.inf),
        ("-.Inf", -math.inf),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_resolve_scalar_reads_numbers(text, value):
    assert resolve_scalar(text) == value
    assert type(resolve_scalar(text)) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_resolve_scalar_reads_not_a_number(text):
    assert math.isnan(resolve_scalar(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
)
def test_resolve_scalar_reads_true_and_false(text, value):
    assert resolve_scalar(text) is value


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"], ids=["empty", "tilde", "null", "Null", "NULL"])
def test_resolve_scalar_reads_null(text):
    assert resolve_scalar(text) is None


TEXTS = ["no", "yes", "on", "off", "y", "N", "tRUE", "nULL", "1:30", "1_000", "0b1", "0o8", "0xG", "1e", "e3", ".", "-"]
TEXTS += ["+", ".e3", "--1", "1.2.3", "2020-01-01", "=", "<<", "inf", "nan", "-.nan", "1 ", "٣", "1,5", "1\n"]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_resolve_scalar_leaves_everything_else_a_text(text):
    assert resolve_scalar(text) == text
    assert isinstance(resolve_scalar(text), str)


def test_resolve_scalar_leaves_a_long_number_a_text():
    assert resolve_scalar("-" + "9" * LONGEST_NUMBER) == 1 - 10**LONGEST_NUMBER
    assert resolve_scalar("9" * (LONGEST_NUMBER + 1)) == "9" * (LONGEST_NUMBER + 1)
    assert resolve_scalar("0x" + "f" * 5000) == "0x" + "f" * 5000


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(1 - 10**100, 10**100 - 1))
def test_resolve_scalar_reads_what_python_writes(number):
    assert resolve_scalar(repr(number)) == number


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-.eExXoObB_:nulltrefasi~", max_size=12))
def test_resolve_scalar_never_fails(text):
    assert isinstance(resolve_scalar(text), str | int | float | bool | None)
