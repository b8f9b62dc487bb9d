"""How much memory a training takes."""

import pytest

from trainkit.framework import tf
from trainkit.models.costs import Amount
from trainkit.training.memory import TrainingMemory, slots_per_weight, training_memory

K = tf.keras.layers
OPTIMIZERS = tf.keras.optimizers


def test_training_memory_is_of_weights_gradients_slots_and_the_batch():
    inputs = tf.keras.Input((10,))
    hidden = K.Dense(20, activation="relu")(K.Dense(10, trainable=False)(inputs))
    model = tf.keras.Model(inputs, K.Dense(5)(hidden))
    model.compile("adam")
    trained = 4 * (10 * 20 + 20 + 20 * 5 + 5)
    memory = training_memory(model, batch_size=8)
    assert memory == TrainingMemory(trained + 4 * 110, trained, 2 * trained, Amount(8 * 4 * (10 + 20)))
    assert memory.total == Amount(4 * trained + 4 * 110 + 8 * 4 * 30)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (OPTIMIZERS.Adam(), 2),
        (OPTIMIZERS.Adam(OPTIMIZERS.schedules.CosineDecay(0.1, 10), amsgrad=True), 3),
        (OPTIMIZERS.AdamW(use_ema=True), 3),
        (OPTIMIZERS.Lion(), 1),
        (OPTIMIZERS.RMSprop(momentum=0.9, centered=True), 3),
    ],
    ids=["Adam", "AMSGrad", "average", "Lion", "RMSprop"],
)
def test_slots_per_weight_are_those_of_the_method(optimizer, expected):
    assert slots_per_weight(optimizer) == expected


def test_slots_per_weight_leave_the_optimizer_alone():
    optimizer = OPTIMIZERS.Adam()
    before = len(optimizer.variables)
    slots_per_weight(optimizer)
    assert len(optimizer.variables) == before
