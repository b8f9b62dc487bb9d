"""The layout: nothing overlaps, every edge is drawn once, and none goes through a box or a title."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest

from trainkit.framework import tf
from trainkit.models.drawing.fonts import text_width
from trainkit.models.drawing.items import Block, Box, blocks_of, boxes_of
from trainkit.models.drawing.layout import lay_out
from trainkit.models.drawing.network import network_of
from trainkit.models.drawing.writing import BODY, TITLE, TITLE_LINE

ALL = 99
NO_NAMES: dict[str, str] = {}


def laid(model, depth=ALL, block_names=NO_NAMES):
    network = network_of(model, depth=depth, block_names=block_names)
    return network, lay_out(network)


def frames(items, wires):
    """The items of each frame with its wires: those of the network itself, then those of each block."""
    inside = {id(wire) for block in blocks_of(items) for wire in block.wires}
    yield None, items, [wire for wire in wires if id(wire) not in inside]
    for block in blocks_of(items):
        yield block, block.items, block.wires


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def expected_edges(model):
    """Who takes from whom by Keras' own account, as names of layers."""
    edges = Counter()
    for layer in model.layers:
        for node in layer._inbound_nodes:
            makers = {id(tensor): tensor._keras_history.layer.name for tensor in node.keras_inputs}
            edges.update((maker, layer.name) for maker in makers.values())
    if isinstance(model, tf.keras.Sequential):
        edges[model.inputs[0]._keras_history.layer.name, model.layers[0].name] = 1
    return edges


def drawn_edges(network, wires):
    """Who takes from whom by following the wires through the borders of blocks."""
    parent = {id(item): block for block in blocks_of(network.items) for item in block.items}
    leaving = {}
    for block, _, mine in frames(network.items, wires):
        for wire in mine:
            leaving.setdefault((wire.net, id(wire.source or block), wire.source is None), []).append(wire)

    def follow(net, item, from_border):
        for wire in leaving.get((net, id(item), from_border), ()):
            if isinstance(wire.target, Box):
                yield wire.target
            elif isinstance(wire.target, Block):
                yield from follow(net, wire.target, True)
            else:
                frame = parent[id(item)] if not from_border else item
                yield from follow(net, frame, False)

    for box in boxes_of(network.items):
        for call in box.calls:
            yield from ((box, target) for target in follow(call, box, False))


def test_layout_keeps_boxes_and_blocks_apart(model):
    network, wires = laid(model)
    for _, items, _ in frames(network.items, wires):
        for one, other in combinations(items, 2):
            assert not overlap(one.bounds, other.bounds), (one.name, other.name)


def test_layout_keeps_what_is_in_a_block_inside_its_frame(model):
    network, _ = laid(model)
    for block in blocks_of(network.items):
        left, top, right, bottom = block.bounds
        for item in block.items:
            x, y, x_end, y_end = item.bounds
            assert left < x < x_end < right, (block.path, item.name)
            assert top + TITLE_LINE < y < y_end < bottom, (block.path, item.name)
        for wire in block.wires:
            assert all(left <= x <= right and top - 0.01 <= y <= bottom + 0.01 for x, y in wire.points), block.path


def test_layout_draws_every_edge_once(model):
    network, wires = laid(model)
    drawn = Counter((maker.path, taker.path) for maker, taker in drawn_edges(network, wires))
    assert drawn == expected_edges(model)
    assert sum(drawn.values()) == len(network.edges) > 0


def test_layout_leads_wires_from_border_to_border_along_the_axes(model):
    network, wires = laid(model)
    for block, _, mine in frames(network.items, wires):
        for wire in mine:
            (x, y), (end_x, end_y) = wire.points[0], wire.points[-1]
            if wire.source is not None:
                left, _, right, bottom = wire.source.bounds
                assert left < x < right
                assert y == pytest.approx(bottom)
            else:
                assert y == pytest.approx(block.y)
            if wire.target is None:
                assert end_y == pytest.approx(block.y + block.height)
            elif wire.to_side:
                assert end_x == pytest.approx(wire.target.bounds[2])
            else:
                assert wire.target.bounds[0] < end_x < wire.target.bounds[2]
                assert end_y == pytest.approx(wire.target.y)
            for (x, y), (next_x, next_y) in pairwise(wire.points):
                assert abs(x - next_x) < 0.5 or abs(y - next_y) < 0.5, (wire.source, wire.target, wire.points)


@pytest.mark.parametrize("name", ["", "Short", "AClassWhoseNameIsLong"])
def test_layout_leads_no_wire_through_a_box_or_a_title(name, model):
    paths = [block.path for block in blocks_of(network_of(model, depth=ALL, block_names={}).items)]
    network, wires = laid(model, block_names=dict.fromkeys(paths, name))
    obstacles = [(box.name, box.bounds) for box in boxes_of(network.items)]
    for block in blocks_of(network.items):
        x, y, _, _ = block.bounds
        width = max(text_width(line, BODY, bold=True) for line in block.title)
        title = (x + TITLE, y + 4, x + TITLE + width, y + 4 + TITLE_LINE * len(block.title))
        obstacles.append((block.path, title))
    for wire in wires:
        for (x, y), (next_x, next_y) in pairwise(wire.points):
            way = (min(x, next_x) + 0.1, min(y, next_y) + 0.1, max(x, next_x) - 0.1, max(y, next_y) - 0.1)
            way = (min(way[0], x), min(way[1], y), max(way[2], x), max(way[3], y))
            crossed = [name for name, bounds in obstacles if overlap(_shrunk(bounds), way)]
            assert crossed == [], wire.points


def test_layout_draws_no_two_outputs_on_one_line(model):
    _, wires = laid(model)
    segments = [(wire, *sorted(pair)) for wire in wires for pair in pairwise(wire.points)]
    for (one, (x, y), (x_end, y_end)), (other, (u, v), (u_end, v_end)) in combinations(segments, 2):
        if one.net == other.net or (one.target is other.target and one.target is not None):
            continue
        if abs(x - x_end) < 0.5 and abs(u - u_end) < 0.5 and abs(x - u) < 2:
            assert min(y_end, v_end) - max(y, v) < 1, (one.points, other.points)
        if abs(y - y_end) < 0.5 and abs(v - v_end) < 0.5 and abs(y - v) < 2:
            assert min(x_end, u_end) - max(x, u) < 1, (one.points, other.points)


def _shrunk(bounds):
    left, top, right, bottom = bounds
    return left + 0.2, top + 0.2, right - 0.2, bottom - 0.2


def test_layout_puts_branches_side_by_side(networks):
    network, _ = laid(networks.inception())
    box = {box.name: box for box in boxes_of(network.items)}
    heads = [box[name] for name in ("conv2d1_1", "conv2d1_2", "conv2d1_4", "pool1")]
    assert len({head.y for head in heads}) == 1
    assert [head.x for head in heads] == sorted(head.x for head in heads)
    assert box["concatenate1"].x == pytest.approx((heads[0].x + heads[-1].x) / 2)


def test_layout_leads_the_skip_of_a_residual_into_the_side_of_its_sum(networks):
    _, wires = laid(networks.resnet((2,)))
    skips = [wire for wire in wires if wire.to_side]
    assert [wire.target.path for wire in skips] == ["stage1.bottleneck2.add1"]  # the first has a projection


def test_layout_stands_a_long_chain_in_columns(networks):
    network, _ = laid(networks.chain(30))
    bounds = [box.bounds for box in boxes_of(network.items)]
    width, height = max(bound[2] for bound in bounds), max(bound[3] for bound in bounds)
    assert 0.5 < width / height < 2
    assert len({round(bound[0]) for bound in bounds}) > 2


def test_layout_lays_five_hundred_layers(networks):
    network, _ = laid(networks.resnet((3, 8, 36, 3)))
    assert sum(1 for _ in boxes_of(network.items)) == 515
