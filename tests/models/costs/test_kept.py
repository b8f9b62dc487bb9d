"""What a training keeps, against the graph of its gradients."""

import pytest

from trainkit.framework import tf
from trainkit.models.costs import Amount, kept_activations

K = tf.keras.layers
SAME_BYTES = {"ExpandDims", "Identity", "IdentityN", "Reshape", "Squeeze"}
NOT_KEPT = {"Const", "ReadVariableOp", "Shape"}


def source(tensor, forward):
    """The tensor whose bytes a tensor shows."""
    while tensor.op.name in forward and tensor.op.type in SAME_BYTES:
        tensor = tensor.op.inputs[tensor.value_index]
    return tensor


def kept_by_tensorflow(model, batch=8):
    """Bytes a sample of the tensors of the forward pass that operations of the backward pass take."""
    kept = {}

    @tf.function
    def step(*inputs):
        graph = tf.compat.v1.get_default_graph()
        answers = tf.nest.flatten(model(list(inputs), training=True))
        forward = {operation.name for operation in graph.get_operations()}
        tf.gradients([tf.reduce_sum(answer * answer) for answer in answers], model.trainable_variables)
        for operation in graph.get_operations():
            if operation.name in forward:
                continue
            for taken in operation.inputs:
                tensor = source(taken, forward)
                if tensor.op.name in forward and tensor.op.type not in NOT_KEPT and tensor.shape.rank:
                    kept[tensor.ref()] = tensor.shape.num_elements() * tensor.dtype.size
        return answers

    step.get_concrete_function(*(tf.TensorSpec((batch, *each.shape[1:]), each.dtype) for each in model.inputs))
    return sum(kept.values()) / batch


def chain(*layers, shape, dtype="float32"):
    tensor = inputs = tf.keras.Input(shape, dtype=dtype)
    for layer in layers:
        tensor = layer(tensor)
    return tf.keras.Model(inputs, tensor)


def lenet():
    layers = [K.Conv2D(20, 5, activation="relu"), K.MaxPooling2D(), K.Conv2D(50, 5, activation="relu")]
    head = [K.MaxPooling2D(), K.Flatten(), K.Dense(500, activation="relu"), K.Dropout(0.5)]
    return chain(*layers, *head, K.Dense(10, activation="softmax"), shape=(28, 28, 1))


def application(name, frozen=0):
    model = getattr(tf.keras.applications, name)(weights=None, include_top=False, input_shape=(96, 96, 3))
    for layer in model.layers[:frozen]:
        layer.trainable = False
    return model


def swish():
    layers = [K.Conv2D(8, 3), K.Activation("swish"), K.Conv2D(9, 3, activation="relu")]
    return chain(*layers, shape=(16, 16, 3))


def transformer():
    inputs = tf.keras.Input((40, 32))
    x = K.LayerNormalization()(inputs + K.Dropout(0.1)(K.MultiHeadAttention(4, 8)(inputs, inputs)))
    x = K.LayerNormalization()(K.Add()([x, K.Dense(32)(K.Dense(128, activation="gelu")(x))]))
    return tf.keras.Model(inputs, K.Dense(3)(K.GlobalAveragePooling1D()(x)))


def classifier():
    layers = [K.Embedding(50, 16), K.Bidirectional(K.LSTM(12, unroll=True)), K.Dense(3, activation="softmax")]
    return chain(*layers, shape=(20,), dtype="int32")


NETWORKS = {
    "lenet": (lenet, 0.1),
    "frozen": (lambda: application("ResNet50", 143), 0.05),
    "mobilenet": (lambda: application("MobileNetV2"), 0.05),
    "swish": (swish, 0.05),
    "transformer": (transformer, 0.25),
    "lstm": (classifier, 0.25),
    "gru": (lambda: chain(K.GRU(12, unroll=True, return_sequences=True), K.GRU(9, unroll=True), shape=(20, 8)), 0.25),
}


@pytest.mark.parametrize(("make", "share"), [*NETWORKS.values()], ids=[*NETWORKS])
def test_kept_activations_are_those_of_the_graph(make, share):
    model = make()
    assert kept_activations(model).fixed == pytest.approx(kept_by_tensorflow(model), rel=share)


def test_kept_activations_of_another_shape_are_the_same_bytes():
    model = chain(K.Dense(6, activation="relu"), K.Reshape((2, 3)), K.Flatten(), K.Dense(5, "softmax"), shape=(4,))
    assert kept_activations(model) == Amount(4 * (4 + 6 + 5))


def test_kept_activations_of_a_frozen_network_are_none():
    model = lenet()
    model.trainable = False
    assert kept_activations(model) == Amount()


def test_kept_activations_where_a_length_is_open_are_for_a_step():
    model = chain(K.Dense(6, activation="relu"), K.GlobalAveragePooling1D(), shape=(None, 4))
    assert kept_activations(model) == Amount(per_step=4 * (4 + 6))
