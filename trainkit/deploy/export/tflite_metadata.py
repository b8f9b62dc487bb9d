"""Metadata in a .tflite: what it is, how an app makes its inputs, and what its outputs say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainkit.deploy.export.context import ExportContext
from trainkit.deploy.export.labels import label_files, labels_text
from trainkit.deploy.export.metadata_schema import (
    MIN_PARSER_VERSION,
    ColorSpace,
    ContentProperties,
    FileType,
    ProcessUnitOptions,
    Table,
    table,
    to_bytes,
)
from trainkit.deploy.export.tflite_file import Edge, TFLiteFile, append_files
from trainkit.deploy.export.wording import input_text
from trainkit.inference.packed import FACTS
from trainkit.inference.preprocess import FILE_NAME, Preprocess

ENTRY = "TFLITE_METADATA"
_COLOURS = {1: ColorSpace.GRAYSCALE, 3: ColorSpace.RGB}


def add_metadata(content: bytes, context: ExportContext, preprocess: Preprocess | None) -> bytes:
    """Put metadata into a .tflite, and the files that they name after it.

    Labels stand in `labels.txt`, with several outputs that are classes in `labels_OUTPUT.txt`; what the standard has no
    field for stands in `trainkit.json`.

    Args:
        content: As the converter writes it.
        context: What every exporter is told.
        preprocess: What is done to raw columns before the file.

    Returns:
        The whole file.

    Raises:
        InputError: If a class name is more than a line.

    Reference:
        tensorflow/tflite-support, metadata_schema.fbs, version 1.0.0.
    """
    file = TFLiteFile(content)
    file.share_constants()
    classes = context.classes_of([edge.name for edge in file.outputs])
    names = label_files(classes)
    labels = {names[output]: labels_text(classes[output]) for output in classes}
    inputs = [_input(edge, context.data.get("inputs", {}), preprocess) for edge in file.inputs]
    outputs = [_output(edge, classes.get(edge.name), names.get(edge.name, "")) for edge in file.outputs]
    graph = table("SubGraphMetadata", input_tensor_metadata=inputs, output_tensor_metadata=outputs)
    root = table(
        "ModelMetadata",
        name=context.name,
        description=file.types_text(),
        version=hashlib.sha256(content).hexdigest()[:12],  # another exactly where the network is another
        subgraph_metadata=[graph],
        author=context.producer,
        associated_files=[_file(FACTS, "origin of the model, and how its inputs are made", FileType.DESCRIPTIONS)],
        min_parser_version=MIN_PARSER_VERSION,
    )
    return append_files(file.with_metadata(ENTRY, to_bytes(root)), labels | {FACTS: _facts(context, preprocess)})


def _facts(context: ExportContext, preprocess: Preprocess | None) -> str:
    facts = context.to_json() | ({"preprocess": FILE_NAME} if preprocess else {})
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _input(edge: Edge, told: Mapping[str, Any], preprocess: Preprocess | None) -> Table:
    entry = told.get(edge.name, {})
    image = entry.get("image")
    before = preprocess is not None and edge.name in preprocess.inputs
    return table(
        "TensorMetadata",
        name=edge.name,
        description=_input_text(edge, input_text(entry), before=before),
        content=_content(image),
        process_units=[_raw_pixels()] if image else [],
        stats=_stats(*image["range"]) if image else None,
    )


def _input_text(edge: Edge, made: str, *, before: bool) -> str:
    parts = [f"what {FILE_NAME} makes of {made or 'the raw column'}" if before else made]
    if edge.scale is not None:
        zero = f" {edge.zero_point:+d}" if edge.zero_point else ""
        parts.append(f"{edge.dtype}: round(value / {edge.scale:g}){zero}")
    return "; ".join(filter(None, parts))


def _content(image: Mapping[str, Any] | None) -> Table:
    if image is None:
        kind, properties = ContentProperties.FEATURE, table("FeatureProperties")
    else:
        size = table("ImageSize", width=image["width"], height=image["height"])
        colours = _COLOURS.get(image["channels"], ColorSpace.UNKNOWN)
        kind, properties = ContentProperties.IMAGE, table("ImageProperties", color_space=colours, default_size=size)
    return table("Content", content_properties_type=kind, content_properties=properties)


def _raw_pixels() -> Table:
    """The network rescales by itself, so that an app hands over pixels as they are: (x - 0) / 1.

    Android's task library refuses a float32 input without these options, and puts pixels into a uint8 input without
    looking at them; the code generator normalizes by them first and quantizes then, whatever the type: 0 and 1 are
    right in all three.
    """
    options = table("NormalizationOptions", mean=[0.0], std=[1.0])
    return table("ProcessUnit", options_type=ProcessUnitOptions.NORMALIZATION, options=options)


def _stats(least: float, most: float) -> Table:
    return table("Stats", max=[float(most)], min=[float(least)])


def _output(edge: Edge, classes: Sequence[str] | None, filename: str) -> Table:
    return table(
        "TensorMetadata",
        name=edge.name,
        description=_output_text(edge, classes),
        content=_content(None),
        stats=_stats(0, 1) if edge.is_share else None,
        associated_files=[_labels(edge, classes, filename)] if classes else [],
    )


def _output_text(edge: Edge, classes: Sequence[str] | None) -> str:
    if classes is None:
        return "numbers"
    kind = "probability" if edge.is_share else "score"
    return f"{kind} of each class" if edge.units == len(classes) else f"{kind} of the second of two classes"


def _labels(edge: Edge, classes: Sequence[str], filename: str) -> Table:
    """One unit for two classes has no axis of labels: an app that pairs values with names would find one too many."""
    kind = FileType.TENSOR_AXIS_LABELS if edge.units == len(classes) else FileType.UNKNOWN
    return _file(filename, "names of the classes, a line each", kind)


def _file(name: str, description: str, kind: FileType) -> Table:
    return table("AssociatedFile", name=name, description=description, type=kind)
