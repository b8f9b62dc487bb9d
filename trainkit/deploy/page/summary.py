"""What a page says first: is it right, how good, how small, how fast, what to ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainkit.deploy.page.files import FileFacts
from trainkit.deploy.page.latency import LatencyFacts
from trainkit.deploy.page.quality import Quality
from trainkit.deploy.wording import number_text, share_text, size_text, time_text
from trainkit.errors import counted

MOST_DROP = 0.5
"""Points of accuracy that the file which is recommended may lose."""
ALIKE = 1.05
"""Files whose sizes differ by less are equally small."""
_LIGHTEST = ("int8", "int16x8", "dynamic", "float16", "float32")


@dataclass(frozen=True)
class Tile:
    """One answer.

    Args:
        question: In a word or two.
        answer: Large.
        detail: A sentence below it.
        mood: `good`, `bad` or nothing.
    """

    question: str
    answer: str
    detail: str
    mood: str = ""


@dataclass(frozen=True)
class Choice:
    """The file to ship, and why this one; None where no file is fit."""

    file: FileFacts | None
    reason: str


def choose_file(files: Sequence[FileFacts]) -> Choice:
    """Choose the file that is recommended.

    Of the files that answer like their model, those for phones before others; of these, those that lose little
    accuracy, and of these the smallest; among equally small ones, integers before real numbers.
    """
    passed = [file for file in files if file.passed]
    if not passed:
        return Choice(None, "No file answers like the model: none of them should be shipped.")
    mobile = [file for file in passed if file.name.endswith(".tflite")] or passed
    close = [file for file in mobile if (file.drop_points or 0.0) <= MOST_DROP]
    if not close:
        best = min(mobile, key=lambda file: (file.drop_points or 0.0, file.bytes))
        return Choice(best, f"All files lose more than {MOST_DROP} points of accuracy: this one loses least.")
    least = min(file.bytes for file in close)
    small = [file for file in close if file.bytes <= ALIKE * least]
    best = min(small, key=lambda file: (_rank(file.precision), file.bytes, file.name))
    where = " for phones" if best.name.endswith(".tflite") else ""
    if len(small) == 1:
        return Choice(best, f"The smallest file{where} that answers like the model.")
    why = best.arithmetic if best.is_integers else f"is the lightest: {best.precision}"
    return Choice(best, f"Among the smallest files{where} that answer like the model, it {why}.")


def _rank(precision: str) -> int:
    return _LIGHTEST.index(precision) if precision in _LIGHTEST else len(_LIGHTEST)


def tiles_of(
    files: Sequence[FileFacts],
    qualities: Sequence[Quality],
    choice: Choice,
    latency: LatencyFacts | None,
    *,
    failed: int,
    model_bytes: int,
) -> tuple[Tile, ...]:
    """The answers, in the order in which a person asks.

    Args:
        files: What was measured of each.
        qualities: How right each output is.
        choice: The file that is recommended.
        latency: How fast the files are, if that was measured.
        failed: How many files could not be made.
        model_bytes: Of the trained weights.
    """
    return (
        _is_right(files, failed),
        *map(_how_good, qualities),
        _how_small(choice, files, model_bytes),
        _how_fast(choice, latency),
    )


def _is_right(files: Sequence[FileFacts], failed: int) -> Tile:
    passed, samples = sum(file.passed for file in files), max((file.samples for file in files), default=0)
    told = [f"answer like the model on {counted(samples, 'sample')}."]
    if rejected := len(files) - passed:
        told.append(f"{rejected} {'is' if rejected == 1 else 'are'} rejected.")
    if failed:
        told.append(f"{failed} could not be made.")
    mood = "bad" if rejected or failed else "good"
    return Tile("Is it right?", f"{passed} of {len(files) + failed} files", " ".join(told), mood)


def _how_good(quality: Quality) -> Tile:
    question = f"How good is “{quality.output}”?"
    where = f"{quality.samples:,} {quality.role} samples"
    if quality.accuracy is not None:
        told = f"accuracy on {where}{_interval(quality)}."
        if not quality.beats_baseline:
            told += f" Always answering the most frequent class would be right for {share_text(quality.baseline)}."
        return Tile(question, share_text(quality.accuracy), told, "" if quality.beats_baseline else "bad")
    numbers = quality.numbers or {}
    told = f"root mean squared error on {where}; R² {number_text(numbers.get('r2'))}."
    return Tile(question, number_text(numbers.get("rmse")), told)


def _interval(quality: Quality) -> str:
    if quality.interval is None:
        return ""
    low, high = quality.interval
    return f"; 95% interval {share_text(low)} to {share_text(high)}"


def _how_small(choice: Choice, files: Sequence[FileFacts], model_bytes: int) -> Tile:
    if choice.file is None:
        return Tile("How small?", size_text(model_bytes), "the trained model; no file is fit to be shipped.")
    file = choice.file
    told = [f"{size_text(file.gzip_bytes)} after gzip"]
    if model_bytes > file.bytes:
        told.append(f"{model_bytes / file.bytes:.1f}× smaller than the weights in float32")
    return Tile("How small?", size_text(file.bytes), f"{'; '.join(told)}.")


def _how_fast(choice: Choice, latency: LatencyFacts | None) -> Tile:
    found = latency.of(choice.file.name) if latency and choice.file else None
    if found is None:
        return Tile("How fast?", "not measured", "trainkit benchmark measures it.")
    told = f"a sample, median on this computer, {counted(found.threads, 'thread')}"
    return Tile("How fast?", time_text(found.p50), f"{told}; 95% take at most {time_text(found.p95)}.")
