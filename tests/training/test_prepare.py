"""A checked config -> data and a compiled model, or an error with its place."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare

SMALL = """\
version: 1
name: small
data: {source: Sample}
model:
  input: [28, 28, 1]
  layers:
    - Flatten
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 2
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""


@pytest.fixture
def prepared(tmp_path):
    def make(*overrides, text=SMALL):
        filepath = tmp_path / "small.yaml"
        filepath.write_text(text)
        return prepare(load_config(filepath, overrides))

    return make


def test_prepare_loads_builds_and_compiles(prepared):
    result = prepared()
    assert result.sizes == {"train": 9_000, "validation": 1_000, "test": 2_000}
    assert result.model.output_shape == (None, 10)
    assert (result.best.monitor, result.best.mode) == ("val_loss", "min")


def test_prepare_builds_the_same_weights_from_the_same_seed(prepared):
    one, same, other = (prepared(f"seed={seed}").model.get_weights()[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_prepare_gives_schedules_the_length_of_the_training(prepared):
    schedule = "training.optimizer={SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.5}}}}"
    optimizer = prepared(schedule).model.optimizer
    assert optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 2 * 282


def test_prepare_names_metrics_alike_however_often_it_is_called(prepared):
    metrics = "training.metrics=[SparseTopKCategoricalAccuracy, SparseTopKCategoricalAccuracy: {k: 2}]"
    best = "training.best={monitor: val_sparse_top_k_categorical_accuracy_2, mode: max}"
    for _ in range(2):
        model = prepared(metrics, best).model
        names = ["sparse_top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy_2"]
        model.evaluate(np.zeros((2, 28, 28, 1)), np.zeros(2), verbose=0)
        assert model.metrics_names == ["loss", *names]


def test_prepare_adapts_normalization_to_the_training_images(prepared):
    result = prepared("model.preprocess=[Normalization: {axis: null}]")
    images = next(iter(result.splits.train.ordered(9_000)))[0]["input"].numpy().astype("float64")
    np.testing.assert_allclose(result.model.layers[1].mean, images.mean(), rtol=1e-3)
    np.testing.assert_allclose(result.model.layers[1].variance, images.var(), rtol=1e-3)


def test_prepare_takes_any_length_where_the_input_says_null(prepared):
    assert prepared("model.input=[28, null, 1]", "model.layers=[GlobalAveragePooling2D, Dense: {units: 10}]")


def test_prepare_leaves_the_model_as_it_was_built(prepared):
    normalized = "model.layers=[Flatten, BatchNormalization, {Dense: {units: 10, activation: softmax}}]"
    model = prepared(normalized).model
    np.testing.assert_array_equal(model.layers[2].moving_mean, np.zeros(784))
    assert model.optimizer.iterations == 0


def test_prepare_monitors_the_training_loss_where_nothing_validates(prepared):
    assert prepared("data.validation_split=0").best.monitor == "loss"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["model.layers.digit.units=9"],
            r"8:7 .*layers\[1\]: Dense 'digit', after Flatten 'flatten1' \(line 7\), gives 9 values for 10 classes.*"
            r"\$classes",
        ),
        (["model.layers=[{Conv2D: {filters: 10, kernel_size: 3}}]"], r"gives the shape \(26, 26, 10\).*Flatten"),
        (["training.metrics=[Accuracy]"], r"metrics\[0\].*does not measure class ids\. Use SparseCategoricalAccuracy"),
        (
            ["training.metrics=[SparseCategoricalAccuracy, Precision]"],
            r"metrics\[1\].*Precision fails on the first batch: .*incompatible",
        ),
        (
            ["model.layers=[Flatten, {Dropout: {rate: '0.3'}}, {Dense: {units: 10}}]"],
            r"layers\[1\].*Dropout fails on the first batch: .*rate",
        ),
        (
            [
                "training.callbacks=[ReduceLROnPlateau]",
                "training.optimizer={SGD: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1}}}}",
            ],
            r"callbacks\[0\].*ReduceLROnPlateau has no effect on a schedule",
        ),
        (["training.loss=MeanSquaredError"], "MeanSquaredError does not take class ids"),
        (["model.input=[28, 28, 3]"], r"model\.input: must be the shape of the data, \[28, 28, 1\]"),
        (
            [
                "model.layers=[Flatten, {Dense: {units: 10}, name: digit}, {ReLU: , inputs: digit}]",
                "model.outputs=[digit]",
            ],
            r"model\.layers\[2\]: no output depends on ReLU 'relu1'",
        ),
        (
            [
                "model={inputs: {image: {shape: [28, 28, 1]}, label: {shape: [1]}}, "
                "layers: [{Flatten: , inputs: image}, {Dense: {units: 10}}]}"
            ],
            r"model\.inputs\.label: no output depends on it\. Use it, or remove it\.",
        ),
        (
            [
                "model={inputs: {image: {shape: [28, 28, 1]}}, "
                "layers: [Flatten, {Dense: {units: 10}}, {Concatenate: , inputs: [image, x]}]}"
            ],
            r"layers\[2\]: Concatenate 'concatenate1' does not fit .*: "
            r"the input 'image' gives the shape \(28, 28, 1\); Dense 'dense1'(, line \d+)? gives the shape \(10,\)",
        ),
        (
            ["training.loss=CategoricalCrossentropy"],
            r"metrics\[0\]: SparseCategoricalAccuracy does not measure the probabilities that CategoricalCrossentropy "
            r"takes\. Use CategoricalAccuracy\.",
        ),
        (["training.loss=BinaryCrossentropy"], "takes 2 classes; the data has 10"),
        (
            ["training.best={monitor: val_sparse_categorical_accuracy}"],
            r"training\.best: must say whether less of 'val_sparse_categorical_accuracy' is better, `mode: min`",
        ),
        (
            ["training.callbacks=[CSVLogger: {filename: nowhere/log.csv}]"],
            r"callbacks\[0\].*`filename` must be a file that can be written\. Received: '.*nowhere/log\.csv'",
        ),
        (
            ["training.optimizer={Adam: {clipnorm: [1]}}"],
            r"optimizer.*`clipnorm` must be a number\. Received: clipnorm=",
        ),
        (
            ["training.loss=CategoricalCrossentropy", "training.metrics=[F1Score]"],
            r"metrics\[0\]: F1Score must give one number\. .*of the shape \(10,\)\. Give it `average: macro`",
        ),
        (["training.best={monitor: val_acc}"], r"must be a metric of this training: loss, .*Received: 'val_acc'"),
        (
            ["training.callbacks=[EarlyStopping]", "data.validation_split=0"],
            r"callbacks\[0\]: must be a metric of this training: loss.*Received: 'val_loss'",
        ),
        (["model.layers.digit.activation=sofmax"], r"unknown activation 'sofmax'\. Did you mean 'softmax'"),
        (
            ["training.optimizer={SGD: {momentum: 5}}"],
            r"optimizer: SGD refuses its arguments: .*between \[0, 1\]",
        ),
        (
            [
                "training.callbacks=[ReduceLROnPlateau]",
                "deploy.fine_tune.learning_rate={CosineDecay: {initial_learning_rate: 1e-3}}",
            ],
            r"fine_tune\.learning_rate: must be a number beside the callback ReduceLROnPlateau",
        ),
        (
            ["deploy.fine_tune={learning_rate: {CosineDecay: {initial_learning_rate: '1e-3'}}}"],
            r"fine_tune\.learning_rate: CosineDecay must have numbers that give a rate .*initial_learning_rate='1e-3'",
        ),
    ],
    ids=[
        "head",
        "head-shape",
        "metric",
        "trial-metric",
        "trial-layer",
        "plateau",
        "regression",
        "input",
        "unused-layer",
        "unused-input",
        "merge",
        "one-hot",
        "binary",
        "best-mode",
        "folder",
        "clipnorm",
        "metric-of-several",
        "best",
        "early-stopping",
        "activation",
        "momentum",
        "fine-tune-plateau",
        "fine-tune",
    ],
)
def test_prepare_names_the_place_of_what_does_not_fit(prepared, overrides, told):
    with pytest.raises(ConfigError, match=told):
        prepared(*overrides)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{Mnist: {path: nowhere}}", r"3:16 +data\.source: .*nowhere must be a folder with .*no such folder"),
        ("{Idx: {images: a.gz, labels: b.gz}}", r"3:16 +data\.source: .*a\.gz"),
    ],
    ids=["folder", "file"],
)
def test_prepare_places_errors_of_the_data(prepared, source, told):
    with pytest.raises(ConfigError, match=told):
        prepared(text=SMALL.replace("Sample", source))


def test_prepare_refuses_what_could_not_be_read_again(prepared):
    """Each of these layers is 5 keys and values as it is written, and some 35 with all defaults."""
    layers = ", ".join(["Conv2D: {filters: 1, kernel_size: 1}"] * 1500)
    told = r"model: must not grow so long with every default written out: [\d,]+ keys and values .*50,000"
    with pytest.raises(ConfigError, match=told):
        prepared(f"model.layers=[{layers}, Flatten, Dense: {{units: 10}}]")


TABLE = """\
version: 1
name: houses
data:
  source: {Csv: {path: houses.csv, missing: keep}}
  inputs: [area, rooms]
  targets: price
  validation_split: 0.25
model:
  input: [2]
  layers: [{Dense: {units: 1}}]
training: {loss: MeanSquaredError}
"""


@pytest.fixture
def houses(tmp_path):
    """A table in which a number is missing."""
    rows = "\n".join(f"{20 + row},{'' if row == 5 else row},{row}" for row in range(8))
    (tmp_path / "houses.csv").write_text(f"area,rooms,price\n{rows}\n")
    (tmp_path / "houses.yaml").write_text(TABLE)
    return tmp_path / "houses.yaml"


@pytest.mark.parametrize("preprocess", ["[]", "[Normalization]", "[Normalization, Impute]"])
def test_missing_numbers_that_nobody_fills_are_refused(houses, preprocess):
    overrides = [f"model.preprocess={preprocess}", "data.validation_split={last: 1}"]
    with pytest.raises(ConfigError, match="Put Impute "):
        prepare(load_config(houses, overrides))


def test_missing_numbers_that_impute_fills_are_learned_from(houses):
    assert prepare(load_config(houses, ["model.preprocess=[Impute, Normalization]"])).model.count_params() > 0


@pytest.mark.parametrize(
    "weights, told",
    [("0,0,0,0,0,0,0,0", "must weigh some samples more than 0"), ("1,1,-1,1,1,1,1,1", "line 4: .*must be at least 0")],
    ids=["none", "negative"],
)
def test_weights_that_make_no_sense_are_refused(houses, weights, told):
    rows = "\n".join(f"{row},{row},{row},{weight}" for row, weight in enumerate(weights.split(",")))
    (houses.parent / "houses.csv").write_text(f"area,rooms,price,weight\n{rows}\n")
    with pytest.raises(ConfigError, match=told):
        prepare(load_config(houses, ["data.sample_weight=weight"]))


def test_column_that_goes_in_and_is_learned_is_noted(houses):
    prepared = prepare(load_config(houses, ["data.inputs=[area, price]"]))
    assert prepared.splits.notes == ("the column 'price' is both an input and a target",)


def test_columns_of_a_test_file_are_taken_by_name(houses):
    rows = "\n".join(f"{row},{20 + row},{10 * row}" for row in range(8))
    (houses.parent / "houses.csv").write_text(f"area,rooms,price\n{rows}\n")
    other = "\n".join(f"{10 * row},{20 + row},{row}" for row in range(4))
    (houses.parent / "test.csv").write_text(f"price,rooms,area\n{other}\n")
    overrides = ["data.inputs=null", f"data.source.test={houses.parent / 'test.csv'}"]
    splits = prepare(load_config(houses, overrides)).splits
    inputs = next(iter(splits.test.ordered(4)))[0]["input"].numpy()
    assert inputs.tolist() == [[row, 20 + row] for row in range(4)]


@pytest.mark.parametrize("cell", ["1.5", "99999999999"], ids=["not whole", "too large"])
def test_numbers_that_an_integer_input_cannot_take_are_told(houses, cell):
    rows = "\n".join(f"{cell if row == 3 else row},{row}" for row in range(8))
    (houses.parent / "houses.csv").write_text(f"area,price\n{rows}\n")
    inputs = "model.inputs={input: {shape: [1], dtype: int32}}"
    with pytest.raises(ConfigError, match="line 5: must be whole numbers that fit int32"):
        prepare(load_config(houses, ["data.inputs=area", "model.input=null", inputs]))


def test_mixing_does_not_go_with_weights(small_config):
    overrides = ["data.augment=[MixUp]", "data.class_weight=balanced", "training.loss=CategoricalCrossentropy"]
    with pytest.raises(ConfigError, match="MixUp mixes samples: it does not go with class_weight"):
        prepare(load_config(small_config, [*overrides, "training.metrics=[CategoricalAccuracy]"]))
