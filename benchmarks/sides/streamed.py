"""`trainkit fit` that keeps no image in memory, however few there are: streamed.py ARGUMENT…, as `command.py`."""

from __future__ import annotations

from trainkit.data.images import files

files.available_memory = lambda: 0  # of which an eighth may be kept

import command  # noqa: E402, F401
