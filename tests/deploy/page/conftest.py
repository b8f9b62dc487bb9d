"""What the tests of the page share: real deploys, one of each kind of data, and the page as a browser reads it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.page import write_report
from trainkit.deploy.subject import open_run
from trainkit.framework import tf
from trainkit.runs import Run

BLOCKS = {"td", "th", "li", "dt", "dd", "p", "span", "br", "summary"}
VOID = {"meta", "img", "br", "wbr", "link", "input", "hr"}
HOSTILE = ('"><script>alert(1)</script>', "a|b *c* `d` [e](javascript:f) {{ 7 * 7 }} & ' <!--")
COLUMN = "<b onmouseover=alert(1)>|`'\""


class Page(HTMLParser):
    """A page, read strictly: its tags, in their order, and its texts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.open, self.faults = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) < len(attrs):
            self.faults.append(f"an attribute of {tag} stands twice")
        if tag in BLOCKS:
            self.texts.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        """All that is read, with single spaces."""
        return " ".join("".join(self.texts).split())

    @property
    def sections(self):
        """The ids of the parts."""
        return [attributes["id"] for tag, attributes in self.tags if tag == "section" and "id" in attributes]


@pytest.fixture(scope="session")
def read_page():
    """A report as it is read."""
    return lambda directory: Page((directory / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def deploy_copy():
    """Deploys a run in a directory that nobody else uses."""

    def deploy(run, folder, export):
        shutil.copytree(run.directory, folder / "001")
        return trainkit.deploy(folder / "001", [f"deploy.export={export}"], console=Console(file=io.StringIO()))

    return deploy


@pytest.fixture(scope="session")
def of_images(small_run, deploy_copy, tmp_path_factory):
    """A deploy of the small run: the run, and what `deploy` has answered."""
    folder = tmp_path_factory.mktemp("images")
    integers = "{precision: int8, input_type: uint8, output_type: int8}"
    deployment = deploy_copy(small_run, folder, f"[TFLite, TFLite: {integers}, ONNX, SavedModel]")
    return Run(folder / "001"), deployment


@pytest.fixture(scope="session")
def of_tables(two_run, deploy_copy, tmp_path_factory):
    """The same of the run with two inputs and two outputs."""
    folder = tmp_path_factory.mktemp("tables")
    return Run(folder / "001"), deploy_copy(two_run, folder, "[TFLite, ONNX]")


@pytest.fixture(scope="session")
def of_elsewhere(tmp_path_factory):
    """The directory of a deploy of a model that was made elsewhere, over a table whose names are hostile.

    By its weights, the model says the second class where four times the first column and the second are above 0.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    values = np.random.default_rng(2).normal(size=(60, 2))
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([COLUMN, "second", "kind"])
        writer.writerows([f"{a:.6f}", f"{b:.6f}", HOSTILE[int(a > 0)]] for a, b in values)
    data = {"source": {"Csv": {"path": "rows.csv"}}, "inputs": [COLUMN, "second"], "targets": "kind", "test_split": 0.5}
    (folder / "data.yaml").write_text(json.dumps({"version": 1, "name": "elsewhere", "data": data}))
    inputs = tf.keras.Input((2,), name="features")
    layer = tf.keras.layers.Dense(2, activation="softmax", name="kind")
    outputs = layer(inputs)
    layer.set_weights([np.outer([4, 1], [-1, 1]), np.zeros(2)])
    tf.keras.Model(inputs, outputs).save(folder / "model.keras")
    overrides = ["deploy.export=[ONNX, TFLite]"]
    return trainkit.deploy(
        folder / "model.keras", overrides, data=folder / "data.yaml", console=Console(file=io.StringIO())
    ).directory


@pytest.fixture
def again(of_images, tmp_path):
    """Writes the page of the images anew: `again(**records)` takes what the JSON files beside it hold instead."""
    original, deployment = of_images
    shutil.copytree(original.directory, tmp_path / "001")
    run = Run(tmp_path / "001")

    def write(**records):
        for name, record in records.items():
            (run.deploy / f"{name}.json").write_text(json.dumps(record))
        with open_run(run, []) as subject:
            write_report(run.deploy, subject=subject, proof=deployment.proof)
        return Page((run.deploy / "report.html").read_text(encoding="utf-8"))

    write.run = run
    return write


@pytest.fixture(scope="session")
def hostile():
    """The names of the classes and of a column of `of_elsewhere`."""
    return HOSTILE, COLUMN
