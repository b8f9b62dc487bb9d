"""Paths are relative to the file they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainkit.config.paths import PathError, resolve_path


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a/b.h5", "/base/a/b.h5"),
        ("/a/b.h5", "/a/b.h5"),
        ("../b.h5", "/base/../b.h5"),
        ("~/b.h5", "/home/someone/b.h5"),
        ("$env(TRAINKIT_X)/b.h5", "/base/x y/b.h5"),
        ("/data/$env(TRAINKIT_X)-$env(TRAINKIT_X)", "/data/x y-x y"),
        ("$$env(A)$$", "/base/$env(A)$"),
    ],
    ids=["relative", "absolute", "up", "home", "variable", "variables", "dollars"],
)
def test_resolve_path(written, path, monkeypatch):
    monkeypatch.setenv("TRAINKIT_X", "x y")
    monkeypatch.setenv("HOME", "/home/someone")
    assert resolve_path(written, Path("/base")) == Path(path)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("$env(TRAINKIT_NOWHERE)/b", r"the environment variable TRAINKIT_NOWHERE is not set\. Received: '\$env\("),
        ("$classes/b", r"must be a path\. Received: '\$classes/b'\. Write \$env\(NAME\) for a variable"),
        ("$(1 + 1)", r"must be a path\. Received: '\$\(1 \+ 1\)'\."),
        ("$env(1)", r"must be a path\."),
        ("a$", r"must be a path\. Received: 'a\$'\."),
    ],
    ids=["not-set", "name", "expression", "no-name", "end"],
)
def test_resolve_path_refuses(written, told):
    with pytest.raises(PathError, match=told):
        resolve_path(written, Path("/base"))


APPLICATION = "input: [64, 64, 3]\nlayers:\n  - KerasApplication: {application: VGG16, weights: %s}"


@pytest.mark.parametrize("written", ["w.h5", "$env(TRAINKIT_X)/w.h5", "imagenet"], ids=["file", "variable", "choice"])
def test_resolve_paths_makes_them_absolute_but_for_choices(written, network_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINKIT_X", str(tmp_path))
    ((_, _, arguments, _),) = network_of(APPLICATION % written)
    assert arguments["weights"] == ("imagenet" if written == "imagenet" else str(tmp_path / "w.h5"))


def test_resolve_paths_takes_those_of_the_command_line_from_where_one_stands(network_of, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ((_, _, arguments, _),) = network_of(APPLICATION % "w.h5", overrides=["model.layers[0].weights=v.h5"])
    assert arguments["weights"] == str(tmp_path / "elsewhere/v.h5")


def test_resolve_paths_tells_the_place(problems_of):
    assert problems_of(APPLICATION % "$env(TRAINKIT_NOWHERE)") == [
        "7:55   model.layers[0].KerasApplication.weights: the environment variable TRAINKIT_NOWHERE is not set. "
        "Received: '$env(TRAINKIT_NOWHERE)'."
    ]


def test_a_path_is_no_parameter(problems_of):
    (problem,) = problems_of(
        "input: [9, 9, 3]\nblocks: {B: {params: {w: a.h5}, layers: [{KerasApplication: {application: "
        "VGG16, weights: $w}}]}}"
        "\nlayers: [B]"
    )
    assert "KerasApplication.weights: must be a path. Received: '$w'. Write $env(NAME)" in problem
