"""How each file is used, as lines to copy: with the real names, shapes, types and steps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.deploy.page.files import FileFacts
from trainkit.deploy.page.records import entries_of, part_of

LANGUAGES = {
    ".tflite": {"Python": "tflite.py", "Kotlin": "tflite.kt", "C++": "tflite.cpp"},
    ".onnx": {"Python": "onnx.py", "Kotlin": "onnx.kt", "C++": "onnx.cpp"},
    ".keras": {"Python": "keras3.py"},
    ".tkz": {"Python": "tkz.py"},
    "": {"Python": "saved_model.py", "TensorFlow Serving": "saved_model.sh"},
}
"""Templates by the suffix of a file; a SavedModel is a directory."""
INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
STEPS_OF_A_SEQUENCE = 16
"""What stands for a length that may be any."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a file.

    Args:
        name: Its name.
        identifier: The same, to be part of a name in any programming language.
        shape: Of a call with one sample; any length has become a number.
        dtype: What the file takes or gives.
        scale: Of integers that stand for real numbers; None where they do not.
        zero_point: Of such integers.
        is_open: Whether an axis besides the batch may have any length.
        columns: Of a table.
        image: How an image becomes it, as `verify.json` says; nothing where it is none.
        steps: What is done before the file, as `preprocess.json` says: a name and its arguments each.
        labels: The file with the names of its classes; nothing where it is no class.
        classes: How many classes there are.
        logits: Whether it is logits.
        is_output: Whether it is an output.
    """

    name: str
    identifier: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int = 0
    is_open: bool = False
    columns: tuple[str, ...] = ()
    image: Mapping[str, Any] | None = None
    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    labels: str = ""
    classes: int = 0
    logits: bool = False
    is_output: bool = False

    @property
    def variable(self) -> str:
        """What a program calls it: no name of a user hides one of the program."""
        return f"{'answer' if self.is_output else 'given'}_{self.identifier}"

    @property
    def camel(self) -> str:
        """The same where names have no `_`."""
        return f"{'answer' if self.is_output else 'given'}{self.identifier[:1].upper()}{self.identifier[1:]}"

    @property
    def size(self) -> int:
        """Values of one sample."""
        return math.prod(self.shape)

    @property
    def ends(self) -> tuple[int, int]:
        """Least and largest integer."""
        return INTEGERS.get(self.dtype, (0, 0))

    @property
    def is_raw(self) -> bool:
        """Whether integers are the values themselves."""
        return self.scale == 1.0 and self.zero_point == 0


@dataclass(frozen=True)
class Snippet:
    """Lines to copy."""

    language: str
    text: str


@dataclass(frozen=True)
class Usage:
    """How one file is used."""

    file: FileFacts
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    snippets: tuple[Snippet, ...]


def describe_usage(file: FileFacts, data: Mapping[str, Any], preprocess: Mapping[str, Any], render: Any) -> Usage:
    """Write down how a file is used.

    Args:
        file: The file.
        data: What `verify.json` says of inputs and outputs.
        preprocess: What `preprocess.json` holds.
        render: Fills a template: its name, and values by name.
    """
    before = part_of(preprocess, "inputs") if file.name in preprocess.get("files", ()) else {}
    inputs, outputs = tuple(_inputs(file, data, before)), tuple(_outputs(file, data))
    suffix = next((suffix for suffix in LANGUAGES if suffix and file.name.endswith(suffix)), "")
    values = {"file": file, "inputs": inputs, "outputs": outputs, "class_name": _class_name(file.name)}
    snippets = [
        Snippet(language, render(f"usage/{name}.jinja", values)) for language, name in LANGUAGES[suffix].items()
    ]
    return Usage(file, inputs, outputs, tuple(snippets) if inputs and outputs else ())


def _inputs(file: FileFacts, data: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Tensor]:
    facts = part_of(file.facts, "file_inputs") or part_of(file.facts, "inputs")
    for name, entry in facts.items():
        told = part_of(data, "inputs", name)
        yield _tensor(
            name,
            entry,
            columns=tuple(map(str, told.get("columns", ()))),
            image=told.get("image"),
            steps=tuple(step for one in entries_of(before.get(name), "steps") for step in one.items()),
        )


def _outputs(file: FileFacts, data: Mapping[str, Any]) -> Iterator[Tensor]:
    told = part_of(data, "outputs")
    several = sum(bool(one.get("classes")) for one in told.values()) > 1
    for name, entry in part_of(file.facts, "outputs").items():
        classes = part_of(told, name).get("classes") or ()
        labels = (f"labels_{name}.txt" if several else "labels.txt") if classes else ""
        logits = bool(part_of(told, name).get("logits"))
        yield _tensor(name, entry, labels=labels, classes=len(classes), logits=logits, is_output=True)


def _tensor(name: str, entry: Mapping[str, Any], **more: Any) -> Tensor:
    _, *rest = entry.get("shape") or [None]
    shape = (1, *(STEPS_OF_A_SEQUENCE if length is None else int(length) for length in rest))
    return Tensor(
        name=name,
        identifier=re.sub(r"\W", "_", name, flags=re.ASCII),
        shape=shape,
        dtype=str(entry.get("dtype", "float32")),
        scale=entry.get("scale") if entry.get("dtype") in INTEGERS else None,
        zero_point=int(entry.get("zero_point") or 0),
        is_open=None in rest,
        **more,
    )


def _class_name(name: str) -> str:
    parts = re.split(r"[^A-Za-z0-9]+", name.rsplit(".", 1)[0])
    joined = "".join(part[:1].upper() + part[1:] for part in parts)
    return joined if joined[:1].isalpha() else f"Model{joined}"


def as_python(value: Any) -> str:
    """A value as Python writes it."""
    return repr(tuple(value) if isinstance(value, list) else value)


def as_cpp(text: str) -> str:
    """A text as a literal of C++.

    Example:
        >>> print(as_cpp('a "b"'))
        "a \\"b\\""
    """
    return json.dumps(text, ensure_ascii=False)


def as_kotlin(text: str) -> str:
    """A text as a literal of Kotlin, where a dollar begins a value.

    Example:
        >>> print(as_kotlin("a$b"))
        "a\\$b"
    """
    return as_cpp(text).replace("$", "\\$")


def as_comment(text: str) -> str:
    """A text that stays on its line of a comment."""
    return " ".join(str(text).split()).rstrip("\\ ")


def as_floats(values: Any, suffix: str = "f") -> str:
    """Numbers as literals of single precision."""
    return ", ".join(_float(float(value), suffix) for value in values)


def _float(value: float, suffix: str) -> str:
    text = repr(value)
    return f"{text if '.' in text or 'e' in text or 'n' in text else text + '.0'}{suffix}"
