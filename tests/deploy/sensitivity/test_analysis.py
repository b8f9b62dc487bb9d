"""A layer that was spoilt for 8 bits is named first, and is all that has to be left out."""

from __future__ import annotations

import pytest

WEIGHTS = {
    "plain": ("conv1.bn", "conv2"),
    "residual": ("depthwise.bn", "project"),
    "dense": ("dense1", "dense2"),
}
VALUES = {
    "plain": ("conv2.bn", "conv3", "conv2"),
    "dense": ("dense2", "dense3", "dense2"),
}


@pytest.mark.parametrize("name", [pytest.param("plain", marks=pytest.mark.slow), "residual", "dense"])
def test_huge_weights_are_named_first_and_are_all_that_is_excluded(name, planter):
    giver, layer = WEIGHTS[name]
    found = planter.analyse(planter.weights(name, giver=giver, layer=layer))
    first, second = found.layers[:2]
    assert first.layer == layer
    assert first.kernel > 10 * second.own
    assert first.output < 0.1 * first.kernel
    assert first.alone.error > 10 * first.without.error
    assert "weight outlier" in {reason.kind for reason in first.reasons}
    assert not found.integers.passed
    assert found.choice.after.passed
    assert found.choice.layers == (layer,)


@pytest.mark.parametrize("name", [pytest.param("plain", marks=pytest.mark.slow), "dense"])
def test_huge_values_are_named_first_and_excluded_with_what_takes_them(name, planter):
    giver, taker, layer = VALUES[name]
    found = planter.analyse(planter.values(name, giver=giver, taker=taker))
    by_name = {one.layer: one for one in found.layers}
    first = found.layers[0]
    assert first.layer == layer
    assert first.output > 10 * first.kernel
    assert by_name[taker].alone.error > 0.5 * first.alone.error  # it takes what was rounded badly
    assert by_name[taker].own < 0.3 * first.own
    assert "uneven channels" in {reason.kind for reason in first.reasons}
    assert not found.integers.passed
    assert found.choice.after.passed
    assert set(found.choice.layers) == {layer, taker}


@pytest.mark.parametrize("name", [pytest.param("plain", marks=pytest.mark.slow), "residual"])
def test_nothing_is_excluded_of_a_good_network(name, planter):
    found = planter.analyse(planter.network(name))
    assert found.integers.passed
    assert found.choice.layers == ()
    assert max(one.own for one in found.layers) < 0.05


def test_figures_of_one_thing_rounded_make_up_those_of_a_layer_alone(planted):
    """Rounding errors of several places add up like independent ones."""
    for one in planted.found.layers:
        if one.layer in ("dense1", "dense3", "digit"):
            assert one.alone.error == pytest.approx(one.own, rel=0.5, abs=2e-3)


def test_analysis_is_the_same_every_time(planted, planter):
    assert planter.analyse(planted.model).to_json() == planted.found.to_json()


def test_no_member_of_the_choice_can_be_left_out(planter):
    model = planter.values("dense", giver="dense2", taker="dense3")
    calibrated = planter.calibrate(model)
    trials = planter.trials(model, calibrated)
    assert trials.of(["dense2", "dense3"]).passed
    assert not trials.of(["dense2"]).passed
    assert not trials.of(["dense3"]).passed
