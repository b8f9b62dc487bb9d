"""Multiply-accumulates, against TensorFlow's profiler, networks of ones, and papers."""

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.models.costs import Amount, layer_costs, total

K = tf.keras.layers
STEPS, IMAGE, VOLUME = (9, 4), (8, 7, 4), (5, 6, 7, 2)
PRODUCTS = {"Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul", "BatchMatMulV2"}


def model_of(layer, *shapes, dtype="float32"):
    inputs = [tf.keras.Input(shape, dtype=dtype) for shape in shapes]
    if isinstance(layer, K.MultiHeadAttention):
        return tf.keras.Model(inputs, layer(*inputs))
    return tf.keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def macs_of(model):
    return total(cost.macs for cost in layer_costs(model))


def profiled(model):
    """Half the floating-point operations of products, as TensorFlow's profiler counts them for one sample."""
    specs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
    graph = tf.function(lambda *inputs: model(list(inputs))).get_concrete_function(*specs).graph
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    found = profiler.profile(graph, cmd="op", options=options.with_empty_output().build())
    count = 0
    while found.children:
        (found,) = found.children
        count += found.float_ops if found.name in PRODUCTS else 0
    return count // 2


PROFILED = {
    "Conv1D": (K.Conv1D(5, 3), STEPS),
    "Conv1D-causal": (K.Conv1D(5, 3, padding="causal", strides=2), STEPS),
    "Conv2D": (K.Conv2D(5, (3, 2), strides=2), IMAGE),
    "Conv2D-first": (K.Conv2D(6, 3, strides=2, data_format="channels_first"), (4, 8, 7)),
    "Conv2D-frames": (K.Conv2D(6, 3), (3, *IMAGE)),
    "Conv3D": (K.Conv3D(5, (2, 3, 3), strides=(1, 2, 2), padding="same"), VOLUME),
    "Conv1DTranspose": (K.Conv1DTranspose(5, 4, strides=2, padding="same"), STEPS),
    "Conv2DTranspose": (K.Conv2DTranspose(5, 3, strides=2, padding="same"), IMAGE),
    "DepthwiseConv1D": (K.DepthwiseConv1D(3, depth_multiplier=2), STEPS),
    "DepthwiseConv2D": (K.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), IMAGE),
    "SeparableConv1D": (K.SeparableConv1D(5, 3, depth_multiplier=2), STEPS),
    "SeparableConv2D": (K.SeparableConv2D(5, 3, strides=2, padding="same", depth_multiplier=2), IMAGE),
    "Dense": (K.Dense(5), (6,)),
    "Dense-rank-3": (K.Dense(5), IMAGE),
    "Attention": (K.Attention(), STEPS, (5, 4), (5, 4)),
    "Attention-concat": (K.Attention(score_mode="concat"), STEPS, (5, 4)),
    "AdditiveAttention": (K.AdditiveAttention(use_scale=False), STEPS, (5, 4)),
    "Dot": (K.Dot(2), STEPS, (5, 4)),
    "LSTM": (K.LSTM(6, unroll=True), STEPS),
    "GRU": (K.GRU(6, unroll=True), STEPS),
    "SimpleRNN": (K.SimpleRNN(6, unroll=True, return_sequences=True), STEPS),
    "RNN": (K.RNN([K.LSTMCell(6), K.GRUCell(3), K.SimpleRNNCell(2)], unroll=True), STEPS),
    "Bidirectional": (
        K.Bidirectional(K.LSTM(6, unroll=True), backward_layer=K.GRU(3, unroll=True, go_backwards=True)),
        STEPS,
    ),
    "TimeDistributed": (K.TimeDistributed(K.Conv2D(3, 3, strides=2)), (3, *IMAGE)),
    "SpectralNormalization": (K.SpectralNormalization(K.Conv2D(3, 3)), IMAGE),
    "LocallyConnected1D": (K.LocallyConnected1D(5, 3), STEPS),
}


@pytest.mark.parametrize("case", [*PROFILED.values()], ids=[*PROFILED])
def test_macs_are_half_the_operations_of_the_profiler(case):
    model = model_of(*case)
    expected = profiled(model)
    assert expected > 0
    assert macs_of(model) == Amount(expected)


ONES = {
    "Conv2D-dilation": (K.Conv2D(5, 3, dilation_rate=2, kernel_initializer="ones"), IMAGE),
    "Conv2D-groups": (K.Conv2D(6, 3, groups=2, strides=2, kernel_initializer="ones"), IMAGE),
    "Conv3D-groups": (K.Conv3D(4, 2, groups=2, kernel_initializer="ones"), VOLUME),
    "Conv1DTranspose": (K.Conv1DTranspose(5, 3, strides=2, kernel_initializer="ones"), STEPS),
    "Conv2DTranspose": (K.Conv2DTranspose(5, 3, strides=(2, 1), kernel_initializer="ones"), IMAGE),
    "Conv3DTranspose": (K.Conv3DTranspose(3, 3, strides=2, kernel_initializer="ones"), VOLUME),
    "EinsumDense": (K.EinsumDense("abc,cde->abde", (None, 2, 3), kernel_initializer="ones"), STEPS),
    "EinsumDense-ellipsis": (K.EinsumDense("...x,xy->...y", 5, kernel_initializer="ones"), IMAGE),
    "EinsumDense-per-step": (K.EinsumDense("abc,bcd->abd", (None, 5), kernel_initializer="ones"), STEPS),
    "LocallyConnected1D": (K.LocallyConnected1D(5, 3, strides=2, kernel_initializer="ones"), STEPS),
    "LocallyConnected2D": (K.LocallyConnected2D(5, 3, kernel_initializer="ones"), IMAGE),
    "LocallyConnected2D-sparse": (K.LocallyConnected2D(5, 3, implementation=3, kernel_initializer="ones"), IMAGE),
    "Dot-both": (K.Dot((2, 1)), STEPS, (4, 5)),
}


@pytest.mark.parametrize("case", [*ONES.values()], ids=[*ONES])
def test_macs_are_what_ones_times_ones_add_up_to(case):
    model = model_of(*case)
    answer = model([np.ones((1, *tensor.shape[1:]), "float32") for tensor in model.inputs])
    assert macs_of(model) == Amount(int(np.sum(answer)))


def test_macs_of_heads_are_of_four_projections_and_two_products():
    query, value = 9 * 8, 5 * 6
    model = model_of(K.MultiHeadAttention(2, 3, value_dim=5, output_shape=7), (9, 8), (5, 6))
    projections = query * 2 * 3 + value * 2 * 5 + value * 2 * 3 + 9 * 2 * 5 * 7
    assert macs_of(model) == Amount(projections + 2 * 9 * 5 * 3 + 2 * 9 * 5 * 5)


def test_macs_of_heads_with_arguments_by_name_are_the_same():
    query, value = tf.keras.Input((9, 8)), tf.keras.Input((5, 6))
    answer = K.MultiHeadAttention(2, 3)(key=value, value=value, query=query)
    expected = 9 * 8 * 6 + 2 * 5 * 6 * 6 + 9 * 6 * 8 + 2 * 2 * 9 * 5 * 3
    assert macs_of(tf.keras.Model([query, value], answer)) == Amount(expected)


def test_macs_of_heads_know_values_from_keys_of_another_width():
    query, value, key = tf.keras.Input((9, 8)), tf.keras.Input((5, 6)), tf.keras.Input((5, 4))
    answer = K.MultiHeadAttention(2, 3, value_dim=7)(query, value, key)
    expected = 9 * 8 * 6 + 5 * 6 * 14 + 5 * 4 * 6 + 9 * 14 * 8 + 2 * 9 * 5 * (3 + 7)
    assert macs_of(tf.keras.Model([query, value, key], answer)) == Amount(expected)


def test_macs_of_heads_over_an_image_are_of_every_pair_of_places():
    model = model_of(K.MultiHeadAttention(2, 3, attention_axes=(1, 2)), (4, 5, 8), (4, 5, 8))
    assert macs_of(model) == Amount(20 * (3 * 8 * 6 + 6 * 8) + 2 * 2 * 20 * 20 * 3)


@pytest.mark.parametrize(("rank", "shape"), [(1, (7,)), (2, (7, 6)), (3, (7, 6, 5))])
def test_macs_of_a_convolutional_lstm_are_those_of_its_two_convolutions(rank, shape):
    layer = getattr(K, f"ConvLSTM{rank}D")(3, 3, padding="valid")
    places = np.prod([size - 2 for size in shape])
    assert macs_of(model_of(layer, (4, *shape, 2))) == Amount(int(4 * places * 3**rank * (2 + 3) * 4 * 3))


def test_macs_of_additive_attention_count_its_scale():
    assert macs_of(model_of(K.AdditiveAttention(), STEPS, (5, 4))) == Amount(9 * 5 * 4 + 9 * 5 * 4)


@pytest.mark.parametrize(
    "layer",
    [K.BatchNormalization(), K.ReLU(), K.MaxPooling2D(), K.LayerNormalization(), K.UpSampling2D()],
    ids=lambda layer: type(layer).__name__,
)
def test_macs_of_work_number_by_number_are_none(layer):
    assert macs_of(model_of(layer, IMAGE)) == Amount()


def test_macs_of_an_embedding_are_none():
    assert macs_of(model_of(K.Embedding(9, 4), (5,), dtype="int32")) == Amount()


OPEN = {
    "LSTM": (K.LSTM(6), (None, 4), Amount(per_step=4 * 6 * (4 + 6))),
    "Conv1D": (K.Conv1D(5, 3), (None, 4), Amount(per_step=3 * 4 * 5)),
    "Conv2D": (K.Conv2D(5, 3), (None, None, 4), Amount(per_pair=9 * 4 * 5)),
    "Conv3D": (K.Conv3D(5, 1), (None, None, None, 4), Amount(beyond=4 * 5)),
    "TimeDistributed": (K.TimeDistributed(K.Dense(5)), (None, 4), Amount(per_step=4 * 5)),
    "Dense": (K.Dense(5), (None, 4), Amount(per_step=4 * 5)),
    "Attention": (K.Attention(), (None, 4), (None, 4), Amount(per_pair=2 * 4)),
    "MultiHeadAttention": (
        K.MultiHeadAttention(2, 3),
        (None, 8),
        (None, 8),
        Amount(per_step=4 * 8 * 6, per_pair=2 * 2 * 3),
    ),
}


@pytest.mark.parametrize("case", [*OPEN.values()], ids=[*OPEN])
def test_macs_where_a_size_is_open_are_for_a_step(case):
    *network, expected = case
    assert macs_of(model_of(*network)) == expected


class Own(tf.keras.layers.Layer):
    def call(self, inputs):
        return inputs @ tf.ones((4, 4))


def test_macs_of_a_layer_that_nobody_knows_are_unknown():
    (_, cost) = layer_costs(model_of(Own(), STEPS))
    assert cost.macs is None


def test_macs_of_a_product_outside_layers_are_unknown_and_of_a_sum_none():
    inputs = tf.keras.Input(STEPS)
    product, added = (
        layer_costs(tf.keras.Model(inputs, made))[-1]
        for made in (tf.matmul(inputs, inputs, transpose_b=True), inputs + 1)
    )
    assert (product.macs, added.macs) == (None, Amount())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ResNet50", 3.8e9),  # He et al., CVPR 2016, table 1; the last layer is a thousandth
        ("VGG16", 15.3e9),  # the same, section 3.3
        ("MobileNet", 569e6),  # Howard et al., 2017, table 4
        ("MobileNetV2", 300e6),  # Sandler et al., CVPR 2018, table 4
        ("EfficientNetB0", 0.39e9),  # Tan and Le, ICML 2019, table 2
    ],
)
def test_macs_of_known_networks_are_those_of_their_papers(name, expected):
    model = getattr(tf.keras.applications, name)(weights=None, include_top=False, input_shape=(224, 224, 3))
    assert macs_of(model).fixed == pytest.approx(expected, rel=0.02)


def block(x, filters, strides):
    shortcut = x
    for kernel_strides in (strides, 1):
        x = K.BatchNormalization()(K.Conv2D(filters, 3, strides=kernel_strides, padding="same")(x))
    if strides > 1:
        shortcut = K.Conv2D(filters, 1, strides=strides, padding="same")(shortcut)
    return K.ReLU()(K.Add()([x, shortcut]))


def test_macs_of_the_small_resnet_of_mlperf_tiny():
    """12.50 million: Banbury et al., NeurIPS 2021, and its reference model."""
    inputs = tf.keras.Input((32, 32, 3))
    x = K.ReLU()(K.BatchNormalization()(K.Conv2D(16, 3, padding="same")(inputs)))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        x = block(x, filters, strides)
    x = K.Dense(10)(K.Flatten()(K.AveragePooling2D(8)(x)))
    assert macs_of(tf.keras.Model(inputs, x)).fixed == pytest.approx(12.50e6, rel=0.001)


def test_macs_of_the_keyword_spotter_of_mlperf_tiny():
    """2.66 million: Banbury et al., NeurIPS 2021, and its reference model."""
    inputs = tf.keras.Input((49, 10, 1))
    x = K.Conv2D(64, (10, 4), strides=2, padding="same")(inputs)
    for _ in range(4):
        x = K.Conv2D(64, 1)(K.DepthwiseConv2D(3, padding="same")(x))
    x = K.Dense(12)(K.GlobalAveragePooling2D()(x))
    assert macs_of(tf.keras.Model(inputs, x)).fixed == pytest.approx(2.66e6, rel=0.01)
