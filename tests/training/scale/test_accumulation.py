"""Accumulated gradients over two replicas: the updates of one device."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json
import numpy as np
from trainkit.framework import tf
from trainkit.training.optimizer import extend

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
random = np.random.default_rng(1)
x, y = random.normal(size=(7, 4, 3)).astype("float32"), random.normal(size=(7, 4, 1)).astype("float32")

def train(strategy):
    count = strategy.num_replicas_in_sync
    with strategy.scope():
        kernel = tf.Variable(np.ones((3, 1), "float32"))
        optimizer = tf.keras.optimizers.AdamW(0.1, clipnorm=1.0, use_ema=True, ema_momentum=0.5)
        extend(optimizer, gradient_accumulation_steps=3)
        optimizer.build([kernel])

    @tf.function
    def step(x, y):
        def replica():
            part = tf.distribute.get_replica_context().replica_id_in_sync_group * (4 // count)
            inputs, targets = x[part : part + 4 // count], y[part : part + 4 // count]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((inputs @ kernel - targets) ** 2) / count
            optimizer.minimize(loss, [kernel], tape=tape)
        strategy.run(replica)

    for one in zip(x, y):
        step(*map(tf.constant, one))
    average = optimizer._model_variables_moving_average[0]
    return [int(optimizer.iterations.numpy()), *kernel.numpy().ravel().tolist(), *average.numpy().ravel().tolist()]

strategies = tf.distribute.get_strategy(), tf.distribute.OneDeviceStrategy("CPU:0")
print(json.dumps([train(one) for one in (*strategies, tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))]))
"""


def test_two_replicas_accumulate_as_one_does():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    default, one, two = json.loads(done.stdout)
    assert default[0] == 2
    assert default[1:4] != [1.0, 1.0, 1.0]
    assert one == pytest.approx(default, abs=1e-6)
    assert two == pytest.approx(default, abs=1e-6)
