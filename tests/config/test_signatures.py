"""The shipped table: it is what the real signatures say, and it has what can be built, no more and no less."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from trainkit.config import make_schema
from trainkit.config.signatures import BY_NAME, NODE_TYPES, known_names, signatures

ROOT = Path(__file__).parents[2]

# What Keras has and a config cannot build: bases, Python code, and callbacks that `fit` brings itself.
LEFT_OUT = {
    "layer": {"Layer", "Wrapper", "AbstractRNNCell", "InputLayer", "Lambda"},
    "optimizer": {"Optimizer"},
    "schedule": {"LearningRateSchedule"},
    "loss": {"Loss"},
    "metric": {"Metric", "MeanMetricWrapper"},
    "callback": {
        *("Callback", "CallbackList", "BaseLogger", "History", "ProgbarLogger", "LambdaCallback"),
        *("LearningRateScheduler", "SidecarEvaluatorModelExport", "BackupAndRestore"),
    },
    "initializer": {"Initializer"},
    "regularizer": {"Regularizer"},
    "constraint": {"Constraint"},
}

OURS = ("source", "augmentation", "compressor", "exporter", "strategy")


def builders_names(kind):
    """The names that the code which builds a kind answers to."""
    from trainkit.data.augment import AUGMENTATIONS
    from trainkit.data.sources import SOURCES
    from trainkit.deploy.compress import COMPRESSORS
    from trainkit.deploy.export import EXPORTERS
    from trainkit.framework import tf
    from trainkit.models.registry import LAYERS
    from trainkit.objects.schedules import SCHEDULES
    from trainkit.training.scale import STRATEGIES

    if kind in OURS:
        return set(dict(zip(OURS, (SOURCES, AUGMENTATIONS, COMPRESSORS, EXPORTERS, STRATEGIES), strict=True))[kind])
    module, base = {
        "layer": (tf.keras.layers, tf.keras.layers.Layer),
        "optimizer": (tf.keras.optimizers, tf.keras.optimizers.Optimizer),
        "schedule": (tf.keras.optimizers.schedules, tf.keras.optimizers.schedules.LearningRateSchedule),
        "loss": (tf.keras.losses, tf.keras.losses.Loss),
        "metric": (tf.keras.metrics, tf.keras.metrics.Metric),
        "callback": (tf.keras.callbacks, tf.keras.callbacks.Callback),
        "initializer": (tf.keras.initializers, tf.keras.initializers.Initializer),
        "regularizer": (tf.keras.regularizers, tf.keras.regularizers.Regularizer),
        "constraint": (tf.keras.constraints, tf.keras.constraints.Constraint),
    }[kind]
    classes = {name for name, item in vars(module).items() if inspect.isclass(item) and issubclass(item, base)}
    added = set({"layer": LAYERS, "schedule": SCHEDULES}.get(kind, ()))
    assert not added & classes
    return added | {name for name in classes if name[0].isupper()} - LEFT_OUT[kind]


def test_signatures_are_what_the_code_says():
    command = [sys.executable, "tools/make_signatures.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_signatures_have_every_kind():
    assert signatures().keys() == {*LEFT_OUT, *OURS}


@pytest.mark.parametrize("kind", [*LEFT_OUT, *OURS])
def test_schema_and_builders_know_the_same_names(kind):
    in_schema = {name.split(".")[1] for name in make_schema()["$defs"] if name.startswith(f"{kind}.")}
    assert in_schema
    assert in_schema == builders_names(kind)


@pytest.mark.parametrize(
    ("kind", "name", "argument", "expected"),
    [
        ("layer", "Dense", "units", {"required": True, "type": "whole"}),
        ("layer", "Dense", "use_bias", {"required": False, "default": True, "type": "boolean"}),
        ("layer", "Dense", "kernel_initializer", {"default": "glorot_uniform", "type": "initializer"}),
        ("layer", "Dense", "kernel_regularizer", {"default": None, "type": "regularizer", "optional": True}),
        ("layer", "Conv2D", "strides", {"default": [1, 1]}),
        ("layer", "Dropout", "trainable", {"default": True}),
        ("layer", "BatchNormalization", "epsilon", {"default": 0.001, "type": "number"}),
        ("layer", "Bidirectional", "layer", {"required": True, "type": "layer"}),
        ("optimizer", "Adam", "learning_rate", {"default": 0.001, "type": "schedule"}),
        ("schedule", "CosineDecay", "decay_steps", {"required": False, "default": "$steps"}),
        ("schedule", "PolynomialDecay", "decay_steps", {"required": False, "default": "$steps"}),
        ("schedule", "ExponentialDecay", "decay_steps", {"required": True}),
        ("schedule", "PolyDecay", "total_steps", {"required": False, "default": "$steps", "type": "integer"}),
        ("schedule", "OneCycle", "total_steps", {"required": False, "default": "$steps", "type": "integer"}),
        ("schedule", "MultiStepDecay", "milestones", {"required": True, "type": "wholes"}),
        ("schedule", "WarmUp", "learning_rate", {"required": True, "type": "schedule"}),
        ("optimizer", "SGD", "clipnorm", {"default": None, "type": "number", "optional": True}),
        ("optimizer", "Adam", "weight_decay", {"default": None, "type": "number", "optional": True}),
        ("callback", "TensorBoard", "profile_batch", {"type": "any"}),
        ("source", "Mnist", "path", {"default": None, "type": "path", "optional": True}),
        ("source", "Csv", "categorical", {"default": None, "type": "texts", "optional": True}),
        ("source", "Csv", "missing", {"default": "fail", "type": "text", "choices": ("fail", "drop", "keep")}),
        ("augmentation", "RandomFlip", "mode", {"default": "horizontal_and_vertical", "type": "text"}),
        ("augmentation", "RandomRotation", "factor", {"required": True, "type": "number"}),
        ("exporter", "TFLite", "input_type", {"choices": ("float32", "int8", "uint8", "int16"), "optional": False}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_names_have_arguments(kind, name, argument, expected):
    entry = known_names(kind)[name][argument]
    assert {key: getattr(entry, key) for key in expected} == expected


def test_signatures_have_types_that_the_checks_know():
    types = {
        argument.type
        for names in signatures().values()
        for signature in names.values()
        for argument in signature.values()
    }
    plain = {"any", "number", "integer", "boolean", "text", "path", "texts", "whole", "wholes", *BY_NAME}
    assert types == {*plain, *NODE_TYPES}


def test_signatures_let_no_node_have_a_name_among_its_arguments():
    named = [
        name
        for kind in LEFT_OUT
        for name, signature in known_names(kind).items()
        if not signature.keys().isdisjoint({"name", "self", "args", "kwargs"})
    ]
    assert named == []
