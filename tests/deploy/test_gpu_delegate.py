"""The rules of the GPU delegate, against TensorFlow 2.17, the last whose Analyzer has them.

TRAINKIT_TENSORFLOW_217 names a Python that has it:

    python -m venv ~/tensorflow-2.17 && ~/tensorflow-2.17/bin/pip install tensorflow-cpu==2.17.1
    TRAINKIT_TENSORFLOW_217=~/tensorflow-2.17/bin/python pytest -m slow tests/deploy/test_gpu_delegate.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from trainkit.deploy.gpu_delegate import rule_of
from trainkit.deploy.operations import read_operations
from trainkit.framework import quiet_stderr, tf
from trainkit.inference.tflite_graph import TFLiteGraph

K = tf.keras.layers
STEPS, IMAGE, VOLUME = (5, 4), (8, 8, 4), (6, 6, 6, 2)
ANALYZE = """\
import json, sys
from tensorflow.lite.python.analyzer_wrapper._pywrap_analyzer_wrapper import ModelAnalyzer
print(json.dumps({path: ModelAnalyzer(path, True, True) for path in sys.argv[1:]}))
"""
NETWORKS = {
    "steps": [STEPS, lambda: [K.Conv1D(4, 3), K.MaxPooling1D(), K.Dense(3), K.LayerNormalization(), K.Flatten()]],
    "image": [IMAGE, lambda: [K.Conv2D(4, 3), K.BatchNormalization(), K.ELU(), K.MaxPooling2D(), K.Reshape((3, 12))]],
    "larger": [IMAGE, lambda: [K.Conv2DTranspose(4, 3, strides=2), K.UpSampling2D(), K.UnitNormalization()]],
    "depthwise": [
        IMAGE,
        lambda: [K.DepthwiseConv2D(3, depth_multiplier=2), K.ReLU(6.0), K.ZeroPadding2D(), K.Softmax()],
    ],
    "cut": [IMAGE, lambda: [K.CenterCrop(4, 4), K.Resizing(6, 6), K.Cropping2D(), K.GlobalMaxPooling2D()]],
    "dilated": [IMAGE, lambda: [K.Conv2D(4, 3, dilation_rate=2), K.Activation("gelu"), K.GlobalAveragePooling2D()]],
    "unrolled": [STEPS, lambda: [K.LSTM(3, unroll=True), K.RepeatVector(2), K.Dense(2)]],
    "volume": [VOLUME, lambda: [K.Conv3D(4, 3), K.ReLU(), K.Flatten()]],
    "bins": [STEPS, lambda: [K.Discretization([0.0, 1.0])]],
    "words": [(5,), lambda: [K.Embedding(9, 4), K.GlobalAveragePooling1D()]],
}


def write(name, filepath):
    shape, layers = NETWORKS[name]
    tensor = inputs = tf.keras.Input(shape)
    for layer in layers():
        tensor = layer(tensor)
    with quiet_stderr():
        filepath.write_bytes(tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(inputs, tensor)).convert())
    return filepath


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_rules_are_those_of_the_analyzer(tmp_path):
    python = os.environ.get("TRAINKIT_TENSORFLOW_217")
    if not python:
        pytest.skip("TRAINKIT_TENSORFLOW_217 must name a Python with TensorFlow 2.17: see the head of this file")
    files = [str(write(name, tmp_path / f"{name}.tflite")) for name in NETWORKS]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    told = subprocess.run([python, "-c", ANALYZE, *files], capture_output=True, check=True, env=environment)
    texts = json.loads(told.stdout.splitlines()[-1])
    assert len(texts) == len(NETWORKS)
    for path, text in texts.items():
        places = re.search(r"Subgraph#0 has GPU delegate compatibility issues at nodes ([\d, ]+) on TFLite", text)
        expected = [int(place) for place in places[1].split(", ")] if places else []
        operations = read_operations(TFLiteGraph(Path(path).read_bytes()))
        refused = [index for index, one in enumerate(operations) if one.subgraph == 0 and rule_of(one)]
        assert refused == expected, path
