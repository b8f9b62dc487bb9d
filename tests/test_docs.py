"""What the documentation shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainkit.config import Data, Deploy, Experiment, Model, Resize, Training, known_names, load_config
from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.sources import SOURCES
from trainkit.deploy.export import EXPORTERS
from trainkit.models import build_model
from trainkit.models.registry import LAYERS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
CONFIGS = [
    pytest.param(block, id=f"{page.name}-{index}")
    for page in PAGES
    for index, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL))
]
LANGUAGE = (ROOT / "docs/config.md").read_text()
DATA = (ROOT / "docs/data.md").read_text()


@pytest.mark.parametrize("block", CONFIGS)
def test_docs_show_configs_that_check(block, tmp_path):
    (tmp_path / "config.yaml").write_text(block)
    assert load_config(tmp_path / "config.yaml").experiment.version == 1


@pytest.mark.parametrize("block", CONFIGS)
def test_docs_show_networks_that_can_be_built(block, tmp_path):
    (tmp_path / "config.yaml").write_text(block)
    experiment = load_config(tmp_path / "config.yaml").experiment
    assert build_model(experiment.model, {"classes": 3}, name="net").output_names == experiment.model.output_names


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


THINGS = [
    *[("source", name, LANGUAGE) for name in SOURCES],
    *[("exporter", name, LANGUAGE) for name in EXPORTERS],
    *[("augmentation", name, DATA) for name in AUGMENTATIONS],
]


@pytest.mark.parametrize(("kind", "name", "text"), THINGS, ids=[name for _, name, _ in THINGS])
def test_docs_list_every_source_exporter_and_augmentation_with_its_arguments(kind, name, text):
    row = re.search(rf"^\| .*`{name}`.*", text, flags=re.MULTILINE)
    assert row
    assert [key for key in known_names(kind)[name] if not re.search(rf"`{key}\b", row[0])] == []


@pytest.mark.parametrize("name", [*LAYERS])
@pytest.mark.parametrize("text", [LANGUAGE, DATA], ids=["config", "data"])
def test_docs_tell_of_every_layer_of_our_own(name, text):
    assert re.search(rf"`{name}` \(`", text)


def test_docs_tell_how_images_are_sized():
    (row,) = re.findall(r"^\| `data\.resize` .*", LANGUAGE, flags=re.MULTILINE)
    assert [key for key in Resize.model_fields if f"{key}:" not in row] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs_link_to_files_that_exist(page):
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
