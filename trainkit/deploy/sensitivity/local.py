"""What each layer loses by its own rounding: one run of a file that computes everything twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.export.operations import OperationsFile, main_layer
from trainkit.deploy.sensitivity.litert import all_tensors
from trainkit.inference.tflite_graph import TFLiteGraph


def local_errors(calibrated: Calibrated, inputs: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The share of what a layer gives that is lost by its own rounding: 0 none, 1 all.

    Each operation is computed with integers and with real numbers, both from the same rounded inputs, and compared
    channel by channel; a channel that is always the same does not count.

    Args:
        calibrated: The network.
        inputs: What the file takes, by name.

    Returns:
        The largest error of each layer's operations, by name of the layer.
    """
    content = calibrated.compared()
    file, interpreter = OperationsFile(TFLiteGraph(content), calibrated.graph), all_tensors(content, inputs)
    makers = {index: one for one in file.operations for index in one.outputs}
    errors: dict[str, float] = {}
    for check in (one for one in file.operations if one.kind == "NumericVerify"):
        rounded, real = check.inputs
        if not (layers := makers[rounded].layers):
            continue
        difference = interpreter.get_tensor(check.outputs[0])
        name = main_layer(layers, calibrated.graph)
        errors[name] = max(errors.get(name, 0.0), lost_share(interpreter.get_tensor(real), difference))
    return errors


def lost_share(values: np.ndarray, difference: np.ndarray) -> float:
    """The root of the mean over channels of error power by signal power, where a channel counts 1 at most.

    Args:
        values: What was to be given, shape `(samples, …, channels)`.
        difference: By how much what was given is off, of the same shape.

    Example:
        >>> lost_share(np.array([[1.0, 100.0], [-1.0, -100.0]]), np.array([[3.0, 0.0], [3.0, 0.0]]))
        0.7071067811865476
    """
    channels = values.shape[-1] if values.ndim > 1 else 1
    signal = values.reshape(-1, channels).astype(np.float64)
    error = difference.astype(np.float64).reshape(-1, channels)
    power, noise = signal.var(axis=0), np.mean(error**2, axis=0)
    if not (power > 0).any():
        return 0.0
    return float(np.sqrt(np.mean(np.minimum(noise[power > 0] / power[power > 0], 1.0))))
