"""What a network changes by itself, counted where it is known from arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.noise import noise_floor
from trainkit.deploy.parity import compare


def cliff(at, sharpness):
    """A network of one pixel: class 1 above a brightness, so sharply that its probability leaps there."""

    def answer(inputs):
        p = 0.5 * (1 + np.tanh(sharpness * (inputs["x"].astype(np.float64) - at) / 2))
        return {"y": np.concatenate([1 - p, p], axis=1)}

    return answer


def floor(answer, x, ranges=None, numbers=("x",)):
    inputs = {"x": x}
    return noise_floor(answer, inputs, answer(inputs), numbers=numbers, ranges=ranges or {})["y"]


def test_network_far_from_its_cliffs_changes_nothing():
    x = np.repeat(np.float32([[10], [200]]), 500, axis=0)
    assert floor(cliff(100, 50), x, {"x": (0, 255)}) == 0


def test_network_on_its_cliff_changes_what_the_half_step_reaches():
    """Samples a quarter of a step above: a draw from -0.5 to 0.5 of a step comes below for one in four."""
    x = np.full((4000, 1), 100.25, np.float32)
    assert floor(cliff(100, 50), x, {"x": (0, 255)}) == pytest.approx(1000, rel=0.05)


def test_step_follows_from_the_samples_where_no_range_is_known():
    """From 0 to 25.5 a step is 0.1: samples a quarter of a unit above are out of its reach."""
    x = np.full((1000, 1), 10.25, np.float32)
    x[0], x[1] = 0, 25.5
    assert floor(cliff(10, 500), x) == 0
    assert floor(cliff(10, 500), x, {"x": (0, 255)}) == pytest.approx(250, rel=0.2)


def test_whole_numbers_do_not_move():
    x = np.full((100, 1), 100, np.int32)
    assert floor(cliff(100.2, 50), x, {"x": (0, 255)}, numbers=()) == 0


def test_bytes_move_where_the_network_takes_real_numbers():
    x = np.full((4000, 1), 100, np.uint8)
    assert floor(cliff(99.75, 50), x, {"x": (0, 255)}) == pytest.approx(1000, rel=0.05)


def certain(samples):
    return np.tile(np.float32([[0.9, 0.1]]), (samples, 1))


def judged(changed, floor, samples=1000):
    found = certain(samples)
    found[:changed] = found[:changed, ::-1]
    floors = None if floor is None else {"y": floor}
    return compare({"y": certain(samples)}, {"y": found}, precision="int8", floors=floors)


@pytest.mark.parametrize(
    ("changed", "floor", "passed"),
    [(2, None, False), (2, 2, True), (3, 2, False), (20, 500, True), (21, 500, False)],
    ids=["unknown", "within", "beyond", "at the cap", "beyond the cap"],
)
def test_int8_may_change_what_the_network_changes_by_itself_up_to_a_fiftieth(changed, floor, passed):
    assert judged(changed, floor).passed is passed


def test_reason_tells_the_floor():
    assert judged(3, 2).reason == (
        "changed answers with a margin above 0.2 expected: at most 2 of 1000 (moved by half a step, its inputs change "
        "2 of the Keras model's), found: 3."
    )
