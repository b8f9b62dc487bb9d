"""What of a config becomes the optimizer of a model, and where its mistakes are told."""

from __future__ import annotations

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare

OPTIMIZER = """\
  optimizer:
    SGD:
      learning_rate:
        WarmUp:
          steps: 2
          learning_rate:
            StepDecay:
              initial_learning_rate: 0.1
              gamma: 0.1
              step_size: 0
"""


def test_schedule_that_makes_no_sense_is_told_with_its_place(table_config, tmp_path):
    text = table_config.read_text().replace("table.npz", str(table_config.parent / "table.npz"))
    before, after = text.split("  optimizer: {SGD: {learning_rate: 0.0}}\n")
    (tmp_path / "bad.yaml").write_text(before + OPTIMIZER + after)
    line = before.count("\n") + OPTIMIZER.count("\n")
    with pytest.raises(ConfigError, match=rf"  {line}:26  .*WarmUp.*StepDecay\.step_size: .*at least 1.*step_size=0\."):
        prepare(load_config(tmp_path / "bad.yaml"))


@pytest.mark.parametrize(
    ("accumulated", "steps", "per_epoch"), [(1, 21, 3), (2, 10, 1), (21, 1, 1)], ids=["batches", "updates", "few"]
)
def test_steps_of_a_schedule_are_updates(accumulated, steps, per_epoch, prepared):
    schedule = "{StepDecay: {initial_learning_rate: $steps, gamma: 0.5, step_size: $steps_per_epoch}}"
    overrides = [f"training.optimizer={{SGD: {{learning_rate: {schedule}}}}}", "training.epochs=7"]
    result = prepared(*overrides, "data.batch_size=38", f"training.gradient_accumulation_steps={accumulated}")
    assert result.sizes["train"] in range(77, 115)  # 3 batches of 38
    config = result.model.optimizer.get_config()["learning_rate"]["config"]
    assert (config["initial_learning_rate"], config["step_size"]) == (steps, per_epoch)


def test_optimizer_of_the_config_is_extended_for_its_model(prepared):
    overrides = ["training.gradient_accumulation_steps=4", "training.learning_rate_multipliers={answer/bias: 0.5}"]
    optimizer = prepared(*overrides).model.optimizer
    assert (optimizer.gradient_accumulation_steps, optimizer.multipliers) == (4, {"answer/bias:0": 0.5})
