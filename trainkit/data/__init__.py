"""Sources of samples -> checked splits with their batches. TensorFlow is imported when the first batch is made."""

from trainkit.data.arrays import ArraySplit
from trainkit.data.checks import check_splits
from trainkit.data.fingerprint import fingerprint
from trainkit.data.idx import read_idx
from trainkit.data.load import load_data
from trainkit.data.sources import SOURCES
from trainkit.data.splits import Facts, Split, Splits
from trainkit.data.validation import split_validation

__all__ = [
    "SOURCES",
    "ArraySplit",
    "Facts",
    "Split",
    "Splits",
    "check_splits",
    "fingerprint",
    "load_data",
    "read_idx",
    "split_validation",
]
