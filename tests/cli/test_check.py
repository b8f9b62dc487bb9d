"""`trainkit check`"""

import re
from pathlib import Path

import numpy as np
import pytest

from trainkit.cli.check import TargetName, check
from trainkit.models.targets import Target

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


def test_check_says_of_targets_what_the_documentation_shows(tmp_path, command):
    page = (ROOT / "docs/check.md").read_text()
    (written,) = re.findall(r"```yaml\n(version: 1\nname: phone\n.*?)```", page, flags=re.DOTALL)
    (shown,) = re.findall(r"```\n(TFLite       its own.*?)```", page, flags=re.DOTALL)
    (tmp_path / "phone.yaml").write_text(written)
    assert command("check", tmp_path / "phone.yaml", "--target", "tflite-gpu").out.endswith(shown)


BENT = """\
version: 1
name: bent
data:
  source: {Npz: {path: bent.npz, target: kind}}
  batch_size: 8
model:
  inputs: {rows: {shape: [6, 4]}}
  blocks:
    Unit:
      params: {units: required}
      layers:
        - Dense: {units: $units, activation: elu}
  layers:
    - Unit: {units: 5}
    - GlobalAveragePooling1D
    - Dense: {units: $classes, activation: softmax}
      name: kind
training:
  loss: SparseCategoricalCrossentropy
"""


@pytest.fixture
def bent(tmp_path):
    """A config of a network with elu in a block."""
    random = np.random.default_rng(0)
    np.savez(tmp_path / "bent.npz", rows=random.normal(size=(60, 6, 4)), kind=random.integers(0, 2, 60))
    (tmp_path / "bent.yaml").write_text(BENT)
    return tmp_path / "bent.yaml"


def test_check_refuses_what_a_target_cannot_do(bent, command):
    ended = command("check", bent, "--target", "tflite-int8")
    assert ended.code == 2
    assert "TFLite int8  2 of 3 layers are computed in integers" in ended.out
    assert "Stays in real numbers in an int8 file: unit1.dense1 (line 12: ELU). Use relu, gelu" in ended.out
    assert "bent.yaml: 1 problem" in ended.err
    assert "  12:11  model.blocks.Unit.layers[0]: unit1.dense1: Dense stays in real numbers" in ended.err
    assert "no problems" not in ended.out


def test_check_takes_several_targets_and_says_what_runs_well(bent, command):
    ended = command("check", bent, "model.blocks.Unit.layers[0].activation=relu", "--target", "tflite-gpu")
    assert ended.code == 2
    assert "TFLite int8  every layer is computed in integers" in ended.out
    assert "ONNX         every layer is in the file" in ended.out
    assert "TFLite GPU   2 of 3 layers are taken by the GPU delegate" in ended.out
    assert "unit1.dense1 (line 12: GATHER, RESHAPE, SHAPE)" in ended.out
    ended = command("check", bent, "--target", "onnx", "--target", "tflite")
    assert ended.code == 0


def test_check_refuses_files_only_where_the_config_itself_asks_for_them(bent, command):
    ended = command("check", bent)
    assert ended.code == 0
    assert "no problems, but not every file of the default `deploy.export`" in ended.out
    ended = command("check", bent, "deploy.export=[{TFLite: {precision: int8}}]")
    assert ended.code == 2
    assert "ELU" in ended.err
    ended = command("check", bent, "deploy.export=[TFLite]")
    assert ended.code == 0
    assert "int8" not in ended.out


@pytest.mark.parametrize("exclude", ["[unit1]", "auto"])
def test_check_accepts_a_layer_in_real_numbers_that_is_excluded(exclude, bent, command):
    exports = f"deploy.export=[{{TFLite: {{precision: int8, exclude: {exclude}}}}}]"
    ended = command("check", bent, exports)
    assert ended.code == 0
    assert "TFLite int8  2 of 3 layers are computed in integers" in ended.out
    assert "In real numbers, as `exclude` says: unit1.dense1 (line 12: ELU)" in ended.out
    assert "Stays in real numbers" not in ended.out
    assert ended.out.endswith("no problems\n")
    ended = command("check", bent, exports, "--target", "tflite-int8")
    assert ended.code == 2
    assert "unit1.dense1: Dense stays in real numbers" in ended.err


def test_check_tells_that_a_layer_can_be_excluded(bent, command):
    ended = command("check", bent, "deploy.export=[{TFLite: {precision: int8, exclude: [kind]}}]")
    assert ended.code == 2
    assert "name it in `exclude` of the int8 file, or leave int8 out" in ended.err


def test_check_finds_a_pattern_that_fits_only_what_leaves_nothing(bent, command):
    bent.write_text(bent.read_text().replace("- GlobalAv", "- Dropout: {rate: 0.1}\n    - GlobalAv"))
    ended = command("check", bent, "deploy.export=[{TFLite: {precision: int8, exclude: [unit1, dropout1]}}]")
    assert ended.code == 2
    assert "must name layers that the file computes. Received: 'dropout1' (Dropout)" in ended.err
    assert "Write 'unit1.dense1', or leave it out." in ended.err


def test_check_knows_what_is_quantized_of_recurrent_layers(reviews, command):
    ended = command("check", reviews, "deploy.export=[{TFLite: {precision: int8}}, ONNX]")
    assert ended.code == 0
    assert "TFLite int8  every layer is computed in integers" in ended.out
    ended = command("check", reviews, "deploy.export=[{ONNX: {precision: int8}}]")
    assert ended.code == 2
    assert "ONNX int8    2 of 3 layers are quantized" in ended.out
    assert "Cannot be int8 in an .onnx: reader (line 10). Nothing quantizes its steps" in ended.out
    assert "reader: LSTM cannot be int8 in an .onnx." in ended.err
    ended = command("check", reviews, "deploy.export=[{TFLite: {precision: int8}}]", "model.inputs.words.shape=[null]")
    assert ended.code == 2
    assert "reader (line 10) must have a fixed number of steps to be one of integers. Received: any." in ended.out
    assert "reader: LSTM must have a fixed number of steps to be one of integers. Received: any." in ended.err


def test_check_refuses_an_unknown_target(bent, command):
    ended = command("check", bent, "--target", "coreml")
    assert ended.code == 2
    assert "'tflite-int8'" in ended.err


def test_check_takes_every_target():
    assert {name.name: name.value for name in TargetName} == {target.name: target.value for target in Target}


def test_check_tells_of_a_teacher_and_of_its_place(small_config, small_run, command):
    told = command("check", small_config, f"training.distill={small_run.directory}")
    assert told.code == 0
    assert f"teacher: {small_run.directory}, temperature 2, weight 0.8" in told.out


@pytest.mark.parametrize("key", ["training.distill", "deploy.fine_tune.distill", "deploy.compress"])
def test_check_refuses_a_teacher_of_other_inputs(key, small_config, two_run, command):
    teacher = two_run.directory
    value = f"[Distill: {{teacher: {teacher}}}]" if key == "deploy.compress" else teacher
    told = command("check", small_config, f"{key}={value}")
    assert told.code == 2
    assert "`teacher` must take inputs of the network, input." in told.err
    assert key in told.err
