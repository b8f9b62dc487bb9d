"""What is read of a .tflite file."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainkit.framework import quiet_stderr, tf
from trainkit.inference.tflite_graph import Tensor, TFLiteGraph

layers = tf.keras.layers
KERNEL = np.arange(6, dtype=np.float32).reshape(3, 2) + 1


@pytest.fixture(scope="module")
def content():
    """Steps of a recurrent layer in a loop, and a dense layer whose kernel is known."""
    inputs = tf.keras.Input((5, 4), batch_size=1, name="steps")
    model = tf.keras.Model(inputs, layers.Dense(2, name="answer")(layers.SimpleRNN(3, name="rnn")(inputs)))
    model.get_layer("answer").set_weights([KERNEL, np.array([7, 8], np.float32)])
    with quiet_stderr():
        return tf.lite.TFLiteConverter.from_keras_model(model).convert()


@pytest.fixture
def graph(content):
    return TFLiteGraph(content)


def answer(content):
    interpreter = Interpreter(model_content=content)
    return interpreter.get_signature_runner("serving_default")(steps=np.ones((1, 5, 4), np.float32))["answer"]


def last(graph):
    """The dense layer."""
    return [one for one in graph.operations if one.subgraph == 0 and one.kind == "FULLY_CONNECTED"][-1]


def test_operations_of_bodies_of_loops_are_listed(graph):
    assert [one.kind for one in graph.operations if one.subgraph == 0].count("WHILE") == 1
    inside = [one for one in graph.operations if one.subgraph > 0]
    assert "TANH" in {one.kind for one in inside}
    for one in inside:
        assert all(graph.tensor(index, one.subgraph).name for index in (*one.inputs, *one.outputs))


def test_kind_is_told_where_an_old_file_has_the_old_field_only(graph, content):
    code = graph.model.operatorCodes[graph.model.subgraphs[0].operators[-1].opcodeIndex]
    assert code.deprecatedBuiltinCode == code.builtinCode != 0
    code.builtinCode = 0
    assert TFLiteGraph(graph.pack()).operations == TFLiteGraph(content).operations


def test_tensors_tell_their_shape_and_type(graph):
    (given,) = last(graph).outputs
    assert graph.tensor(given) == Tensor(graph.tensor(given).name, (1, 2), "float32", is_constant=False)
    assert graph.signature.outputs == {given: "answer"}
    assert list(graph.signature.inputs.values()) == ["steps"]


def test_values_of_constants_are_those_of_the_network(graph):
    computed, kernel, bias = last(graph).inputs
    np.testing.assert_array_equal(graph.values(kernel), KERNEL.T)
    np.testing.assert_array_equal(graph.values(bias), [7, 8])
    assert graph.values(computed) is None
    assert [graph.tensor(index).is_constant for index in (computed, kernel, bias)] == [False, True, True]


def test_what_was_changed_is_packed(graph, content):
    _, kernel, _ = last(graph).inputs
    graph.set_values(np.zeros((2, 3), np.float32), kernel)
    assert (answer(content) != [[7, 8]]).all()
    np.testing.assert_array_equal(answer(graph.pack()), [[7, 8]])


def test_weights_that_are_shared_count_once(graph):
    before = graph.weights()["float32"]
    _, kernel, bias = last(graph).inputs
    tensors = graph.model.subgraphs[0].tensors
    tensors[bias].buffer = tensors[kernel].buffer
    assert before - graph.weights()["float32"] == 4 * 2
