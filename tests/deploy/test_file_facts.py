"""What the operations of a written file say of it."""

from __future__ import annotations

from dataclasses import replace

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from trainkit.deploy.export.tflite_file import IDENTIFIER
from trainkit.deploy.file_facts import operation_facts, operation_faults
from trainkit.deploy.gpu_delegate import refusal
from trainkit.deploy.operations import Operation, Tensor, read_operations
from trainkit.deploy.verify import verify_file
from trainkit.framework import tf

layers = tf.keras.layers


@pytest.fixture(scope="module")
def reshaped(bench, tmp_path_factory):
    """A network with a free batch axis, whose Reshape is computed from it: the GPU delegate refuses that."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(2, 3, name="first", activation="elu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.Reshape((72, 4), name="rows")(x)
    x = layers.Dense(10, name="digit")(layers.GlobalAveragePooling1D(name="mean")(x))
    return bench.export(tf.keras.Model(inputs, x), tmp_path_factory.mktemp("reshaped"), "TFLite")


def test_operations_are_counted_and_told_with_their_layers(reshaped):
    facts = operation_facts(reshaped)
    once = ("CONV_2D", "ELU", "FULLY_CONNECTED", "MEAN", "PACK", "RESHAPE", "SHAPE", "STRIDED_SLICE")
    assert facts["operations"] == dict.fromkeys(once, 1)
    assert facts["foreign"] == []
    assert [(str(operation), operation.subgraph) for operation in read_operations(reshaped.read_bytes())][:2] == [
        ("CONV_2D of first", 0),
        ("ELU of first", 0),
    ]
    assert str(read_operations(reshaped.read_bytes())[-1]) == "FULLY_CONNECTED of digit"


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
    assert operation_facts(files["onnx"]) == {}


def test_foreign_operations_are_a_fault(files, tmp_path):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(files["float32"].read_bytes(), 0))
    code = model.operatorCodes[model.subgraphs[0].operators[-1].opcodeIndex]
    code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM, schema.BuiltinOperator.CUSTOM
    code.customCode = b"FlexErf"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    (tmp_path / "flex.tflite").write_bytes(bytes(builder.Output()))
    facts = operation_facts(tmp_path / "flex.tflite")
    assert facts["foreign"] == ["FlexErf of digit"]
    told = "operations that are not TensorFlow Lite's own expected: none, found: FlexErf of digit."
    assert operation_faults(facts) == [told]
    assert operation_faults({}) == []


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
    ids=lambda value: value.name if isinstance(value, Operation) else "",
)
def test_gpu_delegate_has_rules_for_types_and_shapes(operation, expected):
    assert refusal(operation).endswith(expected)
    assert bool(refusal(operation)) == bool(expected)
    assert refusal(replace(operation, subgraph=1)) == refusal(operation)
