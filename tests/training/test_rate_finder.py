"""The learning-rate range test: which loss belongs to which rate, where it ends, and that it leaves no run."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

import trainkit
from trainkit.cli.main import app
from trainkit.errors import InputError

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
    "options",
    [{"lowest": 0.0}, {"lowest": 2.0, "highest": 1.0}, {"steps": 19}],
    ids=["zero", "down", "few"],
)
def test_ranges_that_are_none_are_refused(quadratic, options):
    with pytest.raises(InputError, match=r"must go up|must be at least 20"):
        trainkit.find_learning_rate(quadratic, **options)


def test_the_command_writes_a_table_and_a_picture_and_no_run(quadratic, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    said = CliRunner().invoke(app, ["lr-finder", str(quadratic), "--from", "1e-3", "--steps", "40", "-o", "out"])
    assert said.exit_code == 0, said.output
    assert {path.name for path in tmp_path.iterdir()} == {"data.npz", "quadratic.yaml", "out"}
    with (tmp_path / "out/lr_finder.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["loss"]) == pytest.approx((3 - 2e-3 * 3) ** 2, rel=1e-4)
    assert "highest safe" in (tmp_path / "out/lr_finder.svg").read_text()
    assert "CosineDecay is left out" in said.stdout
    assert "initial_learning_rate: 0." in said.stdout
