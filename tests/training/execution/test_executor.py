"""Every plan trains as `Model.fit` does over the same batches."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.batches import Batches
from trainkit.training.execution import Evaluator, Executor, Plan, feed_of

STEPS = 16
"""More than two passes, with smaller last batches in them."""
PLANS = [
    Plan("stream", "", 1),
    Plan("stream", "", 5),
    Plan("device", "", 1),
    Plan("device", "", 50),
    Plan("stream", "step", 4),
    Plan("device", "step", 4),
    Plan("device", "loop", 4),
]


def make_executor(model, batches, plan, kind=Executor):
    return kind(model, feed_of(batches, model.distribute_strategy, plan), plan)


def run(executor, *, first=0, steps=STEPS):
    """Do some steps; returns the metrics, and how many steps each call did."""
    step, counts, values = first, [], {}
    while step < first + steps:
        count, values = executor(step, first + steps - step)
        step += count
        counts.append(count)
    return {name: float(value) for name, value in values.items()}, counts


def fitted(model, batches, steps=STEPS):
    history = model.fit(batches.dataset(0), steps_per_epoch=steps, epochs=1, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


@pytest.mark.parametrize(("plan", "batch_norm"), [*((plan, False) for plan in PLANS), (PLANS[3], True)], ids=str)
def test_executor_trains_as_fit_does(batches, make_model, plan, batch_norm):
    one, other = make_model(batch_norm=batch_norm), make_model(batch_norm=batch_norm)
    found, _ = run(make_executor(other, batches, plan))
    assert found == pytest.approx(fitted(one, batches), abs=1e-5)
    for weight, expected in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)
    assert int(other._train_counter) == STEPS


@pytest.mark.parametrize("plan", [plan for plan in PLANS if not plan.jit_compile], ids=str)
def test_random_layers_draw_alike_however_many_steps_a_call_does(batches, make_model, plan):
    one, other = make_model(rate=0.5), make_model(rate=0.5)
    fitted(one, batches)
    run(make_executor(other, batches, plan))
    np.testing.assert_array_equal(other.get_weights()[0], one.get_weights()[0])


@pytest.mark.parametrize("how", [*PLANS[1::2], PLANS[6], "eager"], ids=str)
def test_call_that_comes_to_the_end_looks_whether_all_is_finite(batches, make_model, how):
    model = make_model(run_eagerly=how == "eager")
    executor = make_executor(model, batches, PLANS[2] if how == "eager" else how)
    count, _ = executor(0, 3)
    assert executor.is_finite is None  # nobody asked
    step = count + executor(count, 2, end=6)[0]
    assert executor.is_finite is None  # it comes to an earlier one
    while step < 6:
        step += executor(step, 6 - step, end=6)[0]
    assert executor.is_finite is True
    model.optimizer.variables[-1].assign(np.full(model.optimizer.variables[-1].shape, np.nan))
    while step < 12:
        step += executor(step, 12 - step, end=12)[0]
    assert executor.is_finite is False


def test_evaluator_does_not_look(batches, make_model):
    executor = make_executor(make_model(), batches, PLANS[3], Evaluator)
    executor(0, 6, end=6)
    assert executor.is_finite is None


@pytest.mark.parametrize("plan", [PLANS[1], PLANS[3], pytest.param(PLANS[6], marks=pytest.mark.slow)], ids=str)
def test_executor_goes_on_at_any_step(batches, make_model, plan):
    whole, broken = make_model(rate=0.5), make_model(rate=0.5)
    run(make_executor(whole, batches, plan))
    run(make_executor(broken, batches, plan), steps=7)
    run(make_executor(broken, batches, plan), first=7, steps=STEPS - 7)
    np.testing.assert_allclose(broken.get_weights()[0], whole.get_weights()[0], atol=1e-6)


def test_a_call_does_as_many_steps_as_it_may(batches, make_model):
    """A pass has six steps; where samples are on the device, a call ends with it."""
    _, counts = run(make_executor(make_model(), batches, Plan("device", "", 4)))
    assert counts == [4, 2, 4, 2, 4]
    _, counts = run(make_executor(make_model(), batches, Plan("stream", "", 5)))
    assert counts == [5, 5, 5, 1]


@pytest.mark.parametrize("plan", [PLANS[0], PLANS[3]], ids=str)
def test_evaluator_measures_as_evaluate_does(batches, make_model, plan):
    model = make_model(rate=0.5, batch_norm=True)
    ordered = Batches(batches.split, batches.batch_size, seed=None)
    model.reset_metrics()
    found, _ = run(make_executor(model, ordered, plan, Evaluator), steps=ordered.steps_per_pass)
    expected = model.evaluate(ordered.dataset(0), return_dict=True, verbose=0)
    assert found == pytest.approx(expected, abs=1e-6)


def test_eager_model_runs_each_step_in_python(batches, make_model):
    model, inner, expected, seen = make_model(run_eagerly=True), make_model(), make_model(), []

    class Look(tf.keras.layers.Layer):
        def call(self, inputs):
            seen.append(tf.executing_eagerly())
            return inputs

    looking = tf.keras.Model(inner.inputs, Look(name="look")(inner.outputs[0]))
    looking.compile(tf.keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", run_eagerly=True)
    seen.clear()
    run(make_executor(looking, _unnamed(batches), Plan("device", "", 1)), steps=3)
    assert seen == [True] * 3
    run(make_executor(model, batches, Plan("device", "", 1)), steps=3)
    fitted(expected, batches, 3)
    np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], atol=1e-6)


def _unnamed(batches):
    """The same batches, their target by no name."""

    def change(inputs, targets, weights, *, epoch, rows):
        return inputs, targets["answer"], weights

    return Batches(batches.split, batches.batch_size, seed=5, change=change)
