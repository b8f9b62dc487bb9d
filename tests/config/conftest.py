"""Configs of which only the network matters."""

from __future__ import annotations

import textwrap

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError

HEAD = "version: 1\nname: small\ndata: {source: Sample}\n"
TAIL = "training: {loss: MeanSquaredError}\n"


@pytest.fixture
def load_model(tmp_path):
    """Loads the `model:` of a config, as text; it begins on the fifth line of the file, and stands two columns in."""

    def load(model, *, include="", overrides=()):
        model = textwrap.indent(textwrap.dedent(model).strip("\n"), "  ")
        (tmp_path / "config.yaml").write_text(f"{HEAD}{include}model:\n{model}\n{TAIL}")
        return load_config(tmp_path / "config.yaml", overrides)

    return load


@pytest.fixture
def network_of(load_model):
    """Every call of a network: its name, its class, its arguments, what it is called with."""

    def calls(model, **further):
        found = load_model(model, **further).experiment.model.network.calls.values()
        return [(call.name, call.node.class_name, call.node.arguments, call.inputs) for call in found]

    return calls


@pytest.fixture
def problems_of(load_model, tmp_path):
    """Everything that is wrong with a network, as it is told."""

    def problems(model, **further):
        with pytest.raises(ConfigError) as caught:
            load_model(model, **further)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return problems
