"""Keras callbacks that every training has, one a file."""

from trainkit.callbacks.clock import Clock
from trainkit.callbacks.compression_board import CompressionBoard
from trainkit.callbacks.history import HistoryFile
from trainkit.callbacks.progress import Progress
from trainkit.callbacks.tensorboard import TensorBoard

__all__ = ["Clock", "CompressionBoard", "HistoryFile", "Progress", "TensorBoard"]
