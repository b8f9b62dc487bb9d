"""The tables of TFLite's metadata, as `metadata_schema.fbs` numbers their fields, and how they become bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import flatbuffers
import numpy as np

IDENTIFIER = b"M001"
MIN_PARSER_VERSION = "1.0.0"
"""All fields below are as old as the schema."""

_FIELDS = {  # table: its fields in the order of the schema; a union takes two, the type of the table and the table
    "ModelMetadata": (
        "name",
        "description",
        "version",
        "subgraph_metadata",
        "author",
        "license",
        "associated_files",
        "min_parser_version",
    ),
    "SubGraphMetadata": ("name", "description", "input_tensor_metadata", "output_tensor_metadata", "associated_files"),
    "TensorMetadata": (
        "name",
        "description",
        "dimension_names",
        "content",
        "process_units",
        "stats",
        "associated_files",
    ),
    "Content": ("content_properties_type", "content_properties", "range"),
    "FeatureProperties": (),
    "ImageProperties": ("color_space", "default_size"),
    "ImageSize": ("width", "height"),
    "ProcessUnit": ("options_type", "options"),
    "NormalizationOptions": ("mean", "std"),
    "Stats": ("max", "min"),
    "AssociatedFile": ("name", "description", "type", "locale"),
}


class ContentProperties(IntEnum):
    """What a tensor holds."""

    FEATURE = 1
    IMAGE = 2


class ProcessUnitOptions(IntEnum):
    """What is done to a tensor outside of the file."""

    NORMALIZATION = 1


class ColorSpace(IntEnum):
    """The colours of an image; the schema has no name for more."""

    UNKNOWN = 0
    RGB = 1
    GRAYSCALE = 2


class FileType(IntEnum):
    """What a packed file is for."""

    UNKNOWN = 0
    DESCRIPTIONS = 1
    TENSOR_AXIS_LABELS = 2


@dataclass(frozen=True)
class Table:
    """A table of the schema.

    Args:
        kind: The name of its type.
        fields: By name: a text, a table, a list of tables, floats, an enum (a byte) or a whole number (32 bits).
    """

    kind: str
    fields: dict[str, Any]


def table(kind: str, /, **fields: Any) -> Table:
    """A table with the fields that are known; None and empty ones are left out, as readers expect."""
    unknown = fields.keys() - set(_FIELDS[kind])
    if unknown:
        raise KeyError(f"{kind} has the fields {_FIELDS[kind]}. Received: {sorted(unknown)}.")
    return Table(kind, {key: value for key, value in fields.items() if value is not None and value not in ("", [])})


def to_bytes(root: Table) -> bytes:
    """A flatbuffer with the identifier of the schema."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write(builder, root), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _write(builder: Any, item: Table) -> int:
    """Write a table after all that it points to; the result is its place."""
    values = {key: _write_inner(builder, value) for key, value in item.fields.items()}
    names = _FIELDS[item.kind]
    builder.StartObject(len(names))
    for key, value in values.items():
        number, given = names.index(key), item.fields[key]
        if isinstance(given, IntEnum):
            builder.PrependInt8Slot(number, value, 0)
        elif isinstance(given, int):
            builder.PrependUint32Slot(number, value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
    return builder.EndObject()


def _write_inner(builder: Any, value: Any) -> int:
    """The place of what does not stand in its table itself; a number stays what it is."""
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, Table):
        return _write(builder, value)
    if isinstance(value[0], Table):
        return _write_places(builder, [_write(builder, item) for item in value])
    return builder.CreateNumpyVector(np.asarray(value, np.float32))


def _write_places(builder: Any, places: Iterable[int]) -> int:
    places = list(places)
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):  # a flatbuffer grows from its end
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()
