"""What targets do not run of layers, against the files that are really written."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from trainkit.deploy.export import EXPORTERS, ExportContext
from trainkit.deploy.gpu_delegate import refusal
from trainkit.deploy.operations import read_operations
from trainkit.errors import ExportError, PredictionError
from trainkit.framework import tf
from trainkit.inference.onnx import ONNXPredictor
from trainkit.inference.tflite_graph import TFLiteGraph
from trainkit.models.targets import Target, findings
from trainkit.models.targets.integers import FLOAT_ACTIVATIONS

from .layer_cases import CASES, IMAGE, MORE, ROW, STEPS, VARIANTS, K, model_of

NO_FILE = "no file"
AXES = "more than four axes"
EDGES = ("DEQUANTIZE", "QUANTIZE")
AROUND_RECURRENT = {"REVERSE_V2", "STRIDED_SLICE"}
"""What stands beside a recurrent layer, as its arguments want it."""
ALL = CASES | MORE | VARIANTS
NOT_RUN = ("Conv3D-groups", "UnitNormalization-volume")
"""What its converter writes, and its interpreter does not run."""
SEVERAL = ("LSTM-mask",)
"""A model of two layers that both stand in the way; a finding tells of the first."""


def array(shape, dtype):
    shape = [1, *(5 if size is None else size for size in shape[1:])]
    if dtype == "string":
        return np.full(shape, "a", object)
    random = np.random.default_rng(0)
    return random.integers(0, 5, shape).astype(dtype) if "int" in dtype else random.normal(size=shape).astype(dtype)


def context_of(model):
    inputs = dict(zip(model.input_names, model.inputs, strict=True))
    samples = {name: array(tensor.shape, tensor.dtype.name) for name, tensor in inputs.items()}
    return ExportContext("layer", None, lambda count: iter([samples] * 2), "0.1.0")


def operations_of(case, folder, precision="float32"):
    """Of the .tflite; of one sample at a time, where a layer asks for that; None where there can be none."""
    for batch in (None, 1):
        model = model_of(case, batch)
        try:
            filepath = EXPORTERS.get("TFLite")(
                model, folder / "layer.tflite", precision=precision, context=context_of(model)
            )
        except ExportError:
            continue
        return read_operations(TFLiteGraph(filepath.read_bytes()))
    return None


def measured_int8(case, folder):
    operations = operations_of(case, folder, "int8")
    if operations is None:
        return {NO_FILE}
    return {
        operation.kind
        for operation in operations
        if operation.kind not in EDGES
        and any(tensor.dtype == "float32" for tensor in (*operation.inputs, *operation.outputs))
    }


def measured_gpu(case, folder):
    operations = operations_of(case, folder)
    if operations is None:
        return {NO_FILE}
    refused = [operation for operation in operations if operation.subgraph == 0 and refusal(operation)]
    has_axes = any("axes, and 4 are" in refusal(operation) for operation in refused)
    return {AXES} if has_axes else {operation.kind for operation in refused}


def measured_onnx(case, folder, precision="float32"):
    model = model_of(case)
    try:
        filepath = EXPORTERS.get("ONNX")(model, folder / "layer.onnx", precision=precision, context=context_of(model))
        predictor = ONNXPredictor(filepath)
        predictor.predict({name: array(facts.shape, facts.dtype) for name, facts in predictor.inputs.items()})
    except (ExportError, PredictionError) as error:
        missing = re.search(r"ONNX has no operation for (\w+)", str(error))
        return {missing[1]} if missing else {NO_FILE}
    return set()


def measured_onnx_int8(case, folder):
    return {NO_FILE} if measured_onnx(case, folder, "int8") else set()


MEASURED = {
    Target.INT8: measured_int8,
    Target.GPU: measured_gpu,
    Target.ONNX: measured_onnx,
    Target.ONNX_INT8: measured_onnx_int8,
}


def told(case, target):
    """The operations that the table names; that there is no file; or that there are too many axes."""
    found = findings(model_of(case), target)
    if not found:
        return set()
    is_known = target is Target.ONNX and found[0].operations in KNOWN_BY
    if found[0].target is Target.TFLITE or found[0].rule or is_known or target is Target.ONNX_INT8:
        return {NO_FILE}
    return {*found[0].operations} or {NO_FILE if target is Target.ONNX else AXES}


KNOWN_BY = (("If",), ("Resize",))
"""What ONNX's converter or runtime refuses in other words."""


def check(name, target, folder):
    case = ALL[name]
    measured = MEASURED[target](case, folder)
    if target is Target.GPU and isinstance(model_of(case).layers[-1], K.RNN | K.Bidirectional | K.TimeDistributed):
        measured -= AROUND_RECURRENT - told(case, target)
    assert told(case, target) == measured


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*ALL])
def test_what_int8_computes_with_real_numbers_is_what_the_file_does(name, tmp_path):
    check(name, Target.INT8, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in ALL if name not in (*NOT_RUN, *SEVERAL)])
def test_what_the_gpu_delegate_refuses_is_what_its_rules_say_of_the_file(name, tmp_path):
    check(name, Target.GPU, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*ALL])
def test_what_onnx_lacks_is_what_its_converter_and_runtime_say(name, tmp_path):
    check(name, Target.ONNX, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*ALL])
def test_what_cannot_be_int8_in_onnx_is_what_its_exporter_says(name, tmp_path):
    check(name, Target.ONNX_INT8, tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("GRU", Target.INT8),
        ("LSTM-any-length", Target.INT8),
        ("LSTM-many-steps", Target.INT8),
        ("LSTM-mask", Target.INT8),
        ("ConvLSTM1D", Target.INT8),
        ("LSTM", Target.GPU),
        ("LSTM", Target.ONNX_INT8),
        ("LSTM-unroll", Target.ONNX_INT8),
        ("Dense-elu", Target.INT8),
        ("Dense", Target.INT8),
        ("Reshape", Target.GPU),
        ("Conv2D", Target.GPU),
        ("Conv2D-groups", Target.ONNX),
    ],
)
def test_findings_of_one_layer_of_each_kind_are_what_the_files_say(name, target, tmp_path):
    check(name, target, tmp_path)


QUANTIZE_IN_A_CHILD = """\
from trainkit.framework import tf
K = tf.keras.layers
inputs = tf.keras.Input((5, 4), 1, name="input")
converter = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(inputs, K.{layer}(inputs)))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.representative_dataset = lambda: iter([{{"input": tf.ones((1, 5, 4)).numpy()}}])
converter.convert()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "dies"), [("GRU(3)", True), ("SimpleRNN(3)", True), ("LSTM(3)", False)])
def test_quantizing_a_loop_ends_the_process(layer, dies):
    code = QUANTIZE_IN_A_CHILD.format(layer=layer)
    assert (subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode < 0) == dies


@pytest.mark.parametrize("activation", [*FLOAT_ACTIVATIONS])
@pytest.mark.parametrize(
    "layer",
    [
        lambda activation: K.Dense(3, activation=activation),
        lambda activation: K.Activation(activation),
        lambda activation: K.TimeDistributed(K.Dense(3, activation=activation)),
        lambda activation: K.Bidirectional(K.LSTM(3, activation=activation, unroll=True)),
        lambda activation: K.Lambda(lambda x: x) if activation is None else tf.keras.Sequential([K.ELU()]),
    ],
    ids=["argument", "layer", "wrapped", "recurrent", "model"],
)
def test_an_activation_without_integers_is_found_wherever_it_stands(layer, activation):
    (finding,) = findings(model_of((lambda: layer(activation), [STEPS])), Target.INT8)
    assert finding.operations == ("ELU",)
    assert "relu" in finding.cure


def test_a_function_of_tensorflow_is_found_too():
    inputs = tf.keras.Input(ROW)
    model = tf.keras.Model(inputs, tf.nn.elu(inputs))
    assert [finding.operations for finding in findings(model, Target.INT8)] == [("ELU",)]


def test_findings_name_the_layer_in_the_order_of_the_network():
    inputs = tf.keras.Input(IMAGE)
    x = K.Conv2D(4, 3, groups=2, name="grouped")(inputs)
    x = K.UpSampling2D(interpolation="lanczos3", name="larger")(x)
    x = K.Conv2D(4, 3, groups=4, name="again")(x)
    model = tf.keras.Model(inputs, x)
    assert [finding.layer for finding in findings(model, Target.ONNX)] == ["grouped", "larger", "again"]
    (finding,) = findings(model, Target.TFLITE)
    assert (finding.layer, finding.class_name) == ("larger", "UpSampling2D")
    assert finding.operations == ("ScaleAndTranslate",)


def test_a_layer_that_needs_a_batch_of_one_is_no_finding():
    model = model_of((lambda: K.LSTM(3), [STEPS]))
    assert findings(model, Target.TFLITE) == findings(model, Target.INT8) == findings(model, Target.ONNX) == []
