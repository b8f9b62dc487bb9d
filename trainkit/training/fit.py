"""Train the model of a config into a run directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit.callbacks import Checkpoint, Clock, HistoryFile, Progress, Stop, TensorBoard
from trainkit.config import Config, list_overrides, load_config
from trainkit.errors import DiskFullError, InputError, OutputError, TrainingError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.objects import compute_arguments
from trainkit.runs import Run, replace_file, sha256_of, write_json
from trainkit.runs.checkpoints import restore_checkpoint
from trainkit.training.devices import Devices, choose_devices
from trainkit.training.evaluation import evaluate
from trainkit.training.failure import telling_failures
from trainkit.training.log import LOG, logging_to, say
from trainkit.training.pipeline import encoded
from trainkit.training.prepare import Prepared, prepare
from trainkit.training.record import check_room, describe_run, now
from trainkit.training.report import print_header, print_summary


def fit(
    config: Path | str | Mapping[str, Any] | Config,
    overrides: Iterable[str] = (),
    *,
    runs: Path | str = "runs",
    console: Console | None = None,
) -> Run:
    """Train the model that a config describes.

    Args:
        config: A YAML file, a mapping of the same form, or a config that was loaded before.
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
    overrides = list_overrides(overrides)
    if isinstance(config, Config) and overrides:
        raise InputError(f"`overrides` must be given to load_config for a loaded config. Received: {overrides!r}.")
    loaded = config if isinstance(config, Config) else load_config(config, overrides)
    devices = choose_devices()
    prepared = prepare(loaded)
    runs = Path(runs)
    check_room(runs, prepared)
    run = Run.create(runs, loaded.experiment.name)
    try:
        describe_run(run, prepared, devices)
    except DiskFullError as error:  # nothing has run yet: choosing another disk is up to the user
        run.discard()
        raise OutputError(str(error)) from error
    except BaseException:
        run.discard()
        raise
    with run.lock(), logging_to(run.log):
        try:
            metrics = _train(run, prepared, devices, console)
        except BaseException as error:
            LOG.error("%s: %s", type(error).__name__, error)
            with suppress(OutputError):  # the disk may be what failed
                run.update_manifest(ended=now(), outcome=f"{type(error).__name__}: {error}".removesuffix(": "))
            if not isinstance(error, Exception):  # a signal
                say(console, f"stopped; {run.directory} keeps what was written")
            raise
        run.update_manifest(ended=now(), outcome="finished", model_sha256=sha256_of(run.model))
        print_summary(console, run, metrics)
    return run


def _train(run: Run, prepared: Prepared, devices: Devices, console: Console) -> dict[str, Any]:
    print_header(console, run, prepared, devices)
    experiment, model, splits = prepared.config.experiment, prepared.model, prepared.splits
    clock = Clock(splits.train.size)
    progress = Progress(console, epochs=experiment.training.epochs, steps=prepared.steps_per_epoch, clock=clock)
    checkpoint = Checkpoint(run.checkpoints, monitor=prepared.best.monitor, mode=prepared.best.mode)
    stop = Stop()
    own = [
        clock,
        progress,
        HistoryFile(run.history, clock),
        checkpoint,
        _tensorboard(run, prepared, clock),
        stop,
    ]
    users = [callback for callback in prepared.callbacks if not isinstance(callback, tf.keras.callbacks.TensorBoard)]
    try:
        with telling_failures(), stop.listening():
            model.fit(
                splits.train.batches(experiment.data.batch_size, seed=experiment.seed, change=prepared.change),
                epochs=experiment.training.epochs,
                steps_per_epoch=prepared.steps_per_epoch,
                validation_data=splits.validation
                and encoded(splits.validation.ordered(experiment.data.batch_size), prepared.outputs),
                callbacks=[*own, *users],
                verbose=0,
            )
    finally:
        progress.close()
    if checkpoint.best_epoch is None:
        monitor = prepared.best.monitor
        raise TrainingError(f"no epoch had a finite {monitor}: there is no model. Lower the learning rate.")
    return _finish(run, prepared)


def _finish(run: Run, prepared: Prepared) -> dict[str, Any]:
    """Take the best epoch's weights, save the model, measure it."""
    model, splits = prepared.model, prepared.splits
    best = restore_checkpoint(run.checkpoints / "best", model)
    plain = tf.keras.Model(model.inputs, model.outputs, name=model.name)  # without optimizer and loss
    with replace_file(run.model) as temporary:
        plain.save(temporary, save_format="keras")
    metrics: dict[str, Any] = {"best": best}
    for name, split in (("validation", splits.validation), ("test", splits.test)):
        if split is not None:
            metrics[name] = evaluate(KerasPredictor(plain), split, prepared.outputs, prepared.config.experiment)
    write_json(run.metrics, metrics)
    return metrics


def _tensorboard(run: Run, prepared: Prepared, clock: Clock) -> TensorBoard:
    """TensorBoard with the arguments of the config's own `TensorBoard`, if it has one."""
    nodes = prepared.config.experiment.training.callbacks
    arguments = next((compute_arguments(node, {}) for node in nodes if node.class_name == "TensorBoard"), {})
    log_dir = Path(arguments.get("log_dir") or run.tensorboard)
    others = {key: value for key, value in arguments.items() if key != "log_dir"}
    return TensorBoard(log_dir, config=prepared.config.resolved_yaml(), clock=clock, **others)
