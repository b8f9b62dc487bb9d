"""Trains a network with every kind of random layer, each in a branch of its own, in one go and in two.

    python random_streams_child.py stock|keyed graph|xla|eager FOLDER

Ops are deterministic, so this is a process of its own. Prints as JSON which branches came out the same bit for bit, and
a digest of what a branch of dropout gives.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from trainkit.framework import tf
from trainkit.training.random_streams import key_random_layers

L = tf.keras.layers
STEPS, SAVED_AT = 6, 3


class Halved(L.Dropout):
    """A subclass."""


class Drawn(tf.keras.__internal__.layers.BaseRandomLayer):
    """Draws what no layer of Keras draws."""

    def call(self, x):
        return x + self._random_generator.truncated_normal(tf.shape(x)) * self._random_generator.random_uniform(
            [], 1, 2
        )


class Nested(L.Layer):
    """Layers in a list, which is called twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = [L.Dropout(0.3), L.GaussianNoise(0.3)]

    def call(self, x, training=None):
        for layer in self.inner * 2:
            x = layer(x, training=training)
        return x


class Augmented(tf.keras.__internal__.layers.BaseRandomLayer):
    """Draws for each image in a loop over them."""

    def call(self, images):
        return tf.map_fn(lambda image: image * self._random_generator.random_uniform([]), images)


class DroppingCell(L.Layer):
    """A cell whose dropout is drawn for each time step."""

    state_size = output_size = 6

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = L.Dropout(0.5)

    def call(self, x, states, training=None):
        x = self.inner(x, training=training)
        return x + states[0], [x]


def sequences():
    both = {"dropout": 0.3, "recurrent_dropout": 0.3}
    return {
        "SpatialDropout1D": L.SpatialDropout1D(0.5),
        "LSTM": L.LSTM(3, dropout=0.3),
        "LSTM_recurrent": L.LSTM(3, **both),
        "LSTM_unrolled": L.LSTM(3, unroll=True, **both),
        "GRU": L.GRU(3, dropout=0.3),
        "GRU_recurrent": L.GRU(3, **both),
        "SimpleRNN": L.SimpleRNN(3, **both),
        "RNN_of_a_cell": L.RNN(DroppingCell()),
        "RNN_stacked": L.RNN(L.StackedRNNCells([L.LSTMCell(3, **both), L.GRUCell(3, **both)])),
        "Bidirectional": L.Bidirectional(L.LSTM(3, **both)),
        "TimeDistributed": L.TimeDistributed(L.Dropout(0.5)),
        "ConvLSTM1D": L.ConvLSTM1D(2, 2, **both),
    }


def images():
    return {
        "SpatialDropout2D": L.SpatialDropout2D(0.5),
        "RandomBrightness": L.RandomBrightness(0.5, value_range=(0, 1)),
        "RandomContrast": L.RandomContrast(0.5),
        "RandomCrop": L.RandomCrop(3, 3),
        "RandomFlip": L.RandomFlip(),
        "RandomHeight": L.RandomHeight(0.5),
        "RandomRotation": L.RandomRotation(0.5),
        "RandomTranslation": L.RandomTranslation(0.5, 0.5),
        "RandomWidth": L.RandomWidth(0.5),
        "RandomZoom": L.RandomZoom(0.5),
        "Augmented": Augmented(),
    }


def vectors():
    return {
        "Dropout": L.Dropout(0.5),
        "Dropout_seed": L.Dropout(0.5, seed=3),
        "AlphaDropout": L.AlphaDropout(0.5),
        "GaussianDropout": L.GaussianDropout(0.5),
        "GaussianNoise": L.GaussianNoise(0.5),
        "subclass": Halved(0.5),
        "Drawn": Drawn(),
        "Nested": Nested(),
    }


COMPILED = ("Dropout", "LSTM_recurrent", "Bidirectional", "GaussianNoise", "Attention", "Nested", "SpatialDropout2D")


def make_model(chosen=None):
    """Each branch: input, random layer, sums over all axes but the last, a dense layer with the name of the branch."""
    vector, sequence, image = (tf.keras.Input(shape) for shape in ((6,), (5, 6), (4, 4, 3)))
    branches = {}
    for given, layers in ((vector, vectors()), (sequence, sequences()), (image, images())):
        for name, layer in layers.items():
            layer._name = f"{name}.random"
            branches[name] = (layer, given)
    outputs = {}
    for name, (layer, given) in branches.items():
        if not chosen or name in chosen:
            lines = given[:, tf.newaxis] if name == "ConvLSTM1D" else given
            lines = tf.transpose(lines, [0, 2, 3, 1]) if name == "ConvLSTM1D" else lines
            outputs[name] = layer(lines)
    query = L.Dense(4, name="Attention.query")(sequence)
    outputs["Attention"] = L.Attention(dropout=0.5, name="Attention.random")([query, query])
    heads = L.MultiHeadAttention(2, 3, dropout=0.5, name="MultiHeadAttention.random")
    outputs["MultiHeadAttention"] = heads(sequence, sequence)
    shared = L.Dropout(0.5, name="shared.random")
    outputs["shared"] = shared(shared(vector))
    if not chosen:
        outputs["SpatialDropout3D"] = L.SpatialDropout3D(0.5, name="SpatialDropout3D.random")(image[:, tf.newaxis])
    outputs = {
        name: L.Dense(2, name=name)(tf.reduce_mean(value, axis=range(1, len(value.shape) - 1)))
        for name, value in outputs.items()
    }
    return tf.keras.Model([vector, sequence, image], outputs, name="net")


def make_training(way, mode):
    model, step = make_model(COMPILED if mode == "xla" else None), tf.Variable(0, dtype=tf.int64)
    optimizer = tf.keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    if way == "keyed":
        key_random_layers(model, seed=7, step=step)
    random = np.random.default_rng(0)
    batches = [tf.constant(random.uniform(size=(STEPS, 4, *shape)), tf.float32) for shape in ((6,), (5, 6), (4, 4, 3))]

    def train(count):
        for _ in tf.range(count):
            batch = [values[step] for values in batches]
            with tf.GradientTape() as tape:
                answers = model(batch, training=True)
                loss = tf.add_n([tf.reduce_sum(tf.math.squared_difference(answers[name], 1.0)) for name in answers])
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            step.assign_add(1)

    train = train if mode == "eager" else tf.function(train, jit_compile=mode == "xla")
    return model, step, tf.train.Checkpoint(model=model, optimizer=optimizer, step=step), train


def weights_of(model):
    """The weights of each branch, in one array."""
    names = [layer.name for layer in model.layers if f"{layer.name}.random" in {other.name for other in model.layers}]
    parts = {name: (model.get_layer(name), model.get_layer(f"{name}.random")) for name in names}
    return {
        name: np.concatenate([weight.ravel() for layer in layers for weight in layer.get_weights()])
        for name, layers in parts.items()
    }


def main():
    way, mode, folder = sys.argv[1:]
    tf.keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    model, step, checkpoint, train = make_training(way, mode)
    whole = int if mode == "eager" else tf.constant
    saved = checkpoint.write(str(Path(folder) / "begun"))
    train(whole(STEPS))
    in_one_go = weights_of(model)
    checkpoint.restore(saved)
    key_random_layers(model, seed=7, step=step) if way == "keyed" else None
    train(whole(SAVED_AT))
    saved = checkpoint.write(str(Path(folder) / "three"))
    model, step, checkpoint, train = make_training(way, mode)
    checkpoint.restore(saved)
    train(whole(STEPS - SAVED_AT))
    in_two = weights_of(model)
    given = model.get_layer("shared.random")(tf.ones([4, 6]), training=True).numpy()
    same = {name: in_one_go[name].tobytes() == in_two[name].tobytes() for name in in_one_go}
    print(json.dumps({"same": same, "digest": hashlib.sha256(given.tobytes()).hexdigest()}))


if __name__ == "__main__":
    main()
