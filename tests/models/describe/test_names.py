"""What inputs and layers are called."""

from __future__ import annotations

import pytest

from trainkit.config import is_node_name
from trainkit.models.describe.names import choose_names
from trainkit.models.describe.step import Given, Step


def chosen(inputs, wishes):
    """The names of inputs and layers, and which of the layers' are written."""
    given = [Given(name, [3], "float32") for name in inputs]
    steps = [Step(class_name, {}, given[0], wish) for class_name, wish in wishes]
    names, unwritten = choose_names(given, steps)
    return [names[item] for item in given], [names[step] for step in steps], [step not in unwritten for step in steps]


def test_choose_names_leaves_out_those_that_count_by_themselves():
    wishes = [("Conv2D", "conv2d1"), ("Conv2D", "stem"), ("Conv2D", "conv2d2"), ("Conv2D", "conv2d7"), ("ReLU", None)]
    _, names, is_written = chosen(["input"], wishes)
    assert names == ["conv2d1", "stem", "conv2d2", "conv2d7", "relu1"]
    assert is_written == [False, True, False, True, False]


def test_choose_names_gives_no_name_twice():
    wishes = [("ReLU", "a/b"), ("ReLU", "a_b"), ("ReLU", "A.b"), ("ReLU", "left"), ("ReLU", None), ("Add", "relu1")]
    inputs, names, _ = chosen(["left", "Left"], wishes)
    assert (inputs, names) == (["left", "left_1"], ["a_b", "a_b_1", "a_b_2", "left_2", "relu2", "relu1"])
    assert all(map(is_node_name, names))


@pytest.mark.parametrize(
    ("wish", "name"),
    [("input_3", "input"), ("conv2d_input", "input"), ("image", "image"), ("x", "input_x"), ("1st", "input_1st")],
)
def test_choose_names_calls_the_only_input_input_where_nobody_named_it(wish, name):
    assert chosen([wish], [])[0] == [name]


def test_choose_names_keeps_the_names_of_several_inputs():
    assert chosen(["input_1", "input_2"], [])[0] == ["input_1", "input_2"]
