"""`trainkit fit --workers N`: processes of this machine that train together, and what keeps an eye on them."""

from trainkit.workers.child import die_with_launcher, is_launched, leave, resume_option, scratch_directory, tell_run
from trainkit.workers.launcher import SIGNALS, launch

__all__ = [
    "SIGNALS",
    "die_with_launcher",
    "is_launched",
    "launch",
    "leave",
    "resume_option",
    "scratch_directory",
    "tell_run",
]
