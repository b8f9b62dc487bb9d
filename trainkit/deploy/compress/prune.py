"""Magnitude pruning: the smallest weights of each kernel become 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Lt

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model, wrap_layers
from trainkit.deploy.compress.kernels import choose, kernels_of, promise_of
from trainkit.deploy.compress.result import ZEROS, CompressionResult, Promise, count_zeros, promised_zeros
from trainkit.deploy.compress.tfmot import sparsity as tools
from trainkit.errors import InputError

UPDATES = 50
"""How often the weights that become 0 are chosen anew while the sparsity grows."""

GROWING = 0.5
"""Share of the steps in which the sparsity grows; in the others the network recovers."""


def prune(
    model: Any,
    *,
    sparsity: Annotated[float, Ge(0), Lt(1)] = 0.5,
    layers: Annotated[dict[str, float] | None, Ge(0), Lt(1)] = None,
    skip_first: bool = False,
    skip_last: bool = False,
    schedule: Literal["polynomial", "constant"] = "polynomial",
    epochs: Annotated[int, Ge(1)] = 2,
    context: CompressionContext,
) -> CompressionResult:
    """Set the smallest weights of each kernel to 0, and train the others to make up for it.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        sparsity: Share of the values of each kernel that become 0.
        layers: Sparsities of their own for patterns of layer names, the first that fits: `{conv1: 0, "dense*": 0.95}`.
        skip_first: Whether the first layer with a kernel stays as it is, where no pattern names it.
        skip_last: Whether the last one does.
        schedule: `polynomial` lets the sparsity grow, fast at first, until half of the steps are done; `constant` asks
            for all of it from the first step on.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A plain model, and the promise of its zeros.

    Raises:
        InputError: If a pattern fits no layer, or there is nothing to prune.

    Reference:
        Zhu and Gupta, To prune, or not to prune, 2017, equation 1.
    """
    kernels = kernels_of(model)
    named = layers or {}
    skipped = ([*kernels][:1] if skip_first else []) + ([*kernels][-1:] if skip_last else [])
    patterns = {**named, **{name: 0.0 for name in skipped if name not in named}}
    spans = _spans(kernels, choose(kernels, sparsity, patterns), context.promises)
    if not spans:
        raise InputError(f"Prune must have a kernel to prune. Received: none with a sparsity above 0, {sparsity=}.")
    end = max(1, int(GROWING * epochs * context.steps_per_epoch))
    often = {"begin_step": 0, "frequency": max(1, end // UPDATES)}  # 100 steps, the default, never prune in a short one

    def wrap(layer: Any) -> Any:
        if layer.name not in spans:
            return layer
        if schedule == "constant":
            chosen = tools.ConstantSparsity(spans[layer.name].end, **often)
        else:
            chosen = tools.PolynomialDecay(spans[layer.name].start, spans[layer.name].end, end_step=end, **often)
        return tools.prune_low_magnitude(layer, chosen)

    wrapped = wrap_layers(model, wrap)
    context.train(wrapped, epochs=epochs, callbacks=[tools.UpdatePruningStep()])
    pruned = copy_model(tools.strip_pruning(wrapped))
    zeros = {name: count_zeros(kernel) for name, kernel in kernels_of(pruned).items()}
    promises = (promise_of(pruned, name, step="Prune", kind=ZEROS, limit=zeros[name]) for name in spans)
    return CompressionResult(pruned, tuple(promises))


class _Span(NamedTuple):
    """The sparsity of a kernel before and after."""

    start: float
    end: float


def _spans(
    kernels: Mapping[str, np.ndarray], wanted: Mapping[str, float], promises: Sequence[Promise]
) -> dict[str, _Span]:
    """How sparse each kernel that is pruned becomes: never less than was promised before."""
    promised = promised_zeros(promises)
    starts = {name: promised.get(name, 0.0) for name in kernels}
    spans = {name: _Span(start, max(start, wanted.get(name, 0.0))) for name, start in starts.items()}
    return {name: span for name, span in spans.items() if span.end}
