"""Rules of `training.phases` that concern several keys, all told at once, without TensorFlow."""

from __future__ import annotations

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError

TEXT = """\
version: 1
name: phased
data: {source: Sample}
model:
  input: [28, 28, 1]
  layers: [Flatten, Dense: {units: 10}]
training:
  loss: MeanSquaredError
  epochs: 3
  phases:
    - epochs: 1
      steps: 5
    - {freeze: [dense1]}
    - {epochs: 2, lerning_rate: 1}
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        (tmp_path / "config.yaml").write_text(text)
        return load_config(tmp_path / "config.yaml")

    return load


def test_every_problem_of_the_phases_is_told_with_its_place(load):
    with pytest.raises(ConfigError) as caught:
        load(TEXT.replace("lerning_rate: 1", "learning_rate: 1"))
    assert str(caught.value).splitlines()[1:] == [
        "  9:3    training.epochs: must not stand beside `phases`, each of which says how long it lasts.",
        "  12:14  training.phases[0].steps: must not stand beside `epochs`: one of them says how long the phase lasts.",
        "  13:7   training.phases[1]: must say how long it lasts: `epochs`, or `steps`.",
    ]
    with pytest.raises(ConfigError, match=r"14:19  training\.phases\[2\]\.lerning_rate: unknown key\. Did you mean"):
        load(TEXT)


def test_head_first_is_short(load):
    text = (
        TEXT.split("  epochs: 3")[0]
        + "  phases: [{epochs: 3, freeze: ['f*']}, {epochs: 9, learning_rate_factor: 0.01}]\n"
    )
    head, rest = load(text).experiment.training.phases
    assert (head.epochs, head.freeze, rest.learning_rate_factor) == (3, ["f*"], 0.01)
