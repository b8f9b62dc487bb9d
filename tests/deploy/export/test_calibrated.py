"""Files of integers from one calibration, some layers in float32."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.export.layer_graph import LayerGraph
from trainkit.deploy.export.operations import OperationsFile
from trainkit.deploy.export.tflite import export_tflite, find_ranges
from trainkit.deploy.islands import Islands
from trainkit.deploy.verify import verify_file
from trainkit.errors import ExportError, InputError
from trainkit.framework import tf
from trainkit.inference.tflite_graph import TFLiteGraph

layers = tf.keras.layers


@pytest.fixture(scope="module")
def network(bench):
    """A convolution with BatchNormalization, a depthwise one beside it, and a layer that has no integers."""
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.ReLU(name="stem.act")(layers.BatchNormalization(momentum=0.8, name="stem.bn")(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    y = layers.BatchNormalization(momentum=0.8, name="depthwise.bn")(y)
    x = layers.Add(name="add")([x, y])
    x = layers.Dropout(0.1, name="dropout")(layers.Flatten(name="flatten")(x))
    return bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)))


def opened(filepath, network):
    return OperationsFile(TFLiteGraph(filepath.read_bytes()), LayerGraph.of(network))


@pytest.fixture(scope="module")
def calibrated(bench, network):
    return find_ranges(network, 200, context=bench.context(), name="digits")


@pytest.fixture(scope="module")
def network_proof(bench, network, tmp_path_factory):
    return bench.prove(network, tmp_path_factory.mktemp("network"))


def float_operations(filepath):
    """What computes with real numbers, told by the interpreter."""
    interpreter = Interpreter(str(filepath))
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    found = []
    for one in interpreter._get_ops_details():
        types = {np.dtype(tensors[index]["dtype"]).kind for index in (*one["inputs"], *one["outputs"]) if index >= 0}
        if "f" in types and one["op_name"] not in ("QUANTIZE", "DEQUANTIZE", "DELEGATE"):
            found.append(one["op_name"])
    return sorted(found)


@pytest.mark.parametrize(
    ("exclude", "kinds", "told"),
    [
        (["depthwise"], ["DEPTHWISE_CONV_2D"], ["depthwise", "depthwise.bn"]),
        (["stem.bn"], ["CONV_2D"], ["stem", "stem.bn", "stem.act"]),
        (["stem", "add"], ["ADD", "CONV_2D"], ["stem", "stem.bn", "stem.act", "add"]),
        (["digit"], ["FULLY_CONNECTED", "SOFTMAX"], ["digit"]),
    ],
    ids=["depthwise", "folded", "two", "output"],
)
def test_exactly_the_excluded_layers_compute_with_real_numbers(exclude, kinds, told, network, calibrated, tmp_path):
    filepath = tmp_path / "a.tflite"
    filepath.write_bytes(calibrated.quantize(calibrated.choose(exclude)))
    assert float_operations(filepath) == kinds
    islands, file = Islands.of(exclude, network), opened(filepath, network)
    assert islands.faults(file) == []
    assert islands.layers(file) == told


@pytest.mark.parametrize(
    ("made", "asked", "told"),
    [
        ([], ["stem"], "real numbers in excluded layers expected, found: integers in 1 (CONV_2D of layer 'stem')."),
        (
            ["depthwise", "digit"],
            ["depthwise"],
            "computation with real numbers inside expected: in the layers of exclude=['depthwise'] only, found: 2 "
            "(FULLY_CONNECTED of layer 'digit', SOFTMAX of layer 'digit').",
        ),
        (["add"], [], "computation with real numbers inside expected: none, found: 1 (ADD of layer 'add')."),
    ],
    ids=["integers", "another", "none"],
)
def test_a_file_with_other_layers_in_float32_is_found(made, asked, told, network, calibrated, tmp_path):
    filepath = tmp_path / "a.tflite"
    filepath.write_bytes(calibrated.quantize(made))
    assert told in Islands.of(asked, network).faults(opened(filepath, network))


@pytest.mark.slow
def test_a_file_that_is_not_what_it_should_be_fails_at_the_gate(bench, network, network_proof, tmp_path):
    filepath = bench.export(network, tmp_path, "TFLite", precision="int8", exclude=["depthwise"])
    report = verify_file(filepath, precision="int8", proof=network_proof, islands=Islands.of(["stem"], network))
    assert not report.parity.passed
    assert "found: 1 (DEPTHWISE_CONV_2D of layer 'depthwise'). real numbers in excluded" in report.parity.reason


def test_islands_go_with_integers_at_the_edges(bench, network, network_proof, tmp_path):
    types = {"input_type": "uint8", "output_type": "int8"}
    filepath = bench.export(network, tmp_path, "TFLite", precision="int8", exclude=["stem", "digit"], **types)
    report = verify_file(
        filepath, precision="int8", proof=network_proof, islands=Islands.of(["stem", "digit"], network)
    )
    assert report.parity.passed, report.parity.reason
    assert report.islands == {"exclude": ["stem", "digit"], "layers": ["stem", "stem.bn", "stem.act", "digit"]}
    assert report.facts["inputs"]["input"]["dtype"] == "uint8"
    assert report.facts["outputs"]["digit"]["dtype"] == "int8"


def test_calibrating_once_gives_the_file_that_the_converter_gives(bench, network, calibrated, tmp_path):
    whole = bench.export(network, tmp_path, "TFLite", precision="int8", calibration_samples=200)
    ours, theirs = Interpreter(model_content=calibrated.quantize()), Interpreter(str(whole))
    assert [one["op_name"] for one in ours._get_ops_details()] == [one["op_name"] for one in theirs._get_ops_details()]
    answers = []
    for interpreter in (ours, theirs):
        runner = interpreter.get_signature_runner("serving_default")
        image = bench.test["input"][:1].astype(np.float32)
        answers.append(runner(input=image)["digit"])
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize(
    ("exclude", "told"),
    [
        (["convolution"], r"^`exclude` must fit a layer\. Received: 'convolution'\."),
        (
            ["dropout"],
            r"'dropout' \(Dropout\), which became part of other .* Write 'flatten', or leave it out\.",
        ),
        (["rescaling"], r"Received: 'rescaling' \(Rescaling\), which .* Write 'stem', or leave it out\."),
    ],
    ids=["unknown", "nothing", "folded"],
)
def test_what_cannot_be_excluded_is_refused_with_a_cure(exclude, told, calibrated):
    with pytest.raises(InputError, match=told):
        calibrated.choose(exclude)


def test_auto_is_for_deploy(bench, network, tmp_path):
    with pytest.raises(InputError, match=r"`exclude` must be a list of layers where a file is exported by itself"):
        bench.export(network, tmp_path, "TFLite", precision="int8", exclude="auto")


def test_exclude_is_for_files_of_integers(bench, network, tmp_path):
    with pytest.raises(InputError, match=r"`exclude` must be left out where `precision` is float16"):
        export_tflite(network, tmp_path / "a", precision="float16", exclude=["stem"], context=bench.context())


def test_transposed_convolutions_are_excluded_together(tmp_path):
    """The converter knows them by no name."""
    inputs = tf.keras.Input((4, 4, 2), name="input")
    x = layers.Conv2DTranspose(3, 2, strides=2, bias_initializer="ones", name="up1")(inputs)
    x = layers.Conv2DTranspose(3, 2, strides=2, bias_initializer="ones", name="up2")(layers.ReLU(name="act")(x))
    model = tf.keras.Model(inputs, layers.Conv2D(1, 1, name="out")(x))
    images = np.random.default_rng(1).normal(size=(8, 4, 4, 2)).astype(np.float32)

    class Context:
        calibration = staticmethod(lambda count: ({"input": one[None]} for one in images))

    calibrated = find_ranges(model, 8, context=Context(), name="a")
    with pytest.raises(InputError, match=r"must name 'up1' together with 'up2': .* Write all, or none\."):
        calibrated.choose(["up1"])
    (tmp_path / "a.tflite").write_bytes(calibrated.quantize(calibrated.choose(["up?"])))
    assert float_operations(tmp_path / "a.tflite") == ["SHAPE", "SHAPE", "TRANSPOSE_CONV", "TRANSPOSE_CONV"]


@pytest.mark.parametrize(
    "ask",
    [Calibrated.quantize, Calibrated.compared, lambda one: one.floats, lambda one: one.choose(["stem"])],
    ids=["quantize", "compared", "floats", "choose"],
)
def test_error_of_the_converter_is_one_of_the_export(ask, calibrated, monkeypatch):
    def refuse(*arguments, **options):
        raise RuntimeError("quantization\nfailed.")

    monkeypatch.setattr("trainkit.deploy.export.calibrated.mlir_quantize", refuse)
    fresh = Calibrated(calibrated.content, calibrated.graph, name="digits_int8.tflite")
    with pytest.raises(ExportError, match=r"^digits_int8\.tflite cannot be written: quantization failed\.$"):
        ask(fresh)
