"""What the tests of distillation share: a teacher for the small table of the training tests."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.training import prepare

HEAD = "{Dense: {units: $classes, activation: softmax}, name: kind}"
NETWORK = f"model.layers=[{{Dense: {{units: 16, activation: relu}}}}, BatchNormalization, {HEAD}]"
LEARNS = "training.optimizer={Adam: {learning_rate: 0.02}}"


@pytest.fixture(scope="session")
def teach_table(table_config, tmp_path_factory):
    """Train a teacher with overrides."""

    def fit(*overrides):
        runs, console = tmp_path_factory.mktemp("teacher"), Console(file=io.StringIO())
        return trainkit.fit(table_config, [LEARNS, "training.epochs=20", *overrides], runs=runs, console=console)

    return fit


@pytest.fixture(scope="session")
def teacher(teach_table):
    """A run with a hidden layer and statistics, whose output goes by another name. Tests must not change it."""
    return teach_table(NETWORK)


@pytest.fixture
def taught(table_config, teacher):
    """Prepare the config of the table, with that teacher and overrides."""
    return lambda *overrides: prepare(
        load_config(table_config, [f"training.distill={{teacher: {teacher.directory}}}", *overrides])
    )
