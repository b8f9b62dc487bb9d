"""Export a model, and prove every file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from trainkit.config import Config, list_overrides
from trainkit.deploy.check import check_exports
from trainkit.deploy.compress.steps import check_patterns
from trainkit.deploy.islands import check_excluded, is_int8
from trainkit.deploy.production import Deployment, Production
from trainkit.deploy.report import gain_lines, print_report, print_steps
from trainkit.deploy.sensitivity import print_explanation, print_islands
from trainkit.deploy.subject import MODELS, REJECTED, Subject, open_model, open_run
from trainkit.deploy.targets import check_integers
from trainkit.errors import ExportError, InputError, OutputError, PromiseError, TrainKitError
from trainkit.runs import Run
from trainkit.training.log import SteadyConsole, say


def deploy(
    run: Path | str,
    overrides: Iterable[str] = (),
    *,
    data: Path | str | None = None,
    explain: bool = False,
    console: Console | None = None,
) -> Deployment:
    """Export a model, run every file, and prove that it answers like the model.

    Args:
        run: A run directory, or a directory of runs: the newest; or a .keras or .h5 file that was made elsewhere.
        overrides: `deploy.KEY=VALUE` texts, which win over the run's config.
        data: For a file, the config that names its data.
        explain: Whether to tell what int8 costs each layer, also of a file that is good.
        console: Where the table is shown; standard output by default.

    Returns:
        The files, in `RUN/deploy/`, or beside a `MODEL.keras` in `MODEL_deploy/`.

    Raises:
        RunError: If `run` is no finished run, or its data has changed.
        InputError: If a file is no model, or comes without a config.
        ConfigError: If an override or the config is wrong, or an int8 file would stay in real numbers.
        ExportError: If the model cannot be converted to a format; the files of all others are there.
        PromiseError: If a file does not answer like its model; such files stand in `rejected/`.
    """
    console = console or SteadyConsole()
    overrides = list_overrides(overrides)
    with _open(Path(run), overrides, data, console) as subject:
        names = check_exports(subject.config)
        with subject.config.locating():
            check_excluded(subject.config.experiment.deploy.export, subject.model)
        if explain and not any(map(is_int8, subject.config.experiment.deploy.export)):
            raise InputError("--explain is about int8 files. deploy.export has none: add `TFLite: {precision: int8}`.")
        check_integers(subject.config, subject.model)
        with _telling_stops(subject, overrides, data, console, explain=explain):
            deployment = Production(subject, console).run(names, explain=explain)
    _print(console, deployment)
    _raise_failures(deployment)
    return deployment


def _print(console: Console, deployment: Deployment) -> None:
    compressed = deployment.compressed
    if compressed is not None:
        print_steps(console, compressed)
    print_report(console, deployment.proof, deployment.files, deployment.directory)
    for line in gain_lines(compressed, deployment.files) if compressed is not None else ():
        say(console, line)
    print_islands(console, deployment.files)
    print_explanation(console, deployment.explanation)


def _raise_failures(deployment: Deployment) -> None:
    """Tell of files that are not what they should be, and of those that could not be made."""
    broken = [file for file in deployment.files if not file.parity.passed]
    if broken:
        told = "\n".join(f"  {file.file}: {file.parity.reason}" for file in broken)
        count = f"{len(broken)} of {len(deployment.files)} files"
        place = deployment.directory / REJECTED
        raise PromiseError(f"{count} are not what they should be, and stand in {place}:\n{told}")
    if deployment.failures:
        told = "\n".join(failure.reason for failure in deployment.failures)
        raise ExportError(f"{told}\nThe other files are in {deployment.directory}.")


def check_deploy(config: Config, model: Any) -> None:
    """Find what `deploy` would refuse of a config.

    Args:
        config: The configuration.
        model: The `tf.keras.Model` that it describes.

    Raises:
        ConfigError: If two files have the same name, or a compression step is for layers that there are not.
    """
    check_exports(config)
    with config.locating():
        check_patterns(config.experiment.deploy.compress, model)
        check_excluded(config.experiment.deploy.export, model)


def _open(
    path: Path, overrides: list[str], data: Path | str | None, console: Console
) -> AbstractContextManager[Subject]:
    if path.suffix in MODELS and not path.is_dir():
        if data is None:
            raise InputError(f"a model made elsewhere needs the config of its data: --data CONFIG. Received: {path}.")
        return open_model(path, data, overrides)
    if data is not None:
        raise InputError(f"--data goes with a model file ({', '.join(MODELS)}): a run has its data. Received: {path}.")
    opened = Run.open(path)
    say(console, f"run: {opened.directory}")
    return open_run(opened, overrides)


@contextmanager
def _telling_stops(
    subject: Subject, overrides: list[str], data: Path | str | None, console: Console, *, explain: bool
) -> Iterator[None]:
    """Tell how to go on after a signal, or once there is room on the disk."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, OutputError) as error:
        if isinstance(error, OutputError):
            error.exit_code = TrainKitError.exit_code  # it is no fault of the input any more
        place = [str(subject.filepath), "--data", str(data)] if data is not None else [str(subject.filepath.parent)]
        code = ["--allow-code"] if subject.config.custom_code else []
        code += ["--explain"] if explain else []
        say(console, f"go on with: {shlex.join(['trainkit', 'deploy', *place, *overrides, *code])}")
        raise
