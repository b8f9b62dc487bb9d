"""What the operations of a written file say of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ai_edge_litert import schema_py_generated as schema

from trainkit.deploy.file_facts import operation_facts, operation_faults
from trainkit.deploy.gpu_delegate import refusal
from trainkit.deploy.operations import Operation, read_operations
from trainkit.deploy.verify import verify_file
from trainkit.framework import tf
from trainkit.inference.tflite import TFLitePredictor
from trainkit.inference.tflite_graph import Tensor, TFLiteGraph

layers = tf.keras.layers


def opened(filepath):
    return TFLiteGraph(filepath.read_bytes())


@pytest.fixture(scope="module")
def reshaped(bench, tmp_path_factory):
    """A network with a free batch axis, whose Reshape is computed from it: the GPU delegate refuses that."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(2, 3, name="first", activation="elu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.Reshape((72, 4), name="rows")(x)
    x = layers.Dense(10, name="digit")(layers.GlobalAveragePooling1D(name="mean")(x))
    return opened(bench.export(tf.keras.Model(inputs, x), tmp_path_factory.mktemp("reshaped"), "TFLite"))


def test_operations_are_counted_and_told_with_their_layers(reshaped):
    facts = operation_facts(reshaped)
    once = ("CONV_2D", "ELU", "FULLY_CONNECTED", "MEAN", "PACK", "RESHAPE", "SHAPE", "STRIDED_SLICE")
    assert facts["operations"] == dict.fromkeys(once, 1)
    assert facts["foreign"] == []
    assert [(str(operation), operation.subgraph) for operation in read_operations(reshaped)][:2] == [
        ("CONV_2D of first", 0),
        ("ELU of first", 0),
    ]
    assert str(read_operations(reshaped)[-1]) == "FULLY_CONNECTED of digit"


def test_what_the_gpu_delegate_refuses_is_told_with_the_layer(reshaped):
    gpu = operation_facts(reshaped)["gpu"]
    assert (gpu["operations"], gpu["taken"]) == (8, 5)
    assert gpu["refused"] == [
        "SHAPE of rows: it has no such operation",
        "STRIDED_SLICE of rows: it cuts without a dropped axis",
        "RESHAPE of rows: it takes 1 computed tensor, and here are 2",
    ]


def test_verify_tells_the_operations_of_a_tflite_only(files, proof):
    report = verify_file(files["int8"], precision="int8", proof=proof)
    assert report.parity.passed
    assert report.facts["gpu"]["refused"] == []
    assert report.facts["operations"]["CONV_2D"] == 1
    assert "operations" not in verify_file(files["onnx"], precision="float32", proof=proof).facts


def test_foreign_operations_are_a_fault(files):
    graph = opened(files["float32"])
    code = graph.model.operatorCodes[graph.model.subgraphs[0].operators[-1].opcodeIndex]
    code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM, schema.BuiltinOperator.CUSTOM
    code.customCode = b"FlexErf"
    facts = operation_facts(TFLiteGraph(graph.pack()))
    assert facts["foreign"] == ["FlexErf of digit"]
    told = "operations that are not TensorFlow Lite's own expected: none, found: FlexErf of digit."
    assert operation_faults(facts) == [told]
    assert operation_faults({}) == []


@pytest.fixture(scope="module")
def slashed():
    """A network with slashes in the names of layers, one of which is above another."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(2, 3, strides=3, name="conv1/conv", activation="elu")(x)
    x = layers.Reshape((-1, 2), name="block")(x)
    x = layers.Dense(3, name="block/den", activation="elu")(x)  # computed by a `Tensordot` of several operations
    return tf.keras.Model(inputs, layers.Dense(10, name="digit")(layers.Flatten(name="block/flat")(x)))


def test_layers_with_slashes_in_their_names_are_told_by_them(bench, slashed, tmp_path):
    filepath = bench.export(slashed, tmp_path, "TFLite", precision="int8")
    report = verify_file(filepath, precision="int8", proof=bench.prove(slashed, tmp_path))
    inside = ["ELU of layer 'conv1/conv'", "ELU of layer 'block/den'"]
    assert report.facts["float_operations"] == inside == TFLitePredictor(filepath).facts["float_operations"]
    assert f"found: 2 ({', '.join(inside)})" in report.parity.reason
    assert [told.partition(":")[0] for told in report.facts["gpu"]["refused"]] == [
        *("SHAPE of block", "STRIDED_SLICE of block", "RESHAPE of block"),
        *("SHAPE of block/den", "GATHER of block/den", "RESHAPE of block/den"),
    ]


def test_layers_of_a_network_inside_are_told_by_the_names_that_a_config_has(bench, tmp_path):
    image = tf.keras.Input((14, 14, 1))
    x = layers.Conv2D(2, 3, strides=3, name="conv", activation="elu")(image)
    encoder = tf.keras.Model(image, layers.ELU(name="last/elu")(x), name="encoder")
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Flatten()(encoder(layers.Rescaling(1 / 255)(inputs)))
    network = tf.keras.Model(inputs, layers.Dense(10, name="digit")(x))
    filepath = bench.export(network, tmp_path, "TFLite", precision="int8")
    report = verify_file(filepath, precision="int8", proof=bench.prove(network, tmp_path))
    assert report.facts["float_operations"] == ["ELU of layer 'encoder.conv'", "ELU of layer 'encoder.last/elu'"]


def real(*shape, dtype="float32", constant=False):
    return Tensor("", shape, dtype, constant)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Operation("ELU", (real(1, 4),), (real(1, 4),)), ""),
        (Operation("ELU", (real(1, 2, 2, 2, 4),), ()), "a tensor has 5 axes, and 4 are the most"),
        (Operation("MyOwn", (), (), is_custom=True), "it has no such operation"),
        (Operation("CAST", (real(1, dtype="int64"),), (real(1),)), "it makes no float32 of int64"),
        (Operation("MUL", (real(1, 1, 4), real(1, 4, 1)), ()), "it stretches one of its tensors, not both"),
        (Operation("ADD", (real(1, 8, 8, 4), real(8, 3)), ()), "it cannot stretch [8, 3] to [1, 8, 8, 4]"),
        (Operation("ADD", (real(1, 8, 8, 4), real(8, 4)), ()), ""),
        (Operation("RESHAPE", (real(1, 4), real(2, constant=True)), ()), ""),
        (Operation("RESHAPE", (real(1, 4), real(2)), ()), "it takes 1 computed tensor, and here are 2"),
        (Operation("GATHER", (real(9, 4, constant=True), real(1, 5, dtype="int32")), ()), "here are 2"),
    ],
    ids=lambda value: value.kind if isinstance(value, Operation) else "",
)
def test_gpu_delegate_has_rules_for_types_and_shapes(operation, expected):
    assert refusal(operation).endswith(expected)
    assert bool(refusal(operation)) == bool(expected)
    assert refusal(replace(operation, subgraph=1)) == refusal(operation)
