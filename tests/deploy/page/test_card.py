"""The model card: its sections, its figures, and names that stay names."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]
"""Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, figure 1."""


def read_card(directory):
    """The tokens of a card, those inside lines too."""
    text = (directory / "MODEL_CARD.md").read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text)
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


@pytest.fixture(params=["of_images", "of_tables", "of_elsewhere"])
def card(request):
    found = request.getfixturevalue(request.param)
    return read_card(found[0].deploy if isinstance(found, tuple) else found)


def test_card_has_the_sections_of_the_paper(card):
    titles = [after.content for token, after in pairwise(card) if token.type == "heading_open" and token.tag == "h2"]
    assert titles == SECTIONS


def test_card_holds_no_html_and_no_links_of_others(card):
    assert not [token.content for token in card if token.type in ("html_inline", "html_block", "image")]
    assert {token.attrs["href"] for token in card if token.type == "link_open"} == {"report.html"}


def test_tables_of_a_card_have_as_many_cells_in_every_row(card):
    rows, cells = [], 0
    for token in card:
        if token.type == "table_open":
            rows = []
        elif token.type in ("td_open", "th_open"):
            cells += 1
        elif token.type == "tr_close":
            rows.append(cells)
            cells = 0
        elif token.type == "table_close":
            assert len(rows) > 1
            assert len(set(rows)) == 1


def test_card_leaves_to_the_owner_what_only_the_owner_knows(of_images):
    text = (of_images[0].deploy / "MODEL_CARD.md").read_text(encoding="utf-8")
    for part in ("Intended use", "Ethical considerations"):
        section = text[text.index(f"## {part}") :].split("\n## ", 1)[0]
        lines = [line for line in section.splitlines()[1:] if line.strip()]
        assert all("to be filled in by the owner" in line.lower() for line in lines)


def test_card_has_the_figures_of_the_run(of_images):
    run, deployment = of_images
    text = (run.deploy / "MODEL_CARD.md").read_text(encoding="utf-8")
    test = json.loads(run.metrics.read_text())["test"]
    assert re.search(rf"\| digit \| 2,000 test samples \| accuracy {test['accuracy']:.2%} \| \d", text)
    for file in deployment.files:
        assert (
            f"| `{file.file}` | {file.precision} | {file.bytes:,} | {file.gzip_bytes:,} | {file.accuracy:.2%} |" in text
        )
    assert run.read_manifest()["ended"] in text


def test_names_of_users_stay_names(of_elsewhere, hostile):
    shown = "".join(token.content for token in read_card(of_elsewhere) if token.type in ("text", "text_special"))
    classes, _ = hostile
    for name in classes:
        assert name in shown
