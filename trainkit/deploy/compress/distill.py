"""Knowledge distillation: the model learns what a better one answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le

from trainkit.config import Distill
from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.result import FILTERS, CompressionResult
from trainkit.errors import InputError


def distill(
    model: Any,
    *,
    teacher: Path | Literal["self"] = "self",
    temperature: Annotated[float, Ge(1)] = 2.0,
    weight: Annotated[float, Ge(0), Le(1)] = 0.8,
    epochs: Annotated[int, Ge(1)] = 2,
    context: CompressionContext,
) -> CompressionResult:
    """Train the model to answer as a teacher does, besides the targets.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        teacher: A run, or a directory of runs: the newest; or `self`, the model before the first step.
        temperature: By what logits are divided before they are compared: how soft the answers are.
        weight: How much the teacher's answers count; the loss of the targets counts the rest.
        epochs: Passes over the training samples.
        context: What every compressor is told.

    Returns:
        A model of the same layers.

    Raises:
        InputError: If an earlier step has promised something of the weights, or the teacher does not answer what the
            model does.

    Reference:
        Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2.
    """
    broken = [promise for promise in context.promises if promise.kind != FILTERS]
    if broken:
        told = f"Distill must not come after {broken[0].step}, whose promise it would break"
        raise InputError(f"{told}. `deploy.fine_tune.distill` gives that step a teacher.")
    taught = copy_model(model)
    settings = Distill(teacher=str(teacher), temperature=temperature, weight=weight)
    context.train(taught, epochs=epochs, distill=settings)
    return CompressionResult(taught)
