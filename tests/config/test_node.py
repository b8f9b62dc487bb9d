"""Nodes: what is inside one, and how it is written again."""

from __future__ import annotations

from trainkit.config.node import Node, nodes_inside, to_plain


def dense(name):
    return Node("layer", "Dense", {"units": 3}, name)


def test_nodes_are_told_apart():
    assert Node("layer", "Dense") != Node("layer", "Dense")


def test_nodes_inside_have_their_paths():
    schedule, first, second = Node("schedule", "CosineDecay"), dense("a"), dense("b")
    node = Node("layer", "Add", {"rate": schedule, "axis": 1}, branches=[[], [first, second]])
    assert list(nodes_inside(node)) == [
        (("Add", "rate"), schedule),
        (("branches", 1, 0), first),
        (("branches", 1, 1), second),
    ]


def test_to_plain_writes_settings_beside_the_name():
    assert to_plain(Node("layer", "Add", inputs={"a": "x"}, name="sum")) == {
        "Add": {},
        "name": "sum",
        "inputs": {"a": "x"},
    }
    assert to_plain(Node("layer", "Add", branches=[[dense("a")], []])) == {
        "Add": {},
        "branches": [[{"Dense": {"units": 3}, "name": "a"}], []],
    }


def test_to_plain_writes_what_is_said_of_copies_and_sharing():
    node = Node("layer", "Add", repeat="$n", when="$(n > 1)")
    assert to_plain(node) == {"Add": {}, "repeat": "$n", "when": "$(n > 1)"}
    assert to_plain(Node("layer", "Add", for_each={"f": [1, 2]})) == {"Add": {}, "for_each": {"f": [1, 2]}}
    assert to_plain(Node("layer", "share", share="encoder", inputs="b")) == {"share": "encoder", "inputs": "b"}


def test_to_plain_of_a_bare_node_has_no_settings():
    assert to_plain(Node("layer", "Add")) == {"Add": {}}
