"""What the first comment of a network's file tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trainkit.config.zoo import zoo_files
from trainkit.errors import InputError
from trainkit.registry import did_you_mean

_HEADER = re.compile(
    r"(?P<name>\w+): (?P<summary>.+?)\n\n"
    r"Paper: +(?P<paper>.+?)\nInput: +(?P<input>.+?)\nParameters: +(?P<parameters>[\d,]+)\n"
    r"Arguments:\n(?P<arguments>.+?)\nUse:\n(?P<use>(?:  [^\n]*\n)+)",
    re.DOTALL,
)
_ARGUMENT = re.compile(r" +(\w+): +(.+)")


@dataclass(frozen=True)
class ZooHeader:
    """What a network of the zoo is.

    Args:
        name: Its class name.
        summary: What it is, in a line.
        paper: Where it was published.
        input: What it is made for, and what else it takes.
        parameters: How many it has as it was published.
        arguments: What each of its arguments is.
        use: The `model:` of a config that uses it.
    """

    name: str
    summary: str
    paper: str
    input: str
    parameters: int
    arguments: dict[str, str]
    use: str

    @property
    def shape(self) -> str:
        """The input that it is made for: `28×28×1`."""
        return re.split("[;,]", self.input)[0]

    @property
    def citation(self) -> str:
        """The paper in short: `He et al. 2015`."""
        authors = self.paper.split(": ")[0]
        first, *others = authors.removesuffix(" et al.").split(", ")
        year = re.findall(r"\b(?:19|20)\d\d\b", self.paper)[0]
        if len(others) == 1:
            return f"{first}, {others[0]} {year}"
        return f"{first} et al. {year}" if others or authors != first else f"{first} {year}"


def zoo_text(name: str) -> str:
    """The file of a network, as it is.

    Raises:
        InputError: If there is no such network.
    """
    return _file(name).read_text(encoding="utf-8")


def zoo_header(name: str) -> ZooHeader:
    """What the file of a network says of it.

    Raises:
        InputError: If there is no such network.
    """
    comment = re.match(r"(?:#.*\n)+", zoo_text(name))
    lines = re.sub(r"(?m)^# ?", "", comment[0]) if comment else ""
    match = _HEADER.match(lines)
    if match is None:
        raise ValueError(f"{_file(name)} does not begin as the files of the zoo do.")
    found = match.groupdict()
    return ZooHeader(
        name=found["name"],
        summary=found["summary"],
        paper=" ".join(found["paper"].split()),
        input=found["input"],
        parameters=int(found["parameters"].replace(",", "")),
        arguments=dict(_ARGUMENT.findall(found["arguments"])),
        use=re.sub("(?m)^  ", "", found["use"]),
    )


def zoo_headers() -> list[ZooHeader]:
    """All networks, by name: ResNet8 before ResNet50."""
    return [zoo_header(name) for name in sorted(zoo_files(), key=_natural)]


def _file(name: str) -> Path:
    if name not in zoo_files():
        names = [*zoo_files()]
        raise InputError(f"unknown network {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}.")
    return zoo_files()[name]


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", name)]
