"""Why an int8 file is bad, where it is bad, and which layers to exclude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from trainkit.config import Node
from trainkit.data import Split, Splits
from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tflite import find_ranges
from trainkit.deploy.islands import AUTO, Islands, is_int8, islands_of
from trainkit.deploy.proof import Proof, collect
from trainkit.deploy.sensitivity.analysis import MOST_CONFIRMED, Analysis, Sensitivity
from trainkit.deploy.sensitivity.picture import write_picture
from trainkit.deploy.sensitivity.trials import Trials
from trainkit.deploy.verify import Failure, FileReport
from trainkit.errors import ExportError, PredictionError
from trainkit.models.costs import layer_costs, total
from trainkit.runs import write_json
from trainkit.training.log import say

MOST_SAMPLES, LEAST_SAMPLES = 1000, 50
"""Samples that files are measured on; fewer of a network that is large."""
FILE_MACS = 20_000_000_000
"""Multiply-accumulates that measuring one file should take at most."""
ALL_MACS = 1_000_000_000_000
"""The same of all files of the table, four a layer: of a large network fewer layers are measured by files."""
LEAST_CONFIRMED = 5
JSON, PICTURE = "sensitivity.json", "sensitivity.svg"


@dataclass(frozen=True)
class Decision:
    """An exporter whose `exclude: auto` has become a list.

    Args:
        node: What is to be exported.
        islands: What its file must, and may, compute with real numbers; None where nothing was asked for.
        found: What the list comes from, where it was found here.
    """

    node: Node
    islands: Islands | None
    found: Sensitivity | None = None

    def told(self, report: FileReport) -> FileReport:
        """A report of the file that also tells why these layers were chosen."""
        if self.found is None or self.found.choice is None or report.islands is None:
            return report
        known = {"samples": self.found.samples, "accuracy_drop": self.found.accuracy_drop}
        return replace(report, islands={**report.islands, AUTO: known | self.found.choice.to_json()})


@dataclass(frozen=True)
class Explanation:
    """What is told of an int8 file.

    Args:
        file: Its name.
        node: How it was exported.
        measured_on: `validation`, or `train` where there are no validation samples.
        before_quantize: Whether the file comes from `Quantize`, so that the model before that was measured.
        sensitivity: What was measured; None where that failed.
        failure: Why it did.
    """

    file: str
    node: Node
    measured_on: str
    before_quantize: bool
    sensitivity: Sensitivity | None
    failure: str = ""

    def to_json(self) -> dict[str, Any]:
        """What `sensitivity.json` holds."""
        known = {"version": 1, "file": self.file, "measured_on": self.measured_on}
        known |= {"before_quantize": self.before_quantize, "failure": self.failure or None}
        return known | (self.sensitivity.to_json() if self.sensitivity else {"layers": [], "exclude": []})


class Explainer:
    """Measures what integers cost a model, once.

    Args:
        splits: The data: validation samples decide, training samples where there are none.
        context: What exporters are told; it gives the samples of calibration.
        seed: Of the order in which samples are taken.
        console: Where progress is shown.
    """

    def __init__(self, splits: Splits[Split], context: ExportContext, *, seed: int, console: Console) -> None:
        self._splits, self._context, self._seed, self._console = splits, context, seed, console
        self._found: dict[tuple[int, int, float], Sensitivity] = {}

    @property
    def measured_on(self) -> str:
        """The part of the data that decides."""
        return "train" if self._splits.validation is None else "validation"

    def decide(self, node: Node, model: Any) -> Decision:
        """Make a list of the `exclude: auto` of an exporter; any other is left as it is.

        Args:
            node: The exporter.
            model: The `tf.keras.Model` that its file is made from.

        Raises:
            ExportError: If the model cannot be converted.
            PredictionError: If its files cannot be run.
        """
        if node.arguments.get("exclude") != AUTO:
            return Decision(node, islands_of(node, model))
        found = self._measure(node, model)
        assert found.choice is not None
        chosen = replace(node, arguments={**node.arguments, "exclude": list(found.choice.layers)}, origin=node)
        return Decision(chosen, Islands.of(found.choice.layers, model), found)

    def explain(
        self, node: Node, report: FileReport, model: Any, *, is_asked: bool, before_quantize: bool
    ) -> Explanation | None:
        """What is to be told of an int8 file; None where it is good and nobody asked.

        Args:
            node: Its exporter.
            report: What was measured of it.
            model: The plain `tf.keras.Model` that it comes from.
            is_asked: Whether it is explained in any case.
            before_quantize: Whether the file comes from what `Quantize` has made of that model.
        """
        if not is_int8(node):
            return None
        lost = report.drop_points is not None and report.drop_points > _argument(node, "accuracy_drop")
        if report.parity.passed and not (is_asked or lost):
            return None
        try:
            found, failure = self._measure(node, model), ""
        except (ExportError, PredictionError) as error:
            found, failure = None, str(error)
        return Explanation(report.file, node, self.measured_on, before_quantize, found, failure)

    def _measure(self, node: Node, model: Any) -> Sensitivity:
        samples, drop = _argument(node, "calibration_samples"), _argument(node, "accuracy_drop")
        key = (id(model), samples, drop)
        if key not in self._found:
            say(self._console, f"measuring what int8 costs each layer, on {self.measured_on} samples")
            calibrated = find_ranges(model, samples, context=self._context, name="the file of integers")
            count, most = _bounds(model)
            trials = Trials(calibrated, self._proof(model, count), accuracy_drop=drop)
            self._found[key] = Analysis(calibrated, trials, most=most).run(is_choosing=True)
        return self._found[key]

    def _proof(self, model: Any, count: int) -> Proof:
        split = self._splits.validation or self._splits.train
        part = split.first_rows(min(count, split.size), seed=self._seed + 1)  # not the samples of calibration
        inputs, targets = collect(part, count)
        return Proof("model", "", model, inputs, targets, ranges=split.facts.ranges)


def write_explanation(directory: Path, explanation: Explanation | None) -> None:
    """Write `sensitivity.json` and its picture."""
    if explanation is None:
        return
    write_json(directory / JSON, explanation.to_json())
    if explanation.sensitivity is not None:
        write_picture(directory / PICTURE, explanation.sensitivity, title=f"what int8 costs: {explanation.file}")


def _argument(node: Node, name: str) -> Any:
    return node.arguments.get(name, node.signature[name].default)


def _bounds(model: Any) -> tuple[int, int]:
    """How many samples files are measured on, and how many layers by files of their own."""
    amounts = [row.macs for row in layer_costs(model) if row.macs is not None]
    macs = max(1, total(amounts).fixed)
    samples = int(np.clip(FILE_MACS // macs, LEAST_SAMPLES, MOST_SAMPLES))
    return samples, int(np.clip(ALL_MACS // (4 * samples * macs), LEAST_CONFIRMED, MOST_CONFIRMED))


def explain_files(
    explainer: Explainer,
    pairs: Sequence[tuple[Node, FileReport]],
    plain: Any,
    *,
    failed: Sequence[tuple[Node, Failure]] = (),
    is_asked: bool,
    before_quantize: bool,
) -> Explanation | None:
    """The explanation of the int8 file among some, if there is one and it wants one.

    Args:
        explainer: Measures them.
        pairs: Exporters, and what was measured of their files.
        plain: The plain `tf.keras.Model` that files come from.
        failed: Exporters whose files could not be made: that is told where an explanation is asked for.
        is_asked: Whether a file is explained in any case.
        before_quantize: Whether int8 files come from what `Quantize` has made of that model.
    """
    told = (
        explainer.explain(node, report, plain, is_asked=is_asked, before_quantize=before_quantize)
        for node, report in pairs
    )
    missing = (
        Explanation(failure.file, node, explainer.measured_on, before_quantize, None, failure.reason)
        for node, failure in failed
        if is_asked and is_int8(node)
    )
    return next((one for one in (*told, *missing) if one is not None), None)
