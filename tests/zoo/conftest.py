"""What the tests of the zoo share: its networks, built."""

from __future__ import annotations

from unittest import mock

import pytest

from trainkit.config import Model
from trainkit.config.yaml_reader import read_file
from trainkit.config.zoo import zoo_data
from trainkit.framework import tf
from trainkit.models import build_model


@pytest.fixture(scope="session")
def settings_of():
    """The `model:` that uses a network of the zoo, or of a file of its form, with some arguments."""

    def make(name, *, shape=None, file=None, **arguments):
        data = read_file(file).data if file else zoo_data(name)
        blocks = {"blocks": data["blocks"]} if file else {}
        shape = [*data["input"]] if shape is None else shape
        return Model.model_validate({"input": shape, "layers": [{name: arguments}], **blocks})

    return make


@pytest.fixture(scope="session")
def built():
    """From settings to the model; `zeros` leaves out drawing weights, which takes long where there are many."""

    def build(settings, scope, *, zeros=False):
        if not zeros:
            return build_model(settings, scope, name="net")
        with mock.patch.object(tf.keras.initializers.GlorotUniform, "__call__", _zeros):
            return build_model(settings, scope, name="net")

    return build


@pytest.fixture(scope="session")
def network(settings_of, built):
    """A network of the zoo, built."""

    def build(name, *, zeros=False, shape=None, file=None, **arguments):
        return built(settings_of(name, shape=shape, file=file, **arguments), {}, zeros=zeros)

    return build


def _zeros(self, shape, dtype=None, **others):
    return tf.zeros(shape, dtype or "float32")
