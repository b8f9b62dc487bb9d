"""How much each layer of an int8 file costs, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trainkit.deploy.export.calibrated import Calibrated
from trainkit.deploy.sensitivity.choose import Choice, choose
from trainkit.deploy.sensitivity.litert import all_tensors
from trainkit.deploy.sensitivity.local import local_errors
from trainkit.deploy.sensitivity.parts import Parts
from trainkit.deploy.sensitivity.reasons import Reason, Reasons
from trainkit.deploy.sensitivity.rounded import RoundedFiles
from trainkit.deploy.sensitivity.trials import Trial, Trials

MOST_CONFIRMED = 20
"""Layers that are measured with files of their own; of a larger network those that lose most by their own rounding."""
MOST_TENSOR_BYTES = 256_000_000
"""Memory that the tensors of a run may take that keeps them all."""
MOST_KEPT = 64
"""Samples of such a run, at most."""


@dataclass(frozen=True)
class LayerSensitivity:
    """What rounding a layer costs.

    Args:
        layer: Its name, or that of an input.
        class_name: Of that layer.
        fused: The Keras layers that are computed with it.
        local: The share of what it gives that is lost by its own rounding, from one run of all layers; None where it
            has none.
        kernel: The network's error where nothing but its weights are rounded; None where it was not measured.
        output: The network's error where nothing but what it gives is rounded; None where it was not measured.
        alone: Of the file in which only this layer is integers; what it takes is then rounded, too.
        without: Of the file in which all layers but this one are integers.
        reasons: What was found of its weights and values.
        tied: Layers that are in float32 together with it only, and are counted with it in `alone` and `without`.
    """

    layer: str
    class_name: str
    fused: tuple[str, ...]
    local: float | None
    kernel: float | None = None
    output: float | None = None
    alone: Trial | None = None
    without: Trial | None = None
    reasons: tuple[Reason, ...] = ()
    tied: tuple[str, ...] = ()

    @property
    def own(self) -> float | None:
        """The network's error by what is rounded of this layer: its weights and what it gives, not what it takes."""
        return None if self.kernel is None or self.output is None else float(np.hypot(self.kernel, self.output))


@dataclass(frozen=True)
class Sensitivity:
    """What every layer of an int8 file costs.

    Args:
        layers: The worst first; those that were not confirmed come after the others.
        integers: The file of integers throughout.
        samples: Samples that were measured on.
        kept: Samples of the run that kept every tensor.
        accuracy: Of the Keras model on them; None where no output is a class.
        accuracy_drop: Points of it that may be lost.
        choice: The layers to exclude; None where that was not asked for.
    """

    layers: tuple[LayerSensitivity, ...]
    integers: Trial
    samples: int
    kept: int
    accuracy: float | None
    accuracy_drop: float
    choice: Choice | None = None

    def to_json(self) -> dict[str, Any]:
        """What `sensitivity.json` holds of it."""
        layers = [asdict(one) | {"own": one.own, "confirmed": one.own is not None} for one in self.layers]
        choice = self.choice.to_json() if self.choice else None
        exclude = list(self.choice.layers) if self.choice else []
        return asdict(self) | {"layers": layers, "choice": choice, "exclude": exclude}


class Analysis:
    """Measures a network; what was measured is kept.

    Args:
        calibrated: The network.
        trials: Measures files of it.
        most: Layers that are confirmed.
    """

    def __init__(self, calibrated: Calibrated, trials: Trials, *, most: int = MOST_CONFIRMED) -> None:
        self._calibrated, self._trials, self._most = calibrated, trials, most
        self._parts, self._files = Parts(calibrated), RoundedFiles(calibrated)
        self._kept = _kept_samples(self._parts, trials.inputs)

    def run(self, *, is_choosing: bool) -> Sensitivity:
        """Measure every layer, and find those to exclude where that is asked for."""
        local = local_errors(self._calibrated, self._kept)
        names = sorted(self._parts.by_name, key=lambda name: -local.get(name, 0.0))
        reasons = Reasons(self._parts, all_tensors(self._calibrated.content, self._kept))
        confirmed = [self._confirm(name, local.get(name), reasons) for name in names[: self._most]]
        inputs = [self._measure_input(name, reasons) for name in dict.fromkeys(self._parts.inputs.values())]
        worst = sorted([*confirmed, *inputs], key=lambda one: -(one.own or 0.0))
        others = [self._describe(name, local.get(name), reasons) for name in names[self._most :]]
        ranking = [one.layer for one in worst]
        return Sensitivity(
            (*worst, *others),
            self._trials.of(()),
            self._trials.proof.samples,
            len(next(iter(self._kept.values()))),
            self._trials.proof.accuracy,
            self._trials.accuracy_drop,
            choose(self._trials, self._parts, ranking) if is_choosing else None,
        )

    def _describe(self, name: str, local: float | None, reasons: Reasons, **measured: Any) -> LayerSensitivity:
        part = self._parts.by_name[name]
        found = tuple(reasons.of(part))
        return LayerSensitivity(name, part.class_name, part.layers, local, reasons=found, **measured)

    def _confirm(self, name: str, local: float | None, reasons: Reasons) -> LayerSensitivity:
        part, tied = self._parts.by_name[name], self._parts.with_tied([name])
        return self._describe(
            name,
            local,
            reasons,
            kernel=self._trials.error_of(self._files.kernels(part)),
            output=self._trials.error_of(self._files.outputs(part)),
            alone=self._trials.of(set(self._parts.by_name) - set(tied)),
            without=self._trials.of(tied),
            tied=tuple(one for one in tied if one != name),
        )

    def _measure_input(self, name: str, reasons: Reasons) -> LayerSensitivity:
        error = self._trials.error_of(self._files.input(name))
        found = tuple(reasons.of_input(name))
        return LayerSensitivity(name, "InputLayer", (name,), None, kernel=0.0, output=error, reasons=found)


def _kept_samples(parts: Parts, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As many samples as there is memory for all their tensors, and those of the file that computes twice."""
    values = sum(int(np.prod(np.maximum(tensor.shape, 1))) for tensor in parts.file.tensors)
    count = int(np.clip(MOST_TENSOR_BYTES // (12 * max(values, 1)), 4, MOST_KEPT))
    return {name: array[:count] for name, array in inputs.items()}
