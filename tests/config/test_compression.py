"""Compression steps that cannot hold together are refused before anything is trained."""

from __future__ import annotations

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError

INT8 = "deploy.export=[TFLite: {precision: int8}]"


def problems_of(config, *overrides):
    with pytest.raises(ConfigError) as error:
        load_config(config, overrides)
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize(
    "steps",
    ["[Prune, Cluster, Quantize]", "[Prune, Prune, Cluster: {clusters: 8}]", "[Cluster, Quantize]", "[Quantize]", "[]"],
)
def test_steps_that_keep_each_others_promises_are_taken(small_config, steps):
    config = load_config(small_config, [f"deploy.compress={steps}", INT8])
    assert len(config.experiment.deploy.compress) == steps.count("Prune") + steps.count("Cluster") + steps.count("Qu")


@pytest.mark.parametrize(
    "steps, place, told",
    [
        ("[Quantize, Prune]", 0, "Quantize must come last: Prune after it would undo its rounding."),
        ("[Quantize, Quantize]", 0, "Quantize must come last: Quantize after it would undo its rounding."),
        (
            "[EntropyPenalty, Prune]",
            0,
            "EntropyPenalty must come last: Prune after it would move weights off their grid.",
        ),
        (
            "[Cluster, EntropyPenalty]",
            1,
            "EntropyPenalty must not come after Cluster: what it trains would no longer share values.",
        ),
        ("[Cluster, Prune]", 1, "Prune must come before Cluster: what it trains would no longer share values."),
    ],
)
def test_steps_that_undo_each_other_are_refused(small_config, steps, place, told):
    (problem,) = problems_of(small_config, f"deploy.compress={steps}", INT8)
    assert problem.endswith(f"deploy.compress[{place}]: {told}")


def test_quantization_without_a_file_of_integers_is_refused(small_config):
    (problem,) = problems_of(small_config, "deploy.compress=[Quantize]", "deploy.export=[ONNX]")
    assert (
        "Quantize is for files of integers. Put `TFLite: {precision: int8}` or `ONNX: {precision: int8}` in deploy."
        in problem
    )


@pytest.mark.parametrize(
    "step, rule",
    [
        ("Prune: {sparsity: 1.0}", "must be at least 0 and less than 1. Received: sparsity=1.0."),
        ("Prune: {sparsity: -0.1}", "must be at least 0 and less than 1. Received: sparsity=-0.1."),
        ("Prune: {layers: {conv*: 1.5}}", "must be numbers at least 0 and less than 1; see 'conv*'."),
        ("Prune: {layers: [conv1]}", "must be a mapping from patterns of layer names to numbers"),
        ("Prune: {layers: {}}", "must be a mapping from patterns of layer names to numbers"),
        ("Prune: {schedule: linear}", "must be one of polynomial, constant. Received: schedule='linear'."),
        ("Prune: {epochs: 0}", "must be at least 1. Received: epochs=0."),
        ("Prune: {sparcity: 0.9}", "unknown argument. Prune takes sparsity, layers, skip_first"),
        ("EntropyPenalty: {penalty: -1}", "must be at least 0. Received: penalty=-1."),
        ("EntropyPenalty: {epochs: 0}", "must be at least 1. Received: epochs=0."),
        ("Cluster: {layers: {conv*: 4.5}}", "must be whole numbers at least 0; see 'conv*'."),
        ("Cluster: {layers: {conv*: .inf}}", "must be whole numbers at least 0; see 'conv*'."),
        ("Cluster: {layers: {conv*: 1}}", "layers: must give 2 and more clusters, or 0 to leave a layer alone."),
        ("Cluster: {clusters: 1}", "must be at least 2. Received: clusters=1."),
        ("Quantise", "unknown compressor. Received: 'Quantise'. Did you mean 'Quantize'?"),
    ],
)
def test_arguments_are_checked(small_config, step, rule):
    (problem,) = problems_of(small_config, f"deploy.compress=[{step}]", INT8)
    assert rule in problem


def test_patterns_may_be_any_names_of_layers(small_config):
    config = load_config(small_config, ["deploy.compress=[Prune: {layers: {Conv1: 0.5, block.*: 0.9}}]"])
    assert config.experiment.deploy.compress[0].arguments["layers"] == {"Conv1": 0.5, "block.*": 0.9}


@pytest.mark.parametrize("rate", ["0", "-0.1", ".inf"])
def test_rates_that_train_nothing_are_refused(small_config, rate):
    (problem,) = problems_of(small_config, f"deploy.fine_tune.learning_rate={rate}")
    assert "deploy.fine_tune.learning_rate: must be" in problem


def test_a_rate_may_be_a_schedule(small_config):
    written = "{CosineDecay: {initial_learning_rate: 1e-3}}"
    config = load_config(small_config, [f"deploy.fine_tune.learning_rate={written}"])
    assert config.experiment.deploy.fine_tune.learning_rate.class_name == "CosineDecay"
    assert load_config(config.resolved()).resolved() == config.resolved()
