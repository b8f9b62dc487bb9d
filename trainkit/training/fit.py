"""Train the model of a config into a run directory."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit.callbacks import Checkpoint, Clock, HistoryFile, Progress, TensorBoard
from trainkit.config import load_config
from trainkit.data import fingerprint
from trainkit.errors import OutputError, RunError, TrainingError
from trainkit.framework import tf
from trainkit.runs import Run, replace_file, write_json, write_text
from trainkit.runs.checkpoints import restore_checkpoint
from trainkit.training.devices import Devices, choose_devices
from trainkit.training.evaluation import evaluate_model
from trainkit.training.log import LOG, logging_to
from trainkit.training.prepare import Prepared, prepare
from trainkit.training.report import print_header, print_summary

PACKAGES = ("trainkit", "tensorflow", "tf-keras", "numpy")
ROOM_BESIDE_WEIGHTS = 20_000_000
"""Bytes that a run needs besides its weights: logs, TensorBoard's files, metrics."""


def fit(
    config: Path | str | Mapping[str, Any],
    overrides: Iterable[str] = (),
    *,
    runs: Path | str = "runs",
    console: Console | None = None,
) -> Run:
    """Train the model that a config describes.

    Args:
        config: A YAML file, or a mapping of the same form.
        overrides: `KEY=VALUE` texts, which win over the file: `["training.epochs=3"]`.
        runs: Where run directories are made: `runs/NAME/001`.
        console: Where progress is shown; standard output by default.

    Returns:
        The run: its directory holds the model, its metrics, checkpoints and logs.

    Raises:
        ConfigError: If the config or its data is wrong; nothing has been written then.
        OutputError: If the run directory cannot be written.
        TrainingError: If no epoch had a finite loss.

    Example:
        ```python
        run = trainkit.fit("config.yaml", ["training.epochs=3"])
        ```
    """
    console = console or Console()
    loaded = load_config(config, overrides)
    devices = choose_devices()
    prepared = prepare(loaded)
    runs = Path(runs)
    _check_room(runs, prepared)
    run = Run.create(runs, loaded.experiment.name)
    try:
        _describe(run, prepared, devices)
    except BaseException:
        run.discard()
        raise
    with run.lock(), logging_to(run.log):
        try:
            metrics = _train(run, prepared, devices, console)
        except BaseException as error:
            LOG.error("%s: %s", type(error).__name__, error)
            run.update_manifest(ended=_now(), outcome=f"{type(error).__name__}: {error}")
            raise
        sha256 = hashlib.sha256(run.model.read_bytes()).hexdigest()
        run.update_manifest(ended=_now(), outcome="finished", model_sha256=sha256)
        print_summary(console, run, metrics)
    return run


def _check_room(runs: Path, prepared: Prepared) -> None:
    """Refuse a disk that cannot hold the run: three states of weights and optimizer, of which one is being written."""
    weights = sum(variable.shape.num_elements() * variable.dtype.size for variable in prepared.model.variables)
    needed = 3 * 3 * weights + ROOM_BESIDE_WEIGHTS
    existing = next(path for path in [runs.absolute(), *runs.absolute().parents] if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise OutputError(
            f"{existing} must have {needed / 1e6:,.0f} MB free for this run. Received: {free / 1e6:,.1f} MB. "
            "Choose another place with --runs."
        )


def _describe(run: Run, prepared: Prepared, devices: Devices) -> None:
    """Write down what is about to be trained."""
    config = prepared.config
    source = Path(config.document.source)
    write_text(run.config, source.read_text(encoding="utf-8") if source.is_file() else config.resolved_yaml())
    write_text(run.resolved, config.resolved_yaml())
    write_json(
        run.manifest,
        {
            "name": config.experiment.name,
            "command": sys.argv,
            "began": _now(),
            "seed": config.experiment.seed,
            "devices": str(devices),
            "git_commit": _git_commit(),
            "versions": {"python": sys.version.split()[0]} | {package: version(package) for package in PACKAGES},
            "data": {"fingerprint": fingerprint(prepared.splits), "samples": prepared.sizes},
            "parameters": prepared.model.count_params(),
            "outcome": "running",
        },
    )


def _train(run: Run, prepared: Prepared, devices: Devices, console: Console) -> dict[str, Any]:
    print_header(console, run, prepared, devices)
    experiment, model, splits = prepared.config.experiment, prepared.model, prepared.splits
    clock = Clock(splits.train.size)
    progress = Progress(console, epochs=experiment.training.epochs, steps=prepared.steps_per_epoch, clock=clock)
    own = [
        clock,
        progress,
        HistoryFile(run.history, clock),
        Checkpoint(run.checkpoints, monitor=prepared.best.monitor, mode=prepared.best.mode),
        _tensorboard(run, prepared, clock),
    ]
    users = [callback for callback in prepared.callbacks if not isinstance(callback, tf.keras.callbacks.TensorBoard)]
    rename = _renaming(model)
    try:
        model.fit(
            splits.train.batches(experiment.data.batch_size, seed=experiment.seed).map(rename),
            epochs=experiment.training.epochs,
            steps_per_epoch=prepared.steps_per_epoch,
            validation_data=splits.validation and splits.validation.ordered(experiment.data.batch_size).map(rename),
            callbacks=[*own, *users],
            verbose=0,
        )
    finally:
        progress.close()
    return _finish(run, prepared)


def _finish(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Take the best epoch's weights, save the model, measure it."""
    model, splits = prepared.model, prepared.splits
    try:
        best = restore_checkpoint(run.checkpoints / "best", model)
    except RunError:
        monitor = prepared.best.monitor
        raise TrainingError(f"no epoch had a finite {monitor}: there is no model. Lower the learning rate.") from None
    plain = tf.keras.Model(model.inputs, model.outputs, name=model.name)  # without optimizer and loss
    with replace_file(run.model) as temporary:
        plain.save(temporary, save_format="keras")
    batch_size = prepared.config.experiment.data.batch_size
    metrics: dict[str, Any] = {"best": best}
    for name, split in (("validation", splits.validation), ("test", splits.test)):
        if split is not None:
            metrics[name] = evaluate_model(model, split, batch_size=batch_size, rename=_renaming(model))
    write_json(run.metrics, metrics)
    return metrics


def _tensorboard(run: Run, prepared: Prepared, clock: Clock) -> TensorBoard:
    """TensorBoard with the arguments of the config's own `TensorBoard`, if it has one."""
    nodes = prepared.config.experiment.training.callbacks
    arguments = next((node.arguments for node in nodes if node.class_name == "TensorBoard"), {})
    log_dir = Path(arguments.get("log_dir", run.tensorboard))
    others = {key: value for key, value in arguments.items() if key != "log_dir"}
    return TensorBoard(log_dir, config=prepared.config.resolved_yaml(), clock=clock, **others)


def _renaming(model: Any) -> Any:
    """Data calls the one target `target`; Keras wants the name of the output."""
    (output,) = model.output_names

    def rename(inputs: Any, targets: Any, weights: Any) -> Any:
        return inputs, {output: targets["target"]}, {output: weights["target"]} if weights else {}

    return rename


def _git_commit() -> str | None:
    """The commit of the repository that the command runs in, with `-dirty` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
