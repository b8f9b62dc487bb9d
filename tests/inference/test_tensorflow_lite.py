"""TensorFlow's own interpreter, in a process that has nothing else of TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.inference import predict_isolated

RUNTIME = "TensorFlow Lite"
LOADED = """
import sys
from trainkit.inference import tensorflow_lite
{before}
predictor = tensorflow_lite.TensorFlowLitePredictor(sys.argv[1])
print(type(predictor._interpreter).__module__, sorted({{"tf_keras", "tensorflow.python.ops"}} & set(sys.modules)))
"""
MISSING = """
def fail():
    sys.modules["tensorflow"] = sys  # as far as it comes
    raise ImportError("no such package")
tensorflow_lite._import_packages_empty = fail
"""


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_it_answers_as_it_does_within_tensorflow(models, one):
    filepath = models.folder / "one.tflite"
    found = predict_isolated(filepath, one, piece=1, runtime=RUNTIME).outputs["digit"]
    run = tf.lite.Interpreter(str(filepath)).get_signature_runner()
    expected = np.concatenate([run(input=row[None])["digit"] for row in one["input"].astype(np.float32)])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("before", "loaded"),
    [("", "[]"), (MISSING, "['tensorflow.python.ops', 'tf_keras']")],
    ids=["alone", "with all of TensorFlow where it needs more"],
)
def test_the_rest_of_tensorflow_is_left_out_where_that_can_be(before, loaded, models):
    script = LOADED.format(before=before)
    command = [sys.executable, "-c", script, str(models.folder / "one.tflite")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.strip() == f"tensorflow.lite.python.interpreter {loaded}", ended.stderr
