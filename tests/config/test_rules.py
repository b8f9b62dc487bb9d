"""What the value of an argument must be."""

from __future__ import annotations

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ({"Dense": {"units": 4.9}}, "units=4.9"),
        ({"Conv1D": {"filters": "$(n / 2)", "kernel_size": 1}}, "filters=4.5"),
        ({"Conv1D": {"filters": 1, "kernel_size": [1.5]}}, r"kernel_size=\[1.5\]"),
        ({"UpSampling1D": {"size": 1.5}}, "size=1.5"),
        ({"Dense": {"units": "10"}}, "units='10'"),
        ({"Dense": {"units": True}}, "units=True"),
    ],
    ids=["written", "computed", "list", "several", "text", "true"],
)
def test_settings_of_layers_are_never_cut_to_whole_numbers(layer, told):
    model = {"input": [4, 2], "blocks": {"B": {"layers": [layer], "params": {"n": 9}}}, "layers": ["B"]}
    config = {"version": 1, "name": "a", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}, "model": model}
    with pytest.raises(ConfigError, match=rf"must be a whole number.* Received: {told}"):
        load_config(config)
