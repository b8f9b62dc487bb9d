"""The learning-rate range test: train for a moment at a rate that rises with each update, and look at the loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from trainkit.config import Config, NodeError, take_config
from trainkit.errors import InputError, TrainingError, counted
from trainkit.training.compile import compile_model, make_resumable
from trainkit.training.determinism import choose_seed
from trainkit.training.devices import choose_devices
from trainkit.training.failure import telling_failures
from trainkit.training.loss_scale import is_stuck, plain_optimizer
from trainkit.training.phases import optimizer_of, phases_of
from trainkit.training.prepare import Prepared, prepare
from trainkit.training.rate_finder.curve import End, RateCurve

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 200
FEWEST = 20
"""Updates of a test, and losses that there must be for a curve."""
RECENT = 5
"""Losses whose mean tells that a training diverges."""


def find_learning_rate(
    config: Path | str | Mapping[str, Any] | Config,
    overrides: Iterable[str] = (),
    *,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
    console: Console | None = None,
) -> RateCurve:
    """Find out how the loss of a training goes with the learning rate, which rises by the same factor each update.

    Network, data, their order and augmentation, loss and optimizer are those of the config; a schedule is left out. Of
    phases it is the first. Nothing is written, no callback is called, and what was trained is forgotten.

    Args:
        config: A YAML file, a mapping of the same form, or a config that was loaded before.
        overrides: `KEY=VALUE` texts, which win over the file.
        lowest: The first rate.
        highest: The last rate, unless the loss diverges before.
        steps: Updates, at least 20. One has several batches with `gradient_accumulation_steps`.
        console: Where progress is shown; nowhere by default.

    Raises:
        ConfigError: If the config or its data is wrong, or the optimizer has no learning rate.
        TrainingError: If Keras fails, or the loss is not finite before there is a curve.

    Reference:
        Smith, WACV 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.

    Example:
        ```python
        curve = trainkit.find_learning_rate("config.yaml")
        trainkit.fit("config.yaml", [f"training.optimizer.learning_rate={curve.steepest}"])
        ```
    """
    rates = _rates(lowest, highest, steps)
    config = take_config(config, overrides)
    with config.locating():
        check_has_rate(config)
    choose_devices()
    seed = choose_seed(config.experiment)
    prepared = prepare(config, seed=seed)
    _give_constant_rate(prepared, lowest, seed)
    with telling_failures():
        return _climb(prepared, rates, iter(prepared.batches(seed).dataset(0)), console)


def check_has_rate(config: Config) -> None:
    """Refuse an optimizer that takes no learning rate.

    Raises:
        NodeError: At the optimizer.
    """
    node = phases_of(config.experiment)[0].optimizer
    if "learning_rate" not in node.signature:
        raise NodeError(node, f"{node.class_name} has no `learning_rate`: there is none to find.")


def _rates(lowest: float, highest: float, steps: int) -> np.ndarray:
    if not 0 < lowest < highest < math.inf:
        received = f"lowest={lowest:g}, highest={highest:g}"
        raise InputError(f"`lowest` must be greater than 0, and less than `highest`. Received: {received}.")
    if steps < FEWEST:
        raise InputError(f"`steps` must be at least {FEWEST}. Received: steps={steps}.")
    return np.geomspace(lowest, highest, steps)


def _give_constant_rate(prepared: Prepared, rate: float, seed: int) -> None:
    """Compile the model once more, with the optimizer of the first phase at a rate that can be set."""
    config, model, split = prepared.config, prepared.model, prepared.splits.train
    with config.locating():
        optimizer = optimizer_of(config, split, prepared.phases[0])
        optimizer = type(optimizer).from_config(optimizer.get_config() | {"learning_rate": rate})
        compile_model(config, model, split, prepared.outputs, optimizer)
    make_resumable(model, split, prepared.outputs, seed=seed)


def _climb(prepared: Prepared, rates: np.ndarray, batches: Iterator[Any], console: Console | None) -> RateCurve:
    """Update at each rate. The loss of a rate is that of the batches after its update."""
    model, count = prepared.model, prepared.config.experiment.training.gradient_accumulation_steps
    optimizer, losses = plain_optimizer(model.optimizer), list[float]()
    end: End = "highest"
    hidden = console is None or not console.is_terminal
    once_more = [*rates, rates[-1]]  # for the loss of the last
    for rate in track(once_more, "updates", console=console, disable=hidden, transient=True):
        optimizer.learning_rate = float(rate)
        losses.append(float(np.mean([_train(model, next(batches)) for _ in range(count)])))
        if not math.isfinite(losses[-1]) or is_stuck(model.optimizer):
            end = "not finite"
            losses.pop()
            break
        if _diverges(losses):
            end = "diverged"
            break
    if len(losses) <= FEWEST // 2:
        raise TrainingError(_too_few(rates, len(losses)))
    return RateCurve(rates[: len(losses) - 1], np.minimum(losses[1:], _ceiling(losses)), end)


def _too_few(rates: np.ndarray, losses: int) -> str:
    """What is said where the losses end before there is a curve."""
    if not losses:
        return "the loss is not finite before the first update. `trainkit fit` says where that comes from."
    told = f"the loss is not finite any more after {counted(losses, 'update')}, at a rate of {rates[losses - 1]:.3g}"
    return f"{told}. Begin with a lower rate, or take more steps; `trainkit fit` says where it comes from."


def _train(model: Any, batch: Any) -> float:
    """Train with a batch; its loss before that."""
    inputs, targets, weights = batch
    return float(model.train_on_batch(inputs, targets, weights, return_dict=True)["loss"])


def _diverges(losses: list[float]) -> bool:
    return len(losses) > FEWEST // 2 and float(np.mean(losses[-RECENT:])) > _ceiling(losses)


def _ceiling(losses: list[float]) -> float:
    """The loss from which on a training diverges: as far above its beginning as it had come down, or half of that."""
    means = np.convolve(losses, np.ones(RECENT) / RECENT, mode="valid")
    return float(means[0] + max(means[0] - means.min(), abs(means[0]) / 2))
