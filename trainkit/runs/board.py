"""TensorBoard on runs, each under its own name."""

from __future__ import annotations

import io
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from threading import Event, Thread
from types import ModuleType

from trainkit.errors import InputError
from trainkit.runs.listing import find_runs
from trainkit.runs.run import Run

SECONDS_BETWEEN_LOOKS = 5.0
"""How often TensorBoard looks for new values, and we for new runs."""


@contextmanager
def open_board(root: Path, *, host: str = "127.0.0.1", port: int = 6006) -> Iterator[str]:
    """Serve TensorBoard while the block lasts, on the event files in the `tensorboard` directories of runs.

    Args:
        root: A run, or a directory of runs. Runs that begin later are shown too.
        host: The address that it listens at.
        port: Its port; 0 takes a free one.

    Yields:
        The URL.

    Raises:
        InputError: If `root` has no event files, or the port cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="trainkit-board-") as folder:
        view = Path(folder)
        if not link_events(root, view):
            raise InputError(f"{root} has no event files. A training writes them to RUN/tensorboard.")
        ended = Event()
        follower = Thread(target=_follow, args=(root, view, ended), daemon=True)
        try:
            address = _launch(view, host, port, title=str(root))
            follower.start()
            yield address
        finally:
            ended.set()
            if follower.ident is not None:
                follower.join()


def link_events(root: Path, view: Path) -> int:
    """Lay links to the event files of runs, so that directories are named as the runs: `mnist_lenet5/003/train`.

    TensorBoard takes its names from directories, and reads every event file that it finds: so it is shown a
    directory that holds these links only.

    Returns:
        How many event files there are.
    """
    count = 0
    for name, directory in find_runs(root).items():
        events = Run(directory).tensorboard
        for filepath in events.rglob("*tfevents*"):
            link = view / name / filepath.relative_to(events)
            link.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                link.symlink_to(filepath.absolute())
            count += 1
    return count


def _follow(root: Path, view: Path, ended: Event) -> None:
    """Add the event files that are new."""
    while not ended.wait(SECONDS_BETWEEN_LOOKS):
        with suppress(OSError, InputError):  # a directory that is being removed
            link_events(root, view)


def _launch(view: Path, host: str, port: int, *, title: str) -> str:
    """Start TensorBoard's server in a thread; what it reports to standard error is dropped."""
    # TensorBoard's own switch: its plugins then do with a stub, and do not import TensorFlow at their first request
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))

    from tensorboard import default, program
    from tensorboard.plugins.debugger_v2.debugger_v2_plugin import DebuggerV2Plugin

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    plugins = [plugin for plugin in default.get_plugins() if plugin is not DebuggerV2Plugin]  # it needs TensorFlow
    server = program.TensorBoard(plugins)
    server.configure(logdir=str(view), host=host, port=port, reload_interval=SECONDS_BETWEEN_LOOKS, window_title=title)
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            return server.launch()
    except program.TensorBoardPortInUseError as error:
        cure = "Choose another with --port; --port 0 takes a free one."
        raise InputError(f"port {port} of {host} is taken. {cure}") from error
    except (program.TensorBoardServerException, OSError, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code != 1:  # a signal's; werkzeug's own is 1
            raise
        *_, reason = getattr(error, "msg", told.getvalue() or str(error)).splitlines()
        raise InputError(f"TensorBoard cannot listen at {host}, port {port}: {reason}.") from error
