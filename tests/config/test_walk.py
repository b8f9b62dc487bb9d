"""Every node of a configuration is found, with its path."""

from __future__ import annotations

from trainkit.config.walk import node_paths, walk


def test_walk_finds_nodes_in_blocks_branches_and_arguments(load_model):
    config = load_model("""
        input: [4]
        preprocess: [ReLU]
        blocks:
          B:
            blocks: {C: {layers: [Flatten]}}
            layers:
              - Add:
                branches: [[Softmax], []]
        layers:
          - RNN: {cell: [{LSTMCell: {units: 2, kernel_regularizer: {L2: {l2: 1}}}}]}
            when: false
          - B
        """)
    paths = {path: node.class_name for path, node in walk(config.experiment.model, ("model",))}
    assert paths == {
        ("model", "preprocess", 0): "ReLU",
        ("model", "blocks", "B", "blocks", "C", "layers", 0): "Flatten",
        ("model", "blocks", "B", "layers", 0): "Add",
        ("model", "blocks", "B", "layers", 0, "branches", 0, 0): "Softmax",
        ("model", "layers", 0): "RNN",
        ("model", "layers", 0, "RNN", "cell", 0): "LSTMCell",
        ("model", "layers", 0, "RNN", "cell", 0, "LSTMCell", "kernel_regularizer"): "L2",
        ("model", "layers", 1): "B",
    }
    everywhere = node_paths(config.experiment)
    assert {path: node.class_name for node, path in everywhere.items() if path[0] == "model"} == paths
    assert {path[0] for path in everywhere.values()} == {"data", "model", "training", "deploy"}


def test_a_call_of_a_block_is_placed_where_it_is_written(load_model):
    config = load_model(
        "input: [4]\nblocks: {B: {params: {u: 1}, layers: [Dense: {units: $u}]}}\nlayers: [B, B: {u: 2}]"
    )
    lines = [config.path_of(call.node) for call in config.experiment.model.network.calls.values()]
    assert lines == [("model", "blocks", "B", "layers", 0)] * 2
