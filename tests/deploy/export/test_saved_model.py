"""Keras -> SavedModel"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.saved_model import export_saved_model
from trainkit.deploy.verify import verify_file
from trainkit.errors import ExportError, InputError, OutputError
from trainkit.framework import tf
from trainkit.inference import open_predictor

layers = tf.keras.layers
KINDS = ["chat", "grüner Tee", "犬"]
DATA = {"inputs": {}, "outputs": {"kind": {"classes": KINDS}, "size": {"classes": None}}}
CONTEXT = ExportContext("table", None, lambda count: [], "0.1.0", DATA, "ab" * 32)


@pytest.fixture(scope="module")
def table():
    """Numbers and a text in; a class and a number out; compiled, so that it has an optimizer."""
    tf.keras.utils.set_random_seed(1)
    numbers, island = tf.keras.Input((4,), name="numbers"), tf.keras.Input((1,), dtype=tf.string, name="island")
    known = layers.StringLookup(vocabulary=["Biscoe", "Füssen"], output_mode="one_hot")
    adapted = layers.StringLookup(output_mode="one_hot")
    adapted.adapt(np.array([["Biscoe"], ["Füssen"], ["Dream"]]))
    x = layers.Concatenate()([numbers, known(island), adapted(island)])
    outputs = [layers.Dense(1, name="size")(x), layers.Dense(3, activation="softmax", name="kind")(x)]
    model = tf.keras.Model([numbers, island], outputs)
    model.compile("adam", {"size": "mse", "kind": "sparse_categorical_crossentropy"})
    rows = {"numbers": np.ones((2, 4)), "island": np.array([["Biscoe"], ["Dream"]])}
    model.fit(rows, {"size": np.ones(2), "kind": np.zeros(2)}, verbose=0)
    return model


@pytest.fixture(scope="module")
def written(table, tmp_path_factory):
    return export_saved_model(table, tmp_path_factory.mktemp("saved") / "table_saved_model", context=CONTEXT)


@pytest.fixture
def rows():
    islands = np.array([["Biscoe"], ["Füssen"], ["Dream"], ["Atlantis"], [""]])
    return {"numbers": np.arange(20, dtype=np.float32).reshape(5, 4) / 10, "island": islands}


def answers(model, rows):
    size, kind = model([tf.constant(rows["numbers"]), tf.constant(rows["island"])])
    return {"size": size.numpy(), "kind": kind.numpy()}


def test_signature_has_the_names_of_the_model_and_a_free_batch_axis(written):
    (name, function), *others = tf.saved_model.load(str(written)).signatures.items()
    assert (name, others) == ("serving_default", [])
    inputs = {name: (spec.shape.as_list(), spec.dtype) for name, spec in function.structured_input_signature[1].items()}
    assert inputs == {"numbers": ([None, 4], tf.float32), "island": ([None, 1], tf.string)}
    outputs = {name: spec.shape.as_list() for name, spec in function.structured_outputs.items()}
    assert outputs == {"size": [None, 1], "kind": [None, 3]}


def test_tensorflow_alone_gets_the_answers_of_the_model(written, table, rows):
    function = tf.saved_model.load(str(written)).signatures["serving_default"]
    found = function(numbers=tf.constant(rows["numbers"]), island=tf.constant(rows["island"]))
    for name, expected in answers(table, rows).items():
        np.testing.assert_allclose(found[name].numpy(), expected, atol=1e-6)


def test_another_process_gets_the_answers_of_the_model(written, table, rows):
    """The vocabularies are in the directory, not in this process."""
    script = (
        "import sys, numpy as np, tensorflow as tf\n"
        "function = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "found = function(numbers=tf.constant(np.arange(20, dtype='f').reshape(5, 4) / 10),\n"
        "    island=tf.constant([['Biscoe'], ['Füssen'], ['Dream'], ['Atlantis'], ['']]))\n"
        "print(found['kind'].numpy().tolist())"
    )
    command = [sys.executable, "-c", script, str(written)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    np.testing.assert_allclose(json.loads(ended.stdout), answers(table, rows)["kind"], atol=1e-6)


def test_there_is_no_optimizer_in_it(written, table):
    variables = tf.train.list_variables(str(written / "variables/variables"))
    shapes = sorted(shape for name, shape in variables if "VARIABLE_VALUE" in name)
    assert len(table.optimizer.variables) > len(table.trainable_weights)
    assert shapes == sorted(list(weight.shape) for weight in table.trainable_weights)


def test_there_is_nothing_of_keras_in_it(written):
    names = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    assert names == [
        "assets.extra/labels.txt",
        "assets.extra/trainkit.json",
        "fingerprint.pb",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    assert b"_tf_keras" not in (written / "saved_model.pb").read_bytes()


def test_labels_and_facts_stand_beside_the_graph(written):
    assert (written / "assets.extra/labels.txt").read_bytes() == "chat\ngrüner Tee\n犬\n".encode()
    assert json.loads((written / "assets.extra/trainkit.json").read_text()) == {
        "name": "table",
        "producer": "TrainKit 0.1.0",
        "version": "0.1.0",
        "config_sha256": "ab" * 32,
        "data": DATA,
    }


def test_directory_that_is_there_is_replaced(written, model, bench, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old.txt").touch()
    export_saved_model(model, tmp_path / "a", context=bench.context())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert not (tmp_path / "a/old.txt").exists()


@pytest.mark.parametrize(
    ("failure", "error", "told"),
    [
        (tf.errors.UnavailableError(None, None, "a disk went away"), OutputError, "a disk went away"),
        (AssertionError("Tried to export a function which references\nmore"), ExportError, "Tried to .* references"),
    ],
    ids=["disk", "resource"],
)
def test_failure_leaves_the_old_directory(failure, error, told, model, bench, tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old.txt").touch()

    def fail(held, directory, **_):
        (tmp_path / directory / "saved_model.pb").touch()
        raise failure

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(error, match=rf"^a cannot be written: {told}\.$"):
        export_saved_model(model, tmp_path / "a", context=bench.context())
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "old.txt"]


def test_class_name_of_two_lines_is_refused(model, tmp_path):
    context = ExportContext("a", ("a\nb", *"123456789"), lambda count: [], "0.1.0")
    with pytest.raises(InputError, match=r"a class name must be one line of text\. Received: 'a\\nb'\."):
        export_saved_model(model, tmp_path / "a", context=context)
    assert list(tmp_path.iterdir()) == []


def test_predictor_takes_texts(written, table, rows):
    found = open_predictor(written).predict(rows)
    for name, expected in answers(table, rows).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


@pytest.fixture(scope="module")
def proved(model, bench, proof, tmp_path_factory):
    filepath = bench.export(model, tmp_path_factory.mktemp("proved"), "SavedModel")
    return filepath, verify_file(filepath, precision="float32", proof=proof)


def test_right_directory_passes(proved):
    _, report = proved
    assert report.parity.passed, report.parity.reason
    assert (report.file, report.parity.samples) == ("digits_saved_model", 1000)


def test_report_measures_all_its_files(proved):
    filepath, report = proved
    files = sorted(path for path in filepath.rglob("*") if path.is_file())
    assert report.bytes == sum(path.stat().st_size for path in files) > 10_000
    content = b"".join(path.read_bytes() for path in files)
    assert report.gzip_bytes == pytest.approx(len(gzip.compress(content)), abs=64)


def test_hash_is_that_of_the_hashes_of_its_files(proved):
    filepath, report = proved
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    told = subprocess.run(command, shell=True, cwd=filepath, capture_output=True, text=True, check=True).stdout
    assert report.sha256 == told.split()[0]


def test_directory_of_another_network_fails(bench, proof, tmp_path):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    outputs = layers.Dense(10, name="digit")(layers.Flatten()(inputs))
    filepath = bench.export(tf.keras.Model(inputs, outputs), tmp_path, "SavedModel")
    assert not verify_file(filepath, precision="float32", proof=proof).parity.passed
