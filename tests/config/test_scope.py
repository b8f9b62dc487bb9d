"""What a name stands for: a block of the file, a layer of Keras, a network of the zoo."""

from __future__ import annotations

from trainkit.config.scope import Scope
from trainkit.config.signatures import Argument, Definition, block_definitions, known_names

BLOCK = {"Unit": {"params": {"filters": "required", "rate": 0.5}, "layers": ["ReLU"]}}


def test_scope_knows_keras_and_blocks_with_their_parameters():
    scope = Scope(networks=False).inside(block_definitions(BLOCK))
    assert scope.definition("layer", "Dense") is None
    assert scope.definition("layer", "Zebra") is None
    assert scope.definition("loss", "Unit") is None
    assert dict(scope.definition("layer", "Unit").signature) == {
        "filters": Argument(required=True, default="required", of_block=True),
        "rate": Argument(default=0.5, of_block=True),
    }
    assert set(scope.names("layer")) == {*known_names("layer"), "Unit"}


def test_scope_inside_a_block_adds_blocks_and_replaces_values():
    outer = Scope(networks=False).with_values(["classes", "i"]).inside(block_definitions(BLOCK), ["filters"])
    inner = outer.inside(block_definitions({"Unit": {"params": {"other": 1}}, "More": None}), ["u"])
    assert (outer.values, inner.values) == ({"filters"}, {"u"})
    assert list(inner.definition("layer", "Unit").signature) == ["other"]
    assert list(outer.definition("layer", "Unit").signature) == ["filters", "rate"]
    assert inner.definition("layer", "More") == Definition({})


def test_scope_leaves_what_is_no_block_to_other_checks():
    assert block_definitions({"A": 3, "B": {"params": [1]}, "C": None}) == dict.fromkeys("ABC", Definition({}))
    assert block_definitions(["A"]) == block_definitions(None) == {}
