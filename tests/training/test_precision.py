"""Training in 16 bits: which layers compute so, that it learns as well, and that what is left of it is float32."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import trainkit
from trainkit.cli.main import app
from trainkit.config import load_config
from trainkit.errors import ConfigError, TrainingError
from trainkit.framework import tf
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training import prepare
from trainkit.training.checkpointing import Checkpointer
from trainkit.training.loss_scale import scale_variables
from trainkit.training.precision import as_float32, is_mixed

layers = tf.keras.layers
MIXED = ["mixed_float16", "mixed_bfloat16"]
HEADS = """\
version: 1
name: heads
data: {source: Sample, batch_size: 100}
model:
  input: [28, 28, 1]
  preprocess: [{Rescaling: {scale: 0.004}}]
  layers:
    - Conv2D: {filters: 4, kernel_size: 5, strides: 4, activation: relu, dtype: float32}
      name: asked
    - Conv2D: {filters: 4, kernel_size: 3, activation: sigmoid}
      name: gate
    - Flatten
    - Dense: {units: $classes}
      name: logits
    - Softmax:
      name: probabilities
    - Reshape: {target_shape: [$classes]}
      name: digit
training: {loss: SparseCategoricalCrossentropy, precision: mixed_bfloat16}
"""


@pytest.fixture
def global_policy():
    """Fails where a test leaves another global policy behind."""
    yield
    left = tf.keras.mixed_precision.global_policy().name
    tf.keras.mixed_precision.set_global_policy("float32")
    assert left == "float32"


def heads(tmp_path, *overrides, text=HEADS):
    (tmp_path / "heads.yaml").write_text(text)
    return load_config(tmp_path / "heads.yaml", overrides)


def test_layers_compute_in_16_bits_but_for_inputs_answers_and_those_that_say_so(tmp_path, global_policy):
    plain = prepare(heads(tmp_path, "training.precision=float32")).model
    model = prepare(heads(tmp_path)).model
    mixed = {layer.name for layer in model.layers if is_mixed(layer)}
    assert mixed == {"gate", "flatten1", "logits"}
    assert {variable.dtype for variable in model.variables} == {tf.float32}
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    images = tf.random.stateless_uniform((20, 28, 28, 1), seed=(1, 2), maxval=255.0)
    answers, expected = model(images), plain(images)
    assert answers.dtype == tf.float32
    assert 0 < np.abs(answers - expected).max() < 0.02  # 8 bits of precision


def test_a_layer_that_cannot_compute_in_16_bits_is_named(tmp_path, global_policy, monkeypatch):
    build = layers.Conv2D.build

    def refuse(self, shape):
        if self.compute_dtype == "bfloat16":
            raise TypeError("there is no kernel for it")
        build(self, shape)

    monkeypatch.setattr(layers.Conv2D, "build", refuse)
    with pytest.raises(ConfigError, match=r"19:\d+  training\.precision: the layer 'gate' cannot .* no kernel for it"):
        prepare(heads(tmp_path))


def bidirectional(inputs):
    hidden = layers.Masking()(inputs)
    return layers.Dense(3)(layers.Bidirectional(layers.LSTM(4))(hidden))


def attention(inputs):
    shared = layers.Dense(6)
    attended = layers.MultiHeadAttention(2, 3)(shared(inputs), value=shared(inputs))
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(attended))


def inside_others(inputs):
    hidden = layers.TimeDistributed(layers.Dense(4))(inputs)
    return layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)])(hidden)


def functions(inputs):
    hidden = layers.BatchNormalization()(layers.Conv1D(4, 2)(inputs))
    return layers.Flatten()(tf.nn.relu6(hidden + 3.0) * hidden / 6.0)


@pytest.mark.parametrize(
    ("build", "policy"),
    [
        pytest.param(bidirectional, "mixed_float16", marks=pytest.mark.slow),
        (attention, "mixed_bfloat16"),
        (inside_others, "mixed_bfloat16"),
        (functions, "mixed_float16"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_model_in_float32_again_answers_like_one_that_never_was_another(build, policy, global_policy):
    def model():
        inputs = tf.keras.Input((5, 6))
        return tf.keras.Model(inputs, build(inputs))

    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        mixed = model()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    plain, twin = model(), as_float32(mixed)
    plain.set_weights(mixed.get_weights())
    inputs = np.random.default_rng(0).normal(size=(7, 5, 6)).astype("float32")
    assert not any(is_mixed(layer) for layer in twin._flatten_layers())
    np.testing.assert_array_equal(twin(inputs), plain(inputs))
    assert [layer.name for layer in twin.layers] == [layer.name for layer in mixed.layers]
    assert mixed.layers[-1].output.dtype == tf.as_dtype(policy.removeprefix("mixed_"))  # it is as it was


@pytest.fixture(scope="module", params=MIXED)
def trained(request, small_config, tmp_path_factory):
    overrides = ["training.epochs=2", f"training.precision={request.param}"]
    return request.param, trainkit.fit(small_config, overrides, runs=tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
def test_a_network_learns_as_well_in_16_bits(trained, small_run):
    _, run = trained
    metrics, expected = (json.loads(one.metrics.read_text()) for one in (run, small_run))
    assert metrics["test"]["metrics"]["loss"] == pytest.approx(expected["test"]["metrics"]["loss"], abs=0.06)
    assert metrics["best"]["value"] == pytest.approx(metrics["validation"]["metrics"]["loss"], abs=0.02)


def test_the_model_of_a_run_computes_in_float32(trained):
    precision, run = trained
    loaded = tf.keras.models.load_model(run.model)
    assert {layer.dtype_policy.name for layer in loaded.layers} == {"float32"}
    checkpoint = Checkpoints(run.checkpoints).at(180)
    names = {name for name, _ in tf.train.list_variables(str(checkpoint / "variables"))}
    assert any("loss_scale" in name for name in names) == (precision == "mixed_float16")


def test_check_tells_the_precision(small_config):
    said = CliRunner().invoke(app, ["check", str(small_config), "training.precision=mixed_float16"]).stdout
    assert "precision: mixed_float16; in float32: rescaling1, digit" in said
    assert "15.3 KB, Adam 30.6 KB, kept activations 550 KB" in said  # of 7,200 numbers, as many in 16 bits as can be
    assert "every layer is computed in integers" in said


EVERYTHING = [
    "training.epochs=null",
    "training.precision=mixed_float16",
    "training.loss_weights={digit: 1e5}",
    "training.gradient_accumulation_steps=2",
    "training.learning_rate_multipliers={'*/bias': 2}",
    "training.checkpoints.every_steps=25",
    "training.callbacks=[{ReduceLROnPlateau: {monitor: val_loss, patience: 1, min_delta: 1e9}}]",
    "training.optimizer={Adam: {learning_rate: 5e-3, use_ema: true, ema_momentum: 0.9}}",
    "training.phases=[{steps: 40, freeze: [conv*]}, {steps: 100}]",
    "training.steps_per_epoch=40",
]


@pytest.fixture
def last(monkeypatch):
    """What optimizer and network are at the end of the training that was the last, by what they are called."""
    found = {}

    def spy(self, logs):
        whole(self, logs)
        model = self._loop.model
        found["scale"], found["good steps"] = (one.numpy() for one in scale_variables(model.optimizer))
        found["updates"], found["rate"] = int(model.optimizer.iterations), float(model.optimizer.learning_rate)
        found["variables"] = [one.numpy() for one in [*model.optimizer.variables, *model.variables]]

    whole = Checkpointer.after_epoch
    monkeypatch.setattr(Checkpointer, "after_epoch", spy)
    return found


@pytest.mark.slow
def test_batches_that_overflow_are_left_out_and_a_resumed_run_scales_alike(small_config, tmp_path, monkeypatch, last):
    straight = trainkit.fit(small_config, EVERYTHING, runs=tmp_path)
    expected = dict(last)
    assert expected["scale"] < 2**15
    left_out = np.log2(2**15 / expected["scale"])
    assert expected["good steps"] <= 100 - left_out
    assert expected["updates"] == (100 - left_out) // 2
    assert expected["rate"] == pytest.approx(5e-3 * 0.01)  # lowered by the second and the third epoch
    rows = straight.history.read_text().splitlines()
    assert all(np.isfinite([float(value) for value in row.split(",")[1:5]]).all() for row in rows[1:])
    with monkeypatch.context() as patch:

        def killed(self, *, is_last):
            step(self, is_last=is_last)
            if self.state.position.step >= 90:
                raise SystemError("killed")

        step = Checkpointer.after_step
        patch.setattr(Checkpointer, "after_step", killed)
        with pytest.raises(TrainingError, match="killed"):
            trainkit.fit(small_config, EVERYTHING, runs=tmp_path)
    resumed = trainkit.fit(resume=tmp_path / "small/002")
    assert {key: value for key, value in last.items() if key != "variables"} == {
        key: value for key, value in expected.items() if key != "variables"
    }
    for one, other in zip(last["variables"], expected["variables"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    models = [tf.keras.models.load_model(run.model) for run in (straight, resumed)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_gradients_that_no_scale_makes_finite_end_the_training(small_config, tmp_path):
    overrides = ["training.precision=mixed_float16", "training.loss_weights={digit: 1e30}", "training.epochs=1"]
    with pytest.raises(TrainingError, match=r"step \d+: the gradient of `\S+` has NaN"):
        trainkit.fit(small_config, overrides, runs=tmp_path)


def test_a_run_in_16_bits_is_exported_like_any_other(trained):
    precision, run = trained
    if precision != "mixed_float16":
        pytest.skip("one is enough")
    trainkit.deploy(run.directory, ["deploy.export=[TFLite]"])
    (filepath,) = (run.directory / "deploy").glob("*.tflite")
    images = np.random.default_rng(0).uniform(0, 255, (4, 28, 28, 1)).astype("float32")
    answers = trainkit.load(filepath)(images)
    np.testing.assert_allclose(answers, tf.keras.models.load_model(run.model)(images), atol=1e-5)
