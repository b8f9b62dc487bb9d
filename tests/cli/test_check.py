"""`trainkit check`"""

import re
from pathlib import Path

import numpy as np
import pytest

from trainkit.cli.check import check

ROOT = Path(__file__).parents[2]
REVIEWS = """\
version: 1
name: reviews
data:
  source: {Npz: {path: reviews.npz, target: kind}}
  batch_size: 8
model:
  inputs: {words: {shape: [12], dtype: int32}}
  layers:
    - Embedding: {input_dim: 50, output_dim: 6}
    - LSTM: {units: 5}
      name: reader
    - Dense: {units: $classes, activation: softmax}
      name: kind
training:
  loss: SparseCategoricalCrossentropy
"""


@pytest.fixture
def reviews(tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "reviews.npz", words=random.integers(0, 50, (60, 12)), kind=random.integers(0, 2, 60))
    (tmp_path / "reviews.yaml").write_text(REVIEWS)
    return tmp_path / "reviews.yaml"


def test_check_shows_what_each_layer_costs_and_where_it_stands(small_config, capsys):
    check(small_config)
    shown = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.strip()}
    assert rows["input"] == ["InputLayer", "28×28×1", "–", "–", "3.14", "KB", "7"]
    assert rows["conv2d1"] == ["Conv2D", "12×12×6", "156", "21.6", "k", "3.46", "KB", "11"]
    assert rows["digit"] == ["Dense", "10", "3,010", "3.00", "k", "40", "B", "14"]
    assert rows["parameters"][0] == f"{156 + 660 + 3010:,}"
    assert max(map(len, shown.splitlines())) <= 100
    assert "no problems" in shown


def test_check_says_what_a_phone_needs_and_where(reviews, capsys):
    check(reviews)
    shown = capsys.readouterr().out
    told = "TFLite needs batch 1 for: reader (line 10). The file is made so. For any batch size write `unroll: true` in"
    assert f"{told} reader" in shown
    check(reviews, ["model.layers.reader.unroll=true"])
    assert "TFLite       its own operations are enough" in capsys.readouterr().out


def test_check_says_nothing_of_phones_where_nothing_is_for_them(reviews, capsys):
    check(reviews, ["deploy.export=[ONNX]"])
    assert "TFLite" not in capsys.readouterr().out


def test_check_tells_the_batch_size_of_the_config(small_config, capsys):
    check(small_config, ["data.batch_size=17"])
    assert re.search(r"about \S+ KB at batch size 17 \(an estimate", capsys.readouterr().out)


def test_check_says_what_the_documentation_shows(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    (shown,) = re.findall(r"```\n(sample_lenet5\n.*?)```", (ROOT / "docs/check.md").read_text(), flags=re.DOTALL)
    check(Path("configs/sample_lenet5.yaml"))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == shown.splitlines()
