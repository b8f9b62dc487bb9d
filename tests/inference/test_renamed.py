"""Models whose names a config cannot say."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.inference import IsolatedPredictor, TensorFacts
from trainkit.inference.renamed import RenamedPredictor, is_isolated, with_names

ONE = TensorFacts((None, 1), "float32")


class Sums:
    """A predictor that adds up its inputs, with the names that it is told."""

    def __init__(self, inputs, outputs):
        self.inputs = dict.fromkeys(inputs, ONE)
        self.outputs = dict.fromkeys(outputs, ONE)
        self.facts = {"metadata": {}, "inputs": {}}

    def predict(self, inputs):
        assert inputs.keys() == self.inputs.keys()
        return {name: sum(inputs.values()) + index for index, name in enumerate(self.outputs)}


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (["input.1"], ["1234"], ["input_1", "output_1234"]),
        (["x", "X"], ["out:0"], ["input_x", "input_x_", "out_0"]),
        (["Image"], ["Predictions"], ["image", "predictions"]),
        (["a.b", "a_b"], ["a-b"], ["a_b", "a_b_", "a_b__"]),
    ],
    ids=["torch", "reserved", "capitals", "same"],
)
def test_names_become_those_that_a_config_can_say(inputs, outputs, expected):
    renamed = with_names(Sums(inputs, outputs))
    assert [*renamed.inputs, *renamed.outputs] == expected
    assert list(renamed.facts["inputs"]) == list(renamed.inputs)
    assert renamed.facts["metadata"] == {}
    given = {name: np.full((2, 1), 10**index) for index, name in enumerate(renamed.inputs)}
    answered = renamed.predict(given)
    assert {name: int(array[0, 0]) for name, array in answered.items()} == {
        name: sum(10**index for index in range(len(inputs))) + number for number, name in enumerate(renamed.outputs)
    }


def test_names_that_a_config_can_say_stay():
    predictor = Sums(["left", "right2"], ["total_of"])
    assert with_names(predictor) is predictor


def test_file_in_a_child_is_in_a_child_by_any_name(models):
    predictor = IsolatedPredictor(models.folder / "one.tflite")
    assert [is_isolated(predictor), is_isolated(RenamedPredictor(predictor))] == [True, True]
    assert not is_isolated(RenamedPredictor(Sums(["a"], ["b"])))
