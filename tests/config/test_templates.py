"""The starter configs of `trainkit init`."""

from __future__ import annotations

import re

import pytest

from trainkit.config import load_config
from trainkit.config.templates import template_names, write_template
from trainkit.errors import InputError, OutputError


def test_template_names_has_the_classifier():
    assert "classifier" in template_names()


@pytest.mark.parametrize("name", template_names())
def test_template_loads_and_says_how_to_go_on(name, tmp_path):
    write_template(name, tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml").experiment.name == name
    text = (tmp_path / "config.yaml").read_text()
    comment = re.match(r"(#.*\n)+", text)[0]
    assert "trainkit fit config.yaml" in comment
    assert f"trainkit deploy runs/{name}" in comment


def test_template_shows_an_override_that_works(tmp_path):
    write_template("classifier", tmp_path / "config.yaml")
    (shown,) = re.findall(r"trainkit fit config\.yaml (.+=.+)", (tmp_path / "config.yaml").read_text())
    experiment = load_config(tmp_path / "config.yaml", shown.split()).experiment
    assert experiment.training.epochs == 3
    assert experiment.model.layers[-1].arguments["units"] == 10


def test_write_template_leaves_a_file_alone(tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"config\.yaml exists and is left alone\. Name another file with --output\.$"):
        write_template("classifier", tmp_path / "config.yaml")
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_write_template_lists_the_known_ones(tmp_path):
    told = r"^unknown template 'clasifier'\. Did you mean 'classifier'\? Known: .*classifier.*\.$"
    with pytest.raises(InputError, match=told):
        write_template("clasifier", tmp_path / "config.yaml")
    assert list(tmp_path.iterdir()) == []


def test_write_template_says_why_it_cannot_write(tmp_path):
    with pytest.raises(OutputError, match=r"missing/config\.yaml cannot be written: No such file or directory\.$"):
        write_template("classifier", tmp_path / "missing" / "config.yaml")
