"""Every step on networks that are no LeNets, from the config to files that were proved."""

from __future__ import annotations

import io
import shutil

import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.compress import COMPRESSORS
from trainkit.runs import Run

CONFIG = """\
version: 1
name: {name}
data:
  source: {{Npz: {{path: digits.npz, test: digits_test.npz}}}}
  batch_size: 50
  validation_split: 0.2
model:
  input: [14, 14, 1]
  preprocess:
    - Rescaling: {{scale: $(1/255)}}
  layers: {layers}
training:
  epochs: 4
  optimizer: {{Adam: {{learning_rate: 3e-3}}}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
deploy: {{benchmark: false}}
"""
DIGIT = "{Dense: {units: $classes, activation: softmax}, name: digit}"
ROWS = "{Cropping2D: {cropping: 2}}, {Reshape: {target_shape: [10, 10]}}"
"""Without rows that are always 0, of which no file of integers can be made: see docs/int8.md."""
NETWORKS = {
    "residual": "[{ResNet8: {classes: $classes}}]",
    "recurrent": f"[{ROWS}, {{LSTM: {{units: 24, unroll: true}}}}, {{Dense: {{units: 32}}}}, {DIGIT}]",
}
STEPS = {
    "Prune": "{sparsity: 0.5, epochs: 1}",
    "DynamicNetworkSurgery": "{sparsity: 0.5, epochs: 1}",
    "PruneFilters": "{remove: 0.3, epochs: 1}",
    "LowRank": "{energy: 0.6, epochs: 1}",
    "Distill": "{epochs: 1}",
    "Cluster": "{clusters: 16, epochs: 1}",
    "DeepCompression": "{sparsity: 0.5, clusters: 16, epochs: 1}",
    "EntropyPenalty": "{epochs: 1}",
    "Quantize": "{epochs: 1}",
}


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request, bench, tmp_path_factory):
    """A run of a network. Tests must not change it."""
    folder = tmp_path_factory.mktemp(request.param)
    bench.save(folder)
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(name=request.param, layers=NETWORKS[request.param]))
    return trainkit.fit(config, runs=folder / "runs")


def test_all_steps_are_tried():
    assert set(STEPS) == set(COMPRESSORS)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_files_are_proved(trained, step, tmp_path):
    run = Run(shutil.copytree(trained.directory, tmp_path / "001"))
    precision = "int8" if step == "Quantize" else "float32"
    files = f"TFLite: {{precision: {precision}}}, ONNX: {{precision: {precision}}}, Tkz"
    changes = f"deploy.compress=[{step}: {STEPS[step]}]", f"deploy.export=[{files}]"
    deployment = trainkit.deploy(run.directory, changes, console=Console(file=io.StringIO()))
    assert [one.step for one in deployment.compressed.steps] == ["Train", step]
    assert [file.parity.passed for file in deployment.files] == [True, True, True]
    assert step in ("LowRank", "Distill", "Quantize") or deployment.compressed.promises
    assert all(kept.holds for file in deployment.files for kept in file.promises)
