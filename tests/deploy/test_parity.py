"""The gate on made-up outputs, where the right verdict is known from arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.parity import compare

CLASSES = 4


def certain(samples, lead=0.5):
    """Probabilities: sample i is answered with class i mod 4, which leads by `lead`."""
    rest = (1 - lead) / CLASSES
    return np.full((samples, CLASSES), rest, np.float32) + lead * np.eye(CLASSES, dtype=np.float32)[_ids(samples)]


def _ids(samples):
    return np.arange(samples) % CLASSES


def moved(outputs, count):
    """The same outputs, with other answers in the first `count` samples."""
    moved = outputs.copy()
    moved[:count] = np.roll(outputs[:count], 1, axis=-1)
    return moved


def judge(expected, found, precision):
    return compare({"digit": expected}, {"digit": found}, precision=precision)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_equal_outputs_pass(precision):
    verdict = judge(certain(100), certain(100), precision)
    assert verdict.passed
    assert (verdict.samples, verdict.largest_difference, verdict.changed, verdict.agreement) == (100, 0, 0, 1)


@pytest.mark.parametrize(
    ("difference", "passed"), [(0.9e-5, True), (1.1e-5, False)], ids=["below the limit", "above the limit"]
)
def test_float32_may_differ_by_a_hundred_thousandth(difference, passed):
    expected = certain(100).astype(np.float64)
    found = expected.copy()
    found[17, 2] -= difference
    assert judge(expected, found, "float32").passed is passed


@pytest.mark.parametrize("precision", ["float16", "dynamic"])
@pytest.mark.parametrize(("share", "passed"), [(0.9, True), (1.1, False)], ids=["less", "more"])
def test_smaller_weights_may_differ_by_their_own_limit(precision, share, passed):
    limit = {"float16": 5e-3, "dynamic": 2e-2}[precision]
    expected = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = expected + np.array([[share * limit, 0.0], [0.0, 0.0]])
    parity = compare({"a": expected}, {"a": found}, precision=precision)
    assert parity.passed is passed
    assert parity.limit == limit


def test_float32_limit_grows_with_the_outputs():
    logits = 40 * certain(100).astype(np.float64)
    verdict = judge(logits, logits + 2e-4, "float32")
    assert verdict.limit == pytest.approx(1e-5 * logits.max())
    assert verdict.passed


def test_float32_tie_may_flip():
    expected = certain(100).astype(np.float64)
    expected[0] = [0.5, 0.5 - 4e-6, 4e-6, 0]
    found = expected.copy()
    found[0] = [0.5 - 4e-6, 0.5, 4e-6, 0]
    verdict = judge(expected, found, "float32")
    assert verdict.passed
    assert verdict.agreement == 0.99


def test_float32_that_answers_all_samples_alike_proves_nothing():
    same = np.full((100, CLASSES), 0.25, np.float32)
    verdict = judge(same, same, "float32")
    assert not verdict.passed
    assert "answers all samples alike" in verdict.reason


@pytest.mark.parametrize(
    ("samples", "changed", "passed"),
    [(100, 1, True), (100, 2, False), (5000, 5, True), (5000, 6, False)],
    ids=["one", "two", "5 in 5,000", "6 in 5,000"],
)
def test_int8_may_change_one_decisive_answer_in_a_thousand(samples, changed, passed):
    verdict = judge(certain(samples), moved(certain(samples), changed), "int8")
    assert verdict.passed is passed
    assert verdict.decisive == samples
    assert verdict.changed == changed
    assert f"found: {changed}" in verdict.reason


def test_int8_may_change_answers_that_are_not_decisive():
    expected = np.concatenate([certain(50, lead=0.1), certain(50)])
    verdict = judge(expected, moved(expected, 50), "int8")
    assert verdict.passed
    assert (verdict.decisive, verdict.changed, verdict.agreement) == (50, 0, 0.5)


@pytest.mark.parametrize(("precision", "decisive"), [("int8", 0), ("int16x8", 100)])
def test_int16x8_decides_by_a_smaller_lead(precision, decisive):
    expected = certain(100, lead=0.1)
    assert judge(expected, expected, precision).decisive == decisive


def test_int8_without_decisive_answers_proves_nothing():
    expected = np.concatenate([certain(4), certain(496, lead=0.1)])
    verdict = judge(expected, expected, "int8")
    assert not verdict.passed
    assert "at least 5 of 500, found: 4: nothing is proved" in verdict.reason


def test_int8_judges_logits_by_their_probabilities():
    logits = np.log(certain(100, lead=0.15))
    assert judge(logits, logits, "int8").decisive == 0
    assert judge(np.log(certain(100, lead=0.25)), np.log(certain(100, lead=0.25)), "int8").decisive == 100


def test_int8_judges_one_sigmoid_unit_by_its_distance_from_a_half():
    expected = np.array([[0.95], [0.05], [0.55], [0.45]] * 25, np.float32)
    verdict = judge(expected, 1 - expected, "int8")
    assert (verdict.decisive, verdict.changed) == (50, 50)
    assert not verdict.passed


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_fail(value, precision):
    found = certain(100)
    found[3, 1] = value
    verdict = judge(certain(100), found, precision)
    assert not verdict.passed
    assert verdict.reason == "finite values expected; found: 1 that are not."


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_model_that_is_not_finite_proves_nothing(precision):
    broken = certain(100)
    broken[:] = np.nan
    verdict = judge(broken, broken, precision)
    assert not verdict.passed
    assert "nothing is proved" in verdict.reason


@pytest.mark.parametrize(
    "found",
    [{}, {"other": certain(9)}, {"digit": certain(9), "other": certain(9)}],
    ids=["none", "another", "one more"],
)
def test_other_names_of_outputs_fail(found):
    verdict = compare({"digit": certain(9)}, found, precision="float32")
    assert not verdict.passed
    assert "outputs expected: ['digit']" in verdict.reason


def test_another_shape_fails():
    verdict = judge(certain(9), certain(9)[:, :3], "float32")
    assert verdict.reason == "shape expected: (9, 4); found: (9, 3)."


def test_the_worst_of_several_outputs_is_told():
    expected = {"left": certain(100), "right": certain(100)}
    verdict = compare(expected, {"left": certain(100), "right": moved(certain(100), 30)}, precision="int8")
    assert not verdict.passed
    assert verdict.reason.startswith("right: ")
    assert verdict.changed == 30


def numbers(samples=101, units=1):
    """Numbers that rise from 0 to 100 in each unit: 98 lie between the 1st and the 99th percentile."""
    return np.repeat(np.linspace(0, 100, samples, dtype=np.float64)[:, None], units, axis=1)


def judge_numbers(expected, found, precision):
    return compare({"size": expected}, {"size": found}, precision=precision, numbers=["size"])


@pytest.mark.parametrize(("difference", "passed"), [(4.89, True), (4.91, False)], ids=["within", "beyond"])
def test_int8_numbers_may_differ_by_a_twentieth_of_their_spread(difference, passed):
    verdict = judge_numbers(numbers(), numbers() - difference, "int8")
    assert verdict.passed is passed
    assert verdict.rmse == pytest.approx(difference)
    assert verdict.rmse_limit == pytest.approx(0.05 * 98)
    assert verdict.reason == (
        f"root mean squared difference expected: at most 4.9, 5% of the spread; found: {difference}."
    )


@pytest.mark.parametrize(("difference", "passed"), [(2.93, True), (2.95, False)], ids=["within", "beyond"])
def test_int16x8_numbers_may_differ_by_three_hundredths_of_their_spread(difference, passed):
    verdict = judge_numbers(numbers(), numbers() - difference, "int16x8")
    assert verdict.passed is passed
    assert "at most 2.94, 3% of the spread" in verdict.reason


def test_int8_numbers_are_judged_by_the_mean_of_squares():
    found = numbers()
    found[::2] += 6.8  # 51 of 101: the root of 51 / 101 × 6.8² is 4.832
    verdict = judge_numbers(numbers(), found, "int8")
    assert verdict.passed
    assert verdict.rmse == pytest.approx(6.8 * (51 / 101) ** 0.5)
    assert verdict.largest_difference == pytest.approx(6.8)


def test_int8_numbers_are_not_excused_by_an_outlier():
    expected = numbers(1001)
    expected[-1] = 1e6
    verdict = judge_numbers(expected, expected + 5, "int8")
    assert not verdict.passed
    assert verdict.rmse_limit == pytest.approx(4.9, rel=1e-3)


def test_int8_numbers_are_judged_by_their_worst_unit():
    expected = numbers(units=2) * [1, 1000]
    assert judge_numbers(expected, np.add(expected, [0, 2000]), "int8").passed
    verdict = judge_numbers(expected, np.add(expected, [5, 2000]), "int8")
    assert not verdict.passed
    assert (verdict.rmse, verdict.rmse_limit) == (pytest.approx(5), pytest.approx(4.9))


def test_int8_numbers_that_never_change_prove_nothing():
    expected = numbers(units=2) * [1, 0]
    verdict = judge_numbers(expected, expected, "int8")
    assert not verdict.passed
    assert "answers all samples alike: nothing is proved" in verdict.reason


def test_int8_numbers_have_no_answers_that_could_change():
    """The larger of two units is no class: here it is another one in every sample."""
    expected = numbers(units=2) / 10 + [0, 0.46]
    found = expected - [0, 0.48]
    assert not judge(expected, found, "int8").passed
    verdict = judge_numbers(expected, found, "int8")
    assert verdict.passed
    assert (verdict.decisive, verdict.changed, verdict.agreement) == (0, 0, None)


@pytest.mark.parametrize(("difference", "passed"), [(0.9e-3, True), (1.1e-3, False)], ids=["within", "beyond"])
def test_float32_numbers_may_differ_by_a_hundred_thousandth_of_the_largest(difference, passed):
    found = numbers()
    found[50] += difference
    verdict = judge_numbers(numbers(), found, "float32")
    assert verdict.passed is passed
    assert verdict.limit == pytest.approx(1e-3)
    assert (verdict.decisive, verdict.agreement) == (0, None)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_numbers_that_are_not_finite_fail(precision):
    found = numbers()
    found[3] = np.nan
    assert judge_numbers(numbers(), found, precision).reason == "finite values expected; found: 1 that are not."


@pytest.mark.parametrize(
    ("kind", "size", "told"),
    [
        (certain(100), numbers(100) + 9, "size: root mean squared"),
        (moved(certain(100), 50), numbers(100), "kind: changed answers"),
    ],
    ids=["numbers", "classes"],
)
def test_numbers_beside_classes_are_judged_each_in_its_way(kind, size, told):
    expected = {"kind": certain(100), "size": numbers(100)}
    assert compare(expected, expected, precision="int8", numbers=["size"]).passed
    verdict = compare(expected, {"kind": kind, "size": size}, precision="int8", numbers=["size"])
    assert not verdict.passed
    assert verdict.reason.startswith(told)
