"""`model.weights`: a network begins with the weights of an earlier model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainkit.config import Config, SettingError, Weights
from trainkit.models.patterns import unknown_pattern
from trainkit.models.saved_weights import SavedNetwork, WeightsError, find_weights, read_weights
from trainkit.models.transfer import Find, Transfer, renamed, transfer_weights
from trainkit.runs import sha256_of

AT = ("model", "weights")
FEW = 4
"""Names that are listed one by one."""
_BY = {
    "arguments": "by name and arguments",
    "names": "by name and shapes; the file does not tell the arguments of its layers",
    "order": "by kind, order and shapes; the file does not tell the names of its layers",
}


@dataclass(frozen=True)
class EarlierWeights:
    """What a network took of an earlier model.

    Args:
        transfer: What became of each layer.
        sha256: Of the file.
    """

    transfer: Transfer
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """What the manifest of a run says of it."""
        found = self.transfer
        counts = {"loaded": len(found.loaded), "numbers": found.numbers}
        others = {"skipped": found.skipped, "missing": found.missing, "unused": found.unused}
        return {"file": str(found.filepath), "sha256": self.sha256, "matched": found.by, **counts, **others}

    def lines(self) -> Iterator[str]:
        """A table of it, folded where many layers are alike."""
        found = self.transfer
        yield f"weights: {found.filepath}, {_BY[found.by]}"
        layers = "1 layer" if len(found.loaded) == 1 else f"{len(found.loaded)} layers"
        rows = [("loaded", f"{layers}, {found.numbers:,} numbers: {folded(found.loaded)}")]
        if found.statistics:
            rows.append(("", f"what was learned from the data of the file, too: {folded(found.statistics)}"))
        rows += [("skipped", f"{folded(names)} {reason}") for reason, names in _by_reason(found).items()]
        if found.missing:
            rows.append(("missing", f"not in the file: {folded(found.missing)}"))
        if found.unused:
            rows.append(("unused", f"in the file only: {folded(found.unused)}"))
        yield from (f"  {state:<8} {told}".rstrip() for state, told in rows)


def load_weights(config: Config, model: Any) -> EarlierWeights | None:
    """Give a network the weights that `model.weights` names.

    Raises:
        SettingError: If the file cannot be read, a pattern fits nothing, or no layer takes a weight.
    """
    settings = config.experiment.model.weights
    if settings is None or isinstance(settings, str):
        return None
    at = (*AT, "file") if (*AT, "file") in config.document.values else AT
    try:
        saved = read_weights(find_weights(Path(settings.file)))
    except WeightsError as error:
        raise SettingError(at, str(error)) from error
    find = _find(settings, saved)
    names = [layer.name for layer in model.layers]
    for index, pattern in enumerate(settings.layers or []):
        if told := unknown_pattern(pattern, names):
            raise SettingError((*AT, "layers", index), told)
    own = settings.statistics == "file"
    found = transfer_weights(model, saved, find=find, layers=settings.layers, statistics=own)
    if not found.loaded:
        raise SettingError(at, f"no layer can take weights of {saved.filepath}: {_why(found)}")
    return EarlierWeights(found, sha256_of(saved.filepath))


def folded(names: Iterable[str]) -> str:
    """Names of layers, those of a block together.

    Example:
        >>> folded(["conv1", "stage1.a", "stage1.b", "stage2.block1.a", "stage2.block1.b", "head"])
        'conv1, stage1.* (2), stage2.* (2), head'
    """
    names = list(names)
    if len(names) <= FEW:
        return ", ".join(names)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.split(".")[0], []).append(name)
    told = [inside[0] if len(inside) == 1 else f"{first}.* ({len(inside)})" for first, inside in groups.items()]
    if len(told) <= 2 * FEW:
        return ", ".join(told)
    return ", ".join([*told[:FEW], f"… ({len(told) - FEW - 1} more)", told[-1]])


def _find(settings: Weights, saved: SavedNetwork) -> Find | None:
    if saved.by == "order":
        if settings.rename:
            raise SettingError((*AT, "rename"), f"must be left out: {saved.filepath} does not tell names of layers.")
        return None
    try:
        return renamed(saved, settings.rename)
    except WeightsError as error:
        raise SettingError((*AT, "rename"), str(error)) from error


def _by_reason(found: Transfer) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, reason in found.skipped.items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def _why(found: Transfer) -> str:
    """Why nothing fits, and what would mend it."""
    if found.skipped:
        name, reason = next(iter(found.skipped.items()))
        return f"{name!r} {reason}{', …' if len(found.skipped) > 1 else ''}."
    told = f"it has {folded(found.unused) or 'none'}; the network has {folded(found.missing) or 'none'}."
    return f"{told}{_rename_for(found)}"


def _rename_for(found: Transfer) -> str:
    """The `rename` under which most names would be the same, if there is one."""
    for ours in found.missing:
        for theirs in found.unused:
            here, there = ours.removesuffix(theirs), theirs.removesuffix(ours)
            if here != ours and here.endswith("."):
                return f" Write `rename: {{'*': '{here}*'}}`."
            if there != theirs and there.endswith("."):
                return f" Write `rename: {{'{there}*': '*'}}`."
    return " Give layers the names that they have in the file, or write `rename`."
