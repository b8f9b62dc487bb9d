"""The networks that come with TrainKit are blocks under their own names."""

from __future__ import annotations

import pytest

from trainkit.config import block, zoo

TINY = """\
input: [8, 8, 1]
blocks:
  Part:
    params: {units: 3}
    layers: [{Dense: {units: $units}}]
  Tiny:
    params: {classes: required, width: 2}
    layers:
      - Flatten
      - Part: {units: $(4 * width)}
      - Dense: {units: $classes}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A zoo of one network."""
    cached = (zoo.zoo_files, zoo.zoo_data, zoo.zoo_definition, block.zoo_block)
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo/Tiny.yaml").write_text(TINY)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    for function in cached:
        function.cache_clear()
    yield tmp_path / "zoo"
    for function in cached:
        function.cache_clear()


def test_zoo_networks_are_used_by_name(network_of):
    calls = network_of("input: [8, 8, 1]\nlayers:\n  - Tiny: {classes: $classes}\n    name: net\n  - Softmax")
    assert calls == [
        ("net.flatten1", "Flatten", {}, "input"),
        ("net.part1.dense1", "Dense", {"units": 8}, "net.flatten1"),
        ("net.dense1", "Dense", {"units": "$classes"}, "net.part1.dense1"),
        ("softmax1", "Softmax", {}, "net.dense1"),
    ]


def test_zoo_networks_show_only_themselves(problems_of):
    (problem,) = problems_of("input: [8]\nlayers: [Part]")
    assert "unknown layer. Received: 'Part'." in problem


def test_zoo_networks_come_after_the_blocks_of_a_file(network_of):
    calls = network_of("input: [8]\nblocks: {Part: {layers: [ReLU]}, Tiny: {layers: [Part]}}\nlayers: [Tiny]")
    assert [name for name, *_ in calls] == ["tiny1.part1.relu1"]


def test_zoo_networks_do_not_see_the_blocks_of_a_file(network_of):
    calls = network_of("input: [8]\nblocks: {Part: {layers: [ReLU]}}\nlayers: [{Tiny: {classes: 5}}, Part]")
    assert [name for name, *_ in calls] == ["tiny1.flatten1", "tiny1.part1.dense1", "tiny1.dense1", "part1.relu1"]


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        ("Tiny", "6:12   model.layers[0]: Tiny needs classes."),
        (
            "{Tiny: {clases: 3}}",
            "6:20   model.layers[0].Tiny.clases: unknown argument. Tiny takes classes, width. Did you mean 'classes'?",
        ),
        (
            "{Tiny: {classes: 3, width: wide}}",
            "6:12   model.layers[0]: '$(4 * width)' cannot be computed: width is 'wide', not a number. (in tiny1)",
        ),
    ],
    ids=["missing", "unknown", "inside"],
)
def test_zoo_networks_have_their_problems_where_they_are_used(use, problem, problems_of):
    assert problems_of(f"input: [8]\nlayers: [{use}]") == [problem]


def test_zoo_networks_are_built_and_placed_where_they_are_used(load_model):
    config = load_model("input: [8, 8, 1]\nlayers:\n  - ReLU\n  - Tiny: {classes: 4}")
    calls = config.experiment.model.network.calls
    assert [config.line_of(call.node) for call in calls.values()] == [7, 8, 8, 8]
