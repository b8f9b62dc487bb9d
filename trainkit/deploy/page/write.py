"""`report.html` and `MODEL_CARD.md`, beside the exported files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trainkit import __version__
from trainkit.deploy.page.answered import Answered
from trainkit.deploy.page.facts import Facts, collect
from trainkit.deploy.page.render import render_card, render_code, render_page
from trainkit.deploy.page.usage import Usage, describe_usage
from trainkit.deploy.subject import CARD, PAGE, Subject
from trainkit.runs import write_text


def write_report(directory: Path, *, subject: Subject, proof: Answered) -> None:
    """Write the page and the model card of what was deployed.

    They tell what `verify.json`, `compression.json`, `sensitivity.json`, `benchmark.json` and `preprocess.json` in the
    same directory say, and what the run has written down; what is not there is left out.

    Args:
        directory: Where the exported files and their records stand.
        subject: What is deployed.
        proof: The samples, and the answers of the model that was trained.

    Raises:
        OutputError: If a file cannot be written.
    """
    facts = collect(directory, subject=subject, proof=proof)
    ranked = sorted(facts.files, key=lambda file: file != facts.choice.file)  # the recommended one first
    usages = [describe_usage(file, facts.about, facts.preprocess, render_code) for file in ranked if file.passed]
    sections = list(_sections(facts, usages))
    values = {"sections": sections, "facts": facts, "usages": usages, "trainkit": __version__}
    write_text(directory / PAGE, render_page(values))
    write_text(directory / CARD, render_card(values))


def _sections(facts: Facts, usages: Sequence[Usage]) -> Iterator[tuple[str, str]]:
    """The parts of the page for which there are facts: the name of the template, and the heading."""
    present = {
        ("files", "Files"): facts.files,
        ("quality", "How good the model is"): facts.quality,
        ("mistakes", "Worst mistakes"): facts.mistakes,
        ("usage", "How to use the files"): usages,
        ("latency", "Speed"): facts.latency,
        ("compression", "Compression"): facts.compression,
        ("parity", "Proof"): facts.files,
        ("sensitivity", "int8, layer by layer"): facts.sensitivity,
        ("training", "Training"): facts.training,
        ("data", "Data"): facts.data,
        ("network", "Network"): facts.network,
        ("limits", "What these figures do not say"): facts.limits,
        ("origin", "Origin and reproduction"): facts.origin,
    }
    yield from (section for section, known in present.items() if known)
