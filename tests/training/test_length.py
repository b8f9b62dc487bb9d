"""How long a training is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training.phases import phases_of


@pytest.mark.parametrize(
    ("overrides", "steps", "steps_per_epoch", "epochs"),
    [
        (["training.epochs=3"], 270, 90, 3),
        (["training.epochs=null"], 900, 90, 10),
        (["training.epochs=null", "training.steps=1000"], 1_000, 90, 12),
        (["training.epochs=null", "training.steps=1000", "training.steps_per_epoch=500"], 1_000, 500, 2),
        (["training.epochs=3", "training.steps_per_epoch=40"], 120, 40, 3),
        (["training.epochs=3", "data.batch_size=400"], 69, 23, 3),
    ],
    ids=["epochs", "default", "steps", "interval", "parts", "rounded-up"],
)
def test_length_of_a_config(overrides, steps, steps_per_epoch, epochs, small_config):
    experiment = load_config(small_config, overrides).experiment
    (phase,) = phases_of(experiment)
    length = phase.length(experiment, SimpleNamespace(size=9_000))
    assert (length.steps, length.steps_per_epoch, length.epochs) == (steps, steps_per_epoch, epochs)


def test_steps_and_epochs_are_not_given_together(small_config):
    with pytest.raises(ConfigError, match=r"training\.steps: must not stand beside `epochs`"):
        load_config(small_config, ["training.steps=5"])
