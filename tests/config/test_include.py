"""Blocks of other files are the file's own, and their problems stand in those files."""

from __future__ import annotations

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError

UNIT = "blocks:\n  Unit: {layers: [ReLU]}\n"
MODEL = "input: [3]\nlayers: [Unit]"


@pytest.fixture
def write(tmp_path):
    """Writes files beside the configuration."""

    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)

    return write


def test_include_brings_blocks(write, network_of):
    write(a="include: b.yaml\nblocks: {Unit: {layers: [Other]}}", b="input: [3]\nblocks: {Other: {layers: [Softmax]}}")
    assert network_of(MODEL, include="include: a.yaml\n") == [("unit1.other1.softmax1", "Softmax", {}, "input")]


def test_include_reads_a_file_once(write, network_of):
    write(a="include: c.yaml\n" + UNIT, b="include: [c.yaml]\nblocks: {}", c="blocks: {Other: {layers: [Softmax]}}")
    calls = network_of("input: [3]\nlayers: [Unit, Other]", include="include: [a.yaml, b.yaml, c.yaml]\n")
    assert [name for name, *_ in calls] == ["unit1.relu1", "other1.softmax1"]


def test_include_takes_paths_from_the_file_they_stand_in(write, tmp_path, network_of, monkeypatch):
    monkeypatch.setenv("TRAINKIT_BLOCKS", str(tmp_path / "deep"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.yaml").write_text("include: ../b.yaml\nblocks: {Unit: {layers: [Other]}}")
    write(b="blocks: {Other: {layers: [KerasApplication: {application: VGG16, weights: w.h5}]}}")
    ((_, _, arguments, _),) = network_of(MODEL, include="include: $env(TRAINKIT_BLOCKS)/a.yaml\n")
    assert arguments["weights"] == str(tmp_path / "w.h5")


def test_include_is_resolved_into_one_file(write, load_model, tmp_path):
    write(a=UNIT)
    config = load_model(MODEL, include="include: a.yaml\n")
    (tmp_path / "a.yaml").unlink()
    (tmp_path / "resolved.yaml").write_text(config.resolved_yaml())
    again = load_config(tmp_path / "resolved.yaml")
    assert list(again.experiment.model.network.calls) == ["unit1.relu1"]


@pytest.mark.parametrize(
    ("written", "files", "problems"),
    [
        ("zebra.yaml", {}, ["4:10   include: zebra.yaml: the file does not exist."]),
        ("[a.yaml, .]", {"a": UNIT}, ["4:19   include: DIR: this is a directory. Name the .yaml file in it."]),
        ("[a.yaml]", {"a": ""}, ["4:11   include: a.yaml: the file is empty."]),
        ("3", {}, ["4:10   include: must be a file, or a list of files. Received: 3."]),
        (
            "[{a: b}, c.yaml]",
            {"c": UNIT},
            ["4:11   include: must be a file, or a list of files. Received: {'a': 'b'}."],
        ),
        (
            "$env(TRAINKIT_NOWHERE)/a.yaml",
            {},
            [
                "4:10   include: the environment variable TRAINKIT_NOWHERE is not set. Received: "
                "'$env(TRAINKIT_NOWHERE)/a.yaml'."
            ],
        ),
        ("config.yaml", {}, ["4:10   include: a file must not include itself: config.yaml → config.yaml."]),
        (
            "a.yaml",
            {"a": "include: config.yaml\n" + UNIT},
            ["a.yaml:1:10 include: a file must not include itself: config.yaml → a.yaml → config.yaml."],
        ),
        (
            "a.yaml",
            {"a": "include: b.yaml\n" + UNIT, "b": "include: a.yaml\nblocks: {}"},
            ["b.yaml:1:10 include: a file must not include itself: a.yaml → b.yaml → a.yaml."],
        ),
        (
            "a.yaml",
            {"a": "- a"},
            ["a.yaml:1:1: a configuration must be a mapping, `key: value`. Received: ['a']."],
        ),
        ("a.yaml", {"a": "blocks:\n  A: [\n"}, None),
        (
            "a.yaml",
            {"a": UNIT + "block: 3\nmodel: {}"},
            [
                "a.yaml:3:1 block: an included file holds `blocks:`, and nothing else. Did you mean 'blocks'?",
                "a.yaml:4:1 model: an included file holds `blocks:`, and nothing else.",
            ],
        ),
        (
            "a.yaml",
            {"a": "input: [3]"},
            ["a.yaml:1:1 blocks: must hold `blocks:`, a mapping from names to blocks. Received: None."],
        ),
        (
            "[a.yaml, b.yaml]",
            {"a": UNIT, "b": UNIT},
            ["b.yaml:2:3 blocks.Unit: the block 'Unit' is there already, at a.yaml:2:3. Rename one of the two."],
        ),
        (
            "a.yaml",
            {"a": "blocks: {Unit: {layers: [ReLU]}, Own: {layers: [ReLU]}}"},
            ["a.yaml:1:34 blocks.Own: the block 'Own' is there already, at 7:12. Rename one of the two."],
        ),
        (
            "a.yaml",
            {"a": "blocks:\n  Unit:\n    layers:\n      - Dense: {unit: 3}\n      - Dense: {units: $n}"},
            [
                "a.yaml:4:17 model.blocks.Unit.layers[0].Dense.unit: unknown argument. Dense takes units, activation, "
                "use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, "
                "activity_regularizer, … Did you mean 'units'?",
                (
                    "a.yaml:5:24 model.blocks.Unit.layers[1].Dense.units: unknown name '$n'. Known here: $classes, "
                    "$tokens."
                ),
            ],
        ),
        (
            "a.yaml",
            {"a": "blocks:\n  Unit:\n    layers:\n      - ReLU:\n        inputs: zebra"},
            ["a.yaml:5:17 model.blocks.Unit.layers[0].inputs: unknown layer 'zebra'. Known: x. (in unit1)"],
        ),
        (
            "f0.yaml",
            {f"f{i}": f"include: f{i + 1}.yaml\nblocks: {{}}" for i in range(120)},
            ["f99.yaml:1:10 include: at most 100 files can be included."],
        ),
    ],
    ids=[
        "missing",
        "folder",
        "empty",
        "number",
        "mapping",
        "variable",
        "itself",
        "the-configuration",
        "circle",
        "list",
        "syntax",
        "keys",
        "no-blocks",
        "twice",
        "own",
        "inside",
        "reference",
        "many",
    ],
)
def test_include_tells_what_is_wrong_and_in_which_file(written, files, problems, write, problems_of, tmp_path):
    write(**files)
    model = "input: [3]\nblocks: {Own: {layers: [ReLU]}}\nlayers: [Unit]"
    found = [problem.replace(str(tmp_path), "DIR") for problem in problems_of(model, include=f"include: {written}\n")]
    if problems is None:
        assert [problem[:30] for problem in found] == ["a.yaml:3:1: this is not YAML: "]
    else:
        assert found == problems


def test_include_is_not_for_the_command_line(write, load_model):
    write(a=UNIT, b="blocks: {Unit: {layers: [Softmax]}}")
    told = "command line: include: files are included before values are changed: change it in the file"
    with pytest.raises(ConfigError, match=told):
        load_model(MODEL, include="include: a.yaml\n", overrides=["include=b.yaml"])
