from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.quantize import quantize, restore


@pytest.fixture(scope="module")
def result(clustered, pruned, context_with):
    return quantize(clustered.model, epochs=1, context=context_with(*pruned.promises, *clustered.promises))


def test_a_network_is_quantized_with_what_was_promised(result):
    assert result.facts["scheme"] == "PCQAT"
    assert {layer["status"] for layer in result.facts["layers"]} == {"calibrated", "quantized"}


def test_the_quantized_network_tells_digits_apart_as_before(result, clustered, bench):
    before, after = (
        (model.predict(bench.test["input"], verbose=0).argmax(1) == bench.test_labels).mean()
        for model in (clustered.model, result.model)
    )
    assert after > before - 0.02


def test_a_result_is_restored_from_its_state(result, clustered, pruned, bench):
    again = restore(clustered.model, result.state, (*pruned.promises, *clustered.promises))
    images = bench.test["input"][:100]
    np.testing.assert_array_equal(again.predict(images, verbose=0), result.model.predict(images, verbose=0))
