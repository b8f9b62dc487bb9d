"""The loop does what `Model.fit` does, and from any step on what it would have done."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.execution import Evaluator, Executor, Plan, Streamed
from trainkit.training.length import Length
from trainkit.training.loop import Guard, Loop, Validation
from trainkit.training.signals import Signals
from trainkit.training.state import Position

BATCHES = 7
"""Of a pass."""


def make_model():
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    model.compile(tf.keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def batches(step=0):
    inputs = np.random.default_rng(0).normal(size=(BATCHES, 4, 2)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((inputs, inputs.sum(axis=2, keepdims=True)))
    return dataset.repeat().skip(step)


class Recorder(tf.keras.callbacks.Callback):
    """Writes down what it is asked."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.asked = []
        self.stop_at = stop_at

    def on_train_begin(self, logs=None):
        self.asked.append("train begin")

    def on_train_end(self, logs=None):
        self.asked.append(("train end", sorted(logs)))

    def on_epoch_begin(self, epoch, logs=None):
        self.asked.append(("epoch begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.asked.append(("epoch end", epoch, {name: round(float(value), 5) for name, value in logs.items()}))

    def on_train_batch_begin(self, batch, logs=None):
        self.asked.append(("batch begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.asked.append(("batch end", batch, round(float(logs["loss"]), 5)))
        if self.stop_at == batch:
            self.model.stop_training = True

    def on_test_batch_end(self, batch, logs=None):
        self.asked.append(("test batch end", batch))


def executor(kind, model, dataset, steps_per_execution=1):
    feed = Streamed(dataset, model.distribute_strategy)
    return kind(model, feed, Plan(steps_per_execution=steps_per_execution))


def run(model, callback, *, length, position=None, validation=0, guard=None, steps_per_execution=1):
    position = position or Position()
    guard = guard or Guard(Signals())
    test = executor(Evaluator, model, batches)
    loop = Loop(
        model,
        train=executor(Executor, model, batches, steps_per_execution),
        validation=Validation(test, validation) if validation else None,
        callbacks=[callback],
        length=length,
        position=position,
        guard=guard,
    )
    return loop.run(), position


@pytest.mark.parametrize("stop_at", [None, 2], ids=["whole", "stopped"])
def test_loop_asks_callbacks_as_fit_does(stop_at):
    one, other = Recorder(stop_at), Recorder(stop_at)
    first, second = make_model(), make_model()
    fitted = first.fit(
        batches(), epochs=3, steps_per_epoch=5, validation_data=batches().take(2), callbacks=[one], verbose=0
    )
    found, position = run(second, other, length=Length(15, 5), validation=2)
    assert other.asked == one.asked
    assert found.keys() == fitted.history.keys()
    np.testing.assert_allclose(second.get_weights()[0], first.get_weights()[0], rtol=1e-6)
    assert (position.step, position.epoch, position.over) == ((15, 3, False) if stop_at is None else (3, 1, True))


def test_loop_of_several_steps_a_call_asks_callbacks_as_fit_does():
    """`Model.fit` asks for the first and the last batch of a call; the last call of an epoch may be shorter."""
    one, other = Recorder(), Recorder()
    first, second = make_model(), make_model()
    first.compile(tf.keras.optimizers.SGD(0.01), "mse", metrics=["mae"], steps_per_execution=2)
    first.fit(batches(), epochs=3, steps_per_epoch=5, callbacks=[one], verbose=0)
    run(second, other, length=Length(15, 5), steps_per_execution=2)
    assert other.asked == one.asked
    np.testing.assert_allclose(second.get_weights()[0], first.get_weights()[0], rtol=1e-6)


def test_loop_ends_with_a_shorter_epoch():
    callback = Recorder()
    _, position = run(make_model(), callback, length=Length(12, 5))
    steps = [one[1] for one in callback.asked if one[0] == "batch end"]
    assert steps == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert (position.step, position.epoch) == (12, 3)


@pytest.mark.parametrize("broken_at", [1, 5, 8, 14])
def test_loop_goes_on_in_the_middle(broken_at):
    """A model whose loop was broken off after some steps ends where one ends whose loop was not."""

    class Break(Guard):
        def after_step(self, *, is_last):
            if self.loop.position.step == broken_at:
                raise KeyboardInterrupt

        def begin(self, loop):
            self.loop = loop

    whole, broken = make_model(), make_model()
    callback, position = Recorder(), Position()
    run(whole, callback, length=Length(15, 5), validation=2)
    with pytest.raises(KeyboardInterrupt):
        run(broken, Recorder(), length=Length(15, 5), position=position, guard=Break(Signals()))
    rest = Recorder()
    run(broken, rest, length=Length(15, 5), position=position, validation=2)
    np.testing.assert_allclose(broken.get_weights()[0], whole.get_weights()[0], rtol=1e-6)
    ends = [one for one in callback.asked if one[0] == "epoch end"]
    assert [one for one in rest.asked if one[0] == "epoch end"] == ends[(broken_at - 1) // 5 :]
    assert sum(one[0] == "batch end" for one in rest.asked) == 15 - broken_at


def test_loop_keeps_the_metrics_of_an_epoch_whose_validation_is_broken_off():
    signals = Signals()
    kept = []

    class Asked(Guard):
        def after_steps(self, logs):
            kept.append(logs)
            signals._asked = 2

        def interrupt(self):
            signals._asked = None
            kept.append({name: float(value) for name, value in model.get_metrics_result().items()})
            raise KeyboardInterrupt

    model = make_model()
    callback, position = Recorder(), Position()
    with pytest.raises(KeyboardInterrupt):
        run(
            model,
            callback,
            length=Length(10, 5),
            position=position,
            validation=3,
            guard=Asked(signals),
        )
    assert kept[0] == kept[1]
    assert [one for one in callback.asked if one[0] == "test batch end"] == [("test batch end", 0)]
    assert (position.step, position.epoch) == (5, 0)
    rest = Recorder()
    run(model, rest, length=Length(10, 5), position=position, validation=3)
    assert rest.asked[2][0] == "test batch end"  # no step is done again
    assert position.epoch == 2


def test_loop_of_a_phase_counts_on_from_the_phase_before():
    position = Position()
    run(make_model(), Recorder(), length=Length(4, 2), position=position)
    position.next_phase()
    callback = Recorder()
    run(make_model(), callback, length=Length(5, 5), position=position)
    assert [one[1] for one in callback.asked if one[0] == "epoch begin"] == [2]
    assert (position.step, position.epoch, position.phase) == (9, 3, 1)


def test_loop_validates_anew_after_a_signal_that_ends_nothing():
    """A program that uses TrainKit may have a handler of its own, which lets the training go on."""
    signals, answered = Signals(), []

    class Asked(Guard):
        def after_steps(self, logs):
            signals._asked = 2

        def interrupt(self):
            signals._asked = None
            answered.append(self)

    callback, expected = Recorder(), Recorder()
    run(make_model(), callback, length=Length(5, 5), validation=3, guard=Asked(signals))
    run(make_model(), expected, length=Length(5, 5), validation=3)
    assert len(answered) == 1
    assert callback.asked[-2:] == expected.asked[-2:]  # the epoch with its metrics, and the end
