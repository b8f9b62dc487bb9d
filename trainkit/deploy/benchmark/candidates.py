"""From what a user names, runs and files, to the files that are timed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainkit.config import load_config
from trainkit.deploy.subject import COMPRESSED
from trainkit.errors import InputError
from trainkit.inference.locate import _run_of
from trainkit.inference.predictor import PREDICTORS, check_filepath, is_model_directory
from trainkit.runs import Run


@dataclass(frozen=True)
class Candidate:
    """A file that is timed.

    Args:
        filepath: The file, or the directory of a SavedModel.
        label: Its name, with that of folders above where another file has the same.
        run: The run that it belongs to, if it does.
        config: The resolved config of a run with Python code of its own, for its Keras model.
    """

    filepath: Path
    label: str
    run: Run | None = None
    config: Path | None = None


def find_candidates(paths: Sequence[Path | str]) -> list[Candidate]:
    """Find the files that a user means.

    Args:
        paths: Model files, SavedModels; runs and directories of runs, which stand for their model and the files in
            `deploy/`; directories that `deploy` has written.

    Raises:
        InputError: If there is none, or one is no model.
        RunError: If a directory is no finished run.
    """
    if not paths:
        raise InputError("name a run, a directory of runs, or model files. Received: none.")
    found: dict[Path, Run | None] = {}
    for filepath, run in (pair for path in paths for pair in _files_of(Path(path))):
        found.setdefault(filepath.absolute(), run)
    labels = _labels(list(found))
    return [
        Candidate(filepath, label, run, _code_config(filepath, run))
        for (filepath, run), label in zip(found.items(), labels, strict=True)
    ]


def _files_of(path: Path) -> Iterator[tuple[Path, Run | None]]:
    if path.is_dir() and not is_model_directory(path):
        if (path / "verify.json").is_file():
            files, run = list(deployed_files(path)), None
        else:
            run = Run.open(path)
            files = [run.model, *deployed_files(run.deploy)]
        yield from ((filepath, run or _run_of(filepath)) for filepath in files)
    else:
        filepath = check_filepath(path)
        yield filepath, _run_of(filepath)


def deployed_files(directory: Path) -> Iterator[Path]:
    """The exported files in a directory that `deploy` has written, in the order of the config where that is known."""
    if not directory.is_dir():
        return
    order: list[str] = []
    with suppress(OSError, ValueError, LookupError, TypeError):
        record = json.loads((directory / "verify.json").read_text(encoding="utf-8"))
        order = [entry["file"] for entry in record["files"]]
    here = [path for path in directory.iterdir() if _is_model(path) and path.name != COMPRESSED]
    yield from sorted(here, key=lambda path: (order.index(path.name) if path.name in order else len(order), path.name))


def _is_model(path: Path) -> bool:
    return is_model_directory(path) if path.is_dir() else path.suffix in PREDICTORS


def _labels(filepaths: Sequence[Path]) -> list[str]:
    """The shortest ends of paths that tell them apart."""
    parts = [1] * len(filepaths)
    while True:
        labels = ["/".join(path.parts[-count:]) for path, count in zip(filepaths, parts, strict=True)]
        counts = Counter(labels)
        if max(counts.values()) == 1:
            return labels
        parts = [count + (counts[label] > 1) for count, label in zip(parts, labels, strict=True)]


def _code_config(filepath: Path, run: Run | None) -> Path | None:
    """The config of a run whose Python code its Keras model needs, once it is known that the code may run."""
    if run is None or filepath.suffix != ".keras" or not run.read_manifest().get("custom_code"):
        return None
    load_config(run.resolved)  # asks whether the Python code that it holds may run
    return run.resolved


def total_bytes(files: Iterable[Path]) -> int:
    """The bytes of some files on the disk."""
    return sum(path.stat().st_size for path in files)
