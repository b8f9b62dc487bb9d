"""The boxes and blocks of a model."""

from __future__ import annotations

import re

from trainkit.framework import tf
from trainkit.models.drawing.items import Block, blocks_of, boxes_of
from trainkit.models.drawing.network import network_of

L = tf.keras.layers


def drawn(model, depth=99):
    return network_of(model, depth=depth, block_names={})


def test_network_of_nests_blocks_by_the_dots_in_names(networks):
    network = drawn(networks.resnet((2, 1)))
    paths = ["stage1", "stage1.bottleneck1", "stage1.bottleneck2", "stage2", "stage2.bottleneck1"]
    assert [block.path for block in blocks_of(network.items)] == paths
    assert (network.deepest, sum(1 for _ in boxes_of(network.items))) == (2, 7 + 12 + 10 + 12)


def test_network_of_opens_a_block_that_a_way_leaves_and_enters_again(networks):
    for depth in (1, 99):
        items = drawn(networks.around(), depth).items
        assert {item.name for item in items} == {"table", "a.dense1", "between", "a.dense2"}


def test_network_of_draws_a_shared_block_once_a_call(networks):
    network = drawn(networks.siamese())
    blocks = [item for item in network.items if isinstance(item, Block)]
    assert [(block.path, block.shared, len(block.items)) for block in blocks] == [
        ("encoder", "1 of 2", 3),
        ("encoder", "2 of 2", 3),
    ]
    folded = [item for item in drawn(networks.siamese(), depth=1).items if item.name == "encoder"]
    assert [(box.layers, box.parameters, box.shape) for box in folded] == [(3, 40 + 43_280, "16")] * 2


def test_network_of_keeps_a_block_whole_that_uses_one_layer_twice():
    x = table = tf.keras.Input((4,), name="table")
    twice = L.Dense(4, name="block.twice")
    x = L.Dense(4, name="block.dense1")(twice(twice(x)))
    network = drawn(tf.keras.Model(table, x))
    (block,) = blocks_of(network.items)
    assert [(box.name, box.shared) for box in block.items] == [
        ("twice", "1 of 2"),
        ("twice", "2 of 2"),
        ("dense1", ""),
    ]


def test_network_of_takes_dots_of_functions_for_no_blocks(networks):
    names = [re.sub(r"_\d+$", "", item.name) for item in drawn(networks.operations()).items]  # Keras counts them
    assert names == ["left", "right", "tf.math.multiply", "tf.__operators__.add", "tf.nn.relu"]


def test_network_of_marks_outputs(networks):
    boxes = boxes_of(drawn(networks.two_outputs()).items)
    assert [box.name for box in boxes if box.is_output] == ["early", "kind", "size"]
