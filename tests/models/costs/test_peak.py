"""The most memory at once."""

from trainkit.framework import tf
from trainkit.models.costs import Amount, Peak, peak_memory

K = tf.keras.layers


def chain(*layers, shape):
    tensor = inputs = tf.keras.Input(shape, name="input")
    for layer in layers:
        tensor = layer(tensor)
    return tf.keras.Model(inputs, tensor)


def test_peak_memory_is_of_the_layer_whose_input_and_output_are_the_largest():
    model = chain(K.Dense(100, name="wide"), K.Dense(80, name="next"), K.Dense(2), shape=(10,))
    assert peak_memory(model) == Peak(Amount(4 * (100 + 80)), "next")


def test_peak_memory_counts_what_a_later_layer_needs():
    inputs = tf.keras.Input((50,))
    first = K.Dense(40)(inputs)
    second = K.Dense(40, name="second")(K.Dense(30)(first))
    model = tf.keras.Model(inputs, K.Dense(1)(K.Add(name="sum")([first, second])))
    assert peak_memory(model) == Peak(Amount(4 * (40 + 40 + 40)), "sum")


def test_peak_memory_lets_a_relu_write_over_what_it_is_given():
    model = chain(K.Dense(50, name="wide"), K.BatchNormalization(), K.ReLU(), K.Dense(2), shape=(10,))
    assert peak_memory(model) == Peak(Amount(4 * (10 + 50)), "wide")


def test_peak_memory_keeps_what_a_relu_is_given_where_another_layer_needs_it():
    inputs = tf.keras.Input((10,))
    wide = K.Dense(50)(inputs)
    model = tf.keras.Model(inputs, K.Concatenate(name="both")([wide, K.ReLU()(wide)]))
    assert peak_memory(model) == Peak(Amount(4 * (50 + 50 + 100)), "both")


def test_peak_memory_of_mobilenet_is_where_its_widest_image_is_padded():
    model = tf.keras.applications.MobileNet(weights=None, include_top=False, input_shape=(224, 224, 3))
    pad = 4 * (112 * 112 * 64 + 113 * 113 * 64)
    assert peak_memory(model) == Peak(Amount(pad), "conv_pad_2")
