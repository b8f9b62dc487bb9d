"""The layers of a network as a table, folded by block."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from trainkit.models.costs import Amount, LayerCost, total

BYTES = ("B", "KB", "MB", "GB", "TB")
COUNTS = ("", "k", "M", "G", "T")


@dataclass(frozen=True)
class Row:
    """A layer, or a block with the sums of its layers.

    Args:
        name: Of the layer, or the path of the block.
        class_name: Of the layer or block.
        output_shape: Of what the last of its layers gives, without the batch; None for any length.
        parameters: Number of weights; None for those that an earlier row counts.
        macs: Multiply-accumulates of one sample.
        activations: Bytes of what all its layers give for one sample.
        line: Of the YAML file, if known.
        layers: How many layers it is.
        is_known: Whether `macs` is all; else a layer is of an unknown kind.
    """

    name: str
    class_name: str
    output_shape: tuple[int | None, ...]
    parameters: int | None
    macs: Amount
    activations: Amount
    line: int | None = None
    layers: int = 1
    is_known: bool = True


def network_rows(
    costs: Sequence[LayerCost],
    *,
    lines: Mapping[str, int] | None = None,
    block_names: Mapping[str, str] | None = None,
    flat: bool = False,
) -> list[Row]:
    """Fold the layers of each outermost block into one row.

    A network that is one single block is shown one level deeper: what stands beside it costs nothing.

    Args:
        costs: The layers of a network, see `layer_costs`; `stage2.bottleneck1.conv2d3` is `conv2d3` in a block.
        lines: From the name of a layer or the path of a block to its line in the YAML file.
        block_names: From the path of a block to its class: `stage2` to `Stage`.
        flat: Whether every layer has a row of its own.
    """
    deepest = 1 + max((cost.name.count(".") for cost in costs), default=0)
    for depth in [deepest] if flat else range(1, deepest + 1):
        groups = _groups(costs, depth)
        rows = [_row(*group, members, lines or {}, block_names or {}) for group, members in groups.items()]
        dear = [row for row in rows if row.parameters or row.macs or not row.is_known]
        if len(dear) != 1 or dear[0].layers == 1:
            break
    return rows


def network_table(rows: Iterable[Row], *, title: str = "") -> Table:
    """Draw rows, and their sums below."""
    rows = list(rows)
    table = Table(
        title=Text(title) if title else None,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_footer=True,
    )
    is_known = all(row.is_known for row in rows)
    table.add_column("layer", "total", overflow="fold")
    table.add_column("class", overflow="fold")
    for heading, sum_ in {
        "output": "",
        "parameters": f"{sum(row.parameters or 0 for row in rows):,}",
        "MACs": _macs_text(total(row.macs for row in rows), is_known=is_known),
        "activations": amount_text(total(row.activations for row in rows), BYTES),
        "line": "",
    }.items():
        table.add_column(heading, sum_, justify="right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    return table


def amount_text(amount: Amount, units: Sequence[str]) -> str:
    """An amount in three digits, with `/step` where it is for each step of an axis of any length.

    Example:
        >>> amount_text(Amount(3_857_973_248), COUNTS), amount_text(Amount(784), BYTES)
        ('3.86 G', '784 B')
        >>> amount_text(Amount(12_000, 256), BYTES), amount_text(Amount(), COUNTS)
        ('12.0 KB + 256 B/step', '–')
    """
    marks = ("", "/step", "/step²", "/step³")
    parts = [f"{_short(term, units)}{mark}" for term, mark in zip(amount.terms, marks, strict=True) if term]
    return " + ".join(parts) or "–"


def _macs_text(macs: Amount, *, is_known: bool) -> str:
    return amount_text(macs, COUNTS) if is_known else f"{amount_text(macs, COUNTS)} + ?" if macs else "?"


def _short(number: int, units: Sequence[str]) -> str:
    value, power = float(number), 0
    while value >= 999.5 and power < len(units) - 1:
        value, power = value / 1000, power + 1
    digits = f"{value:#.3g}".rstrip(".") if power else str(number)
    return f"{digits} {units[power]}".rstrip()


def _groups(costs: Sequence[LayerCost], depth: int) -> dict[tuple[str, int], list[LayerCost]]:
    """The layers by block, and by the call of the block: all layers of a shared block are called as often."""
    inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cost in costs:
        inside[_path(cost.name, depth)][cost.name] += 1
    groups: defaultdict[tuple[str, int], list[LayerCost]] = defaultdict(list)
    for cost in costs:
        path = _path(cost.name, depth)
        groups[path, min(cost.call, min(inside[path].values()))].append(cost)
    return groups


def _path(name: str, depth: int) -> str:
    return ".".join(name.split(".")[:depth])


def _row(
    path: str, call: int, members: list[LayerCost], lines: Mapping[str, int], block_names: Mapping[str, str]
) -> Row:
    known = [member.macs for member in members if member.macs is not None]
    is_layer = members[0].name == path
    return Row(
        name=f"{path} (again)" if call > 1 else path,
        class_name=members[0].class_name if is_layer else block_names.get(path, "block"),
        output_shape=members[-1].output_shape,
        parameters=None if call > 1 else sum(member.parameters for member in members),
        macs=total(known),
        activations=total(member.activations for member in members),
        line=lines.get(path, next((lines[member.name] for member in members if member.name in lines), None)),
        layers=len(members),
        is_known=len(known) == len(members),
    )


def _cells(row: Row) -> tuple[str, ...]:
    shape = "×".join("any" if size is None else str(size) for size in row.output_shape)
    parameters = "shared" if row.parameters is None else f"{row.parameters:,}" if row.parameters else "–"
    macs = _macs_text(row.macs, is_known=row.is_known)
    line = str(row.line) if row.line else ""
    return row.name, row.class_name, shape, parameters, macs, amount_text(row.activations, BYTES), line
