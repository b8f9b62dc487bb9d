"""Keras -> .onnx of 16 and of 8 bits"""

from __future__ import annotations

import json
import logging

import numpy as np
import onnx
import pytest

from trainkit.deploy.compress.constants import read_constants
from trainkit.deploy.compress.keeper import check_file
from trainkit.deploy.compress.result import Promise
from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.onnx import export_onnx
from trainkit.deploy.parity import compare
from trainkit.deploy.verify import verify_file
from trainkit.errors import DiskFullError, ExportError, InputError
from trainkit.framework import tf
from trainkit.inference import open_predictor
from trainkit.models.layers import Impute

layers = tf.keras.layers
SMALL = ["float16", "int8"]


@pytest.fixture(scope="module")
def small(bench, model, tmp_path_factory):
    """The file of each precision."""
    folder = tmp_path_factory.mktemp("small")
    return {precision: bench.export(model, folder, "ONNX", precision=precision) for precision in SMALL}


@pytest.fixture(scope="module")
def measured(small, proof):
    return {precision: verify_file(small[precision], precision=precision, proof=proof) for precision in SMALL}


@pytest.mark.parametrize(("precision", "held"), [("float16", "float16"), ("int8", "int8")])
def test_file_holds_what_it_is_called_and_answers_like_the_model(precision, held, small, measured, files):
    report = measured[precision]
    assert report.file == f"digits_{precision}.onnx"
    assert report.parity.passed, report.parity.reason
    assert held in report.facts["dtypes"]
    share = small[precision].stat().st_size / files["onnx"].stat().st_size
    assert share < 0.85  # of 14 KB, names and structure are the larger part; how long names are differs from run to run
    assert {facts["dtype"] for facts in report.facts["inputs"].values()} == {"float32"}
    kernels = [one.values for one in read_constants(small[precision]) if one.is_of("digit", 2880)]
    assert {values.dtype.name for values in kernels} == {held}


@pytest.mark.parametrize("precision", SMALL)
def test_metadata_and_edges_are_those_of_the_float32_file(precision, small, files):
    of_small, of_whole = onnx.load(small[precision]), onnx.load(files["onnx"])
    props = [{entry.key: entry.value for entry in proto.metadata_props} for proto in (of_small, of_whole)]
    assert props[0] == props[1]
    assert json.loads(props[0]["classes"]) == list("0123456789")
    for edge in ("input", "output"):
        whole, found = (getattr(proto.graph, edge) for proto in (of_whole, of_small))
        assert [value.name for value in found] == [value.name for value in whole]
        assert [value.type for value in found] == [value.type for value in whole]


def test_int8_file_tells_what_computes_with_real_numbers(measured):
    assert {told.split(" of ")[0] for told in measured["int8"].facts["float_operations"]} <= {"Mul", "Add", "Reshape"}
    assert any("rescaling" in told for told in measured["int8"].facts["float_operations"])
    assert "float_operations" not in measured["float16"].facts


@pytest.mark.parametrize(
    ("precision", "told"),
    [
        ("int8", "computation with real numbers inside expected: none, found: 2 (Conv of layer '"),
        ("float16", "float16 weights inside expected: some, found: none."),
    ],
)
def test_file_that_is_not_what_it_is_called_fails(precision, told, files, proof):
    parity = verify_file(files["onnx"], precision=precision, proof=proof).parity
    assert not parity.passed
    assert parity.reason.startswith(told)


def test_calibration_scaled_by_255_fails(bench, model, proof, tmp_path):
    filepath = bench.export(model, tmp_path, "ONNX", precision="int8", context=bench.context(scale=1 / 255))
    report = verify_file(filepath, precision="int8", proof=proof)
    assert not report.parity.passed
    assert report.parity.changed > 100


@pytest.mark.parametrize("precision", SMALL)
def test_the_same_model_is_the_same_file(precision, small, bench, model, tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.WARNING):
        again = bench.export(model, tmp_path, "ONNX", precision=precision)
    assert again.read_bytes() == small[precision].read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [again.name]
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


def test_calibration_takes_as_many_samples_as_asked_for(model, bench, tmp_path):
    asked = []

    def calibration(count):
        asked.append(count)
        return bench.context().calibration(count)

    context = ExportContext("digits", None, calibration, "0.1.0")
    export_onnx(model, tmp_path / "a.onnx", precision="int8", calibration_samples=7, context=context)
    assert asked == [7]


def test_calibration_that_gives_nothing_is_refused(model, tmp_path):
    context = ExportContext("digits", None, lambda count: [], "0.1.0")
    with pytest.raises(InputError, match="calibration must give at least one training sample"):
        export_onnx(model, tmp_path / "a.onnx", precision="int8", context=context)
    with pytest.raises(InputError, match="`calibration_samples` must be at least 1"):
        export_onnx(model, tmp_path / "a.onnx", precision="int8", calibration_samples=0, context=context)


def test_no_room_for_temporary_files_is_a_full_disk(bench, model, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("onnx.save", full)
    with pytest.raises(DiskFullError, match=r"cannot be written: No space left on device\.$"):
        bench.export(model, tmp_path, "ONNX", precision="int8")


@pytest.mark.parametrize("precision", SMALL)
def test_numbers_of_a_table_are_not_rounded_before_they_are_normalized(precision, tmp_path):
    """Of years and grams 16 bits leave little, and one scale of 8 bits for both nothing."""
    generator = np.random.default_rng(2)
    table = (generator.normal(size=(200, 2)) * (1, 900) + (100_000, 5000)).astype(np.float32)
    table[::9, 1] = np.nan
    inputs = tf.keras.Input((2,), name="row")
    impute, normalize = Impute(), layers.Normalization()
    impute.adapt(table)
    normalize.adapt(impute(table))
    hidden = layers.Dense(8, activation="relu", kernel_initializer=tf.keras.initializers.GlorotUniform(1))
    answer = layers.Dense(2, name="size", kernel_initializer=tf.keras.initializers.GlorotUniform(2))
    model = tf.keras.Model(inputs, answer(hidden(normalize(impute(inputs)))))
    context = ExportContext("a", None, lambda count: ({"row": row[None]} for row in table[:count]), "0.1.0")
    filepath = export_onnx(model, tmp_path / "a.onnx", precision=precision, context=context)
    expected = {"size": model.predict(table, verbose=0)}
    verdict = compare(expected, open_predictor(filepath).predict({"row": table}), precision=precision, numbers=["size"])
    assert verdict.passed, verdict.reason


@pytest.mark.parametrize(
    ("body", "precision", "told"),
    [
        ([layers.LSTM(3)], "int8", r"nothing quantizes the LSTM\. Use `precision: float32`, or float16"),
        ([layers.Masking(), layers.GRU(3)], "float16", r"nothing quantizes a loop, .* Use `precision: float32`"),
    ],
    ids=["recurrent", "loop"],
)
def test_what_stays_in_real_numbers_is_refused(body, precision, told, tmp_path):
    inputs = x = tf.keras.Input((None, 4), name="input")
    for layer in body:
        x = layer(x)
    context = ExportContext("a", None, lambda count: [{"input": np.ones((1, 5, 4))}] * count, "0.1.0")
    with pytest.raises(ExportError, match=rf"^a\.onnx cannot be written: .* cannot be {precision} in ONNX: {told}\.$"):
        export_onnx(tf.keras.Model(inputs, x), tmp_path / "a.onnx", precision=precision, context=context)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", SMALL)
def test_zeros_and_shared_values_are_found(precision, tmp_path):
    generator = np.random.default_rng(4)
    inputs = tf.keras.Input((6,), name="input")
    model = tf.keras.Model(inputs, layers.Dense(5, name="b")(layers.Dense(20, name="a", activation="relu")(inputs)))
    sparse, shared = generator.normal(size=(6, 20)), generator.choice([-0.5, 0.1, 0.7], size=(20, 5))
    sparse[generator.random(sparse.shape) < 0.6] = 0
    model.get_layer("a").kernel.assign(sparse)
    model.get_layer("b").kernel.assign(shared)
    samples = generator.normal(size=(50, 1, 6)).astype(np.float32)
    context = ExportContext("a", None, lambda count: ({"input": x} for x in samples[:count]), "0.1.0")
    filepath = export_onnx(model, tmp_path / "a.onnx", precision=precision, context=context)
    zeros = int((sparse == 0).sum())
    promises = [
        Promise("Prune", "a", "kernel", "zeros", zeros, 120),
        Promise("Cluster", "b", "kernel", "distinct values", 3, 100),
    ]
    pruned, clustered = check_file(read_constants(filepath), promises)
    assert (pruned.holds, clustered.holds, clustered.found) == (True, True, 3)
    assert zeros <= pruned.found < zeros + 5  # rounding may make some more
