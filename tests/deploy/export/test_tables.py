"""Models over tables: what goes into the file, what comes before it, and what is refused. Keras tells what is right."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.onnx import export_onnx
from trainkit.deploy.export.preprocess import write_preprocess
from trainkit.deploy.export.tables import split_tables
from trainkit.deploy.export.tflite import export_tflite
from trainkit.errors import ExportError, InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference import open_predictor, predict_isolated
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.preprocess import Column, Preprocess, read_preprocess
from trainkit.inference.steps import FillMissing, Lookup
from trainkit.models.layers import Impute

layers = tf.keras.layers
ISLANDS = ["Biscoe", "Dream", "Torgersen"]
TEXTS = np.array([["a", "b", "a"], ["?", "c", "c"], ["", "a", "?"], ["c", "b", "a"]])
KNOWN = np.array([["a", "b", "a"], ["b", "c", "c"], ["c", "a", "a"], ["c", "b", "a"]])
IDS = np.array([[0, 1, 0], [3, 3, 3], [2, 1, 0], [1, 1, 2]])


def penguins(seed, count=1500):
    """Measured like penguins: lengths in mm, mass in g; a tenth is missing, two categories are in no vocabulary."""
    generator = np.random.default_rng(seed)
    species = generator.integers(0, 3, count)
    means = np.array([[38.8, 18.3, 190, 3700], [48.8, 18.4, 196, 3733], [47.5, 15.0, 217, 5076]])[species]
    numbers = (means + [2.9, 1.1, 6.5, 450] * generator.normal(size=(count, 4))).astype(np.float32)
    numbers[generator.random((count, 4)) < 0.1] = np.nan
    homes = np.where(generator.random(count) < 0.6, species, generator.integers(0, 5, count))
    island = np.array([*ISLANDS, "Atlantis", ""])[homes][:, None]
    sex = np.array(["male", "female", ""])[generator.integers(0, 3, (count, 1))]
    return {"numbers": numbers, "island": island, "sex": sex}, species


def context_of(inputs):
    def calibration(count):
        for index in range(min(count, 100)):
            yield {name: array[index % len(array)][None] for name, array in inputs.items()}

    return ExportContext("table", None, calibration, "0.1.0")


def fitted(inputs, species):
    """numbers → Impute → Normalization; island, sex → one-hot; all of them → Dense 16 → Dense 3."""
    tf.keras.utils.set_random_seed(1)
    numbers = tf.keras.Input((4,), name="numbers")
    island, sex = (tf.keras.Input((1,), dtype=tf.string, name=name) for name in ("island", "sex"))
    impute, normalization = Impute("median"), layers.Normalization()
    impute.adapt(inputs["numbers"])
    normalization.adapt(impute(inputs["numbers"]))
    islands = layers.StringLookup(output_mode="one_hot")
    islands.adapt(inputs["island"][np.isin(inputs["island"], ISLANDS)][:, None])
    sexes = layers.StringLookup(vocabulary=["male", "female"], mask_token="", output_mode="one_hot")
    x = layers.Concatenate()([normalization(impute(numbers)), islands(island), sexes(sex)])
    x = layers.Dense(16, activation="relu")(x)
    model = tf.keras.Model([numbers, island, sex], layers.Dense(3, activation="softmax", name="species")(x))
    model.compile(tf.keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(inputs, species, batch_size=64, epochs=6, verbose=0)
    return model


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A fitted network over penguins as `deploy` reads it, its files, and its answers to unseen rows."""
    folder = tmp_path_factory.mktemp("table")
    (train, species), (test, _) = penguins(1), penguins(2)
    fitted(train, species).save(folder / "model.keras")
    keras = KerasPredictor(folder / "model.keras")
    weights = [weight.copy() for weight in keras.model.get_weights()]
    context = context_of(train)
    export_tflite(keras.model, folder / "table_float32.tflite", context=context)
    export_tflite(keras.model, folder / "table_int8.tflite", precision="int8", context=context)
    expected = keras.predict(test)["species"]
    return SimpleNamespace(
        folder=folder, model=keras.model, weights=weights, context=context, test=test, expected=expected
    )


@pytest.mark.parametrize("opset", [13, 15, 18])
def test_onnx_file_takes_raw_columns(opset, table, tmp_path):
    filepath = export_onnx(table.model, tmp_path / "a.onnx", opset=opset, context=table.context)
    predictor = open_predictor(filepath)
    assert {name: (facts.shape, facts.dtype) for name, facts in predictor.inputs.items()} == {
        "numbers": ((None, 4), "float32"),
        "island": ((None, 1), "string"),
        "sex": ((None, 1), "string"),
    }
    np.testing.assert_allclose(predictor.predict(table.test)["species"], table.expected, atol=1e-5)
    versions = {entry.domain: entry.version for entry in onnx.load(filepath).opset_import}
    assert versions == {"": opset, "ai.onnx.ml": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_onnx_file_answers_in_the_child(table, tmp_path):
    filepath = export_onnx(table.model, tmp_path / "a.onnx", context=table.context)
    found = predict_isolated(filepath, table.test | {"island": table.test["island"].astype(object)})
    np.testing.assert_allclose(found.outputs["species"], table.expected, atol=1e-5)


@pytest.mark.parametrize("runtime", [None, "TensorFlow Lite"], ids=["LiteRT", "TensorFlow Lite"])
def test_float32_file_answers_like_keras(runtime, table):
    found = predict_isolated(table.folder / "table_float32.tflite", table.test, runtime=runtime)
    np.testing.assert_allclose(found.outputs["species"], table.expected, atol=1e-5)


def test_int8_file_agrees_where_keras_is_sure(table):
    predictor = open_predictor(table.folder / "table_int8.tflite")
    found = predictor.predict(table.test)["species"]
    first, second = np.sort(table.expected)[:, :-3:-1].T
    sure = first - second > 0.1
    assert sure.mean() > 0.8
    assert (found.argmax(1) == table.expected.argmax(1))[sure].mean() >= 0.99
    assert predictor.facts["float_tensors"] == []


def test_description_is_one_for_both_files(table):
    written = json.loads((table.folder / "preprocess.json").read_text())
    assert written["files"] == ["table_float32.tflite", "table_int8.tflite"]
    assert {name: [*map(list, column["steps"])] for name, column in written["inputs"].items()} == {
        "numbers": [["fill_missing"], ["normalize"]],
        "island": [["lookup"]],
        "sex": [["lookup"]],
    }
    assert written["inputs"]["sex"] == {
        "dtype": "string",
        "shape": [1],
        "steps": [{"lookup": {"vocabulary": ["male", "female"], "offset": 2, "default": 1, "mask": ""}}],
    }
    filled = written["inputs"]["numbers"]["steps"][0]["fill_missing"]["values"]
    np.testing.assert_allclose(filled, np.nanmedian(penguins(1)[0]["numbers"], axis=0), rtol=1e-6)


def test_model_is_not_changed(table):
    for old, new in zip(table.weights, table.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert {len(layer.inbound_nodes) for layer in table.model.layers} == {1}
    assert table.model.inputs[1].dtype == tf.string


def both_answer(model, inputs, folder, *, atol=1e-6):
    """Export to both formats, and compare with Keras."""
    expected = KerasPredictor(model).predict(inputs)
    for filepath in (
        export_onnx(model, folder / "a.onnx", context=context_of(inputs)),
        export_tflite(model, folder / "a.tflite", context=context_of(inputs)),
    ):
        found = open_predictor(filepath).predict(inputs)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=atol, err_msg=f"{filepath.name} {name}")


def one(layer, shape=(3,), dtype="float32"):
    inputs = tf.keras.Input(shape, dtype=dtype, name="input")
    return tf.keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("arguments", [{}, {"mask_token": ""}, {"mask_token": "", "pad_to_max_tokens": True}], ids=str)
@pytest.mark.parametrize("mode", ["int", "multi_hot", "count"])
def test_lookup_of_texts_is_that_of_keras(mode, arguments, tmp_path):
    layer = layers.StringLookup(vocabulary=["a", "b", "[UNK]"], output_mode=mode, max_tokens=9, name="out", **arguments)
    both_answer(one(layer, dtype="string"), {"input": TEXTS}, tmp_path)


def test_one_hot_of_a_single_text_is_that_of_keras(tmp_path):
    layer = layers.StringLookup(vocabulary=["a", "b"], mask_token="", output_mode="one_hot", name="out")
    both_answer(one(layer, shape=(1,), dtype="string"), {"input": TEXTS[:, :1]}, tmp_path)


def test_tf_idf_is_that_of_keras(tmp_path):
    layer = layers.StringLookup(vocabulary=["a", "b"], idf_weights=[0.5, 2.0], output_mode="tf_idf", name="out")
    both_answer(one(layer, dtype="string"), {"input": TEXTS}, tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
@pytest.mark.parametrize("mode", ["int", "multi_hot"])
def test_lookup_of_integers_is_that_of_keras(mode, dtype, tmp_path):
    layer = layers.IntegerLookup(vocabulary=[3, -1, 1], mask_token=0, output_mode=mode, name="out")
    both_answer(one(layer, dtype=dtype), {"input": (IDS - 1).astype(dtype)}, tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_encoding_of_categories_is_that_of_keras(mode, dtype, tmp_path):
    layer = layers.CategoryEncoding(4, mode, name="out")
    both_answer(one(layer, dtype=dtype), {"input": IDS.astype(dtype)}, tmp_path)


@pytest.mark.parametrize("mode", ["int", "multi_hot", "count"])
def test_discretization_is_that_of_keras(mode, tmp_path):
    layer = layers.Discretization([-1.0, 0.0, 2.5], output_mode=mode, name="out")
    values = np.array([[-1, 0, 2.5], [-3, 5, np.nextafter(np.float32(-1), np.float32(-2))], [np.nan, 1, -0.0]])
    both_answer(one(layer), {"input": values.astype(np.float32)}, tmp_path)


def test_embedded_category_is_that_of_keras(tmp_path):
    x = inputs = tf.keras.Input((3,), dtype=tf.string, name="input")
    x = layers.Flatten()(layers.Embedding(5, 4)(layers.StringLookup(vocabulary=list("abc"), mask_token="")(x)))
    model = tf.keras.Model(inputs, layers.Dense(2, name="out")(x))
    both_answer(model, {"input": TEXTS}, tmp_path)


def test_chain_of_categories_is_that_of_keras(tmp_path):
    lookup = layers.StringLookup(vocabulary=list("abc"), name="lookup")
    layer = layers.CategoryEncoding(4, "count", name="out")
    both_answer(one(lambda x: layer(lookup(x)), dtype="string"), {"input": TEXTS}, tmp_path)


def test_column_may_be_looked_up_in_two_modes(tmp_path):
    inputs = tf.keras.Input((1,), dtype=tf.string, name="input")
    wide = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="wide")(inputs)
    deep = layers.Embedding(3, 2, name="deep")(layers.StringLookup(vocabulary=["a", "b"])(inputs))
    both_answer(tf.keras.Model(inputs, [wide, deep]), {"input": TEXTS[:, :1]}, tmp_path)


def test_lookup_may_be_shared_by_two_columns(tmp_path):
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    home, away = (tf.keras.Input((1,), dtype=tf.string, name=name) for name in ("home", "away"))
    model = tf.keras.Model([home, away], layers.Subtract(name="out")([lookup(home), lookup(away)]))
    both_answer(model, {"home": TEXTS[:, :1], "away": TEXTS[:, 1:2]}, tmp_path)


def test_table_in_front_of_another_model(tmp_path):
    inner = tf.keras.Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Discretization([0.0])])
    x = inputs = tf.keras.Input((3,), dtype=tf.string, name="input")
    x = inner(layers.StringLookup(vocabulary=list("abc"), output_mode="count")(x))
    model = tf.keras.Model(inputs, layers.Reshape((3, 1), name="out")(x))
    both_answer(model, {"input": TEXTS}, tmp_path)


@pytest.mark.parametrize(
    "layer",
    [
        layers.StringLookup(vocabulary=list("abc"), output_mode="count"),
        layers.StringLookup(vocabulary=list("abc"), output_mode="multi_hot", mask_token=""),
        layers.Discretization([0.5, 2.5], output_mode="multi_hot"),
        layers.CategoryEncoding(4, "count"),
    ],
    ids=["count", "multi_hot", "Discretization", "CategoryEncoding"],
)
def test_encoding_is_of_integers_in_an_int8_file(layer, tmp_path):
    is_text = isinstance(layer, layers.StringLookup)
    dtype = "string" if is_text else "int32" if isinstance(layer, layers.CategoryEncoding) else "float32"
    weights = tf.keras.initializers.RandomUniform(-1, 1, seed=1)
    model = one(lambda x: layers.Dense(3, "sigmoid", kernel_initializer=weights, name="out")(layer(x)), dtype=dtype)
    inputs = {"input": TEXTS if is_text else IDS.astype(dtype)}
    predictor = open_predictor(
        export_tflite(model, tmp_path / "a.tflite", precision="int8", context=context_of(inputs))
    )
    assert predictor.facts["float_tensors"] == []
    np.testing.assert_allclose(
        predictor.predict(inputs)["out"], KerasPredictor(model).predict(inputs)["out"], atol=0.02
    )


def test_several_features_are_normalized_before_an_int8_file(tmp_path):
    layer = layers.Normalization(mean=[40.0, 4000.0], variance=[9.0, 160000.0])
    generator = np.random.default_rng(1)
    inputs = {"input": (generator.normal(size=(200, 2)) * [3, 400] + [40, 4000]).astype(np.float32)}
    weights = tf.keras.initializers.Constant([[1.0, -1.0], [-1.0, 1.0]])
    model = one(lambda x: layers.Dense(2, "sigmoid", kernel_initializer=weights, name="out")(layer(x)), shape=(2,))
    filepath = export_tflite(model, tmp_path / "a.tflite", precision="int8", context=context_of(inputs))
    found = open_predictor(filepath).predict(inputs)["out"]
    np.testing.assert_allclose(found, KerasPredictor(model).predict(inputs)["out"], atol=0.03)


def test_column_of_one_number_is_normalized_in_the_file(tmp_path):
    model = one(layers.Normalization(mean=40.0, variance=9.0, name="out"), shape=(1,))
    assert split_tables(model, numbers=True) == (model, None)
    both_answer(model, {"input": np.array([[37.0], [43.0]])}, tmp_path)


@pytest.mark.parametrize("numbers", [False, True], ids=["ONNX", "TFLite"])
def test_model_without_a_table_is_left_as_it_is(numbers):
    model = one(lambda x: layers.Dense(2)(layers.Normalization()(x)), shape=(4, 4, 1))
    assert split_tables(model, numbers=numbers) == (model, None)


def test_other_normalization_is_carried_over(tmp_path):
    image, text = tf.keras.Input((2, 2, 3), name="image"), tf.keras.Input((1,), dtype=tf.string, name="text")
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(1).uniform(0, 255, (50, 2, 2, 3)).astype(np.float32))
    outputs = [normalization(image), layers.StringLookup(vocabulary=["a"], output_mode="one_hot", name="out")(text)]
    inputs = {"image": np.arange(24).reshape(2, 2, 2, 3).astype(np.float32), "text": TEXTS[:2, :1]}
    both_answer(tf.keras.Model([image, text], outputs), inputs, tmp_path)
    assert list(read_preprocess(tmp_path / "a.tflite").inputs) == ["text"]


def test_unknown_category_is_refused_where_keras_refuses_it(tmp_path):
    x = inputs = tf.keras.Input((3,), dtype=tf.string, name="input")
    x = layers.Embedding(50, 2, name="out")(layers.StringLookup(vocabulary=list("abc"), num_oov_indices=0)(x))
    model = tf.keras.Model(inputs, x)
    both_answer(model, {"input": KNOWN}, tmp_path)
    with pytest.raises(InputError, match=r"a category must be one of \['a', 'b', 'c'\]\. Received: '\?'\."):
        open_predictor(tmp_path / "a.tflite").predict({"input": TEXTS})
    with pytest.raises(PredictionError, match=r"a\.onnx cannot be run by ONNX Runtime: .*out of data bounds"):
        open_predictor(tmp_path / "a.onnx").predict({"input": TEXTS})


@pytest.mark.parametrize("wrong", [-1, 4])
def test_category_out_of_range_is_refused_as_by_keras(wrong, tmp_path):
    model = one(layers.CategoryEncoding(4, "count", name="out"), dtype="int32")
    both_answer(model, {"input": IDS.astype(np.int32)}, tmp_path)
    for name in ("a.onnx", "a.tflite"):
        with pytest.raises(PredictionError, match=rf"{name} cannot be run by .* (bounds|index)"):
            open_predictor(tmp_path / name).predict({"input": np.full((1, 3), wrong)})


def after_dense(x):
    return layers.IntegerLookup(vocabulary=[1], name="late")(layers.Dense(2, name="dense")(x))


def beside(x):
    return layers.Concatenate()([Impute("constant", name="gaps")(x), layers.Dense(2, name="raw")(x)])


def two_vocabularies(x):
    return [layers.StringLookup(vocabulary=[token], name=name)(x) for token, name in (("a", "one"), ("b", "two"))]


def nested(x):
    return tf.keras.Sequential([tf.keras.Input((3,)), Impute("constant", name="gaps")], name="inner")(x)


@pytest.mark.parametrize(
    ("layer", "dtype", "told"),
    [
        (
            layers.StringLookup(vocabulary=["a"], num_oov_indices=3, name="bins"),
            "string",
            r"`bins` \(StringLookup\) .* Received: num_oov_indices=3\. Write `num_oov_indices: 1`\.",
        ),
        (layers.IntegerLookup(vocabulary=[1], num_oov_indices=2), "int64", r"Received: num_oov_indices=2\."),
        (layers.StringLookup(name="empty"), "string", r"`empty` \(StringLookup\) must have a vocabulary"),
        (
            layers.StringLookup(vocabulary=["a"], output_mode="count", sparse=True, name="thin"),
            "string",
            r"`thin` \(StringLookup\) must give dense values to be exported\. Received: sparse=True\.",
        ),
        (layers.IntegerLookup(vocabulary=[1], invert=True), "int64", r"Received: invert=True\."),
        (layers.Discretization(num_bins=2, name="cut"), "float32", r"`cut` \(Discretization\) must have boundaries"),
        (Impute(name="gaps"), "float32", r"`gaps` \(Impute\) must be adapted to be exported"),
        (
            after_dense,
            "float32",
            r"`late` \(IntegerLookup\) must stand directly .* Received: it stands after `dense`\.",
        ),
        (beside, "float32", r"`gaps` \(Impute\) must .* Received: it stands after `input` beside `raw`\."),
        (two_vocabularies, "string", r"`one` \(StringLookup\) must .* it stands after `input` beside `two`\."),
        (nested, "float32", r"`gaps` \(Impute\) must .* Received: it stands inside another layer\."),
        (
            layers.CategoryEncoding(5000, name="wide"),
            "int32",
            r"`wide` .* at most 4,096 categories .* Received: 5,000\.",
        ),
        (layers.Hashing(3, name="hash"), "string", r"input `input` must go into a StringLookup .* goes into `hash`\."),
    ],
    ids=[
        "hashed texts",
        "hashed integers",
        "no vocabulary",
        "sparse",
        "inverse",
        "no boundaries",
        "no values",
        "after a layer",
        "beside a layer",
        "two vocabularies",
        "inside a model",
        "too many categories",
        "other work on texts",
    ],
)
def test_what_cannot_be_carried_is_refused(layer, dtype, told, tmp_path):
    model = one(layer, dtype=dtype)
    with pytest.raises(ExportError, match=told):
        export_tflite(model, tmp_path / "a.tflite", context=context_of({}))
    assert list(tmp_path.iterdir()) == []


def test_lookup_after_a_layer_is_refused_in_onnx_too(tmp_path):
    with pytest.raises(ExportError, match=r"`late` \(IntegerLookup\) must stand directly after an input"):
        export_onnx(one(after_dense), tmp_path / "a.onnx", context=context_of({}))


def preprocess(value, *files):
    return Preprocess({"a": Column("float32", (1,), (FillMissing((value,)),))}, files)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([("one", preprocess(1.0)), ("two", preprocess(1.0))], preprocess(1.0, "one", "two")),
        ([("one", preprocess(1.0)), ("one", preprocess(1.0))], preprocess(1.0, "one")),
        ([("one", preprocess(1.0)), ("two", preprocess(2.0))], preprocess(2.0, "two")),
        ([("one", preprocess(1.0)), ("two", preprocess(1.0)), ("one", None)], preprocess(1.0, "two")),
        ([("one", preprocess(1.0)), ("two", None)], preprocess(1.0, "one")),
    ],
    ids=["shared", "again", "another", "none any more", "none"],
)
def test_description_names_the_files_it_is_right_for(written, expected, tmp_path):
    for name, value in written:
        write_preprocess(tmp_path / name, value)
    assert Preprocess.from_json(json.loads((tmp_path / "preprocess.json").read_text())) == expected


def test_damaged_description_is_written_anew(tmp_path):
    (tmp_path / "preprocess.json").write_text("{")
    write_preprocess(tmp_path / "one", preprocess(1.0))
    assert read_preprocess(tmp_path / "one") == preprocess(1.0, "one")


def test_texts_of_any_script_are_carried(tmp_path):
    texts = np.array([["grüner Tee"], ["お茶"], ["tea\n"], ["?"]])
    layer = layers.StringLookup(vocabulary=texts[:3, 0].tolist(), name="out")
    both_answer(one(layer, shape=(1,), dtype="string"), {"input": texts}, tmp_path)
    (lookup,) = read_preprocess(tmp_path / "a.tflite").inputs["input"].steps
    assert lookup == Lookup(("grüner Tee", "お茶", "tea\n"), offset=1, default=0)
