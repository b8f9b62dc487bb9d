"""Sources of samples -> checked splits with their batches. TensorFlow is imported when the first batch is made."""

from trainkit.data.columns import ArrayColumn, Column
from trainkit.data.description import Description, InputDescription, describe
from trainkit.data.fields import Facts, Field
from trainkit.data.fingerprint import fingerprint
from trainkit.data.idx import read_idx
from trainkit.data.load import load_data
from trainkit.data.records import Records, Source, Splits
from trainkit.data.sources import SOURCES
from trainkit.data.splits import Parts, Split

__all__ = [
    "SOURCES",
    "ArrayColumn",
    "Column",
    "Description",
    "Facts",
    "Field",
    "InputDescription",
    "Parts",
    "Records",
    "Source",
    "Split",
    "Splits",
    "describe",
    "fingerprint",
    "load_data",
    "read_idx",
]
