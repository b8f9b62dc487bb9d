"""The page that `deploy` writes: what it says, that it is whole, and that nothing breaks out of it."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
import shlex
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.page import network

COLOUR = re.compile(r"#[0-9a-f]{3,8}\b")


@pytest.fixture(params=["of_images", "of_tables", "of_elsewhere"])
def page(request, read_page):
    """The page of every kind."""
    found = request.getfixturevalue(request.param)
    return read_page(found[0].deploy if isinstance(found, tuple) else found)


def test_page_is_well_formed(page):
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"] for tag, attributes in page.tags if tag == "a"} <= {f"#{one}" for one in ids}


def test_page_needs_nothing_from_elsewhere(page):
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    sources = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "srcset")]
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on") or key == "style"]


def test_headings_go_down_a_level_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_pictures_say_what_they_show(page):
    drawn = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert drawn
    assert all(one.get("aria-hidden") == "true" or one.get("role") == "img" for one in drawn)
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")


def test_every_colour_has_one_in_the_dark(of_images):
    text = (of_images[0].deploy / "report.html").read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    light, dark = (set(re.findall(r"(--[a-z-]+): *(?:#|0 )", one)) for one in style.split("@media screen", 1))
    assert light
    assert light - {"--shadow"} <= dark
    assert set(re.findall(r"var\((--[a-z-]+)\)", style)) <= light | {"--sans", "--mono"}
    assert "url(" not in style
    assert "@import" not in style
    picture = text[text.index('<svg class="network"') :]
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', picture[: picture.index("</svg>")]))
    assert used
    assert all(f'[fill="{colour}"]' in style for colour in used)


def test_page_answers_first_what_a_person_asks(of_images, read_page):
    run, deployment = of_images
    page, metrics = read_page(run.deploy), json.loads(run.metrics.read_text())
    accuracy, smallest = metrics["test"]["accuracy"], min(deployment.files, key=lambda file: file.bytes)
    head = page.text[: page.text.index("Every file was run")]
    assert "✓ 4 of 4 files" in head
    assert f"{accuracy:.2%} accuracy on 2,000 test samples" in head
    assert "Ship this file" in head
    assert smallest.file in head
    assert f"{smallest.bytes:,} bytes" in head
    assert ("not measured" in head) == (not (run.deploy / "benchmark.json").exists())


def test_page_has_the_parts_that_there_are_facts_for(of_images, of_elsewhere, read_page):
    parts = [
        "files",
        "quality",
        "mistakes",
        "usage",
        "latency",
        "parity",
        "training",
        "data",
        "network",
        "limits",
        "origin",
    ]
    for directory, absent in ((of_images[0].deploy, {}), (of_elsewhere, {"training"})):
        untimed = {"latency"} if not (directory / "benchmark.json").exists() else {}
        assert read_page(directory).sections == [part for part in parts if part not in {*absent, *untimed}]


def test_page_has_every_file_with_its_figures(of_images, read_page):
    run, deployment = of_images
    text = read_page(run.deploy).text
    for file in deployment.files:
        assert file.sha256 in text
        assert f"{file.accuracy:.2%}" in text
        assert file.parity.reason.replace("e-0", "e−0") in text


def test_page_tells_of_training_and_data(of_images, read_page):
    run, _ = of_images
    text, manifest = read_page(run.deploy).text, run.read_manifest()
    best = json.loads(run.metrics.read_text())["best"]
    assert f"The weights of epoch {best['epoch']} were kept: its val_loss, {best['value']:.4g}, was the best." in text
    assert manifest["data"]["fingerprint"] in text
    assert manifest["model_sha256"] in text
    assert "9,000 train, 1,000 validation, 2,000 test" in text
    assert "the network begins with Rescaling: {scale: $(1/255)}" in text
    assert run.config.read_text().splitlines()[0] in text
    with run.history.open() as stream:
        last = list(csv.DictReader(stream))[-1]
    assert f"{float(last['val_loss']):.4g}" in text


def test_worst_mistake_is_the_wrong_answer_that_the_model_was_surest_of(of_images, read_page):
    run, _ = of_images
    test = load_data(load_config(run.resolved)).test
    images, labels = test.first_inputs(test.size)["input"], test.labels("digit")
    answers = trainkit.load(run.model)(images)
    sure = np.where(answers.argmax(axis=1) == labels, 0.0, answers.max(axis=1))
    worst = int(sure.argmax())
    page = read_page(run.deploy)
    first = next(attributes["src"] for tag, attributes in page.tags if tag == "img")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(first.split(",", 1)[1]))))
    np.testing.assert_array_equal(shown, images[worst, ..., 0].astype(np.uint8))
    assert f"said {answers[worst].argmax()} ({sure[worst]:.2%})" in page.text
    assert f"{int((sure > 0).sum())} samples of 2,000 were answered wrongly" in page.text


def test_largest_error_of_numbers_comes_first(of_tables, read_page):
    run, deployment = of_tables
    proof = deployment.proof
    error = np.abs(proof.outputs["size"] - proof.targets["size"]).max(axis=1)
    text = read_page(run.deploy).text
    part = text[text.index("whose numbers are farthest") :]
    found = [float(word) for word in re.findall(r"-?\d+\.\d+", part)]
    true, said = proof.targets["size"][error.argmax()], proof.outputs["size"][error.argmax()]
    assert found[:5] == pytest.approx([*true, *said, error.max()], rel=1e-3)


def test_command_that_is_shown_exports_the_same_files(of_images, read_page):
    run, _ = of_images
    text = (run.deploy / "report.html").read_text(encoding="utf-8")
    commands = re.search(r"<pre tabindex=\"0\">(trainkit fit config.yaml\n.*?)</pre>", text, re.DOTALL)
    words = shlex.split(html.unescape(commands[1]).splitlines()[-1])
    assert words[:2] == ["trainkit", "deploy"]
    config = load_config(run.resolved, words[3:])
    assert [node.class_name for node in config.experiment.deploy.export] == ["TFLite", "TFLite", "ONNX", "SavedModel"]
    assert config.experiment.deploy.export[1].arguments == {
        "precision": "int8",
        "input_type": "uint8",
        "output_type": "int8",
    }


def test_page_is_the_same_for_the_same_facts(again):
    again()
    first = (again.run.deploy / "report.html").read_bytes(), (again.run.deploy / "MODEL_CARD.md").read_bytes()
    again()
    assert ((again.run.deploy / "report.html").read_bytes(), (again.run.deploy / "MODEL_CARD.md").read_bytes()) == first
    assert len(first[0]) < 1_500_000


def test_network_that_cannot_be_read_costs_no_page(again, monkeypatch):
    def fail(*arguments, **options):
        raise ValueError("no such layer")

    monkeypatch.setattr(network, "draw_network", fail)
    page = again()
    assert "network" not in page.sections
    assert "files" in page.sections


def test_figures_without_those_of_the_run_are_those_of_the_samples(again):
    before = again().text
    again.run.metrics.unlink()
    again.run.history.unlink()
    page = again()
    assert "training" not in page.sections
    assert re.search(r"\d+\.\d+% of 2,000 test samples are answered rightly, \d+ wrongly", before)[0] in page.text
    assert page.faults == []


@pytest.mark.parametrize("name", ["verify", "preprocess"])
def test_damaged_record_leaves_its_part_out(name, again):
    (again.run.deploy / f"{name}.json").write_text("[1, ")
    page = again()
    assert page.faults == []
    assert ("files" in page.sections) == (name != "verify")


def test_names_of_users_stay_texts(of_elsewhere, read_page, hostile):
    page = read_page(of_elsewhere)
    classes, column = hostile
    for name in (*classes, column):
        assert " ".join(name.split()) in page.text
    assert "b" not in {tag for tag, attributes in page.tags if attributes.get("onmouseover")}
    titles = [attributes["title"] for tag, attributes in page.tags if tag == "th" and "title" in attributes]
    assert set(titles) == set(classes)
