"""What the tests of structured pruning share: networks of many kinds, and channels in them that nothing needs."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Model
from trainkit.config.zoo import zoo_data
from trainkit.deploy.compress.filters.channels import Channels
from trainkit.framework import tf
from trainkit.models import build_model

layers = tf.keras.layers


@pytest.fixture(scope="session")
def scrambled():
    """A model whose weights are all drawn anew: biases and statistics, too, which begin with 0 and 1."""

    def scramble(model, seed=1):
        drawn = np.random.default_rng(seed)
        for weight in model.weights:
            middle = 1.0 if "variance" in weight.name or "gamma" in weight.name else 0.0
            values = drawn.uniform(-0.5, 0.5, weight.shape)
            if "kernel" in weight.name:  # signals keep their size
                inner = -2 if "depthwise" in weight.name else -1
                values *= np.sqrt(36 / max(np.prod(weight.shape[:inner]), 1))
            weight.assign((middle + values).astype(np.float32))
        return model

    return scramble


@pytest.fixture(scope="session")
def zoo(scrambled):
    """A network of the zoo."""

    def build(name, *, shape=None, **arguments):
        data = zoo_data(name)
        settings = {"input": shape or [*data["input"]], "layers": [{name: arguments}]}
        return scrambled(build_model(Model.model_validate(settings), {}, name="net"))

    return build


@pytest.fixture(scope="session")
def unneeded():
    """From a model and some of its groups to the model in which nothing is made of their channels: weights that take
    them are 0, and so is what they would give where they are multiplied with others."""

    def silence(model, roots):
        channels = Channels(model)
        for layer in model.layers:
            passed = channels.of(layer.name)
            for tie in passed.ties if passed else ():
                is_taken = tie.weight.endswith("kernel") and not tie.makes
                if is_taken and type(layer) not in (layers.DepthwiseConv1D, layers.DepthwiseConv2D):
                    weight = getattr(layer, tie.weight)
                    rows = np.moveaxis(weight.numpy(), tie.axis, 0)
                    rows[np.isin(channels.roots(tie.channels), list(roots))] = 0
                    weight.assign(np.moveaxis(rows, 0, tie.axis))
        return model

    return silence


@pytest.fixture(scope="session")
def some_of():
    """Every second group that may go, from each family but one of it."""

    def choose(groups):
        seen: dict[tuple[str, ...], int] = {}
        chosen = []
        for group in groups:
            seen[group.makers] = seen.get(group.makers, 0) + 1
            if seen[group.makers] % 2 == 0:
                chosen.append(group.root)
        return chosen

    return choose


@pytest.fixture(scope="session")
def residual(scrambled):
    """A residual network with batch normalization, squeeze-and-excite and a skip of its own stem."""
    inputs = layers.Input((8, 8, 1), name="input")
    x = _normalized(layers.Conv2D(6, 3, padding="same", use_bias=False, name="stem")(inputs))
    y = _normalized(layers.Conv2D(8, 3, padding="same", use_bias=False, name="inner")(x))
    y = layers.Conv2D(6, 3, padding="same", use_bias=False, name="outer")(y)
    y = layers.BatchNormalization(name="outer_norm")(y)
    x = layers.ReLU()(layers.Add(name="sum")([x, y]))
    gate = layers.Dense(4, activation="relu", name="squeeze")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 6))(layers.Dense(6, activation="sigmoid", name="excite")(gate))
    x = layers.Flatten()(layers.MaxPooling2D()(layers.Multiply()([x, gate])))
    return scrambled(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)))


def _normalized(x):
    return layers.ReLU()(layers.BatchNormalization()(x))
