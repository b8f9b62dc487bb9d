"""Tables of names, imported at first use; the nearest name is suggested, never adopted."""

from __future__ import annotations

import sys

import pytest

from trainkit.errors import InputError
from trainkit.registry import Registry, did_you_mean


@pytest.fixture
def shapes():
    return Registry("shape", {"Fraction": "fractions:Fraction", "Decimal": "decimal:Decimal"})


def test_registry_imports_at_first_use(tmp_path, monkeypatch):
    (tmp_path / "lazy_shape.py").write_text("def square():\n    return 4\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("shape", {"Square": "lazy_shape:square"})
    assert list(registry) == ["Square"]
    assert "Square" in registry
    assert "lazy_shape" not in sys.modules
    square = registry.get("Square")
    assert square() == 4
    assert registry.get("Square") is square
    del sys.modules["lazy_shape"]


def test_registry_lists_known_names_for_an_unknown_one(shapes):
    with pytest.raises(
        InputError, match=r"^unknown shape 'fraction'\. Did you mean 'Fraction'\? Known: .*, Decimal\.$"
    ):
        shapes.get("fraction")
    with pytest.raises(InputError, match=r"^unknown shape 'Zebra'\. Known: Fraction, Decimal\.$"):
        shapes.get("Zebra")


def test_registry_refuses_a_name_twice(shapes):
    with pytest.raises(InputError, match=r"^shape 'Decimal' is registered already\.$"):
        shapes.add("Decimal", float)


def test_registry_copy_adds_to_itself_only(shapes):
    twin = shapes.copy()
    twin.add("Float", float)
    assert twin.get("Float") is float
    assert twin.kind == "shape"
    assert list(twin) == ["Fraction", "Decimal", "Float"]
    assert "Float" not in shapes


@pytest.mark.parametrize(
    ("name", "known", "suggested"),
    [
        ("filter", ["filters", "kernel_size"], "filters"),
        ("Dens", ["Dense", "Dropout"], "Dense"),
        ("conv2d", ["Conv2D", "Conv1D"], "Conv2D"),
        ("learning-rate", ["learning_rate"], "learning_rate"),
        ("LearningRate", ["learning_rate"], "learning_rate"),
        ("lr", ["learning_rate", "momentum"], "learning_rate"),
        ("mse", ["Hinge", "MeanSquaredError"], "MeanSquaredError"),
        ("MAE", ["Hinge", "MeanAbsoluteError"], "MeanAbsoluteError"),
    ],
    ids=["plural", "short", "case", "dash", "camel", "initials", "class-initials", "capital-initials"],
)
def test_did_you_mean_finds_the_nearest(name, known, suggested):
    assert did_you_mean(name, known) == f" Did you mean {suggested!r}?"


@pytest.mark.parametrize("name", ["zebra", "", "_", "x" * 10_000], ids=["far", "empty", "underscore", "long"])
def test_did_you_mean_says_nothing_where_nothing_is_near(name):
    assert did_you_mean(name, ["filters", "Dense", "kernel_size"]) == ""
