"""What descriptions of networks have in common."""

from __future__ import annotations

from pathlib import Path

DICTIONARY = Path(__file__).with_name("network.txt").read_bytes()
"""Part of the format: `tools/make_dictionary.py` wrote it once."""
