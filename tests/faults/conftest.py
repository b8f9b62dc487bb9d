"""What the tests of faults share: trainings that nothing has disturbed, and folders for such as something does."""

from __future__ import annotations

import pytest

from .configs import CONFIGS
from .processes import Server
from .training import Training


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Begins commands in processes of their own."""
    server = Server(tmp_path_factory.mktemp("said"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def whole(server, tmp_path_factory):
    """A training by the name of its config that nothing has disturbed."""
    done = {}

    def train(name, *overrides):
        if (name, overrides) not in done:
            training = Training(server, tmp_path_factory.mktemp(name), CONFIGS[name], overrides)
            ended = training.fit()
            assert ended.code == 0, ended.err
            training.seconds = ended.seconds
            done[name, overrides] = training
        return done[name, overrides]

    return train


@pytest.fixture(scope="session")
def begin(server, tmp_path_factory):
    """A training by the name of its config in a folder of its own; it was not begun."""
    return lambda name, *overrides: Training(server, tmp_path_factory.mktemp(name), CONFIGS[name], overrides)
