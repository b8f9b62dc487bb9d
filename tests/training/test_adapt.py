"""What layers learn of the training samples, and of no others."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare

CONFIG = """\
version: 1
name: adapted
data: {source: {Npz: {path: data.npz}}, inputs: x, validation_split: {last: 2}, test_split: {last: 2}, batch_size: 3}
model:
  input: [1]
  layers: [{Dense: {units: 1}}]
training: {loss: MeanSquaredError}
"""
NUMBERS = [1.0, 3.0, 5.0, 7.0, 1000.0, 2000.0, -5000.0, 9000.0]  # four train, two validate, two test
WORDS = ["b", "a", "b", "c", "z", "z", "z", "z"]
NO_SPLITS = ["data.validation_split=0", "data.test_split=0"]
TEXT = "model={inputs: {input: {shape: [1], dtype: string}}, layers: [CategoryEncoding, {Dense: {units: 1}}]}"


@pytest.fixture
def adapted(tmp_path):
    """Prepare a config whose `preprocess` is given; returns the layers by name."""

    def make(preprocess, *overrides, x=NUMBERS):
        column = np.array(x).reshape(len(x), -1)
        np.savez(tmp_path / "data.npz", x=column, y=np.zeros((len(x), 1), "float32"))
        (tmp_path / "config.yaml").write_text(CONFIG)
        config = load_config(tmp_path / "config.yaml", [*overrides, f"model.preprocess={preprocess}"])
        return {layer.name: layer for layer in prepare(config).model.layers}

    return make


def test_normalization_learns_mean_and_variance_of_the_training_samples(adapted):
    layer = adapted("[Normalization]")["normalization1"]
    assert layer.mean.numpy().item() == pytest.approx((1 + 3 + 5 + 7) / 4)
    assert layer.variance.numpy().item() == pytest.approx((9 + 1 + 1 + 9) / 4)


def test_lookup_learns_the_words_of_the_training_samples(adapted):
    layer = adapted("[StringLookup]", TEXT, x=WORDS)["stringlookup1"]
    assert layer.get_vocabulary()[:2] == ["[UNK]", "b"]
    assert set(layer.get_vocabulary()[2:]) == {"a", "c"}


def test_text_vectorization_learns_the_words_of_the_training_samples(adapted):
    words = ["One two", "two", "TWO three", "two", "zebra", "zebra", "zebra", "zebra"]
    layers = "model={inputs: {input: {shape: [1], dtype: string}}, layers: [{Dense: {units: 1}}]}"
    layer = adapted("[TextVectorization: {output_mode: count}]", layers, x=words)["textvectorization1"]
    assert layer.get_vocabulary()[:2] == ["[UNK]", "two"]
    assert set(layer.get_vocabulary()[2:]) == {"one", "three"}


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_discretization_learns_borders_of_the_training_samples(adapted):
    layers = "model.layers=[CategoryEncoding: {num_tokens: 2}, {Dense: {units: 1}}]"
    (border,) = adapted("[Discretization: {num_bins: 2, epsilon: 0.01}]", layers)["discretization1"].bin_boundaries
    assert 3 <= border <= 5


def test_impute_learns_from_the_training_samples(adapted):
    layer = adapted("[Impute: {strategy: median}]")["impute1"]
    assert layer.values.numpy().item() == (3 + 5) / 2


def test_a_layer_learns_from_what_the_layers_before_it_give(adapted):
    layer = adapted("[Rescaling: {scale: 10, offset: -2}, Normalization]")["normalization1"]
    assert layer.mean.numpy().item() == pytest.approx(10 * 4 - 2)
    assert layer.variance.numpy().item() == pytest.approx(100 * 5, rel=1e-5)


def test_a_layer_learns_from_several_inputs(tmp_path):
    left, right = np.array(NUMBERS)[:, None], np.array(NUMBERS)[::-1, None] / 1000
    np.savez(tmp_path / "data.npz", left=left, right=right, y=np.zeros((8, 1), "float32"))
    (tmp_path / "config.yaml").write_text(CONFIG)
    config = load_config(
        tmp_path / "config.yaml",
        [
            "data.inputs={left: left, right: right}",
            "model={inputs: {left: {shape: [1]}, right: {shape: [1]}}, "
            "layers: [{Concatenate: {}, inputs: [left, right]}, Normalization, {Dense: {units: 1}}]}",
        ],
    )
    layer = prepare(config).model.get_layer("normalization1")
    np.testing.assert_allclose(layer.mean.numpy().ravel(), [(1 + 3 + 5 + 7) / 4, (9 - 5 + 2 + 1) / 4], rtol=1e-6)


@pytest.mark.parametrize(
    ("preprocess", "layers", "x", "kept", "expected"),
    [
        ("Normalization: {mean: 2.0, variance: 9.0}", "", NUMBERS, lambda layer: [layer.mean, layer.variance], [2, 9]),
        (
            "Discretization: {bin_boundaries: [0.0, 8.0]}",
            "CategoryEncoding: {num_tokens: 3}",
            NUMBERS,
            lambda layer: layer.bin_boundaries,
            [0, 8],
        ),
        (
            "StringLookup: {vocabulary: [q, b]}",
            "CategoryEncoding",
            WORDS,
            lambda layer: layer.get_vocabulary()[1:],
            "qb",
        ),
        (
            "TextVectorization: {vocabulary: [q, b], output_mode: multi_hot}",
            "",
            WORDS,
            lambda layer: layer.get_vocabulary()[1:],
            "qb",
        ),
    ],
    ids=["normalization", "discretization", "lookup", "text"],
)
def test_a_layer_that_was_given_what_it_needs_keeps_it(preprocess, layers, x, kept, expected, adapted):
    dtype = "string" if x is WORDS else "float32"
    rest = f"[{layers}, {{Dense: {{units: 1}}}}]" if layers else "[{Dense: {units: 1}}]"
    network = f"model={{inputs: {{input: {{shape: [1], dtype: {dtype}}}}}, layers: {rest}}}"
    (layer,) = (
        layer
        for name, layer in adapted(f"[{{{preprocess}}}]", network, x=x).items()
        if name.startswith(preprocess.split(":")[0].lower())
    )
    assert [np.asarray(value).item() for value in kept(layer)] == list(expected)


def test_adapting_places_what_cannot_be_learned(adapted):
    told = (
        r"model\.preprocess\[0\]: Normalization 'normalization1' cannot learn from the training samples: (?!in user)\w"
    )
    with pytest.raises(ConfigError, match=told):
        adapted("[Normalization]", TEXT, x=WORDS)


@pytest.mark.parametrize("batch_size", [2, 9])
def test_padding_of_sequences_is_not_learned(batch_size, tmp_path):
    steps = np.array([[1.0], [3.0], [5.0], [7.0], [9.0]], "float32")
    np.savez(tmp_path / "data.npz", x=steps, x_lengths=[1, 3, 1], y=np.zeros((3, 1), "float32"))
    (tmp_path / "config.yaml").write_text(CONFIG)
    overrides = [
        "model.input=[null, 1]",
        "data.validation_split=0",
        "data.test_split=0",
        f"data.batch_size={batch_size}",
    ]
    layers = "model.layers=[Normalization, GRU: {units: 2}, {Dense: {units: 1}}]"
    layer = prepare(load_config(tmp_path / "config.yaml", [*overrides, layers])).model.layers[1]
    assert layer.mean.numpy().item() == pytest.approx(5)
    assert layer.variance.numpy().item() == pytest.approx(8)


def test_padding_of_ids_is_no_word(tmp_path):
    np.savez(tmp_path / "data.npz", x=[40, 30, 40, 50, 40], x_lengths=[1, 3, 1], y=np.zeros((3, 1), "float32"))
    (tmp_path / "config.yaml").write_text(CONFIG)
    inputs = "model={inputs: {input: {shape: [null], dtype: int64}}, layers: []}"
    embedding = "{Embedding: {input_dim: $tokens, output_dim: 2}}"
    layers = f"model.layers=[IntegerLookup, {embedding}, GRU: {{units: 2}}, {{Dense: {{units: 1}}}}]"
    layer = prepare(load_config(tmp_path / "config.yaml", [*NO_SPLITS, inputs, layers])).model.layers[1]
    assert layer.get_vocabulary()[:2] == [-1, 40]
    assert set(layer.get_vocabulary()[2:]) == {30, 50}
