"""Train the model of a config into a run directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit.config import Config, list_overrides, take_config
from trainkit.errors import DiskFullError, InputError, OutputError, TrainKitError, counted
from trainkit.runs import Run, sha256_of
from trainkit.training.checkpointing import NotFiniteError
from trainkit.training.determinism import choose_seed
from trainkit.training.devices import Devices, choose_devices
from trainkit.training.log import LOG, SteadyConsole, logging_to, say
from trainkit.training.prepare import Prepared, prepare
from trainkit.training.profile import Profile
from trainkit.training.record import check_room, describe_run, now
from trainkit.training.report import print_header, print_summary
from trainkit.training.resume import resume_run
from trainkit.training.scale.follower import owned, place_for
from trainkit.training.scale.lost import is_lost_worker, telling_lost_workers
from trainkit.training.scale.strategies import strategy_of
from trainkit.training.scale.team import Team
from trainkit.training.state import State
from trainkit.training.train import Training
from trainkit.workers import is_launched, resume_option, tell_run


def fit(
    config: Path | str | Mapping[str, Any] | Config | None = None,
    overrides: Iterable[str] = (),
    *,
    runs: Path | str = "runs",
    resume: Path | str | None = None,
    force: bool = False,
    profile: bool = False,
    console: Console | None = None,
) -> Run:
    """Train the model that a config describes.

    Args:
        config: A YAML file, a mapping of the same form, or a config that was loaded before. With `resume` it may be
            left out: the run has its own.
        overrides: `KEY=VALUE` texts, which win over the file: `["training.epochs=3"]`.
        runs: Where run directories are made: `runs/NAME/001`.
        resume: A run whose training was broken off, or is to be longer: go on with it.
        force: Go on also where config, code, data or versions differ from those that the run began with.
        profile: Whether to tell where the time of the training goes; it does a step a call then, and is slower.
        console: Where progress is shown; standard output by default.

    Returns:
        The run: its directory holds the model, its metrics, checkpoints and logs.

    Raises:
        ConfigError: If the config or its data is wrong; nothing has been written then.
        OutputError: If the run directory cannot be written.
        RunError: If the run to go on with is none, is in use, or was begun with something else.
        TrainingError: If no epoch had a finite loss.

    Example:
        ```python
        run = trainkit.fit("config.yaml", ["training.epochs=3"])
        run = trainkit.fit(resume=run.directory)
        ```
    """
    console = console or SteadyConsole()
    overrides = list_overrides(overrides)
    if resume is not None:
        return _resume(Path(resume), config, overrides, force=force, profile=profile, console=console)
    if config is None:
        raise InputError("`config` must be given where there is no run to resume. Received: config=None.")
    return _begin(take_config(config, overrides), Path(runs), console, profile=profile)


def _begin(config: Config, runs: Path, console: Console, *, profile: bool) -> Run:
    devices, strategy = choose_devices(), strategy_of(config)
    team = Team(strategy)
    with telling_lost_workers():
        state = State(seed=team.share(choose_seed(config.experiment)))
        prepared = prepare(config, strategy=strategy, seed=state.seed)
        with place_for(team, runs) as place:
            run = _create(place, prepared, devices, seed=state.seed)
            with run.lock(), logging_to(run.log):
                _train(Training(run, prepared, state, console), devices, profile=profile)
            return Run(Path(team.share(str(run.directory))))


def _create(runs: Path, prepared: Prepared, devices: Devices, *, seed: int) -> Run:
    check_room(runs, prepared)
    run = Run.create(runs, prepared.config.experiment.name)
    try:
        describe_run(run, prepared, devices, seed=seed)
    except DiskFullError as error:  # nothing has run yet: choosing another disk is up to the user
        run.discard()
        raise OutputError(str(error)) from error
    except BaseException:
        run.discard()
        raise
    return run


def _resume(
    directory: Path,
    config: Path | str | Mapping[str, Any] | Config | None,
    overrides: list[str],
    *,
    force: bool,
    profile: bool,
    console: Console,
) -> Run:
    run = Run.find(directory)
    config = take_config(run.resolved if config is None else config, overrides)
    devices, strategy = choose_devices(), strategy_of(config)
    team = Team(strategy)
    with telling_lost_workers(), owned(team, run) as own, logging_to(own.log):
        training = resume_run(own, config, strategy=strategy, force=force, console=console)
        if training is not None:
            _train(training, devices, profile=profile)
        team.meet()
    return run


def _train(training: Training, devices: Devices, *, profile: bool) -> None:
    run, console = training.run, training.console
    training.profile = Profile(run.tensorboard) if profile else None
    if training.team.is_chief:
        tell_run(run.directory)
    try:
        print_header(console, run, training.prepared, devices)
        metrics = training()
    except BaseException as error:
        _tell_end(training, error)
        raise
    if not training.team.is_chief:
        return
    run.update_manifest(ended=now(), outcome="finished", model_sha256=sha256_of(run.model))
    print_summary(console, run, metrics)


def _tell_end(training: Training, error: BaseException) -> None:
    """Write down how a training ended that did not come to its end."""
    run, position = training.run, training.state.position
    if isinstance(error, Exception):
        cause = None if isinstance(error.__cause__, TrainKitError) else error.__cause__
        LOG.error("%s: %s", type(error).__name__, error, exc_info=cause)
        if cause is not None:
            say(training.console, f"where it failed: {run.log}")
    with suppress(OutputError):  # the disk may be what failed
        run.update_manifest(ended=now(), outcome=f"{type(error).__name__}: {error}".removesuffix(": "))
    if isinstance(error, OutputError):
        error.exit_code = 1  # it is no fault of the input any more
    if not isinstance(error, Exception):  # a signal
        say(training.console, f"stopped after {counted(position.epoch, 'epoch')}, at step {position.step:,}")
    repeats = isinstance(error.__cause__, NotFiniteError)  # which tells itself how to go on
    repeats |= is_launched() and is_lost_worker(error)  # as the launcher does
    if training.checkpoints.steps() and not repeats:
        say(training.console, f"go on with: trainkit fit --resume {run.directory}{resume_option()}")
