"""`trainkit zoo`: the list, a file, and what a copied file is good for."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from trainkit.config import load_config
from trainkit.config.zoo import zoo_files
from trainkit.models import build_model

CONFIG = """\
version: 1
include: my_net.yaml
name: copied
data: {source: Sample}
model:
  input: [28, 28, 1]
  layers:
    - LeNet5: {classes: $classes}
training: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


def test_zoo_lists_every_network_with_its_parameters(command):
    ended = command("zoo")
    assert ended.code == 0
    assert len(zoo_files()) >= 16
    rows = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    assert zoo_files().keys() <= rows.keys()
    assert re.split(r" {2,}", rows["LeNet5"].strip()) == [
        "LeNet5",
        "28×28×1",
        "431,080",
        "convolutions for small images, in the sizes of Caffe (LeCun et al. 1998)",
    ]


def test_zoo_fits_80_columns_and_needs_no_tensorflow():
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('TENSORFLOW' if 'tensorflow' in sys.modules else 'light', file=sys.stderr))\n"
        "from trainkit.cli import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code, "zoo"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "light\n")
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert "(He et al. 2015)" in " ".join(ended.stdout.split())


@pytest.mark.parametrize("name", [*zoo_files()])
def test_zoo_prints_the_file_as_it_is(name, command):
    ended = command("zoo", name)
    assert (ended.code, ended.out) == (0, zoo_files()[name].read_text())


def test_zoo_suggests_the_nearest_network(command):
    ended = command("zoo", "ResNet51")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(
        "error: unknown network 'ResNet51'. Did you mean 'ResNet50'? Known: AutoencoderToyAdmos"
    )


@pytest.fixture
def copied(command, tmp_path):
    """A config beside a copy of LeNet-5, which somebody has changed."""

    def copy(before="", after=""):
        text = command("zoo", "LeNet5").out
        assert before in text
        (tmp_path / "my_net.yaml").write_text(text.replace(before, after))
        (tmp_path / "config.yaml").write_text(CONFIG)
        return load_config(tmp_path / "config.yaml").experiment.model

    return copy


def test_copied_network_is_the_same(copied):
    assert build_model(copied(), {"classes": 10}, name="net").count_params() == 431_080


def test_copied_network_wins_over_that_of_the_zoo(copied):
    settings = copied("units: 500,", "units: 50,")
    expected = 431_080 - 450 * (800 + 1) - 450 * 10
    assert build_model(settings, {"classes": 10}, name="net").count_params() == expected


def test_copied_networks_do_not_get_in_each_others_way(command, tmp_path):
    """Their inner blocks have the same names."""
    names = ["ResNet8", "ResNet1D", "MobileNetV2", "ResNet50", "FCN1D"]
    for name in names:
        (tmp_path / f"{name}.yaml").write_text(command("zoo", name).out)
    files = ", ".join(f"{name}.yaml" for name in names)
    text = CONFIG.replace("my_net.yaml", f"[{files}]").replace("LeNet5", "ResNet8")
    (tmp_path / "config.yaml").write_text(text)
    assert {*load_config(tmp_path / "config.yaml").experiment.model.blocks} == {*names}
