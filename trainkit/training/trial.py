"""One batch through network, loss and metrics, so that what Keras refuses is found before anything is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from trainkit.config import Config, Node, NodeError
from trainkit.data import Split
from trainkit.framework import tf
from trainkit.objects import build

MOST_SAMPLES = 8


def try_one_batch(config: Config, model: Any, split: Split) -> None:
    """Run a few samples through everything that a training step runs them through; the model is left as it was.

    Raises:
        NodeError: At the layer, loss or metric that cannot take what it is given.
    """
    experiment = config.experiment
    inputs, targets, _ = next(iter(split.ordered(min(MOST_SAMPLES, split.size))))
    (values,) = inputs.values()
    weights = model.get_weights()
    nodes = [*experiment.model.preprocess, *experiment.model.layers]
    for node, layer in zip(nodes, model.layers[1:], strict=True):
        mode = {"training": True} if "training" in inspect.signature(layer.call).parameters else {}
        values = _try(node, layer, values, **mode)
    model.set_weights(weights)
    for node in [experiment.training.loss, *experiment.training.metrics]:
        _try(node, build(node, split.facts.values), targets["target"], values)


def _try(node: Node, run: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return run(*arguments, **options)
    except (ValueError, TypeError, AttributeError, tf.errors.OpError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = next((line for line in lines if not line.startswith("Exception encountered")), type(error).__name__)
        raise NodeError(node, f"{node.class_name} fails on the first batch: {told[:300].rstrip('.')}.") from error
