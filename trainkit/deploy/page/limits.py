"""What the figures do not say: what was not run, and how far chance goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trainkit.deploy.page.files import FileFacts
from trainkit.deploy.page.latency import LatencyFacts
from trainkit.deploy.page.quality import Quality
from trainkit.deploy.parity import CHANGES, UNSTABLE
from trainkit.deploy.wording import share_text
from trainkit.errors import counted

FEW = 1_000
"""Fewer samples are worth a warning."""
ROUGH = 30
"""Of a class with fewer samples, precision and recall say little."""


def limits_of(
    files: Sequence[FileFacts],
    qualities: Sequence[Quality],
    latency: LatencyFacts | None,
    *,
    role: str,
    samples: int,
) -> Iterator[str]:
    """Sentences on what the figures do not say.

    Args:
        files: What was measured of each.
        qualities: How right each output is.
        latency: How fast the files are, if that was measured.
        role: The part of the data that files are proved on.
        samples: How many of its samples.
    """
    yield (
        "No phone, GPU, NPU or microcontroller has run these files: they were run by LiteRT and ONNX Runtime on a CPU. "
        "Try the file that you ship on the device that it is for."
    )
    if latency is None:
        yield "No speed was measured: trainkit benchmark does that, on the computer that it runs on."
    else:
        yield (
            "Times are those of this computer, under whatever else it was doing: they rank the files, and foretell no "
            "phone."
        )
    yield from _on_samples(qualities, role, samples)
    yield from _on_integers(files)
    yield (
        "All samples come from one source. How the model does on other cameras, places, people or times was not "
        "measured."
    )


def _on_integers(files: Sequence[FileFacts]) -> Iterator[str]:
    margins = {file.precision: file.least_margin for file in files if file.least_margin is not None}
    for precision, least_margin in margins.items():
        yield (
            f"An {precision} file may answer otherwise where the model itself is not sure (a lead of {least_margin} or "
            f"less), and in 1 of {1 / CHANGES:,.0f} of its sure answers, or one."
        )
    for file in files:
        for row in file.parity:
            if row.floor is not None:
                of = f" of “{row.output}”" if row.output else ""
                yield (
                    f"Moved by half a step, its inputs change {counted(row.floor, 'sure answer')}{of} of the model "
                    f"itself: {file.name} may change as many, but no more than 1 in {1 / UNSTABLE:.0f}."
                )


def _on_samples(qualities: Sequence[Quality], role: str, samples: int) -> Iterator[str]:
    if role != "test":
        yield (
            f"There is no test set: the figures are of the {role} samples, which also chose what was kept, and "
            "flatter. The setting data.test_split takes some of the samples."
        )
    for one in qualities:
        if one.interval is not None:
            low, high = one.interval
            points = 100 * (high - low) / 2
            yield (
                f"The accuracy of “{one.output}” is that of {counted(one.samples, 'sample')}: with 95% certainty it "
                f"lies between {share_text(low)} and {share_text(high)}. Between models that were tried on different "
                f"samples, differences below about {points:.2f} points say nothing."
            )
            if least := [row for row in one.per_class if row.support < ROUGH]:
                have, them = ("has", "it") if len(least) == 1 else ("have", "them")
                yield (
                    f"{counted(len(least), 'class', 'classes')} of “{one.output}” {have} fewer than {ROUGH} samples: "
                    f"precision and recall of {them} are rough."
                )
    if samples < FEW:
        yield f"{counted(samples, 'sample')} are few: rare mistakes do not show in them."
