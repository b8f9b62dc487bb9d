"""The learning-rate range test: which loss belongs to which rate, where it ends, and that it leaves no run."""

from __future__ import annotations

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.errors import ConfigError, InputError, TrainingError
from trainkit.training.rate_finder import RateCurve, find
from trainkit.training.rate_finder.rate_key import rate_key

QUADRATIC = """\
version: 1
name: quadratic
data: {source: {Npz: {path: data.npz, target: y}}, batch_size: 8, validation_split: 0}
model:
  input: [1]
  layers: [{Dense: {units: 1, use_bias: false, kernel_initializer: zeros}}]
training:
  optimizer: {SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}
  loss: MeanSquaredError
"""


RATELESS = """\
import tensorflow as tf
from trainkit import register


@register
class Rateless(tf.keras.optimizers.SGD):
    def __init__(self, strength=1.0, name="Rateless"):
        super().__init__(learning_rate=strength, name=name)
"""


@pytest.fixture
def quadratic(tmp_path):
    """Loss (w - 3)² of a weight that begins at 0: a step of the rate r takes w to w + 2 r (3 - w)."""
    np.savez(tmp_path / "data.npz", x=np.ones((32, 1), "float32"), y=np.full((32,), 3, "float32"))
    text = QUADRATIC.replace("target: y}}", "target: y}}, inputs: {input: x}")
    (tmp_path / "quadratic.yaml").write_text(text)
    return tmp_path / "quadratic.yaml"


def losses_by_hand(rates):
    weight = 0.0
    for rate in rates:
        weight += 2 * rate * (3 - weight)
        yield (weight - 3) ** 2


@pytest.mark.parametrize("accumulated", [1, 3])
def test_each_loss_is_that_after_the_update_by_its_rate(quadratic, accumulated):
    overrides = [f"training.gradient_accumulation_steps={accumulated}"]
    curve = trainkit.find_learning_rate(quadratic, overrides, lowest=1e-3, highest=10, steps=40)
    np.testing.assert_allclose(curve.rates, np.geomspace(1e-3, 10, 40)[: len(curve.rates)])
    np.testing.assert_allclose(curve.losses[:34], list(losses_by_hand(curve.rates))[:34], rtol=1e-3, atol=1e-6)
    assert curve.end == "diverged"
    assert 1 < curve.rates[-1] < 10  # beyond 1 the weight goes away from 3
    assert 1e-2 < curve.steepest <= curve.highest_safe < 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lowest": 0.0}, "`lowest` must be greater than 0"),
        ({"lowest": 2.0, "highest": 1.0}, "less than `highest`. Received: lowest=2, highest=1"),
        ({"steps": 19}, "`steps` must be at least 20. Received: steps=19"),
    ],
    ids=["zero", "down", "few"],
)
def test_ranges_that_are_none_are_refused(quadratic, options, told):
    with pytest.raises(InputError, match=told):
        trainkit.find_learning_rate(quadratic, **options)


def test_an_optimizer_without_a_rate_is_refused_at_its_line(quadratic):
    (quadratic.parent / "code.py").write_text(RATELESS)
    text = quadratic.read_text().replace("name: quadratic", "name: quadratic\ncustom_code: code.py")
    quadratic.write_text(
        text.replace("{SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}", "Rateless")
    )
    with trainkit.allow_code(), pytest.raises(ConfigError, match=r"9:14 .*Rateless has no `learning_rate`"):
        trainkit.find_learning_rate(quadratic)


@pytest.mark.parametrize(
    ("losses", "end", "count"),
    [
        ([2.0] * 15 + [np.nan], "not finite", 14),
        ([2.0] * 15 + [6.0] * 9, "diverged", 16),  # (3 · 2 + 2 · 6) / 5 is more than 2 and the half of it
        ([3.0] * 5 + [1.0] * 10 + [13.5] * 9, "diverged", 16),  # (3 + 2 · 13.5) / 5 is more than 3 and the 2 it fell
        ([2.0] * 21, "highest", 20),
    ],
    ids=["not finite", "from its beginning", "from its lowest", "to the end"],
)
def test_a_test_ends(quadratic, monkeypatch, losses, end, count):
    told = iter(losses)
    monkeypatch.setattr(find, "_train", lambda model, batch: next(told))
    curve = trainkit.find_learning_rate(quadratic, steps=20)
    assert (curve.end, len(curve.rates)) == (end, count)


def test_a_loss_that_is_not_finite_at_once_is_an_error(quadratic):
    with pytest.raises(TrainingError, match=r"not finite any more after 1 update, at a rate of 1e\+20\. Begin"):
        trainkit.find_learning_rate(quadratic, lowest=1e20, highest=1e30, steps=20)


SIXTEEN = [
    "training.precision=mixed_float16",
    "training.gradient_accumulation_steps=2",
    "training.loss_weights={digit: 100}",
]
PHASES = ["training.epochs=null", "training.phases=[{name: head, epochs: 1, freeze: [conv*]}, {epochs: 2}]"]


def test_the_first_phase_learns_in_its_precision(small_config):
    curve = trainkit.find_learning_rate(small_config, [*SIXTEEN, *PHASES], lowest=1e-4, steps=30)
    assert 1e-4 < curve.steepest <= curve.highest_safe < 1
    assert curve.losses[0] == pytest.approx(230, rel=0.1)  # 100 log 10


def curve_of(losses):
    return RateCurve(np.geomspace(1e-4, 1, len(losses)), np.asarray(losses, float), "highest")


def test_rates_follow_from_a_curve_that_is_known():
    x = np.linspace(-4, 0, 401)
    curve = curve_of(1 / (1 + np.exp((x + 2) / 0.4)))  # a logistic curve falls half as much as most at ±1.763 widths
    assert np.log10(curve.steepest) == pytest.approx(-2, abs=0.011)
    assert np.log10(curve.highest_safe) == pytest.approx(-2 + 1.763 * np.hypot(0.4, 0.2 / 1.7), abs=0.03)
    np.testing.assert_allclose(curve.smoothed[50:350], curve.losses[50:350], atol=0.03)


@pytest.mark.parametrize(
    "losses", [np.arange(30), np.ones(30), 1 + 0.1 * np.sin(np.arange(60) ** 2)], ids=["up", "even", "noise"]
)
def test_no_rate_follows_where_no_loss_falls(losses):
    curve = curve_of(losses)
    assert (curve.steepest, curve.highest_safe) == (None, None)


def number_at(key, config):
    """What a config says at a key."""
    value = config.document.data
    for part in key.path:
        value = value[part]
    return value


OPTIMIZERS = [
    ("SGD", "optimizer: {SGD: {learning_rate: 0.02}}", "training.optimizer.learning_rate"),
    ("{SGD: {momentum: 0.9}}", "learning_rate: 0.02", "training.optimizer.learning_rate"),
    ("{SGD: {learning_rate: 1}}", "learning_rate: 0.02", "training.optimizer.learning_rate"),
    (
        "{SGD: {learning_rate: {WarmUp: {steps: 2, learning_rate: {OneCycle: {max_learning_rate: 1}}}}}}",
        "max_learning_rate: 0.02",
        "training.optimizer.learning_rate.learning_rate.max_learning_rate",
    ),
    (
        "{SGD: {learning_rate: {PiecewiseConstantDecay: {boundaries: [1], values: [1, 0.1]}}}}",
        "learning_rate: 0.02",
        "training.optimizer.learning_rate",
    ),
]


@pytest.mark.parametrize(
    ("optimizer", "line", "override"), OPTIMIZERS, ids=["bare", "other", "number", "inside", "steps"]
)
def test_a_rate_is_written_where_the_config_says_it(quadratic, optimizer, line, override):
    text = quadratic.read_text()
    quadratic.write_text(text.replace("{SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}", optimizer))
    config = load_config(quadratic)
    key = rate_key(config)
    assert (key.line(config, "0.02"), key.override, key.place(config)) == (line, override, "line 8")
    assert number_at(key, load_config(quadratic, [f"{key.override}=0.02"])) == 0.02


@pytest.mark.parametrize(
    ("phase", "override", "gone"),
    [
        ("learning_rate: 0.1", "training.phases[0].learning_rate", ""),
        ("learning_rate_factor: 0.1", "training.phases[0].learning_rate", "learning_rate_factor"),
        ("optimizer: {Adam: {learning_rate: 1}}", "training.phases[0].optimizer.learning_rate", ""),
    ],
    ids=["rate", "factor", "optimizer"],
)
def test_a_rate_of_the_first_phase_is_written_there(quadratic, phase, override, gone):
    key = rate_key(load_config(quadratic, [f"training.phases=[{{epochs: 1, {phase}}}]"]))
    assert (key.override, key.in_place_of) == (override, gone)
