"""What models answer to files."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trainkit
from trainkit.data import Description, InputDescription
from trainkit.data.images import ImageSpec, read_image
from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference import predict as module
from trainkit.inference.predict import Prediction
from trainkit.models.layers import Impute

layers = tf.keras.layers
DIGITS = list("0123456789")
NAMES = ["ape, great", "bear", 'cat "Tom"', "dog", "eel", "fox", "gnu", "hen", "ibis", "jay"]
POSTCODES = ["X1", "Y2"]
NUMBERS = InputDescription((2,), "float32", ("area", "rooms"), missing=True)
POSTCODE = InputDescription((1,), "string", ("postcode",), missing=True)
CROP = """\
version: 1
data:
  source: {ImageFolder: {path: photos}}
  resize: {method: area, fit: crop}
"""


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The working directory, with two images of odd size in each of ten folders."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(6)
    for folder in NAMES:
        Path("photos", folder).mkdir(parents=True)
        for name in ("1.png", "2.png"):
            pixels = random.integers(0, 256, (5, 7, 3), np.uint8).repeat(9, axis=0).repeat(11, axis=1)
            Image.fromarray(pixels).save(Path("photos", folder, name))
    return sorted(Path("photos").rglob("*.png"), key=Path.as_posix)


@pytest.fixture
def proved(tmp_path):
    """Save a model as one that was proved, with what is known of its data; so it is opened in this process."""

    def save(model, inputs, classes, logits=()):
        filepath = tmp_path / "mine.keras"
        model.save(filepath)
        file = {"file": "mine.keras", "sha256": hashlib.sha256(filepath.read_bytes()).hexdigest()}
        data = Description(inputs, classes, logits).to_json()
        proof = {"files": [file | {"parity": {"passed": True}}], "data": data}
        (tmp_path / "verify.json").write_text(json.dumps(proof))
        return filepath

    return save


def best(shares, names):
    return sorted(zip(names, shares.tolist(), strict=True), key=lambda pair: -pair[1])


def test_images_are_sized_as_for_the_training(small_run, photos):
    model = tf.keras.models.load_model(small_run.model, compile=False)
    images = np.stack([read_image(filepath, ImageSpec(28, 28, 1)) for filepath in photos])
    expected = model(images.astype("float32")).numpy()
    predictions = list(trainkit.predict(small_run.directory, ["photos"], top=10))
    assert [prediction.sample for prediction in predictions] == [str(filepath) for filepath in photos]
    for prediction, shares in zip(predictions, expected, strict=True):
        told = best(shares, DIGITS)
        assert [name for name, _ in prediction.classes["digit"]] == [name for name, _ in told]
        assert [share for _, share in prediction.classes["digit"]] == pytest.approx([s for _, s in told], abs=1e-6)


def test_images_are_sized_as_the_config_of_the_data_says(small_run, photos):
    Path("photos.yaml").write_text(CROP)
    spec = ImageSpec(28, 28, 1, "area", fit="crop")
    expected = tf.keras.models.load_model(small_run.model, compile=False)(
        np.stack([read_image(filepath, spec) for filepath in photos]).astype("float32")
    ).numpy()
    shutil.copy(small_run.model, "mine.keras")  # what is known of a run wins
    predictions = list(trainkit.predict("mine.keras", photos, data="photos.yaml"))
    assert [prediction.classes["digit"][0][0] for prediction in predictions] == [
        NAMES[index] for index in expected.argmax(axis=1)
    ]
    assert [prediction.classes["digit"][0][1] for prediction in predictions] == pytest.approx(expected.max(axis=1))
    stretched = list(trainkit.predict(small_run.directory, photos))
    assert stretched[0].classes["digit"][0][1] != pytest.approx(predictions[0].classes["digit"][0][1], abs=1e-6)


def test_image_that_cannot_be_read_has_no_answer(small_run, photos):
    photos[1].write_bytes(b"no image")
    predictions = list(trainkit.predict(small_run.directory, photos[:3]))
    assert [bool(prediction.error) for prediction in predictions] == [False, True, False]
    assert predictions[1].classes == {}
    alone = list(trainkit.predict(small_run.directory, photos[2]))
    ((_, share),) = predictions[2].classes["digit"]
    assert alone[0].classes["digit"][0] == (predictions[2].classes["digit"][0][0], pytest.approx(share, abs=1e-6))


def house(**outputs):
    """A network for two numbers and a postcode: `value` is 7 for what is missing, and 100 times the postcode's id."""
    numbers = tf.keras.Input((2,), name="numbers")
    postcode = tf.keras.Input((1,), dtype=tf.string, name="postcode")
    filled = Impute(strategy="constant", fill_value=7.0)(numbers)
    ids = layers.Rescaling(100.0)(layers.StringLookup(vocabulary=POSTCODES, **outputs)(postcode))
    value = layers.Dense(1, use_bias=False, kernel_initializer="ones", name="value")(
        layers.Concatenate()([filled, ids])
    )
    return [numbers, postcode], value


def test_table_is_answered_row_by_row(proved, tmp_path):
    inputs, value = house()
    filepath = proved(tf.keras.Model(inputs, value), {"numbers": NUMBERS, "postcode": POSTCODE}, {"value": None})
    (tmp_path / "new.csv").write_text(
        "rooms;postcode;area;note\n2;Y2;10.5;a\n;X1;20;b\n1;never seen;1;\n1;;1;\n1;X1;a;\n"
    )
    predictions = list(trainkit.predict(filepath, [tmp_path / "new.csv"]))
    assert [prediction.numbers.get("value") for prediction in predictions] == [[212.5], [127.0], [2.0], [2.0], None]
    assert "must be a number, as in the training file. Received: 'a'" in predictions[4].error


def test_several_outputs_are_answered(proved, tmp_path):
    inputs, value = house()
    size = layers.Dense(2, use_bias=False, kernel_initializer="ones", name="size")(value)
    kind = layers.Softmax(name="kind")(layers.Rescaling([0.01, 0.02, 0.0])(layers.Concatenate()([value] * 3)))
    sign = layers.Activation("sigmoid", name="sign")(value)
    classes = {"kind": ("a", "b", "c"), "sign": ("low", "high"), "value": None, "size": None}
    filepath = proved(
        tf.keras.Model(inputs, [value, size, kind, sign]), {"numbers": NUMBERS, "postcode": POSTCODE}, classes
    )
    np.savez(tmp_path / "new.npz", numbers=np.array([[2, 1], [-4, 1.0]]), postcode=np.array([["X1"], ["none"]]))
    first, second = trainkit.predict(str(filepath), str(tmp_path / "new.npz"), top=2)
    assert first.numbers == {"value": [103.0], "size": [103.0, 103.0]}
    powers = [math.exp(1.03), math.exp(2.06), 1.0]
    shares = [(name, pytest.approx(power / sum(powers))) for name, power in zip("abc", powers, strict=True)]
    assert first.classes["kind"] == [shares[1], shares[0]]
    assert first.classes["sign"] == [("high", pytest.approx(1)), ("low", pytest.approx(0, abs=1e-6))]
    assert second.classes["sign"][0] == ("low", pytest.approx(1 / (1 + math.exp(-3))))


def one_unit(activation):
    inputs = tf.keras.Input((2,), name="inputs")
    return tf.keras.Model(
        inputs, layers.Dense(1, activation, use_bias=False, kernel_initializer="ones", name="sign")(inputs)
    )


ONE = {"inputs": InputDescription((2,), "float32", ("a", "b"))}


@pytest.mark.parametrize("values", [[[0.2, 0.1]], [[0.2, 0.1], [3, 3]]], ids=["alone", "with-another"])
@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_one_unit_says_the_same_whatever_is_beside_it(activation, values, proved, tmp_path):
    """A logit of 0.3 looks like a probability."""
    logits = ("sign",) if activation == "linear" else ()
    filepath = proved(one_unit(activation), ONE, {"sign": ("no", "yes")}, logits)
    np.save(tmp_path / "new.npy", np.array(values))
    first = next(trainkit.predict(filepath, tmp_path / "new.npy", top=2))
    share = 1 / (1 + math.exp(-0.3))
    assert first.classes["sign"] == [("yes", pytest.approx(share)), ("no", pytest.approx(1 - share))]


@pytest.mark.parametrize(("top", "told"), [(1, ["yes"]), (2, ["yes", "no"]), (9, ["yes", "no"])])
def test_top_classes_are_told_the_best_first(top, told, proved, tmp_path):
    filepath = proved(one_unit("sigmoid"), ONE, {"sign": ("no", "yes")})
    np.save(tmp_path / "new.npy", np.array([[1, 1]]))
    (prediction,) = trainkit.predict(filepath, tmp_path / "new.npy", top=top)
    assert [name for name, _ in prediction.classes["sign"]] == told


def test_top_must_be_a_class(small_run):
    with pytest.raises(InputError, match=r"`top` must be at least 1\. Received: top=0\."):
        list(trainkit.predict(small_run.directory, [], top=0))


@pytest.mark.parametrize("classes", [None, ("no", "yes")], ids=["numbers", "classes"])
def test_answer_that_is_not_finite_is_told(classes, proved, tmp_path):
    filepath = proved(one_unit("exponential"), ONE, {"sign": classes})
    np.save(tmp_path / "new.npy", np.array([[-1, 0], [500, 500], [0, -2]]))
    predictions = list(trainkit.predict(filepath, tmp_path / "new.npy"))
    assert [bool(prediction.numbers or prediction.classes) for prediction in predictions] == [True, False, True]
    assert predictions[1] == Prediction("new.npy, row 1", error="the model's answer is not finite.")


def test_missing_number_has_no_answer_where_the_network_takes_none(proved, tmp_path):
    """It would answer all the same: `relu` makes 0 of what is not a number."""
    inputs = tf.keras.Input((2,), name="inputs")
    filepath = proved(tf.keras.Model(inputs, layers.ReLU(name="sign")(inputs)), ONE, {"sign": None})
    (tmp_path / "new.csv").write_text("a,b\n1,2\n1,\n")
    predictions = list(trainkit.predict(filepath, tmp_path / "new.csv"))
    assert predictions[0].numbers == {"sign": [1, 2]}
    assert "column 'b' must have a value" in predictions[1].error


def test_category_that_must_be_known_is_a_prediction_error(proved, tmp_path):
    inputs, value = house(num_oov_indices=0)
    filepath = proved(tf.keras.Model(inputs, value), {"numbers": NUMBERS, "postcode": POSTCODE}, {"value": None})
    (tmp_path / "new.csv").write_text("area,rooms,postcode\n1,1,never seen\n")
    with pytest.raises(PredictionError, match=r"cannot be run by Keras: .*should be in vocabulary, found .*never seen"):
        list(trainkit.predict(filepath, tmp_path / "new.csv"))


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"left": NUMBERS, "right": NUMBERS}, r"must have the names \['inputs'\]\. Received: \['left', 'right'\]"),
        ({"inputs": InputDescription((3,), "float32", ("a", "b", "rooms"))}, r"shape \(samples, 2\)"),
    ],
    ids=["names", "shape"],
)
def test_model_that_takes_other_inputs_is_told(inputs, told, proved, tmp_path):
    filepath = proved(one_unit("sigmoid"), inputs, {"sign": ("no", "yes")})
    (tmp_path / "new.csv").write_text("a,b,area,rooms\n1,1,1,1\n")
    with pytest.raises(InputError, match=told):
        list(trainkit.predict(filepath, tmp_path / "new.csv"))


def test_samples_keep_their_order_through_batches(proved, tmp_path, monkeypatch):
    monkeypatch.setattr("trainkit.inference.samples.BATCH_SIZE", 4)
    filepath = proved(one_unit("linear"), ONE, {"sign": None})
    with (tmp_path / "new.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["a", "b"], *([row if row % 3 else "x", 0.5] for row in range(11))])
    np.save(tmp_path / "more.npy", np.array([[50, 0.5]]))
    predictions = list(trainkit.predict(filepath, [tmp_path / "more.npy", tmp_path / "new.csv"]))
    assert [prediction.numbers.get("sign") for prediction in predictions] == [
        [50.5],
        *([row + 0.5] if row % 3 else None for row in range(11)),
    ]


def test_nothing_is_run_where_nothing_can_be_read(small_run, photos, monkeypatch):
    found = module.locate(small_run.directory)
    monkeypatch.setattr(type(found.predictor), "predict", lambda *_: pytest.fail("was run"))
    photos[0].write_bytes(b"")
    (prediction,) = trainkit.predict(small_run.directory, photos[0])
    assert prediction.error.endswith("Received: 0 bytes.")
