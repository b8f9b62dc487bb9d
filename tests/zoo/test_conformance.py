"""What holds for every network of the zoo."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from trainkit.config import Model, evaluate, known_names
from trainkit.config.zoo import zoo_data, zoo_files
from trainkit.config.zoo_header import zoo_header, zoo_text
from trainkit.framework import tf

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/zoo.md").read_text()
NAMES = [*zoo_files()]
QUICK = {
    "VGG16": {"width": 8, "units": 16},
    "ResNet50": {"width": 8, "depths": [1, 1, 1, 1]},
    "ResNet101": {"width": 8, "depths": [1, 1, 1, 1]},
    "ResNet152": {"width": 8, "depths": [1, 1, 1, 1]},
    "MobileNetV1": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.2},
}
"""Arguments that make a large network train a step in no time."""
SMALLER = {name: [64, 64, 3] for name in [*QUICK, "UNet"]}
"""Their inputs."""
ARGUMENTS = [
    pytest.param(name, key, default, id=f"{name}-{key}")
    for name in NAMES
    for key, default in zoo_data(name)["blocks"][name]["params"].items()
]


@pytest.fixture(scope="module")
def small(network):
    """Every network, small enough to train, and the shape of its input."""

    @cache
    def make(name):
        shape = SMALLER.get(name) or [side or 20 for side in zoo_data(name)["input"]]
        return network(name, shape=shape, **QUICK.get(name, {})), shape

    return make


def test_zoo_is_not_empty():
    assert len(NAMES) >= 16


@pytest.mark.parametrize("name", NAMES)
def test_file_holds_one_network_of_its_name_and_nothing_else(name):
    assert [*zoo_data(name)] == ["input", "blocks"]
    assert [*zoo_data(name)["blocks"]] == [name]
    assert name not in known_names("layer")
    others = re.findall(rf"\b(?:{'|'.join(NAMES)})\b", zoo_text(name).replace(f"applications.{name}", ""))
    assert {*others} == {name}


@pytest.mark.parametrize("name", NAMES)
def test_file_is_narrow_and_clean(name):
    lines = zoo_text(name).split("\n")
    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line != line.rstrip() or "\t" in line] == []
    assert (lines[-1], lines[-2] != "") == ("", True)


@pytest.mark.parametrize("name", NAMES)
def test_header_tells_what_the_network_is(name):
    header = zoo_header(name)
    assert header.name == name
    assert re.fullmatch(r"[^.]{10,75}", header.summary)
    assert re.search(r": .*\b(19|20)\d\d\b", header.paper)
    assert header.shape == "×".join("any" if side is None else str(side) for side in zoo_data(name)["input"])


@pytest.mark.parametrize("name", NAMES)
def test_docs_have_a_row_that_says_the_same(name):
    header = zoo_header(name)
    (row,) = re.findall(rf"^\| \[`{name}`\].*", DOCS, flags=re.MULTILINE)
    told = [header.summary, header.shape, f"{header.parameters:,}", ", ".join(f"`{key}`" for key in header.arguments)]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [*told, header.citation]


@pytest.mark.parametrize("name", NAMES)
def test_files_are_shipped(name):
    """With the package: the patterns of `package-data` are of what stands beside the code."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["trainkit"]
    assert any(zoo_files()[name].relative_to(ROOT / "trainkit").match(pattern) for pattern in patterns)


@pytest.mark.parametrize("name", NAMES)
def test_header_explains_every_argument(name):
    assert [*zoo_header(name).arguments] == [*zoo_data(name)["blocks"][name]["params"]]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in ("ResNet101", "ResNet152") else name for name in NAMES],
)
def test_header_shows_a_model_that_can_be_built(name, built):
    use = zoo_header(name).use
    assert 4 <= len(use.splitlines()) <= 6
    assert f"- {name}" in use
    written = yaml.safe_load(use)["model"]
    model = built(Model.model_validate(written), {"classes": 3}, zeros=True)
    assert model.input_shape[1:] == tuple(written["input"])


@pytest.mark.parametrize("name", NAMES)
def test_network_trains_a_step(name, small):
    model, shape = small(name)
    random = np.random.default_rng(2)
    inputs = random.normal(size=(2, *shape)).astype("float32")
    is_classifier = "classes" in zoo_header(name).arguments
    targets = random.integers(0, 2, model(inputs).shape[:-1]) if is_classifier else inputs
    loss = "sparse_categorical_crossentropy" if is_classifier else "mse"
    kernels = [weight for weight in model.trainable_weights if len(weight.shape) > 1]
    before = [kernel.numpy() for kernel in kernels]
    model.compile(tf.keras.optimizers.legacy.Adam(), loss, run_eagerly=True)
    assert np.isfinite(model.train_on_batch(inputs, targets))
    assert before
    assert all((kernel.numpy() != left).any() for kernel, left in zip(kernels, before, strict=True))


@pytest.mark.parametrize("name", [name for name in NAMES if "classes" in zoo_header(name).arguments])
def test_classifier_gives_probabilities(name, small):
    model, shape = small(name)
    answers = model(np.random.default_rng(3).normal(size=(2, *shape)).astype("float32")).numpy()
    assert answers.shape[-1] == evaluate(zoo_data(name)["blocks"][name]["params"]["classes"], {})
    np.testing.assert_allclose(answers.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(("name", "key", "default"), ARGUMENTS)
def test_every_argument_changes_something(name, key, default, settings_of):
    usual, other = settings_of(name), settings_of(name, **{key: _another(key, default)})
    assert _written_out(usual) != _written_out(other)


@pytest.mark.parametrize("name", [name for name in NAMES if zoo_header(name).parameters < 10**6])
def test_network_with_other_arguments_can_be_built(name, network):
    usual = zoo_data(name)["blocks"][name]["params"]
    others = {key: _another(key, default) for key, default in usual.items()}
    assert network(name, zeros=True, **others).count_params() > network(name, zeros=True).count_params()


def _another(key, default):
    match default:
        case bool():
            return not default
        case int():
            return default + 1 if key != "dropout" else 0.5
        case float():
            return default / 2
        case str():
            return "tanh"
        case list():
            return [item + 1 for item in default]


def _written_out(settings):
    return [
        (call.name, call.inputs, call.node.class_name, repr(call.node.arguments))
        for call in settings.network.calls.values()
    ]
