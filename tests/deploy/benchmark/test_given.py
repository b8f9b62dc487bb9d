"""What files are given to answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainkit.deploy.benchmark.given import Given, enough, fit_names, made_up, samples_of
from trainkit.errors import InputError
from trainkit.inference import TensorFacts

NOWHERE = Path("model.tflite")
IMAGE = {"input": TensorFacts((None, 28, 28, 1), "float32")}


def test_samples_are_the_first_test_samples_of_the_run(small_run):
    given = samples_of(small_run, 5)
    assert given.origin == "5 test samples of the run"
    assert given.arrays["input"].shape == (5, 28, 28, 1)
    assert given.arrays["input"].max() > 200  # raw pixels, as an app gives them


def test_enough_repeats_what_there_is():
    given = enough(Given({"x": np.arange(3)}, "three"), 7)
    assert given.arrays["x"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert enough(given, 2).arrays["x"].size == 7


def test_samples_go_by_the_name_of_the_only_input():
    given = fit_names(Given({"x": np.zeros((2, 4))}, ""), {"serving": TensorFacts((None, 4), "float32")})
    assert list(given.arrays) == ["serving"]


@pytest.mark.parametrize(
    "inputs",
    [{"x": TensorFacts((None, 5), "float32")}, {"x": TensorFacts((None, 4), "float32"), "y": IMAGE["input"]}],
    ids=["shape", "names"],
)
def test_samples_that_a_file_does_not_take_are_not_given(inputs):
    assert fit_names(Given({"x": np.zeros((2, 4))}, ""), inputs) is None


def test_an_image_gets_pixels(small_run):
    given = made_up(NOWHERE, IMAGE, 4, run=small_run)
    array = given.arrays["input"]
    assert (array.shape, array.min() >= 0, 200 < array.max() <= 255) == ((4, 28, 28, 1), True, True)
    assert given.origin == "random values, seed 1: 0 to 255, the range of its images"


def test_an_integer_input_gets_the_range_of_its_integers():
    facts = TensorFacts((None, 1_000), "int8", 0.5, -28)
    given = made_up(NOWHERE, {"x": facts}, 4)
    assert given.arrays["x"].min() == pytest.approx(0.5 * (-128 + 28), abs=0.5)
    assert given.arrays["x"].max() == pytest.approx(0.5 * (127 + 28), abs=0.5)
    assert "-50 to 77.5, the range of its integers" in given.origin


def test_other_numbers_are_normal_and_the_same_each_time():
    facts = {"x": TensorFacts((None, None, 3), "float32")}
    first, second = (made_up(NOWHERE, facts, 50) for _ in range(2))
    assert first.arrays["x"].shape == (50, 16, 3)
    assert abs(first.arrays["x"].std() - 1) < 0.1
    np.testing.assert_array_equal(first.arrays["x"], second.arrays["x"])


def test_ids_are_zero_as_nobody_tells_which_there_are():
    assert not made_up(NOWHERE, {"x": TensorFacts((None, 2), "int32")}, 3).arrays["x"].any()


def test_texts_cannot_be_made_up():
    with pytest.raises(InputError, match=r"model\.tflite takes texts in 'x': name the run"):
        made_up(NOWHERE, {"x": TensorFacts((None, 1), "string")}, 3)
