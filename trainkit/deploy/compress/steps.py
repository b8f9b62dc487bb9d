"""The compression steps of a config, one after the other, each measured and kept to its word."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit import __version__
from trainkit.config import Distill, Node, NodeError
from trainkit.data import fingerprint
from trainkit.deploy.calibration import calibration_samples
from trainkit.deploy.compress import COMPRESSORS, CompressionContext, CompressionResult, Measurement, Promise
from trainkit.deploy.compress.factoring.part import PARTS
from trainkit.deploy.compress.keeper import check_model
from trainkit.deploy.compress.kernels import choose, kernels_of
from trainkit.deploy.compress.measure import StepReport, measure_integers, measure_loss, measure_weights
from trainkit.deploy.compress.prune_filters import with_filters
from trainkit.deploy.compress.store import Store, key_of
from trainkit.deploy.compress.teachers import Teachers, of_step
from trainkit.deploy.compress.trainings import Trainings, steps_done
from trainkit.deploy.subject import Subject
from trainkit.errors import InputError, PromiseError
from trainkit.objects import build_registered
from trainkit.runs import sha256_of
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.determinism import seed_everything
from trainkit.training.fine_tune import Journal
from trainkit.training.head import check_head
from trainkit.training.log import say
from trainkit.training.outputs import outputs_of
from trainkit.training.record import PACKAGES
from trainkit.training.scale.report import line_of

EPOCHS_APART = 10_000
"""Each step takes the order of its samples from epochs of its own, so that it is the same where others are skipped."""

PATTERNS = ("layers", "layer_clusters", "c")
"""Arguments of steps that name layers by patterns."""


@dataclass(frozen=True)
class Compressed:
    """What the steps have made of a model.

    Args:
        model: The last plain `tf.keras.Model`.
        quantized: What `Quantize` has made of it, or None.
        promises: All that was promised on the way.
        steps: What each did; the model before them is the first.
        measured_on: `validation`, or `train` where there are no validation samples.
        key: What all of it follows from.
    """

    model: Any
    quantized: Any | None
    promises: tuple[Promise, ...]
    steps: tuple[StepReport, ...]
    measured_on: str
    key: str

    def to_json(self) -> dict[str, Any]:
        """What `compression.json` holds."""
        return {
            "version": 1,
            "measured_on": self.measured_on,
            "steps": [asdict(step) for step in self.steps],
            "promises": [asdict(promise) for promise in self.promises],
        }


def compress(subject: Subject, console: Console) -> Compressed:
    """Run the steps of `deploy.compress`; those that were finished before, for the same model, are not run again.

    Args:
        subject: What is deployed.
        console: Where progress is shown.

    Raises:
        PromiseError: If a step breaks what an earlier one promised.
        TrainingError: If a fine-tuning fails.
    """
    return _Compression(subject, console).run()


class _Compression:
    def __init__(self, subject: Subject, console: Console) -> None:
        self._subject, self._console = subject, console
        self._nodes = subject.config.experiment.deploy.compress
        self._store = Store(subject.work)
        self._promises: tuple[Promise, ...] = ()
        self._steps: list[StepReport] = []
        self._key, self._teachers = _key_of_subject(subject), Teachers(subject)

    def run(self) -> Compressed:
        """All steps, in their order."""
        from trainkit.deploy.compress.flatten import flatten

        plain, quantized = flatten(self._subject.model), None
        config, facts = self._subject.config, self._subject.splits.train.facts
        with config.locating():
            check_patterns(self._nodes, plain)
            self._teachers.check(config, plain, facts)
            for output in outputs_of(config.experiment, facts).values():  # of a model made elsewhere nobody has looked
                check_head(config, plain, output)
        if self._subject.strategy.num_replicas_in_sync > 1:
            say(self._console, line_of(self._subject.strategy, batch_size=config.experiment.data.batch_size))
        self._steps = [self._measure("Train", {}, CompressionResult(plain), seconds=0.0)]
        results, checkpoints = 2 * (len(self._nodes) + 1), 6 * (config.experiment.training.checkpoints.keep + 1)
        self._store.prepare((results + checkpoints) * self._steps[0].bytes)
        for index, node in enumerate(self._nodes):
            with config.locating(), self._telling_stops(index):
                result = self._run(index, node, plain)
            self._promises += result.promises
            self._check(node, result)
            if result.state is None:
                plain = result.model
            else:
                quantized = result.model
        shutil.rmtree(self._journals, ignore_errors=True)
        role = "train" if self._subject.splits.validation is None else "validation"
        return Compressed(plain, quantized, self._promises, tuple(self._steps), role, self._key)

    @contextmanager
    def _telling_stops(self, index: int) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            where = f"stopped in step {index + 1} of {len(self._nodes)}"
            say(self._console, f"{where}; the next deploy goes on {self._place_to_go_on(index)}")
            raise

    def _place_to_go_on(self, index: int) -> str:
        if len(self._steps) > index + 1:  # the first of them is the training before all steps
            return "after it"
        newest = steps_done(self._journal(index))
        return f"in the middle of it, at training step {newest:,}" if newest else "with its beginning"

    def _run(self, index: int, node: Node, model: Any) -> CompressionResult:
        """The result of a step, old or new."""
        name = self._name(index)
        arguments = _with_defaults(node)
        self._key = key_of(self._key, node.class_name, arguments, self._teacher_of(node))
        title = f"compression {index + 1}/{len(self._nodes)}: {node.class_name}"
        if (found := self._store.load(name, self._key)) is not None:
            say(self._console, f"{title}, as before")
            result, report = found
            self._steps.append(report)
            return self._restored(result, model)
        say(self._console, title)
        began = time.monotonic()
        trainings = self._trainings(index)
        seed_everything(self._subject.config.experiment, trainings.seed)  # one that goes on is built as it was before
        context = self._context(trainings)
        with self._subject.strategy.scope():
            result = build_registered(node, COMPRESSORS, {}, model=model, context=context)
        seconds = trainings.seconds_before + time.monotonic() - began
        report = self._measure(node.class_name, arguments, result, seconds=seconds)
        self._store.save(name, self._key, result, report)
        self._steps.append(report)
        if self._subject.strategy.num_replicas_in_sync > 1:  # files are made of a model that is on one device
            found = self._store.load(name, self._key)
            assert found, name
            return self._restored(found[0], model)
        return result

    def _teacher_of(self, node: Node) -> str | None:
        """The sha256 of the model that teaches a step, if one does."""
        settings = of_step(node) or self._subject.config.experiment.deploy.fine_tune.distill
        return self._teachers(settings).sha256 if isinstance(settings, Distill) else None

    def _restored(self, result: CompressionResult, model: Any) -> CompressionResult:
        """A result as it was kept, with the model that its state stands for."""
        if result.state is None:
            return result
        from trainkit.deploy.compress.quantize import restore

        return replace(result, model=restore(model, result.state, self._promises))

    def _name(self, index: int) -> str:
        return f"{index + 1}_{self._nodes[index].class_name}"

    @property
    def _journals(self) -> Path:
        """Where the steps that are not finished have their checkpoints."""
        return self._subject.work / "checkpoints"

    def _journal(self, index: int) -> Journal:
        """Of the step whose key is at hand: one of another key has another directory."""
        subject, name = self._subject, self._name(index)
        versions = {package: version(package) for package in PACKAGES}
        directory = self._journals / f"{name}-{key_of(self._key, versions)[:16]}"
        base = Path(os.path.commonpath([subject.work.absolute(), subject.tensorboard.absolute()]))
        return Journal(Checkpoints(directory), subject.tensorboard / name, base)

    def _trainings(self, index: int) -> Trainings:
        """What trains a step; checkpoints that are not of this step are removed."""
        journal = self._journal(index)
        for other in self._journals.glob("*"):
            if other != journal.checkpoints.directory:
                shutil.rmtree(other, ignore_errors=True)
        first = EPOCHS_APART * (index + 1)
        return Trainings(self._subject, self._console, journal, first_epoch=first, teacher=self._teachers)

    def _context(self, trainings: Trainings) -> CompressionContext:
        seed, train = self._subject.config.experiment.seed, self._subject.splits.train
        return CompressionContext(
            fine_tune=trainings,
            steps_per_epoch=trainings.steps_per_epoch,
            calibration=lambda count: calibration_samples(train, count, seed=seed),
            validate=self._validate,
            promises=self._promises,
            gradients=trainings.gradients,
            once=trainings.once,
        )

    def _measure(
        self, step: str, arguments: dict[str, Any], result: CompressionResult, *, seconds: float
    ) -> StepReport:
        loss, accuracy = self._validate(result.model)
        first = self._steps[0].accuracy if self._steps else accuracy
        drop = None if accuracy is None or first is None else 100 * (first - accuracy)
        weights = (measure_weights if result.state is None else measure_integers)(result.model)
        seconds = round(seconds, 1)
        return StepReport(step, arguments, loss, accuracy, drop, **weights, seconds=seconds, facts=result.facts)

    def _validate(self, model: Any, samples: int | None = None) -> Measurement:
        splits, experiment = self._subject.splits, self._subject.config.experiment
        split = splits.validation or splits.train
        if samples is not None and samples < split.size:
            split = split.first_rows(samples, seed=experiment.seed)
        return measure_loss(model, experiment, split)

    def _check(self, node: Node, result: CompressionResult) -> None:
        """Hold a step to all that was promised, by itself too."""
        kept = check_model(result.model, self._promises, by_channel=result.state is not None)
        if broken := [one for one in kept if not one.holds]:
            told = "\n".join(f"  {one}" for one in broken)
            raise PromiseError(f"{node.class_name} does not keep what was promised:\n{told}")


def check_patterns(nodes: Iterable[Node], model: Any) -> None:
    """Refuse patterns that fit no layer of a model, before anything is trained.

    After `LowRank` they may also fit parts of layers.

    Raises:
        NodeError: At the step that has such a pattern.
    """
    names = list(kernels_of(model))
    for node in nodes:
        known = [*names, *with_filters(model)] if node.class_name == "PruneFilters" else names
        for argument in PATTERNS:
            try:
                choose(known, None, node.arguments.get(argument), argument=argument)
            except InputError as error:
                raise NodeError(node, str(error), argument=argument) from error
        if node.class_name == "LowRank":
            names += [f"{name}.{part}" for name in names for part in PARTS]


def _key_of_subject(subject: Subject) -> str:
    """What every step's result follows from."""
    resolved = subject.config.resolved()
    data = {key: value for key, value in resolved["data"].items() if key != "source"}  # the fingerprint says more
    training = {key: value for key, value in resolved["training"].items() if key != "checkpoints"}
    settings = [data, training, resolved["seed"], resolved["deploy"]["fine_tune"], resolved["custom_code"]]
    return key_of(__version__, sha256_of(subject.filepath), fingerprint(subject.splits), settings)


def _with_defaults(node: Node) -> dict[str, Any]:
    return {key: node.arguments.get(key, argument.default) for key, argument in node.signature.items()}
