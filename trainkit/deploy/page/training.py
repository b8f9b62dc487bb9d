"""How the training went: its curves, and the epoch that was kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from trainkit.deploy.page.curves import draw_curves
from trainkit.deploy.page.nodes import node_text
from trainkit.deploy.page.records import number_of, part_of, read_columns, read_record
from trainkit.deploy.subject import Subject
from trainkit.runs import Run

MOST_PANELS = 9
MOST_EPOCHS = 100
"""Rows of the longest table of epochs."""
_NO_METRICS = ("epoch", "seconds")


@dataclass(frozen=True)
class Panel:
    """The curve of one metric, of training and, where there is one, validation."""

    name: str
    picture: Markup


@dataclass(frozen=True)
class TrainingFacts:
    """How the training went.

    Args:
        epochs: That were trained to their end.
        kept: The epoch whose weights the model has; None where it is not known.
        monitor: What chose it, and its value.
        value: Of the monitor in that epoch.
        seconds: That all epochs took.
        settings: Optimizer, loss, metrics and so on, as the config has them.
        panels: A curve each.
        more: Metrics that are not drawn.
        columns: All values by name, one an epoch.
    """

    epochs: int
    kept: int | None
    monitor: str
    value: float | None
    seconds: float | None
    settings: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]
    more: int
    columns: Mapping[str, list[float]]

    @property
    def shown(self) -> list[int]:
        """The epochs of the table: of many, each so manieth, the one that was kept and the last."""
        step = -(-self.epochs // MOST_EPOCHS)
        kept = [index for index, epoch in enumerate(self.columns["epoch"]) if epoch == self.kept]
        return sorted({*range(0, self.epochs, step), *kept, self.epochs - 1})


def describe_training(subject: Subject, run: Run) -> TrainingFacts | None:
    """Read how a training went; None where nothing was written down."""
    columns = read_columns(run.history)
    epochs = columns.get("epoch", [])
    if not epochs:
        return None
    best = part_of(read_record(run.metrics), "best")
    kept = number_of(best.get("epoch"))
    names = [name for name in columns if name not in _NO_METRICS and not name.startswith("val_")]
    names.sort(key=lambda name: (name == "learning_rate", name != "loss"))
    seconds = [second for second in columns.get("seconds", []) if math.isfinite(second)]
    return TrainingFacts(
        epochs=len(epochs),
        kept=None if kept is None else round(kept),
        monitor=str(best.get("monitor", "")),
        value=number_of(best.get("value")),
        seconds=sum(seconds) if seconds else None,
        settings=tuple(_settings(subject)),
        panels=tuple(Panel(name, _draw(columns, name, kept)) for name in names[:MOST_PANELS]),
        more=max(0, len(names) - MOST_PANELS),
        columns=columns,
    )


def _draw(columns: Mapping[str, list[float]], name: str, kept: float | None) -> Markup:
    series = {"training": columns[name]}
    if f"val_{name}" in columns:
        series["validation"] = columns[f"val_{name}"]
    return draw_curves(columns["epoch"], series, title=name, kept=kept, linear=name == "learning_rate")


def _settings(subject: Subject) -> Iterator[tuple[str, str]]:
    training = subject.config.experiment.training
    yield "optimizer", node_text(training.optimizer)
    losses = training.loss if isinstance(training.loss, dict) else {"": training.loss}
    yield from ((f"loss {name}".strip(), node_text(loss)) for name, loss in losses.items())
    yield "batch size", f"{subject.config.experiment.data.batch_size:,}"
    yield from (("callback", node_text(callback)) for callback in training.callbacks)
    yield "determinism", str(training.determinism)
