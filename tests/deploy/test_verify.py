"""What is measured of an exported file, and what `verify.json` holds."""

from __future__ import annotations

import gzip
import hashlib
import json

import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import make_record, verify_file
from trainkit.framework import tf

NAMES = ["float32", "int8", "onnx"]


@pytest.mark.parametrize("name", NAMES)
def test_right_file_passes(name, reports):
    assert reports[name].parity.passed, reports[name].parity.reason
    assert reports[name].parity.samples == 1000


@pytest.mark.parametrize("name", NAMES)
def test_report_measures_the_file(name, files, reports):
    content = files[name].read_bytes()
    assert reports[name].file == files[name].name
    assert reports[name].bytes == len(content) == files[name].stat().st_size
    assert len(content) > reports[name].gzip_bytes > 0
    assert reports[name].gzip_bytes == pytest.approx(len(gzip.compress(content)), abs=32)
    assert reports[name].sha256 == hashlib.sha256(content).hexdigest()


def test_accuracy_is_the_one_that_litert_measures(files, reports, bench):
    runner = Interpreter(str(files["int8"])).get_signature_runner()
    images = bench.test["input"].astype(np.float32)
    answers = np.array([runner(input=image[np.newaxis])["digit"].argmax() for image in images])
    assert reports["int8"].accuracy == np.mean(answers == bench.test_labels)


def test_accuracy_is_the_one_that_onnx_runtime_measures(files, reports, bench):
    session = onnxruntime.InferenceSession(str(files["onnx"]))
    (outputs,) = session.run(["digit"], {"input": bench.test["input"].astype(np.float32)})
    assert reports["onnx"].accuracy == np.mean(outputs.argmax(axis=1) == bench.test_labels)


def test_drop_is_in_points(reports, proof):
    report = reports["int8"]
    assert report.drop_points == pytest.approx(100 * (proof.accuracy - report.accuracy))


def test_accuracy_of_the_model_is_the_one_that_keras_measures(proof, model, bench):
    outputs = model.predict(bench.test["input"], verbose=0)
    assert proof.accuracy == np.mean(outputs.argmax(axis=1) == bench.test_labels)


def test_facts_tell_inputs_and_metadata(reports):
    assert reports["float32"].facts["inputs"]["input"]["shape"] == [None, 14, 14, 1]
    assert "float_tensors" not in reports["float32"].facts
    assert reports["int8"].facts["float_tensors"] == []
    assert json.loads(reports["onnx"].facts["metadata"]["classes"]) == list("0123456789")


def test_verify_json_names_the_model_and_all_files(reports, proof, files):
    written = json.loads(json.dumps(make_record(proof, list(reports.values()))))
    assert written["version"] == 1
    assert written["samples"] == 1000
    assert written["model"] == {
        "file": "model.keras",
        "sha256": proof.sha256,
        "accuracy": proof.accuracy,
        "outputs": {"digit": {"accuracy": proof.accuracy}},
    }
    assert [file["file"] for file in written["files"]] == [files[name].name for name in NAMES]
    assert all(file["parity"]["passed"] for file in written["files"])


def test_without_labels_there_is_parity_but_no_accuracy(model, files, bench, tmp_path):
    model.save(tmp_path / "model.keras")
    proof = make_proof(model, tmp_path / "model.keras", bench.test, {})
    report = verify_file(files["float32"], precision="float32", proof=proof)
    assert report.parity.passed
    assert (proof.accuracy, report.accuracy, report.drop_points) == (None, None, None)


def test_file_of_another_network_fails(bench, proof, tmp_path):
    inputs = tf.keras.Input((10, 10, 1), name="input")
    outputs = tf.keras.layers.Dense(10, name="digit")(tf.keras.layers.Flatten()(inputs))
    filepath = bench.export(tf.keras.Model(inputs, outputs), tmp_path, "TFLite")
    report = verify_file(filepath, precision="float32", proof=proof)
    assert not report.parity.passed
    assert "`input` must have the shape (samples, 10, 10, 1)" in report.parity.reason


def test_no_answer_in_time_fails(files, proof):
    report = verify_file(files["onnx"], precision="float32", proof=proof, timeout=1e-3)
    assert report.parity.reason == "digits.onnx cannot be run: no answer within 0.001 seconds."
