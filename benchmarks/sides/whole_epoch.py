"""By hand: an epoch in a `tf.function`. python whole_epoch.py NETWORK DATA CLASSES BATCH_SIZE EPOCHS [--xla]

The samples are tensors, gathered in the loop by a shuffled order; the last batch, a smaller one, comes after the loop.
"""

from __future__ import annotations

import sys
import time

from channel import Channel

channel = Channel()

from keras_networks import load, make_model, tf  # noqa: E402

network, filepath, classes, size, _ = sys.argv[1:6]
arrays, batch_size = load(filepath), int(size)
model = make_model(network, arrays[0], int(classes))
inputs, labels = tf.constant(arrays[0]), tf.constant(arrays[1])
loss_of = tf.keras.losses.SparseCategoricalCrossentropy()
mean_loss, accuracy = tf.keras.metrics.Mean(), tf.keras.metrics.SparseCategoricalAccuracy()
optimizer = model.optimizer
optimizer.build(model.trainable_variables)
full = len(labels) // batch_size


def step(rows: tf.Tensor) -> None:
    images, targets = tf.gather(inputs, rows), tf.gather(labels, rows)
    with tf.GradientTape() as tape:
        answers = model(images, training=True)
        loss = loss_of(targets, answers)
        if model.losses:
            loss += tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    mean_loss.update_state(loss, len(targets))
    accuracy.update_state(targets, answers)


@tf.function(jit_compile="--xla" in sys.argv)
def epoch(order: tf.Tensor) -> None:
    batches = tf.reshape(order[: full * batch_size], [full, batch_size])
    for index in tf.range(full):
        step(batches[index])
    if len(labels) % batch_size:
        step(order[full * batch_size :])


channel.answer(learned=sum(int(weight.shape.num_elements()) for weight in model.trainable_weights))
while True:
    channel.wait()
    began = time.perf_counter()
    mean_loss.reset_state(), accuracy.reset_state()
    epoch(tf.random.shuffle(tf.range(len(labels))))
    logs = {"loss": float(mean_loss.result()), "sparse_categorical_accuracy": float(accuracy.result())}
    seconds = time.perf_counter() - began
    channel.answer(seconds=seconds, steps=seconds, logs=logs)
