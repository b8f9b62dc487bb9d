"""Teachers that cannot teach a network are refused, at their place in the config."""

from __future__ import annotations

import json
import shutil

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.runs import Run
from trainkit.training import prepare


@pytest.fixture
def problem_of(table_config):
    """The one problem of the config of the table with a teacher and overrides."""

    def find(directory, *overrides):
        text = table_config.read_text().replace("training:\n", f"training:\n  distill: {{teacher: {directory}}}\n")
        filepath = table_config.parent / "taught.yaml"
        filepath.write_text(text)
        with pytest.raises(ConfigError) as error:
            prepare(load_config(filepath, overrides))
        assert error.value.exit_code == 2
        (problem,) = error.value.problems
        assert "training.distill.teacher" in str(problem)
        if not overrides:
            assert str(problem).startswith("17:22  training.distill.teacher: `teacher` must ")
        return problem.message

    return find


def test_a_teacher_that_does_not_exist(problem_of, table_config):
    told = problem_of("runs/none")
    directory = table_config.parent / "runs/none"
    assert told == (
        f"`teacher` must be a finished run. Received: '{directory}'. {directory} does not exist. A run is a directory "
        "that `trainkit fit` made."
    )


@pytest.fixture
def copy(teacher, tmp_path):
    return Run(shutil.copytree(teacher.directory, tmp_path / "007"))


def test_a_teacher_that_was_not_finished(problem_of, copy):
    copy.model.unlink()
    told = problem_of(copy.directory)
    assert f"its training did not finish. Go on with it: trainkit fit --resume {copy.directory}." in told


def test_a_teacher_whose_model_was_exchanged(problem_of, copy):
    copy.model.write_bytes(copy.model.read_bytes() + b"1")
    assert "is not what the run has trained: it is damaged, or was exchanged." in problem_of(copy.directory)


@pytest.mark.parametrize("name", ["data.json", "manifest.json", "resolved.yaml"])
def test_a_teacher_that_is_damaged(problem_of, copy, name):
    (copy.directory / name).write_text("[1]")
    assert "`teacher` must be a finished run. Received: " in problem_of(copy.directory)


def test_a_teacher_of_other_inputs(problem_of, small_run):
    told = problem_of(small_run.directory)
    assert told.startswith("`teacher` must take 'input' in the shape (5,). Received: ")
    assert told.endswith("it takes (28, 28, 1).")


def test_a_teacher_of_other_inputs_by_name(problem_of, two_run):
    assert problem_of(two_run.directory).startswith("`teacher` must take inputs of the network, input. Received: ")


def test_a_teacher_of_other_classes(problem_of, copy):
    record = json.loads((copy.directory / "data.json").read_text())
    record["outputs"]["kind"]["classes"] = ["1", "0", "2"]
    (copy.directory / "data.json").write_text(json.dumps(record))
    told = problem_of(copy.directory)
    assert told.startswith("`teacher` must say the classes ['0', '1', '2'] at 'answer'. Received: ")
    assert told.endswith("it says the classes ['1', '0', '2'].")


def test_a_teacher_of_numbers_for_a_network_of_classes(problem_of, teach_table):
    size = ["data.source.target=size", "model.layers=[{Dense: {units: 1}}]", "training.loss=MeanSquaredError"]
    told = problem_of(teach_table(*size, "training.epochs=1").directory)
    assert told.startswith("`teacher` must say the classes ['0', '1', '2'] at 'answer'.")
    assert told.endswith("it says numbers.")


def test_a_teacher_of_another_kind_of_answers(problem_of, teach_table):
    high = ["data.source.target=is_high", "training.epochs=1", "model.layers.answer.units={}"]
    two = [*high[:2], high[2].format(2)]
    one = [*high[:2], high[2].format(1), "model.layers.answer.activation=sigmoid", "training.loss=BinaryCrossentropy"]
    told = problem_of(teach_table(*two).directory, one[0], *one[2:])
    assert told.startswith("`teacher` must answer with probabilities of yes or no, as the loss of 'answer' says.")
    assert told.endswith("its are probabilities of classes.")


def test_a_teacher_with_a_temperature_below_1_or_a_weight_above(table_config, teacher):
    wrong = f"{{teacher: {teacher.directory}, temperature: 0.5, weight: 1.1}}"
    with pytest.raises(ConfigError) as error:
        load_config(table_config, [f"training.distill={wrong}"])
    told = [problem.message for problem in error.value.problems]
    assert told == ["must be at least 1.0. Received: 0.5.", "must be at most 1. Received: 1.1."]


def test_a_teacher_may_be_written_alone_relative_to_the_config_and_the_newest_of_its_runs(
    table_config, teacher, tmp_path
):
    shutil.copy(table_config.with_name("table.npz"), tmp_path)
    place = tmp_path / "near"
    place.symlink_to(teacher.directory.parent)
    filepath = tmp_path / "near.yaml"
    filepath.write_text(table_config.read_text().replace("training:\n", "training:\n  distill: near\n"))
    config = load_config(filepath)
    assert config.experiment.training.distill.teacher == str(place)
    assert prepare(config).teacher.name == str(place / "001")
    assert load_config(config.resolved()).experiment.training.distill == config.experiment.training.distill
