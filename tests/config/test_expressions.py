"""`$name` and `$(…)`: computed, and never run as Python."""

from __future__ import annotations

import time
import warnings
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trainkit.config.expressions import (
    ExpressionError,
    check_expression,
    evaluate,
    is_expression,
    is_word_of_expressions,
    names_in_text,
    substitute,
    substitute_text,
)

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


@pytest.mark.parametrize(
    ("value", "scope", "expected"),
    [
        ("$a", {"a": [1, {"b": None}]}, [1, {"b": None}]),
        ("$a", {}, "$a"),
        ("$$a", {"a": 3}, "$$a"),
        ("a$a", {"a": 3}, "a$a"),
        ("$(a + 1)", {"a": 3}, 4),
        ("$(a + b)", {"a": 3}, "$(3 + b)"),
        ("$(2 * a)", {"a": "$(b + 1)"}, "$(2 * (b + 1))"),
        ("$(a - a)", {"a": "$(b - 1)"}, "$(b - 1 - (b - 1))"),
        ("$(a / b)", {"a": "$b", "b": 2}, "$(b / 2)"),
        ("$(-a)", {"a": "$(b + 1)"}, "$(-(b + 1))"),
        ("$(max(a, b))", {"a": 3}, "$(max(3, b))"),
        ("$(a and b)", {"a": True}, "$(True and b)"),
        ("$(a == 'relu')", {"a": "relu"}, True),
        ("$(a != b)", {"a": "relu", "b": None}, True),
        ({"k": ["$a", "$(1 + a)"]}, {"a": 1}, {"k": [1, 2]}),
    ],
    ids=[
        "whole",
        "waits",
        "dollar",
        "text",
        "computed",
        "half",
        "brackets",
        "twice",
        "once-only",
        "minus",
        "function",
        "boolean",
        "text-compared",
        "nothing-compared",
        "inside",
    ],
)
def test_substitute_puts_values_in_and_leaves_the_rest(value, scope, expected):
    found = substitute(value, scope)
    assert (found, type(found)) == (expected, type(expected))


@given(
    outer=st.sampled_from(["a + b", "a - b", "b - a", "a * b", "b // a", "-a * b", "a % b", "min(a, b)", "a < b"]),
    inner=st.sampled_from(["c + 1", "c - d", "c * d", "c // 2", "-c", "min(c, d)", "c < d"]),
    values=st.fixed_dictionaries({name: st.integers(1, 9) for name in "bcd"}),
    early=st.booleans(),
)
def test_substitute_in_two_steps_is_as_good_as_in_one(outer, inner, values, early):
    """What waits keeps its brackets."""
    waiting = substitute(f"$({outer})", {"a": f"$({inner})"} | ({"b": values["b"]} if early else {}))
    a = eval(inner, {"min": min}, values)
    assume(a != 0 or "// a" not in outer)
    assert evaluate(waiting, values) == eval(outer, {"min": min}, {"a": a, "b": values["b"]})


@pytest.mark.parametrize(
    ("text", "scope", "told"),
    [
        ("$(a + b)", {"a": [1]}, r"\$a is \[1\]: an expression takes numbers"),
        ("$(a + 1)", {"a": "relu"}, r"a is 'relu', not a number"),
        ("$(a < 'b')", {"a": "c"}, r"a is 'c', not a number"),
        ("$(2 * a)", {"a": "ab"}, r"a is 'ab', not a number"),
        ("$(a // 0)", {"a": 1}, r"cannot be computed: integer division or modulo by zero"),
        ("$(a * a)", {"a": 10**60}, r"the number has more than 100 digits"),
        ("$(a + c)", {"a": "$(" + "b + " * 60 + "1)"}, r"at most 200 characters\. Received: 244\."),
    ],
    ids=["list", "text", "text-ordered", "text-times", "zero", "digits", "long"],
)
def test_substitute_refuses(text, scope, told):
    with pytest.raises(ExpressionError, match=told):
        substitute(text, scope)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("down$i.skip", "down3.skip"),
        ("$i", "3"),
        ("a$(i + 1)b$(i - 1).c", "a4b2.c"),
        ("$name$i", "up3"),
        ("a$$i", "a$i"),
        ("a$(max(i, 5))", "a5"),
        ("$deepName", "x"),
        ("plain", "plain"),
    ],
    ids=["path", "whole", "expressions", "two", "dollar", "brackets", "capitals", "plain"],
)
def test_substitute_text_puts_values_into_names(text, expected):
    assert substitute_text(text, {"i": 3, "name": "up", "deepName": "x"}) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a$j", r"unknown name '\$j'.* Known here: \$facts, \$flag, \$half, \$i\."),
        ("a$half", r"\$half must be a whole number or a text, to be part of a name: 1\.5\."),
        ("a$flag", r"\$flag must be a whole number or a text, to be part of a name: True\."),
        ("a$facts", r"\$classes is known only when the data are read: it cannot be part of a name\."),
        ("a$(i / 2)", r"must be a whole number or a text, to be part of a name: 1\.5\."),
    ],
    ids=["unknown", "half", "boolean", "fact", "division"],
)
def test_substitute_text_refuses(text, told):
    with pytest.raises(ExpressionError, match=told):
        substitute_text(text, {"i": 3, "half": 1.5, "flag": True, "facts": "$classes"})


def test_names_in_text_finds_every_name():
    assert names_in_text("a$i.b$(max(j, 2) + k)$$l") == {"i", "j", "k"}


def test_words_of_expressions_are_no_names():
    words = ["min", "max", "not", "and", "or", "in", "is", "if", "lambda"]
    assert [word for word in (*words, "minimum", "classes", "x", "i") if is_word_of_expressions(word)] == words


def test_evaluate_compares_texts_and_orders_numbers_only():
    scope = {"a": "relu", "n": 2}
    assert evaluate(["$(a == 'relu')", "$(a != 'relu')", "$(a == n)", "$(1 < n <= 2)"], scope) == [
        True,
        False,
        False,
        True,
    ]
    with pytest.raises(ExpressionError, match="not a number"):
        evaluate("$(a > 'b')", scope)


def test_evaluate_takes_numbers_of_a_hundred_digits():
    assert evaluate("$(a + a)", {"a": 4 * 10**99}) == 8 * 10**99
    with pytest.raises(ExpressionError, match="more than 100 digits"):
        evaluate("$(a * 10)", {"a": 10**99})
