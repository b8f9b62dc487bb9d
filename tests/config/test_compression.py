"""Compression steps that cannot hold together are refused before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainkit.config import Distill, load_config
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
            "[Prune, Cluster, Distill]",
            2,
            "Distill must not come after Prune: it trains without keeping what that has promised. "
            "`deploy.fine_tune.distill` gives Prune a teacher.",
        ),
        (
            "[Prune, PruneFilters]",
            1,
            "PruneFilters must not come after Prune: what that promises is of kernels of this size.",
        ),
        (
            "[Cluster, PruneFilters]",
            1,
            "PruneFilters must not come after Cluster: what that promises is of kernels of this size.",
        ),
        ("[PruneFilters, PruneFilters]", 1, "PruneFilters must stand once: `rounds` lets filters go step by step."),
        (
            "[Prune, LowRank: {rank: 8}]",
            1,
            "LowRank must not come after Prune: factors have no zeros of their product.",
        ),
        (
            "[Cluster, LowRank: {rank: 8}]",
            1,
            "LowRank must not come after Cluster: factors share no values of their product.",
        ),
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
        ("[Cluster, Prune]", 1, "Prune must not come after Cluster: what it trains would no longer share values."),
        (
            "[Cluster, DynamicNetworkSurgery]",
            1,
            "DynamicNetworkSurgery must not come after Cluster: what it trains would no longer share values.",
        ),
    ],
)
def test_steps_that_undo_each_other_are_refused(small_config, steps, place, told):
    (problem,) = problems_of(small_config, f"deploy.compress={steps}", INT8)
    assert problem.endswith(f"deploy.compress[{place}]: {told}")


def test_filters_that_go_in_rounds_need_an_epoch_for_each(small_config):
    (problem,) = problems_of(small_config, "deploy.compress=[PruneFilters: {rounds: 5}]")
    assert problem.endswith("deploy.compress[0].PruneFilters.epochs: must be at least `rounds`: 5. Received: 4.")


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
        ("Prune: {sparsity: much}", "must be auto, or a number. Received: sparsity='much'."),
        ("Prune: {sparsity: auto, scope: global}", "Prune.scope: must be layer where `sparsity` is auto. Received:"),
        ("Prune: {sparsity: auto, layers: {conv*: 0.5}}", "Prune.layers: must be 0, to leave layers alone, where"),
        ("Prune: {rounds: 0}", "must be at least 1. Received: rounds=0."),
        ("DynamicNetworkSurgery: {surgery: 1}", "must be at least 0 and less than 1. Received: surgery=1."),
        ("Prune: {layers: {conv*: 1.5}}", "must be numbers at least 0 and less than 1; see 'conv*'."),
        ("Prune: {layers: [conv1]}", "must be a mapping from patterns of layer names to numbers"),
        ("Prune: {layers: {}}", "must be a mapping from patterns of layer names to numbers"),
        ("Prune: {schedule: linear}", "must be one of polynomial, constant. Received: schedule='linear'."),
        ("Prune: {epochs: 0}", "must be at least 1. Received: epochs=0."),
        ("Prune: {sparcity: 0.9}", "unknown argument. Prune takes sparsity, layers, skip_first"),
        ("Cluster: {layers: {conv*: 4.5}}", "must be whole numbers at least 0; see 'conv*'."),
        ("Cluster: {layers: {conv*: .inf}}", "must be whole numbers at least 0; see 'conv*'."),
        ("Cluster: {layers: {conv*: 1}}", "layers: must give 2 and more clusters, or 0 to leave a layer alone."),
        ("Distill: {weight: 1.5}", "weight: must be at least 0 and at most 1. Received: weight=1.5."),
        ("Distill: {temperature: 0.5}", "must be at least 1. Received: temperature=0.5."),
        ("Cluster: {clusters: 1}", "must be at least 2. Received: clusters=1."),
        ("LowRank", "must have one of rank, energy and accuracy_drop, or `layers` alone. Received: none of them."),
        (
            "LowRank: {rank: 8, energy: 0.9}",
            "must have one of rank, energy and accuracy_drop, or `layers` alone. Received: rank",
        ),
        ("LowRank: {energy: 1.0}", "must be at least 0 and less than 1. Received: energy=1.0."),
        ("LowRank: {rank: 0}", "must be at least 1. Received: rank=0."),
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


def test_teachers_are_runs_relative_to_the_config_or_the_model_itself(small_config):
    steps = "deploy.compress=[Distill, Distill: {teacher: ../big}]"
    config = load_config(small_config, ["deploy.fine_tune.distill=self", steps])
    assert config.experiment.deploy.fine_tune.distill == Distill(teacher="self")
    found = [node.arguments.get("teacher") for node in config.experiment.deploy.compress]
    assert found == [None, str(Path.cwd() / "../big")]
    filepath = small_config.parent / "taught.yaml"
    taught = "deploy: {fine_tune: {distill: {teacher: big}}, "
    filepath.write_text(small_config.read_text().replace("deploy: {", taught))
    settings = load_config(filepath).experiment.deploy.fine_tune.distill
    assert (settings.teacher, settings.temperature, settings.weight) == (str(small_config.parent / "big"), 2, 0.8)
