"""Train with the rounding of an int8 file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.deploy.compress.result import CompressionResult, Promise

CALIBRATION_SAMPLES = 512
"""Training samples that the ranges of activations start from."""


def quantize(model: Any, *, epochs: Annotated[int, Ge(1)] = 2, context: CompressionContext) -> CompressionResult:
    """Fine-tune a model that rounds its weights and activations as its int8 file will.

    What earlier steps promised of weights is kept while it trains.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        epochs: Epochs of training.
        context: What every compression step is told.

    Returns:
        The network of inference: with rounded kernels, without the BatchNormalizations that could be folded; and the
        facts `scheme` and `layers`.

    Raises:
        InputError: If nothing in it can be quantized, or arguments are wrong.

    Reference:
        Jacob et al., CVPR 2018, section 3.
    """
    network = QuantizationAware(model, context.promises, context.calibration_arrays(CALIBRATION_SAMPLES))
    context.train(network.model, epochs=epochs)
    facts = {"scheme": network.scheme, "layers": [asdict(layer) for layer in network.layers]}
    return CompressionResult(network.finish(), facts=facts, state=network.state)


def restore(model: Any, state: Sequence[np.ndarray], promises: Sequence[Promise]) -> Any:
    """What `quantize` has made of a model before.

    Args:
        model: The model that it was given.
        state: The state of its result.
        promises: Those of the steps before.
    """
    network = QuantizationAware(model, promises)
    network.state = state
    return network.finish()
