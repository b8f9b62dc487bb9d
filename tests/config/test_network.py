"""A network written out knows who gives what."""

from __future__ import annotations

import pytest

from trainkit.config.network import part_of


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("lstm.1", "lstm"),
        ("a.b.conv1", "a.b"),
        ("a.b.c.conv1", "a.b"),
        ("a.x", None),
        ("lstm", None),
        ("lstmm.1", None),
        ("", None),
    ],
    ids=["number", "path", "deep", "block", "itself", "longer", "nothing"],
)
def test_part_of_finds_the_longest_known(name, whole):
    assert part_of(name, {"lstm": 1, "a.b": 2}) == whole


def test_network_knows_the_call_that_gives_what_a_name_stands_for(load_model):
    network = load_model("""
        input: [4, 3]
        preprocess: [ReLU: {max_value: 6}]
        blocks: {B: {params: {on: true}, layers: [{LSTM: {units: 2, return_state: true}, when: $on}]}}
        layers:
          - B:
            name: b
          - B: {on: false}
            name: same
          - B: {on: false}
            name: state
            inputs: b.lstm1.1
          - B: {on: false}
            name: nothing
            inputs: input
          - share: b.lstm1
            inputs: input
            name: again
        """).experiment.model.network
    makers = {name: call and call.name for name in network.answers if (call := network.maker(name)) or True}
    assert makers == {
        "input": "relu1",
        "relu1": "relu1",
        "b": "b.lstm1",
        "b.lstm1": "b.lstm1",
        "same": "b.lstm1",
        "state": "b.lstm1",
        "nothing": "relu1",
        "again": "again",
    }
    assert network.blocks == {"b": "B", "same": "B", "state": "B", "nothing": "B"}
    assert (network.last, network.calls["again"].is_first, network.calls["b.lstm1"].is_first) == ("again", False, True)


def test_network_of_an_input_alone_is_made_by_none(load_model):
    model = "input: [4]\nblocks: {B: {layers: [{ReLU: , when: false}]}}\nlayers: [{B: , name: b}, ReLU]"
    network = load_model(model).experiment.model.network
    assert (network.maker("b"), network.maker("input"), network.maker("zebra")) == (None, None, None)
