"""What the documentation shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainkit.config import load_config
from trainkit.config.settings import Data, Deploy, Experiment, Model, Training
from trainkit.data.sources import SOURCES
from trainkit.deploy.export import EXPORTERS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
CONFIGS = [
    pytest.param(block, id=f"{page.name}-{index}")
    for page in PAGES
    for index, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL))
]
LANGUAGE = (ROOT / "docs/config.md").read_text()


@pytest.mark.parametrize("block", CONFIGS)
def test_docs_show_configs_that_check(block, tmp_path):
    (tmp_path / "config.yaml").write_text(block)
    assert load_config(tmp_path / "config.yaml").experiment.version == 1


def test_docs_show_overrides_that_are_taken(tmp_path):
    overrides = re.search(r"without the Capitalised key:\n\n```\n(.*?)```", LANGUAGE, flags=re.DOTALL)[1].splitlines()
    text = next(parameter.values[0] for parameter in CONFIGS if parameter.id == "config.md-0")
    (tmp_path / "config.yaml").write_text(text)
    assert len(overrides) == 6
    for override in overrides:
        load_config(tmp_path / "config.yaml", [override.replace("'", "")])


@pytest.mark.parametrize(
    ("section", "settings"),
    [("", Experiment), ("data.", Data), ("model.", Model), ("training.", Training), ("deploy.", Deploy)],
    ids=["top", "data", "model", "training", "deploy"],
)
def test_docs_list_every_setting(section, settings):
    sections = {"data", "model", "training", "deploy"}
    missing = [key for key in settings.model_fields if key not in sections and f"| `{section}{key}` |" not in LANGUAGE]
    assert missing == []


@pytest.mark.parametrize("name", [*SOURCES, *EXPORTERS])
def test_docs_list_every_source_and_exporter(name):
    assert re.search(rf"^\| .*`{name}`", LANGUAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs_link_to_files_that_exist(page):
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
