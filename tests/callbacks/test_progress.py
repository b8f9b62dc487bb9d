"""The progress of a training, on a terminal and elsewhere."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from trainkit.callbacks import Clock, Progress
from trainkit.framework import tf


def output_of(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    clock = Clock(8)
    progress = Progress(console, epochs=2, steps=4, clock=clock)
    inputs = np.ones((8, 1), "float32")
    model.fit(inputs, inputs, batch_size=2, epochs=2, verbose=0, callbacks=[clock, progress])
    return console.file.getvalue()


def test_progress_writes_one_plain_line_an_epoch_where_there_is_no_terminal():
    lines = output_of(terminal=False).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2  loss ")
    assert lines[1].endswith(" samples/s")
    assert "\x1b" not in "".join(lines)


def test_progress_shows_a_bar_on_a_terminal():
    output = output_of(terminal=True)
    assert "step 0/4" in output
    assert "epoch 2/2  loss " in output
