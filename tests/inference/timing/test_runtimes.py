"""What is timed of a file gives its answers."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.inference.timing import saved_model
from trainkit.inference.timing.runtime import runtime_of, whole_batches


@pytest.fixture(autouse=True)
def threads_as_they_are(monkeypatch):
    """TensorFlow has computed already: here it takes no other number of threads."""
    monkeypatch.setattr(saved_model, "use_threads", lambda threads: None)
    monkeypatch.setattr("trainkit.inference.timing.keras.use_threads", lambda threads: None)


def opened(filepath):
    return runtime_of(filepath)(filepath, threads=1)


@pytest.mark.parametrize("end", [".tflite", ".onnx", ".keras", ".h5", "_saved_model"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_run_gives_the_answers_of_the_model(end, batch, models, one):
    model = opened(models.folder / f"one{end}")
    feeds = model.feeds(one, batch)
    assert len(feeds) == 7 // batch
    given = [np.asarray(tf.nest.flatten(model.run(feed))[0]) for feed in feeds]
    expected = models.one(one["input"]).numpy()[: len(feeds) * batch]
    np.testing.assert_allclose(np.concatenate(given), expected, atol=1e-6)


@pytest.mark.parametrize("end", [".tflite", ".onnx", ".keras", "_saved_model"])
def test_several_inputs_go_where_they_belong(end, models, two):
    model = opened(models.folder / f"two{end}")
    given = {array.shape[-1]: array for array in map(np.asarray, tf.nest.flatten(model.run(model.feeds(two, 7)[0])))}
    total, share = models.two([two["left"], two["right"]])
    np.testing.assert_allclose(given[4], total, atol=1e-6)
    np.testing.assert_allclose(given[1], share, atol=1e-6)


@pytest.mark.parametrize(("end", "count"), [(".tflite", 60), (".onnx", 60), (".keras", 65), ("_saved_model", 65)])
def test_weights_are_counted(end, count, models):
    """Converters leave a bias out that is zero."""
    assert opened(models.folder / f"one{end}").facts()["weights"]["float32"] == 4 * count


def test_a_keras_model_tells_what_it_costs(models):
    facts = opened(models.folder / "one.keras").facts()
    assert (facts.keys(), facts["macs"]) == ({"weights", "macs"}, 60)


@pytest.mark.parametrize("end", [".tflite", ".onnx"])
def test_a_profile_names_the_layer(end, models, one):
    told = opened(models.folder / f"one{end}").profile(one, 0.01)
    assert "digit" in {operation["layer"] for operation in told["operations"]}
    assert told["runs"] >= 4


@pytest.mark.parametrize("end", [".keras", "_saved_model"])
def test_what_has_no_profile_says_so(end, models, one):
    told = opened(models.folder / f"one{end}").profile(one, 0.01)
    assert told["operations"] == []
    assert "TensorFlow's profiler" in told["note"]


def test_another_litert_is_not_profiled(models, one, monkeypatch):
    monkeypatch.setattr("trainkit.inference.timing.litert_profile.version", lambda package: "9.1.0")
    told = opened(models.folder / "one.tflite").profile(one, 0.01)
    assert told["operations"] == []
    assert told["note"] == "LiteRT 9.1.0 has no profiler that TrainKit knows; it knows that of 2.3.x"


def test_batches_are_whole():
    found = whole_batches({"x": np.arange(7)}, 3)
    assert [batch["x"].tolist() for batch in found] == [[0, 1, 2], [3, 4, 5]]


def test_a_vocabulary_is_no_weight(tmp_path):
    """Keras lists what holds it among the weights, without a dtype."""
    inputs = tf.keras.Input((1,), name="colour", dtype="string")
    ids = tf.keras.layers.StringLookup(vocabulary=["red", "blue"])(inputs)
    outputs = tf.keras.layers.Flatten()(tf.keras.layers.Embedding(3, 2)(ids))
    tf.keras.Model(inputs, outputs).save(tmp_path / "texts.keras")
    model = opened(tmp_path / "texts.keras")
    assert model.facts()["weights"] == {"float32": 4 * 6}
    (feed,) = model.feeds({"colour": np.array([["red"], ["blue"]])}, 2)
    assert model.run(feed).shape == (2, 2)
