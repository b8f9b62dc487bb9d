"""`$name` and `$(…)`: computed, and never run as Python."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.config.expressions import ExpressionError, check_expression, evaluate, is_expression

SCOPE = {"classes": 10, "steps": 250, "rate": 0.5, "min_size": 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$classes", 10),
        ("$min_size", 3),
        ("$(1/255)", 1 / 255),
        ("$(4 * classes)", 40),
        ("$( classes )", 10),
        ("$(classes // 3)", 3),
        ("$(classes % 3)", 1),
        ("$(-classes + 1)", -9),
        ("$(+rate)", 0.5),
        ("$((classes + 2) * 2)", 24),
        ("$(min(classes, 8))", 8),
        ("$(max(8, classes, 3))", 10),
        ("$(max(min(classes, 3), rate))", 3),
        ("$(classes > 2)", True),
        ("$(2 < classes < 5)", False),
        ("$(classes == 10 and not rate >= 1)", True),
        ("$(classes != 10 or steps <= 250)", True),
        ("$(1e-3)", 0.001),
    ],
)
def test_evaluate_computes(text, value):
    assert evaluate(text, SCOPE) == value


def test_evaluate_goes_into_lists_and_mappings():
    written = {"shape": ["$classes", 3, None], "deep": {"more": "$(2 * classes)"}, "text": "relu"}
    assert evaluate(written, SCOPE) == {"shape": [10, 3, None], "deep": {"more": 20}, "text": "relu"}


@pytest.mark.parametrize(
    ("text", "value"), [("$$", "$"), ("$$classes", "$classes"), ("$$(1)", "$(1)"), ("a$b", "a$b"), ("", "")]
)
def test_evaluate_reads_two_dollars_as_one(text, value):
    assert evaluate(text, SCOPE) == value


@pytest.mark.parametrize(
    ("value", "answer"), [("$a", True), ("$(1)", True), ("$", True), ("$$a", False), ("a$", False), (3, False)]
)
def test_is_expression_looks_at_the_first_dollar(value, answer):
    assert is_expression(value) is answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("$clases", r"^unknown name '\$clases'\. Did you mean 'classes'\? Known here: \$classes, \$min_size, .*\.$"),
        ("$(2 * clases)", r"^unknown name '\$clases'\. Did you mean 'classes'\?"),
        ("$min", r"^unknown name '\$min'"),
        ("$(max)", r"^unknown name '\$max'"),
        ("$(min(max, 3))", r"^unknown name '\$max'"),
        ("$Classes", r"^must be an expression\. Received: '\$Classes'\. Write \$name or \$\(…\) as the whole value"),
        ("$classes units", r"^must be an expression\. .* or \$\$ for a dollar\.$"),
        ("$", "^must be an expression"),
        ("$(max(a", r"^must be an expression\. Received: '\$\(max\(a'\. Quote an expression that holds a comma"),
        ("$()", "^must be an expression.*An expression knows numbers, names"),
        ("$(1 +)", "^must be an expression.*An expression knows"),
        ("$(1; 2)", "^must be an expression"),
        ("$(1)(2)", "^must be an expression|not part"),
        ("$(" + "1+" * 100 + "1)", r"^an expression must have at most 200 characters\. Received: 204\.$"),
        ("$(1/0)", r"^'\$\(1/0\)' cannot be computed: division by zero\.$"),
        ("$(min(3))", "cannot be computed: 'int' object is not iterable"),
    ],
)
def test_evaluate_tells_what_is_wrong(text, told):
    with pytest.raises(ExpressionError, match=told):
        evaluate(text, SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "$(__import__('os').system('touch run'))",
        "$(open('run', 'w'))",
        "$(classes.__class__)",
        "$(classes[0])",
        "$([c for c in 'ab'])",
        "$(lambda: 1)",
        "$((x := 1))",
        "$(b'1')",
        "$(1j)",
        "$(None)",
        "$(...)",
        "$(f'{classes}')",
        "$(9 ** 9)",
        "$(1 << 3)",
        "$(1 | 2)",
        "$(~1)",
        "$(1 if classes else 2)",
        "$(1 in classes)",
        "$(1 is 1)",
        "$(min(classes, 3, key=abs))",
        "$(min(*classes))",
        "$(max())",
        "$(abs(1))",
        "$((1, 2))",
        "$({1: 2})",
        "$(await classes)",
        "$(yield)",
    ],
)
def test_check_expression_refuses_the_rest_of_python(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExpressionError, match=r"not part of the expression language|must be an expression"):
        check_expression(text, SCOPE)
    assert list(tmp_path.iterdir()) == []


def test_check_expression_says_where_no_name_is_known():
    with pytest.raises(ExpressionError, match=r"unknown name '\$classes'\. Known here: none\."):
        check_expression("$classes", ())


def test_evaluate_keeps_the_warnings_of_python_to_itself():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert evaluate("$(1or 2)", SCOPE) is True
    assert said == []


def test_check_expression_does_not_compute():
    check_expression("$(1/0)", ())


@settings(deadline=None)
@given(st.text(alphabet="$(),.+-*/%<>=! \n\0'\"\\[]{}:0123456789abcdefinorstxclmP_@~|&^é", max_size=40), st.booleans())
def test_evaluate_raises_nothing_but_expression_errors(text, wrap):
    with suppress(ExpressionError):
        evaluate(f"$({text})" if wrap else f"${text}", SCOPE)


EXPRESSION = st.recursive(
    st.sampled_from(["classes", "steps", "rate", "0", "1", "2.5", "1e308", "min", "True"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%<>"), inner).map(" ".join).map("({})".format),
        st.tuples(inner, inner).map(lambda pair: f"max({pair[0]}, {pair[1]})"),
        inner.map("-{}".format),
        inner.map("not {}".format),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(EXPRESSION)
def test_evaluate_computes_or_explains_what_is_well_formed(text):
    with suppress(ExpressionError):
        assert isinstance(evaluate(f"$({text})", SCOPE), int | float)


@pytest.mark.parametrize(
    "text",
    ["$(" + "(" * 98 + ")" * 98 + ")", "$(" + "-" * 190 + "1)", "$(" + "9*" * 95 + "9)", "$(" + "not " * 45 + "1)"],
    ids=["brackets", "signs", "product", "nots"],
)
def test_evaluate_is_quick(text):
    start = time.perf_counter()
    with suppress(ExpressionError):
        evaluate(text, SCOPE)
    assert time.perf_counter() - start < 0.5
