"""One batch through network, loss and metrics, so that what Keras refuses is found before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trainkit.config import Config, Node, NodeError
from trainkit.data import Split
from trainkit.framework import tf
from trainkit.objects import build, failures_of, first_sentence
from trainkit.training.outputs import Output

MOST_SAMPLES = 8


def try_one_batch(config: Config, model: Any, split: Split, outputs: Mapping[str, Output]) -> None:
    """Run a few samples through everything that a training step runs them through; the model is left as it was.

    Raises:
        NodeError: At the layer, loss or metric that cannot take what it is given.
    """
    inputs, targets, _ = split.first(MOST_SAMPLES)
    weights = model.get_weights()
    try:
        given = model(inputs, training=True)
    except (ValueError, TypeError, AttributeError, tf.errors.OpError) as error:
        raise _at_layer(config, model, inputs, error) from error
    finally:
        model.set_weights(weights)
    for output, values in zip(outputs.values(), tf.nest.flatten(given), strict=True):
        expected = output.expected(targets[output.name])
        _try(output.loss, build(output.loss, split.facts.values), expected, values)
        for node in output.metrics.values():
            metric = build(node, split.facts.values)
            _try(node, metric, expected, values)
            _check_is_number(node, metric)


def _at_layer(config: Config, model: Any, inputs: Mapping[str, Any], error: Exception) -> NodeError:
    """The first layer, in the order of the graph, that cannot be computed."""
    calls = config.experiment.model.network.calls
    for layer in model.layers:
        if layer.name not in calls:
            continue
        try:
            tf.keras.Model(model.inputs, layer.output)(inputs, training=True)
        except (ValueError, TypeError, AttributeError, tf.errors.OpError) as found:
            return _failure(calls[layer.name].node, found)
    return _failure(config.experiment.model.layers[-1], error)


def _try(node: Node, run: Callable[..., Any], *arguments: Any) -> None:
    try:
        run(*arguments)
    except failures_of(node) as error:
        raise _failure(node, error) from error


def _check_is_number(node: Node, metric: Any) -> None:
    """Refuse a metric of several numbers: neither the logs nor the choice of the best epoch have room for them."""
    shape = tuple(np.shape(metric.result()))
    if shape:
        cure = " Give it `average: macro`, say." if "average" in node.signature else ""
        raise NodeError(node, f"{node.class_name} must give one number. Received: an array of the shape {shape}.{cure}")


def _failure(node: Node, error: Exception) -> NodeError:
    return NodeError(node, f"{node.class_name} fails on the first batch: {first_sentence(error)}.")
