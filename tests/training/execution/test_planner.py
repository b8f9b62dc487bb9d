"""How training steps are run is chosen by what is known, and by measuring where that can pay."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Training
from trainkit.errors import TrainingError
from trainkit.framework import tf
from trainkit.training.batches import Batches
from trainkit.training.execution import Plan, Planner, of_every_batch, planner
from trainkit.training.execution.trial import Trial
from trainkit.training.unchanged import unchanged


def plan_for(model, batches, *, remaining=100_000, every_batch=(), step=0, **keys):
    training = Training.model_validate({"loss": "MeanSquaredError"} | keys)
    made = Planner(model, batches, training, step=step, remaining=remaining, every_batch=every_batch)
    return made.choose()[1]


@pytest.fixture
def speeds(monkeypatch):
    """Let trials take what a test says, in milliseconds a step by the name of the way; makes no function."""
    times, asked = {}, []

    class Told(Trial):
        def __init__(self, executor, step):
            self.executor = executor
            asked.append(planner._name(executor.plan))
            self.first, self.seconds = 0.5, times[asked[-1]] / 1000
            self.single = 2 * self.seconds

        def again(self):
            pass

    monkeypatch.setattr(planner, "Trial", Told)
    monkeypatch.setattr(Planner, "_is_slow_on_cpu", lambda self, trial: False)
    return times, asked


@pytest.mark.parametrize("keys", [{"determinism": "strict"}, {"graph": "eager"}], ids=["strict", "eager"])
def test_nothing_is_measured_where_bits_or_lines_count(batches, make_model, speeds, keys):
    choice = plan_for(make_model(), batches, **keys)
    assert choice.plan == Plan("stream", "", 1)
    assert speeds[1] == []
    assert choice.milliseconds == {}


def test_nothing_is_measured_for_few_steps(batches, make_model, speeds):
    assert plan_for(make_model(), batches, remaining=32).plan == Plan("device", "", 1)
    assert speeds[1] == []


@pytest.mark.parametrize(
    ("loop", "step", "expected"),
    [(1.0, None, "loop"), (1.95, 1.95, ""), (9.0, 1.0, "step")],
    ids=["faster", "hardly faster", "only step by step"],
)
def test_xla_is_taken_where_it_is_faster(batches, make_model, speeds, loop, step, expected):
    times, asked = speeds
    times |= {"device": 2.0, "device, XLA": loop, "device, XLA for each step": step}
    choice = plan_for(make_model(), batches)
    assert choice.plan.jit_compile == expected
    assert choice.milliseconds == {name: times[name] for name in asked}
    assert choice.plan.steps_per_execution == 6  # a pass


@pytest.mark.parametrize(("milliseconds", "steps"), [(1, 6), (100, 6), (200, 3), (300, 2), (900, 1), (5000, 1)])
def test_a_pass_is_divided_into_calls_that_are_alike_and_not_too_long(batches, make_model, speeds, milliseconds, steps):
    times, _ = speeds
    times |= dict.fromkeys(("device", "device, XLA", "device, XLA for each step"), milliseconds)
    assert plan_for(make_model(), batches).plan.steps_per_execution == steps


def test_xla_is_not_tried_in_a_short_training(batches, make_model, speeds):
    """Of 0.5 s for a graph, XLA takes three times as long; a tenth of the training is 0.02 s."""
    speeds[0]["device"] = 2.0
    assert plan_for(make_model(), batches, remaining=100).plan.jit_compile == ""
    assert speeds[1] == ["device"]


@pytest.mark.parametrize(("device", "place"), [(1.0, "device"), (3.0, "stream")], ids=["faster", "slower"])
def test_augmentations_run_where_they_are_faster(batches, make_model, speeds, device, place):
    slow = dict.fromkeys(["stream, XLA for each step", "device, XLA for each step"], 9.0)
    speeds[0].update({"stream": 2.0, "device": device} | slow)
    augmented = Batches(batches.split, batches.batch_size, seed=5, change=lambda *batch, **_: batch, augments=True)
    assert plan_for(make_model(), augmented).plan.data == place


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"steps_per_execution": 7}, Plan("device", "", 7)),
        ({"data": "stream", "jit_compile": False, "steps_per_execution": 3}, Plan("stream", "", 3)),
        ({"jit_compile": True, "steps_per_execution": 2}, Plan("device", "loop", 2)),
        ({"jit_compile": True, "data": "stream", "steps_per_execution": 2}, Plan("stream", "step", 2)),
    ],
    ids=str,
)
def test_what_the_config_says_holds(batches, make_model, speeds, written, expected):
    names = ["device", "stream", "device, XLA", "device, XLA for each step", "stream, XLA for each step"]
    speeds[0].update(dict.fromkeys(names, 1.0))
    assert plan_for(make_model(), batches, execution=written).plan == expected


def test_convolutions_and_loops_are_not_tried_with_xla_on_a_cpu(batches):
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("a GPU has fast code for them")
    tf.keras.utils.set_random_seed(1)
    given = tf.keras.layers.Input((6,), name="input")
    steps = tf.keras.layers.Reshape((6, 1))(given)
    hidden = tf.keras.layers.GlobalAveragePooling1D()(tf.keras.layers.Conv1D(4, 3)(steps))
    model = tf.keras.Model(given, tf.keras.layers.Dense(3, activation="softmax", name="answer")(hidden))
    model.compile("sgd", {"answer": "sparse_categorical_crossentropy"})
    assert list(plan_for(model, batches).milliseconds) == ["device"]


def test_trial_leaves_everything_as_it_was(batches, make_model):
    model = make_model(rate=0.5, batch_norm=True)
    executor = Planner(model, batches, Training.model_validate({"loss": "MeanSquaredError"}), step=0, remaining=9)
    plan = Plan("device", "", 4)
    executor.executor(plan)(0, 3)
    variables = [*model.variables, *model.optimizer.variables, *model.metrics[0].variables, model._train_counter]
    before = [variable.numpy() for variable in variables]
    with unchanged(model):
        Trial(executor.executor(plan), 3)
        assert int(model._train_counter) > 10
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


class Unknown(tf.keras.layers.Layer):
    """Has an operation that XLA does not know."""

    def call(self, inputs):
        return inputs + tf.cast(tf.strings.length(tf.strings.as_string(inputs)) * 0, inputs.dtype)


def unknown_to_xla(batches):
    given = tf.keras.layers.Input((6,), name="input")
    hidden = Unknown()(tf.keras.layers.Dense(4)(given))
    model = tf.keras.Model(given, tf.keras.layers.Dense(3, activation="softmax", name="answer")(hidden))
    model.compile("sgd", {"answer": "sparse_categorical_crossentropy"})
    return model


def test_a_network_that_xla_does_not_know_is_trained_without(batches):
    choice = plan_for(unknown_to_xla(batches), batches, remaining=10_000_000)
    assert choice.plan.jit_compile == ""
    assert list(choice.milliseconds) == ["device"]


def test_xla_that_is_asked_for_and_cannot_be_had_is_told(batches):
    with pytest.raises(TrainingError, match=r"training\.execution\.jit_compile must be false: XLA cannot compile"):
        plan_for(unknown_to_xla(batches), batches, execution={"jit_compile": True})


def test_a_callback_of_batches_gets_every_batch(batches, make_model, speeds):
    speeds[0].update({"device": 2.0, "device, XLA": 3.0, "device, XLA for each step": 3.0})

    class Each(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    names = of_every_batch([Each(), tf.keras.callbacks.EarlyStopping()])
    assert names == ("Each",)
    choice = plan_for(make_model(), batches, every_batch=names)
    assert choice.plan.steps_per_execution == 1
    assert str(choice).endswith("Each is asked for every batch, which costs 2 ms a step")
