"""Which strategy a config gets, and what is told where it cannot be had."""

from __future__ import annotations

import json

import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.training.prepare import prepare
from trainkit.training.scale.report import facts_of, lines_of
from trainkit.training.scale.strategies import strategy_here, strategy_of


def asking(config, strategy):
    return load_config(config, [f"training.strategy={strategy}"])


@pytest.mark.parametrize("written", ["auto", "OneDevice"])
def test_strategy_of_one_device_is_tensorflows_own(small_config, written):
    assert strategy_of(asking(small_config, written)) is tf.distribute.get_strategy()


@pytest.mark.parametrize("name", ["CPU:0", "cpu:0", "/device:CPU:0"])
def test_strategy_takes_devices_by_name(small_config, name):
    one = strategy_of(asking(small_config, f"{{OneDevice: {{device: '{name}'}}}}"))
    several = strategy_of(asking(small_config, f"{{Mirrored: {{devices: ['{name}']}}}}"))
    assert [type(strategy) for strategy in (one, several)] == [
        tf.distribute.OneDeviceStrategy,
        tf.distribute.MirroredStrategy,
    ]
    assert [strategy.num_replicas_in_sync for strategy in (one, several)] == [1, 1]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{OneDevice: {device: 'GPU:7'}}", "there is no device 'GPU:7' here. TensorFlow finds CPU:0"),
        ("{Mirrored: {devices: ['CPU:0', 'GPU:3']}}", "there is no device 'GPU:3' here."),
        ("{Mirrored: {devices: ['CPU:0', '/cpu:0']}}", "each device must be named once. Received: 'CPU:0'"),
        ("{Mirrored: {devices: []}}", "at least one device must be named."),
        ("{Mirrored: {devices: ['CPU:0'], logical_cpus: 2}}", "takes `devices` or `logical_cpus`, not both."),
        ("{Mirrored: {logical_cpus: 64}}", "the CPU cannot be divided into 64 devices any more"),
        ("MultiWorkerMirrored", "needs a cluster of workers, and none is found. Begin it with `trainkit fit"),
        ("{MultiWorkerMirrored: {cluster: Slurm}}", "SLURM's environment cannot be understood"),
    ],
)
def test_strategy_that_cannot_be_had_is_told_with_its_place(small_config, monkeypatch, written, told):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    tf.config.list_logical_devices()  # TensorFlow has begun
    with pytest.raises(ConfigError, match=r"command line: training\.strategy") as caught:
        strategy_of(asking(small_config, written))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("mirrored", "'auto'"),
        ("MirroredStrategy", "unknown strategy. Received: 'MirroredStrategy'. Did you mean 'Mirrored'?"),
        ("{Mirrored: {logical_cpus: 0}}", "must be at least 1"),
        ("{MultiWorkerMirrored: {communication: ring}}", "must be one of"),
    ],
)
def test_strategy_that_there_is_not_is_told_before_tensorflow_is_asked(small_config, written, told):
    with pytest.raises(ConfigError) as caught:
        asking(small_config, written)
    assert told in str(caught.value)


@pytest.mark.parametrize("written", ["OneDevice", "Mirrored"])
def test_strategy_of_one_process_is_refused_to_one_of_several(small_config, monkeypatch, written):
    task = {"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    told = f"{written} is for one process, and TF_CONFIG says that this is one of several .2 workers.. Write"
    with pytest.raises(ConfigError, match=told):
        strategy_of(asking(small_config, written))
    assert strategy_of(asking(small_config, "MultiWorkerMirrored"), alone=True) is tf.distribute.get_strategy()


def test_strategy_here_takes_what_there_is(small_config):
    elsewhere = asking(small_config, "{Mirrored: {devices: ['GPU:0', 'GPU:1']}}")
    assert strategy_here(elsewhere) is tf.distribute.get_strategy()


def test_strategy_is_told_and_written_down(small_config):
    prepared = prepare(load_config(small_config))
    assert list(lines_of(prepared.model, batch_size=100)) == []
    facts = {"workers": 1, "replicas": 1, "batch": 100, "batch_of_a_replica": "100"}
    assert facts_of(tf.distribute.get_strategy(), batch_size=100) == {"name": "OneDevice"} | facts
