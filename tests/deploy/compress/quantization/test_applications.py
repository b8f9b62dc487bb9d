from __future__ import annotations

import pytest

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.framework import tf

applications = tf.keras.applications
OPERATIONS = {
    "MobileNetV3Small": (
        applications.MobileNetV3Small,
        # 9 blocks with squeeze-and-excite: + 3, / 6 and a product in each; 6 residuals; * and + of the input
        {"CONV_2D": 43, "DEPTHWISE_CONV_2D": 11, "HARD_SWISH": 19, "ADD": 9 + 6 + 1, "MUL": 2 * 9 + 1},
    ),
    "MobileNetV2": (applications.MobileNetV2, {"CONV_2D": 35, "DEPTHWISE_CONV_2D": 17, "ADD": 10, "MUL": 0}),
}


@pytest.mark.slow
@pytest.mark.parametrize("build, expected", OPERATIONS.values(), ids=OPERATIONS)
def test_an_application_is_computed_in_integers_throughout(build, expected, workshop):
    model = workshop.settle(build(input_shape=(32, 32, 3), weights=None, classes=10))
    quantized = QuantizationAware(flatten(model), (), workshop.samples(model))
    norms = [layer for layer in quantized.layers if layer.class_name == "BatchNormalization"]
    assert norms
    assert {layer.status for layer in norms} == {"folded"}
    file = workshop.write(quantized.finish())
    assert file.floats == []
    assert {name: file.operations[name] for name in expected} == expected
