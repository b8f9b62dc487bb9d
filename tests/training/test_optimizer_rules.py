"""Clipping, weight decay and averages of every optimizer: taken from a config, and refused where they make no sense."""

from __future__ import annotations

import pytest

from trainkit.config import NodeError, known_names
from trainkit.config.parse import parse_node
from trainkit.errors import ConfigError
from trainkit.objects import build
from trainkit.training.optimizer_rules import check_optimizer

SHARED = {"weight_decay": 0.01, "clipnorm": 1.5, "clipvalue": 0.5, "global_clipnorm": 2, "use_ema": True}


def node_of(name, **arguments):
    node, problems = parse_node({name: arguments}, "optimizer")
    assert not problems, problems
    return node


@pytest.mark.parametrize("name", known_names("optimizer"))
@pytest.mark.parametrize("argument", SHARED)
def test_every_optimizer_takes_it_from_a_config(name, argument):
    node = node_of(name, **{argument: SHARED[argument]})
    check_optimizer(node)
    assert build(node, {}).get_config()[argument] == SHARED[argument]


@pytest.mark.parametrize(
    ("arguments", "argument", "told"),
    [
        ({"clipnorm": 1, "clipvalue": 1}, "clipvalue", r"must not stand beside clipnorm.*Received: clipvalue=1\."),
        ({"clipnorm": 1, "global_clipnorm": 1}, "global_clipnorm", "must not stand beside clipnorm"),
        ({"global_clipnorm": 1, "clipvalue": 1}, "global_clipnorm", "must not stand beside clipvalue"),
        ({"clipnorm": 0}, "clipnorm", "must be greater than 0; leave it out for no clipping"),
        ({"clipvalue": -1}, "clipvalue", "must be greater than 0"),
        ({"weight_decay": -0.1}, "weight_decay", "must be at least 0"),
        ({"learning_rate": -1}, "learning_rate", "must be at least 0"),
        ({"ema_momentum": 0.9}, "ema_momentum", "has no effect without `use_ema: true`"),
        ({"use_ema": False, "ema_overwrite_frequency": 5}, "ema_overwrite_frequency", "has no effect"),
        ({"use_ema": True, "ema_momentum": 1.0}, "ema_momentum", "less than 1"),
    ],
)
def test_what_keras_would_ignore_is_refused(arguments, argument, told):
    with pytest.raises(NodeError, match=told) as caught:
        check_optimizer(node_of("SGD", **arguments))
    assert caught.value.argument == argument


@pytest.mark.parametrize("name", known_names("optimizer"))
def test_defaults_written_out_are_taken(name):
    defaults = {key: argument.default for key, argument in known_names("optimizer")[name].items() if argument.is_told}
    check_optimizer(node_of(name, **defaults))


def test_clipping_twice_is_told_with_its_place(prepared):
    with pytest.raises(ConfigError, match=r"training\.optimizer.*`clipvalue` must not stand beside clipnorm"):
        prepared("training.optimizer={SGD: {clipnorm: 1.0, clipvalue: 0.5}}")


def test_text_for_a_number_is_told_with_its_place(prepared):
    with pytest.raises(ConfigError, match=r"training\.optimizer.*must be a number\. Received: clipnorm='1'"):
        prepared("training.optimizer={SGD: {clipnorm: '1'}}")
