"""A model file in a process of its own, run and timed step by step. Importing it imports no interpreter."""

from trainkit.inference.timing.process import TimedProcess

__all__ = ["TimedProcess"]
