"""Files that would take all time, memory or stack end with a message."""

from __future__ import annotations

import sys

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError


def config_of(layers, blocks):
    model = {"input": [4], "blocks": blocks, "layers": layers}
    return {"version": 1, "name": "a", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}, "model": model}


def test_blocks_full_of_branches_inside_each_other_are_too_deep():
    blocks = {"B40": {"layers": ["ReLU"]}}
    for number in range(40):
        node = f"B{number + 1}"
        for _ in range(20):
            node = {"Add": None, "branches": [[node], []]}
        blocks[f"B{number}"] = {"layers": [node]}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)  # TensorFlow raises it for Keras, when it is imported
    try:
        with pytest.raises(ConfigError, match="too deep inside each other"):
            load_config(config_of(["B0"], blocks))
    finally:
        sys.setrecursionlimit(limit)


def test_parameters_do_not_hold_more_than_the_file_could():
    params = {"a0": 1} | {f"a{number}": [f"$a{number - 1}"] * 10 for number in range(1, 12)}
    blocks = {"B": {"params": params, "layers": ["ReLU"]}}
    with pytest.raises(ConfigError, match="'a4' holds more than 10,000 values"):
        load_config(config_of(["B"], blocks))


def test_a_fault_of_many_copies_is_told_once():
    with pytest.raises(ConfigError, match="1 problem") as caught:
        load_config(config_of([{"ReLU": None, "inputs": "nope", "repeat": 15_000}], {}))
    assert "unknown layer 'nope'" in str(caught.value)


@pytest.mark.parametrize("name", ["a\\0b.yaml", "loop.yaml"], ids=["nul", "circle"])
def test_an_include_that_cannot_be_read_is_a_problem(name, tmp_path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "a.yaml").write_text(f'version: 1\nname: a\ninclude: "{name}"\n')
    with pytest.raises(ConfigError, match="include"):
        load_config(tmp_path / "a.yaml")


def test_a_block_that_is_given_means_what_it_means_where_it_is_given():
    cell = {"params": {"n": 1}, "layers": [{"Dense": {"units": "$n"}}]}
    own = {"params": {"n": 99}, "layers": [{"Dense": {"units": "$n"}}]}
    outer = {
        "params": {"inner": "required"},
        "blocks": {"Cell": own},
        "layers": [{"TimeDistributed": {"layer": "$inner"}}],
    }
    with pytest.raises(ConfigError, match="'Cell' is another block inside Outer"):
        load_config(config_of([{"Outer": {"inner": "Cell"}}], {"Cell": cell, "Outer": outer}))


def test_expressions_stop_where_the_answer_is_known():
    blocks = {"B": {"params": {"n": 0}, "layers": [{"ReLU": None, "when": "$(n == 0 or 10 // n > 2)"}]}}
    assert list(load_config(config_of(["B"], blocks)).experiment.model.network.calls) == ["b1.relu1"]


def test_a_path_with_a_dollar_is_read_back(tmp_path):
    config = config_of(["ReLU"], {}) | {"data": {"source": {"Npz": {"path": str(tmp_path / "d$$x.npz")}}}}
    loaded = load_config(config)
    (tmp_path / "resolved.yaml").write_text(loaded.resolved_yaml())
    again = load_config(tmp_path / "resolved.yaml").experiment.data.source
    assert again.arguments["path"] == loaded.experiment.data.source.arguments["path"] == str(tmp_path / "d$x.npz")


def test_lines_of_included_files_are_not_lines_of_the_config(tmp_path):
    (tmp_path / "b.yaml").write_text("blocks:\n  B:\n    layers:\n      - ReLU\n")
    (tmp_path / "a.yaml").write_text(
        "version: 1\nname: a\ninclude: b.yaml\ndata: {source: Sample}\nmodel: {input: [4], layers: [B]}\n"
        "training: {loss: Hinge}\n"
    )
    config = load_config(tmp_path / "a.yaml")
    network = config.experiment.model.network
    assert config.line_of(network.calls["b1.relu1"].node) is None
    assert config.line_of(network.users["b1"]) == 5
