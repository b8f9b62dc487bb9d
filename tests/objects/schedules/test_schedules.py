"""TrainKit's schedules: rates by arithmetic on paper, exact at any step, in any mode, kept in any file."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from trainkit.config import NodeError
from trainkit.config.parse import parse_node
from trainkit.config.yaml_reader import read_text
from trainkit.framework import tf
from trainkit.objects import build
from trainkit.objects.schedules import SCHEDULES

EXAMPLES = {
    "FixedDecay": {"initial_learning_rate": 0.1},
    "StepDecay": {"initial_learning_rate": 0.1, "gamma": 0.1, "step_size": 300},
    "MultiStepDecay": {"initial_learning_rate": 0.1, "gamma": 0.5, "milestones": [10, 500]},
    "ExpDecay": {"initial_learning_rate": 0.1, "gamma": 0.9999},
    "InvDecay": {"initial_learning_rate": 0.01, "gamma": 1e-4, "power": 0.75},
    "PolyDecay": {"initial_learning_rate": 0.1, "power": 0.5},
    "SigmoidDecay": {"initial_learning_rate": 0.1, "gamma": -0.01, "midpoint": 500},
    "OneCycle": {"max_learning_rate": 0.1},
    "WarmUp": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.1}}, "steps": 100, "start": 0.01},
}
DOCS = Path(__file__).parents[3] / "docs/schedules.md"
TOLD = re.findall(r"^\| `(\w+)` \|.*\| `(\{.*\})` \| (.*) \|$", DOCS.read_text(), flags=re.MULTILINE)
EVERY = pytest.mark.parametrize("name", EXAMPLES)


def make(name, /, **arguments):
    node, problems = parse_node({name: arguments}, "schedule")
    assert not problems, problems
    return build(node, {"steps": 1000})


def rates(schedule, *steps):
    return [float(schedule(step)) for step in steps]


def test_examples_are_of_every_schedule():
    assert EXAMPLES.keys() == set(SCHEDULES)


def test_docs_tell_of_every_schedule():
    assert [name for name, _, _ in TOLD] == [*SCHEDULES]


@pytest.mark.parametrize(("example", "told"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_docs_tell_what_schedules_come_to(example, told):
    node, problems = parse_node(read_text(example, source="docs", directory=DOCS.parent).data, "schedule")
    assert not problems
    expected = [float(number) for number in told.split(", ")]
    assert rates(build(node, {"steps": 10_000}), 0, 5_000, 10_000) == pytest.approx(expected, rel=5e-3, abs=1e-9)


# The formulas are those of GetLearningRate in Caffe's sgd_solver.cpp.
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("FixedDecay", {}, {0: 0.1, 10**6: 0.1}),
        (
            "StepDecay",
            {"gamma": 0.1, "step_size": 300},
            {0: 0.1, 299: 0.1, 300: 0.01, 599: 0.01, 600: 0.001, 899: 0.001, 900: 0.0001},
        ),
        ("StepDecay", {"gamma": 0.5, "step_size": 250_000}, {999_999: 0.1 / 8, 1_000_000: 0.1 / 16}),
        (
            "MultiStepDecay",
            {"gamma": 0.1, "milestones": [10, 500]},
            {9: 0.1, 10: 0.01, 499: 0.01, 500: 0.001, 10**6: 0.001},
        ),
        ("ExpDecay", {"gamma": 0.5}, {0: 0.1, 1: 0.05, 4: 0.1 / 16}),
        ("ExpDecay", {"gamma": 0.99999}, {10**6: 0.1 * math.exp(10**6 * math.log1p(-1e-5))}),
        ("InvDecay", {"gamma": 1.0, "power": 2.0}, {0: 0.1, 1: 0.025, 9: 0.001}),
        (
            "InvDecay",
            {"gamma": 1e-4, "power": 0.75},
            {10**4: 0.1 / 8**0.25, 15 * 10**4: 0.1 / 8, 10**6: 0.1 / 101**0.75},
        ),
        ("PolyDecay", {"power": 2.0, "total_steps": 100}, {0: 0.1, 50: 0.025, 90: 0.001, 100: 0.0, 200: 0.0}),
        ("PolyDecay", {"power": 0.5}, {750: 0.05, 1000: 0.0, 1001: 0.0}),
        (
            "SigmoidDecay",
            {"gamma": -0.5, "midpoint": 100},
            {0: 0.1, 98: 0.1 / (1 + math.exp(-1)), 100: 0.05, 102: 0.1 / (1 + math.exp(1)), 10**6: 0.0},
        ),
    ],
    ids=[
        "fixed",
        "step",
        "step-far",
        "multistep",
        "exp",
        "exp-far",
        "inv",
        "inv-lenet",
        "poly",
        "poly-steps",
        "sigmoid",
    ],
)
def test_rates_of_caffe(name, arguments, expected):
    schedule = make(name, initial_learning_rate=0.1, **arguments)
    np.testing.assert_allclose(rates(schedule, *expected), [*expected.values()], rtol=1e-6, atol=1e-12)


def test_warm_up_is_a_line_to_the_first_rate_and_then_the_schedule_from_its_beginning():
    inner = {"StepDecay": {"initial_learning_rate": 0.4, "gamma": 0.1, "step_size": 5}}
    schedule = make("WarmUp", learning_rate=inner, steps=10, start=0.2)
    expected = {0: 0.2, 5: 0.3, 9: 0.38, 10: 0.4, 14: 0.4, 15: 0.04, 20: 0.004}
    np.testing.assert_allclose(rates(schedule, *expected), [*expected.values()], rtol=1e-6)


def test_warm_up_to_a_number_stays_there():
    assert rates(make("WarmUp", learning_rate=0.8, steps=4), 0, 1, 4, 9) == pytest.approx([0, 0.2, 0.8, 0.8])


def test_schedule_after_a_warm_up_ends_with_the_training():
    inner = {"CosineDecay": {"initial_learning_rate": 0.2}}
    schedule = make("WarmUp", learning_rate=inner, steps="$(steps // 10)")
    assert rates(schedule, 50, 100, 550, 1000) == pytest.approx([0.1, 0.2, 0.1, 0], abs=1e-7)


def one_cycle(step, *, maximum, total, fraction, div, final):
    """The rates of a cycle in two parts, each half a cosine, by a loop over parts as PyTorch's documentation has it."""
    parts = [(fraction * total - 1, maximum / div, maximum), (total - 1, maximum, maximum / div / final)]
    begin = 0.0
    for end, start_rate, end_rate in parts:
        if step <= end:
            turn = math.pi * (step - begin) / (end - begin)
            return end_rate + (start_rate - end_rate) * (math.cos(turn) + 1) / 2
        begin = end
    return maximum / div / final


@pytest.mark.parametrize(
    ("total", "fraction", "div", "final"),
    [(1000, 0.3, 25.0, 1e4), (77, 0.5, 10.0, 100.0), (10**6, 0.1, 25.0, 1e4)],
    ids=["usual", "odd", "long"],
)
def test_one_cycle_has_the_rates_of_the_field(total, fraction, div, final):
    arguments = {"warmup_fraction": fraction, "div_factor": div, "final_div_factor": final}
    schedule = make("OneCycle", max_learning_rate=0.4, total_steps=total, **arguments)
    steps = [0, 1, total // 10, total // 3, total // 2, total - 2, total - 1, total + 5]
    cycle = {"maximum": 0.4, "total": total, "fraction": fraction, "div": div, "final": final}
    np.testing.assert_allclose(rates(schedule, *steps), [one_cycle(step, **cycle) for step in steps], rtol=1e-5)


def test_one_cycle_begins_peaks_and_ends_as_its_factors_say():
    schedule = make("OneCycle", max_learning_rate=1.0)
    assert rates(schedule, 0, 299, 999) == pytest.approx([1 / 25, 1, 1 / 25e4])


@pytest.mark.parametrize("total", [1, 2])
@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_one_cycle_of_hardly_any_steps_is_finite(total, fraction):
    found = rates(make("OneCycle", max_learning_rate=1.0, total_steps=total, warmup_fraction=fraction), 0, 1, 2)
    assert all(0 < rate <= 1 for rate in found)


@EVERY
def test_schedule_is_the_same_in_a_graph_and_under_xla(name):
    schedule = make(name, **EXAMPLES[name])
    expected = rates(schedule, 0, 7, 600, 1_000_000)
    for jit in (False, True):
        call = tf.function(schedule, jit_compile=jit)
        found = [call(tf.constant(step, tf.int64)) for step in (0, 7, 600, 1_000_000)]
        assert {rate.dtype for rate in found} == {tf.float32}
        np.testing.assert_allclose([float(rate) for rate in found], expected, rtol=1e-6)


@EVERY
def test_schedule_comes_back_from_its_config(name):
    schedule = make(name, **EXAMPLES[name])
    written = tf.keras.optimizers.schedules.serialize(schedule)
    again = tf.keras.optimizers.schedules.deserialize(written)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    assert rates(again, 0, 400, 1200) == rates(schedule, 0, 400, 1200)


def test_schedule_of_an_optimizer_comes_back_from_a_saved_model(tmp_path):
    schedule = {"WarmUp": EXAMPLES["WarmUp"]}
    node, problems = parse_node({"Adam": {"learning_rate": schedule}}, "optimizer")
    assert not problems
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(build(node, {"steps": 300}), "mse")
    model.fit(np.ones((8, 2)), np.ones(8), batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    optimizer = tf.keras.models.load_model(tmp_path / "model.keras").optimizer
    assert optimizer.iterations == 4
    assert float(optimizer._learning_rate(50)) == pytest.approx(0.055)


@pytest.mark.parametrize(
    ("name", "change", "argument", "told"),
    [
        ("FixedDecay", {"initial_learning_rate": -0.1}, "initial_learning_rate", r"at least 0\. Received: .*=-0\.1"),
        ("StepDecay", {"step_size": 0}, "step_size", r"must be a whole number, at least 1 .*Received: step_size=0\."),
        ("StepDecay", {"step_size": -5}, "step_size", "at least 1"),
        ("StepDecay", {"step_size": "$(5 / 2)"}, "step_size", "whole number"),
        ("StepDecay", {"gamma": 0}, "gamma", "greater than 0"),
        ("StepDecay", {"gamma": [1, 2]}, "gamma", "a number"),
        (
            "MultiStepDecay",
            {"milestones": [500, 10]},
            "milestones",
            r"each greater than the one before\. .*\[500, 10\]",
        ),
        ("MultiStepDecay", {"milestones": [10, 10]}, "milestones", "each greater"),
        ("MultiStepDecay", {"milestones": []}, "milestones", "each greater"),
        ("MultiStepDecay", {"milestones": [-10, 10]}, "milestones", "at least 0"),
        ("ExpDecay", {"gamma": -1}, "gamma", "greater than 0"),
        ("InvDecay", {"gamma": -1}, "gamma", "at least 0"),
        ("PolyDecay", {"total_steps": 0}, "total_steps", "at least 1"),
        ("SigmoidDecay", {"midpoint": -1}, "midpoint", "at least 0"),
        ("OneCycle", {"total_steps": 0}, "total_steps", "at least 1"),
        ("OneCycle", {"warmup_fraction": 1.5}, "warmup_fraction", "at most 1"),
        ("OneCycle", {"div_factor": 0}, "div_factor", "at least 1"),
        ("WarmUp", {"steps": 0}, "steps", "at least 1"),
        ("WarmUp", {"start": -1}, "start", "at least 0"),
        ("WarmUp", {"learning_rate": -1}, "learning_rate", "at least 0"),
    ],
    ids=lambda value: value if isinstance(value, str) and value in SCHEDULES else "",
)
def test_arguments_that_make_no_sense_are_refused(name, change, argument, told):
    node, problems = parse_node({name: EXAMPLES[name] | change}, "schedule")
    assert not problems
    with pytest.raises(NodeError, match=told) as caught:
        build(node, {"steps": 1000})
    assert caught.value.argument == argument
