"""`trainkit`: the commands together, and what every error ends with."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from trainkit.cli import (
    benchmark,
    board,
    check,
    deploy,
    evaluate,
    fit,
    import_model,
    init,
    lr_finder,
    predict,
    runs,
    schema,
    show,
    unpack,
    zoo,
)
from trainkit.cli.version import print_version
from trainkit.errors import TrainKitError
from trainkit.workers import die_with_launcher, leave

INTERRUPTED = 130
ENDED_BY = {"SIGTERM": 143, "SIGHUP": 129}
"""Exit codes by signal; one that is ignored, as by nohup, stays so."""

app = typer.Typer(
    name="trainkit",
    help="One YAML file becomes a trained Keras model, and files for phones that are proved to answer like it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS = (
    fit.fit,
    deploy.deploy,
    evaluate.evaluate,
    predict.predict,
    unpack.unpack,
    benchmark.benchmark,
    check.check,
    lr_finder.lr_finder,
    show.show,
    runs.runs,
    board.board,
    init.init,
    schema.schema,
    zoo.zoo,
)
for command in _COMMANDS:
    app.command()(command)
app.command("import")(import_model.import_model)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the environment and exit.")
    ] = False,
) -> None:
    """Set what holds for every command; `main` reads `--debug` itself."""
    del debug, version


def _exit(code: int, *_: object) -> None:
    sys.exit(code)


def _show_tracebacks() -> None:
    """Show the tracebacks that go to the log: of what failed, and was no reason to end."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.exc_info is not None)
    log = logging.getLogger("trainkit")
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def main() -> None:
    """Run the command line and exit.

    Exit codes: 0 done; 1 it failed while running; 2 the input is wrong; 3 a promise was not kept; 129, 130 and 143
    stopped by SIGHUP, SIGINT and SIGTERM.
    """
    die_with_launcher()
    for name, code in ENDED_BY.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, partial(_exit, code))
    if "--debug" in sys.argv:
        _show_tracebacks()
    try:
        app()
    except (TrainKitError, OSError) as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        code = error.exit_code if isinstance(error, TrainKitError) else TrainKitError.exit_code
        leave(code)
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
