"""Room for deep networks: Keras follows a chain of layers by calling itself for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES_A_LAYER = 4


@contextmanager
def room_for(layers: int) -> Iterator[None]:
    """Let functions call themselves as deep as Keras does for a chain of so many layers."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 1000 + _FRAMES_A_LAYER * layers))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
