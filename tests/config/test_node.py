"""Nodes: what is inside one, and how it is written again."""

from __future__ import annotations

from trainkit.config.node import Node, in_building_order, nodes_inside, settings_of, to_plain


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


def test_in_building_order_takes_branches_before_what_merges_them():
    inner = Node("layer", "Add", branches=[[dense("b")], []], name="inner")
    outer = Node("layer", "Add", branches=[[dense("a")], [inner, dense("c")]], name="outer")
    order = in_building_order([dense("before"), outer, dense("after")])
    assert [node.name for node in order] == ["before", "a", "b", "inner", "c", "outer", "after"]


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


def test_settings_of_a_bare_node_are_none():
    assert settings_of(Node("layer", "Add"), to_plain) == {}
