"""Files that convert without a word and answer wrongly: the gate stops each of them."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import Model

from trainkit.deploy.export import ExportContext
from trainkit.deploy.parity import compare
from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import verify_file
from trainkit.framework import tf
from trainkit.inference.tflite import TFLitePredictor

layers = tf.keras.layers


@pytest.fixture(scope="module")
def integer_input(bench, model, tmp_path_factory):
    """An int8 file that takes int8."""
    folder = tmp_path_factory.mktemp("integer")
    return bench.export(model, folder, "TFLite", precision="int8", input_type="int8", output_type="int8")


def test_calibration_scaled_by_255_fails(bench, model, proof, tmp_path):
    filepath = bench.export(model, tmp_path, "TFLite", precision="int8", context=bench.context(scale=1 / 255))
    report = verify_file(filepath, precision="int8", proof=proof)
    assert not report.parity.passed
    assert report.parity.changed > 100
    assert report.drop_points > 10


def test_calibration_on_darker_samples_fails_16_bit_activations(bench, model, proof, tmp_path):
    context = bench.context(scale=0.75)
    filepath = bench.export(model, tmp_path, "TFLite", precision="int16x8", context=context)
    report = verify_file(filepath, precision="int16x8", proof=proof)
    assert not report.parity.passed
    assert report.parity.changed > 5 * report.parity.allowed


def test_input_cast_to_int8_fails(integer_input, proof, monkeypatch):
    right = TFLitePredictor(integer_input).predict(proof.inputs)
    assert compare(proof.outputs, right, precision="int8").passed
    monkeypatch.setattr("trainkit.inference.tflite.quantize", lambda values, *_: values.astype(np.int8))
    wrong = TFLitePredictor(integer_input).predict(proof.inputs)
    verdict = compare(proof.outputs, wrong, precision="int8")
    assert not verdict.passed
    assert verdict.changed > 100


@pytest.mark.parametrize(
    ("exporter", "arguments"),
    [("TFLite", {}), ("TFLite", {"precision": "int8"}), ("ONNX", {})],
    ids=["float32", "int8", "onnx"],
)
def test_double_rescaling_fails(exporter, arguments, bench, model, proof, tmp_path):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    outputs = layers.Activation("linear", name="digit")(model(layers.Rescaling(1 / 255)(inputs)))
    filepath = bench.export(tf.keras.Model(inputs, outputs), tmp_path, exporter, **arguments)
    report = verify_file(filepath, precision=arguments.get("precision", "float32"), proof=proof)
    assert not report.parity.passed
    assert report.drop_points > 10


def test_padding_on_the_other_side_fails(bench, tmp_path):
    """A stride of 2 with padding `same` pads below and right; other frameworks pad above and left."""

    def build(pad, padding):
        inputs = tf.keras.Input((14, 14, 1), name="input")
        x = pad(layers.Rescaling(1 / 255)(inputs))
        x = layers.Conv2D(6, 3, strides=2, padding=padding, activation="relu")(x)
        x = layers.Flatten()(x)
        return tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))

    right = bench.train(build(layers.Activation("linear"), "same"))
    proof = bench.prove(right, tmp_path)
    assert verify_file(bench.export(right, tmp_path, "TFLite"), precision="float32", proof=proof).parity.passed
    wrong = build(layers.ZeroPadding2D(((1, 0), (1, 0))), "valid")
    wrong.set_weights(right.get_weights())
    report = verify_file(bench.export(wrong, tmp_path, "TFLite"), precision="float32", proof=proof)
    assert not report.parity.passed
    assert report.parity.largest_difference > 100 * report.parity.limit


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_depthwise_convolution_that_tensorflow_lite_computes_wrongly_fails(bench, precision, tmp_path):
    """A 3×1 kernel, stride 2, padding `same`, an even width: LiteRT is right, TensorFlow's own interpreter is not."""
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(inputs))
    x = layers.DepthwiseConv2D((3, 1), strides=2, padding="same", activation="relu")(x)
    model = bench.train(
        tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(layers.Flatten()(x)))
    )
    filepath = bench.export(model, tmp_path, "TFLite", precision=precision)
    report = verify_file(filepath, precision=precision, proof=bench.prove(model, tmp_path))
    assert not report.parity.passed
    assert "LiteRT answers rightly, but TensorFlow Lite" in report.parity.reason
    assert report.parity.changed > 100


def test_swapped_outputs_fail(bench, tmp_path):
    def build(names):
        inputs = tf.keras.Input((14, 14, 1), name="input")
        x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
        return tf.keras.Model(inputs, [layers.Dense(10, activation="softmax", name=name)(x) for name in names])

    right, swapped = build(["left", "right"]), build(["right", "left"])
    swapped.set_weights(right.get_weights())
    proof = bench.prove(right, tmp_path)
    assert verify_file(bench.export(right, tmp_path, "TFLite"), precision="float32", proof=proof).parity.passed
    report = verify_file(bench.export(swapped, tmp_path, "TFLite"), precision="float32", proof=proof)
    assert not report.parity.passed
    assert "largest difference" in report.parity.reason


PRECISIONS = ["float32", "int8"]


@pytest.fixture(scope="module")
def coloured(bench, tmp_path_factory):
    """A network that tells red digits below 5 from blue ones above, by colour alone, and its proof; as a factory."""

    def build(*, reverse=False):
        inputs = tf.keras.Input((14, 14, 3), name="input")
        x = layers.Rescaling(1 / 255)(inputs)
        x = layers.Conv2D(3, 1, use_bias=False, trainable=False, name="order")(x)
        x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
        x = layers.Dense(10, activation="softmax", name="digit")(layers.Flatten()(x))
        model = tf.keras.Model(inputs, x)
        order = np.eye(3, dtype=np.float32)[::-1] if reverse else np.eye(3, dtype=np.float32)
        model.get_layer("order").set_weights([order.reshape(1, 1, 3, 3)])
        return model

    def tinted(images, labels):
        tints = np.where((labels < 5)[:, None, None, None], [1.0, 0.4, 0.1], [0.1, 0.4, 1.0])
        return (images * tints).astype(np.uint8)

    model = build()
    model.compile(tf.keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(tinted(bench.images, bench.labels), bench.labels, batch_size=64, epochs=3, verbose=0)
    folder = tmp_path_factory.mktemp("coloured")
    model.save(folder / "model.keras")
    inputs = {"input": tinted(bench.test["input"], bench.test_labels)}
    proof = make_proof(model, folder / "model.keras", inputs, {"digit": bench.test_labels})
    samples = tinted(bench.images, bench.labels).astype(np.float32)
    context = ExportContext("digits", None, lambda count: ({"input": x[None]} for x in samples[:count]), "0.1.0")
    reverse = build(reverse=True)
    reverse.set_weights([reverse.get_layer("order").get_weights()[0], *model.get_weights()[1:]])
    return {"right": model, "BGR": reverse, "proof": proof, "context": context}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_bgr_for_rgb_fails(precision, coloured, bench, tmp_path):
    verdicts = {}
    for name in ("right", "BGR"):
        (tmp_path / name).mkdir()
        model, context = coloured[name], coloured["context"]
        filepath = bench.export(model, tmp_path / name, "TFLite", precision=precision, context=context)
        verdicts[name] = verify_file(filepath, precision=precision, proof=coloured["proof"]).parity
    assert verdicts["right"].passed, verdicts["right"].reason
    assert not verdicts["BGR"].passed
    assert verdicts["BGR"].changed > 100


@pytest.mark.parametrize(
    ("exporter", "precision"), [("TFLite", "float32"), ("TFLite", "int8"), ("ONNX", "float32")], ids=str
)
def test_weights_of_an_earlier_epoch_fail(exporter, precision, bench, model, tmp_path):
    """The file of a network that was trained on after it was exported."""
    arguments = {"precision": precision} if exporter == "TFLite" else {}
    stale = bench.export(model, tmp_path, exporter, **arguments)
    newer = tf.keras.models.clone_model(model)
    newer.set_weights(model.get_weights())
    proof = bench.prove(bench.train(newer, epochs=4), tmp_path)
    report = verify_file(stale, precision=precision, proof=proof)
    assert not report.parity.passed
    assert report.parity.changed > report.parity.allowed


def test_activation_that_int8_leaves_in_float_fails(bench, tmp_path):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Dense(16, activation="elu", name="bent")(layers.Flatten()(layers.Rescaling(1 / 255)(inputs)))
    model = bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)))
    report = verify_file(
        bench.export(model, tmp_path, "TFLite", precision="int8"), precision="int8", proof=bench.prove(model, tmp_path)
    )
    assert not report.parity.passed
    told = "computation with real numbers inside expected: none, found: 1 (ELU of layer 'bent')."
    assert report.parity.reason == told
    assert report.facts["float_tensors"]


def test_weights_alone_in_int8_fail(bench, model, proof, tmp_path):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (tmp_path / "dynamic.tflite").write_bytes(converter.convert())
    report = verify_file(tmp_path / "dynamic.tflite", precision="int8", proof=proof)
    assert not report.parity.passed
    assert "computation with real numbers inside" in report.parity.reason


def test_weight_with_a_flipped_sign_fails(files, proof, tmp_path):
    content = bytearray(files["float32"].read_bytes())
    kernel = TFLitePredictor(files["float32"])._interpreter  # the largest constant is the dense kernel
    largest = max(
        kernel.get_tensor_details(), key=lambda tensor: np.prod(tensor["shape"]) * (len(tensor["shape"]) == 2)
    )
    values = kernel.get_tensor(largest["index"])
    start = bytes(content).index(values.tobytes())
    content[start : start + values.nbytes] = (-values).tobytes()
    (tmp_path / "negated.tflite").write_bytes(content)
    assert not verify_file(tmp_path / "negated.tflite", precision="float32", proof=proof).parity.passed


@pytest.mark.parametrize("name", ["float32", "int8", "onnx"])
def test_file_cut_short_fails(name, files, proof, tmp_path):
    filepath = tmp_path / files[name].name
    filepath.write_bytes(files[name].read_bytes()[: files[name].stat().st_size // 2])
    report = verify_file(filepath, precision="int8" if name == "int8" else "float32", proof=proof)
    assert not report.parity.passed
    assert filepath.name in report.parity.reason
    assert report.accuracy is None


def test_file_that_crashes_its_interpreter_fails(files, proof, tmp_path):
    """One flipped bit: the sign of the scale by which the input is quantized."""
    content = bytearray(files["int8"].read_bytes())
    graph = Model.GetRootAs(content).Subgraphs(0)
    quantized = graph.Tensors(graph.Operators(0).Outputs(0))
    quantized.Quantization().ScaleAsNumpy()[0] *= -1  # writes into `content`
    (tmp_path / "crashing.tflite").write_bytes(content)
    report = verify_file(tmp_path / "crashing.tflite", precision="int8", proof=proof)
    assert not report.parity.passed
    assert report.parity.reason == "crashing.tflite cannot be run: killed by SIGSEGV."
    assert report.accuracy is None
