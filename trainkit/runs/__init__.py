"""The run directory: its layout, its lock, atomic writes; checkpoints in `trainkit.runs.checkpoints`."""

from trainkit.runs.atomic import (
    append_text,
    recover_directory,
    remove_temporaries,
    replace_directory,
    replace_file,
    write_json,
    write_text,
)
from trainkit.runs.comparison import Comparison, compare_runs
from trainkit.runs.digest import files_of, sha256_of
from trainkit.runs.listing import RunFacts, list_runs
from trainkit.runs.lock import lock_directory
from trainkit.runs.run import Run

__all__ = [
    "Comparison",
    "Run",
    "RunFacts",
    "append_text",
    "compare_runs",
    "files_of",
    "list_runs",
    "lock_directory",
    "recover_directory",
    "remove_temporaries",
    "replace_directory",
    "replace_file",
    "sha256_of",
    "write_json",
    "write_text",
]
