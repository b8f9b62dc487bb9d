"""What the documentation shows is true."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from trainkit.config import Data, Deploy, Experiment, Model, Resize, Training, known_names, load_config
from trainkit.config.yaml_reader import read_text
from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.sources import SOURCES
from trainkit.deploy.export import EXPORTERS
from trainkit.errors import ConfigError
from trainkit.models import build_model
from trainkit.models.registry import LAYERS
from trainkit.training.phases import phase_lines, phases_of, with_states

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
NETWORKS = (ROOT / "docs/language.md").read_text()


CLASSIFIER = """\
model: {input: [28, 28, 1], layers: [Flatten, {Dense: {units: $classes, activation: softmax}}]}
"""


def blocks_of(text, kind="yaml"):
    return re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)


def is_part(block):
    """Whether an example is a file that others include."""
    return block.startswith("# ")


def whole(block):
    """An example as a whole configuration: what does not begin as one is a section, or the `model:` of one."""
    if block.startswith("version:"):
        return block
    if block.startswith(("deploy:", "training:")):
        learning = "training:\n  loss: SparseCategoricalCrossentropy\n"
        sections = block.replace("training:\n", learning) if "training:\n" in block else f"{learning}{block}"
        return f"version: 1\nname: example\ndata: {{source: Sample}}\n{CLASSIFIER}{sections}"
    outputs = (read_text(block, source="docs", directory=ROOT).data or {}).get("outputs")
    loss = dict.fromkeys(outputs, "MeanSquaredError") if outputs else "MeanSquaredError"
    model = textwrap.indent(block, "  ")
    return (
        f"version: 1\nname: example\ndata: {{source: Sample}}\nmodel:\n{model}training: {json.dumps({'loss': loss})}\n"
    )


PARTS = [block for block in blocks_of(NETWORKS) if is_part(block)]
CONFIGS = [
    pytest.param(whole(block), id=f"{page.name}-{index}")
    for page in PAGES
    for index, block in enumerate(blocks_of(page.read_text()))
    if not is_part(block) and "custom_code:" not in block  # tests/integration/test_custom_code.py runs that
]
RESULTS = [
    pytest.param(whole(block), " ".join(result.split()), id=str(index))
    for index, (block, result) in enumerate(
        re.findall(r"```yaml\n((?:(?!```).)*)```\n→ (.*?)\n\n", NETWORKS, flags=re.DOTALL)
    )
]


@pytest.fixture
def load_example(tmp_path):
    """Loads an example, beside the files that examples include."""
    for part in PARTS:
        (tmp_path / part.split()[1]).write_text(part)

    def load(text):
        (tmp_path / "config.yaml").write_text(text)
        return load_config(tmp_path / "config.yaml")

    return load


LANGUAGE = (ROOT / "docs/config.md").read_text()
DATA = (ROOT / "docs/data.md").read_text()


@pytest.mark.parametrize("block", CONFIGS)
def test_docs_show_configs_that_check(block, load_example):
    assert load_example(block).experiment.version == 1


@pytest.mark.parametrize("block", [one for one in CONFIGS if "weights: imagenet" not in one.values[0]])
def test_docs_show_networks_that_can_be_built(block, load_example):
    experiment = load_example(block).experiment
    assert build_model(experiment.model, {"classes": 3}, name="net").output_names == experiment.model.output_names


@pytest.mark.parametrize(("block", "result"), RESULTS)
def test_docs_tell_what_comes_of_a_network(block, result, load_example):
    model = load_example(block).experiment.model
    built = build_model(model, {"classes": 10}, name="net")
    assert f"{built.count_params():,} parameters" in result
    layers = re.findall("`(.*?)`", re.search(r"layers (.*?)[.;]( |$)", result)[1])
    assert layers == list(dict.fromkeys(call.layer for call in model.network.calls.values()))
    if outputs := re.search("outputs (.*)", result):
        assert re.findall("`(.*?)`", outputs[1]) == built.output_names


def test_docs_tell_what_comes_of_every_network():
    assert len(RESULTS) == len([block for block in blocks_of(NETWORKS) if not is_part(block)]) > 10


def test_docs_tell_what_learns_in_each_phase(load_example):
    text = (ROOT / "docs/fine-tuning.md").read_text()
    (told,) = re.findall(r"```\n(head, .*?)```", text, flags=re.DOTALL)
    (block,) = (block for block in blocks_of(text) if "name: three_phases" in block)
    experiment = load_example(block).experiment
    model = build_model(experiment.model, {"classes": 10}, name="net")
    assert [*phase_lines(with_states(phases_of(experiment), model))] == told.splitlines()


def test_docs_show_problems_as_they_are_told(load_example):
    (wrong,) = blocks_of(NETWORKS, "yml")
    (told,) = re.findall(r"```\n(config.yaml: .*?)```", NETWORKS, flags=re.DOTALL)
    with pytest.raises(ConfigError) as caught:
        load_example(whole(wrong))
    assert str(caught.value).splitlines()[1:] == told.splitlines()[1:]


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
def test_docs_tell_of_every_layer_of_our_own(name):
    assert re.search(rf"`{name}` \(`", LANGUAGE)


def test_docs_tell_of_missing_numbers():
    assert re.search(r"`Impute` \(`", DATA)


def test_docs_tell_how_images_are_sized():
    (row,) = re.findall(r"^\| `data\.resize` .*", LANGUAGE, flags=re.MULTILINE)
    assert [key for key in Resize.model_fields if f"{key}:" not in row] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs_link_to_files_that_exist(page):
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
