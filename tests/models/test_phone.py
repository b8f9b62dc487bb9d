"""What TensorFlow Lite asks of layers, against what its converter says."""

import re

import numpy as np
import pytest

from trainkit.config import known_names
from trainkit.deploy.export.tables import split_tables
from trainkit.errors import ExportError
from trainkit.framework import quiet_stderr, tf
from trainkit.models.costs import Amount, kept_activations, layer_costs, peak_memory
from trainkit.models.layers import Impute
from trainkit.models.phone import Need, phone_needs

K = tf.keras.layers
ROW, STEPS, IMAGE, VOLUME = (6,), (5, 4), (8, 8, 4), (6, 6, 6, 2)
SHAPES = {"1D": STEPS, "2D": IMAGE, "3D": VOLUME}
NOT_ALONE = {
    "DenseFeatures": "takes Python objects",
    "GRUCell": "stands in RNN",
    "LSTMCell": "stands in RNN",
    "SimpleRNNCell": "stands in RNN",
    "StackedRNNCells": "stands in RNN",
}


def adapted():
    layer = Impute()
    layer.adapt(np.ones((3, *ROW), "float32"))
    return layer


def ranks(prefixes, make, shape=lambda shape: shape, dimensions=("1D", "2D", "3D")):
    """A case for each number of dimensions."""
    return {
        f"{prefix}{rank}": (lambda prefix=prefix, rank=rank: make(getattr(K, f"{prefix}{rank}")), [shape(SHAPES[rank])])
        for prefix in prefixes
        for rank in dimensions
    }


def plain(names, shape, *args, **kwargs):
    """A case for each class that is built alike."""
    return {name: (lambda name=name: getattr(K, name)(*args, **kwargs), [shape]) for name in names}


CASES = {
    **{name: (getattr(K, name), [ROW, ROW]) for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum")},
    **{name: (getattr(K, name), [ROW, ROW]) for name in ("Multiply", "Subtract")},
    **{name: (getattr(K, name), [STEPS, STEPS]) for name in ("Attention", "AdditiveAttention")},
    **plain(["ELU", "Flatten", "Identity", "LayerNormalization", "LeakyReLU", "PReLU", "ReLU", "Softmax"], IMAGE),
    **plain(["ActivityRegularization", "BatchNormalization", "ThresholdedReLU", "UnitNormalization"], IMAGE),
    **plain(["AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "RandomBrightness"], IMAGE, 0.1),
    **plain(["RandomContrast", "RandomHeight", "RandomRotation", "RandomWidth", "RandomZoom"], IMAGE, 0.1),
    **plain(["GroupNormalization"], IMAGE, 2),
    **plain(["CenterCrop", "RandomCrop", "Resizing"], IMAGE, 4, 4),
    **plain(["GRU", "LSTM", "SimpleRNN"], STEPS, 3),
    **ranks(["AveragePooling", "Cropping", "GlobalAveragePooling", "GlobalMaxPooling"], lambda make: make()),
    **ranks(["MaxPooling", "UpSampling", "ZeroPadding"], lambda make: make()),
    **ranks(["SpatialDropout"], lambda make: make(0.1)),
    **ranks(["Conv"], lambda make: make(4, 3)),
    **{
        f"Conv{rank}Transpose": (lambda rank=rank: getattr(K, f"Conv{rank}Transpose")(4, 3), [shape])
        for rank, shape in SHAPES.items()
    },
    **ranks(["ConvLSTM"], lambda make: make(4, 3, padding="same"), lambda shape: (3, *shape)),
    **ranks(["DepthwiseConv"], lambda make: make(3), dimensions=("1D", "2D")),
    **ranks(["LocallyConnected", "SeparableConv"], lambda make: make(4, 3), dimensions=("1D", "2D")),
    "Activation": (lambda: K.Activation("relu"), [ROW]),
    "Bidirectional": (lambda: K.Bidirectional(K.LSTM(3)), [STEPS]),
    "CategoryEncoding": (lambda: K.CategoryEncoding(5), [(3,)], "int32"),
    "Dense": (lambda: K.Dense(3), [ROW]),
    "Discretization": (lambda: K.Discretization([0.0, 1.0]), [ROW]),
    "Dot": (lambda: K.Dot(1), [ROW, ROW]),
    "EinsumDense": (lambda: K.EinsumDense("abc,cd->abd", (None, 3)), [STEPS]),
    "Embedding": (lambda: K.Embedding(9, 4), [(5,)], "int32"),
    "HashedCrossing": (lambda: K.HashedCrossing(5), [(1,), (1,)], "int32"),
    "Hashing": (lambda: K.Hashing(5), [(1,)], "int32"),
    "Impute": (adapted, [ROW]),
    "IntegerLookup": (lambda: K.IntegerLookup(vocabulary=[3, 5]), [(3,)], "int64"),
    "Masking": (K.Masking, [STEPS]),
    "MultiHeadAttention": (lambda: K.MultiHeadAttention(2, 4), [STEPS, STEPS]),
    "Normalization": (lambda: K.Normalization(mean=1.0, variance=2.0), [IMAGE]),
    "Permute": (lambda: K.Permute((2, 1)), [STEPS]),
    "RNN": (lambda: K.RNN(K.LSTMCell(3)), [STEPS]),
    "RandomFlip": (K.RandomFlip, [IMAGE]),
    "RandomTranslation": (lambda: K.RandomTranslation(0.1, 0.1), [IMAGE]),
    "RepeatVector": (lambda: K.RepeatVector(3), [ROW]),
    "Rescaling": (lambda: K.Rescaling(0.1), [IMAGE]),
    "Reshape": (lambda: K.Reshape((4, 5)), [STEPS]),
    "SpectralNormalization": (lambda: K.SpectralNormalization(K.Dense(3)), [ROW]),
    "StringLookup": (lambda: K.StringLookup(vocabulary=["a", "b"]), [(3,)], "string"),
    "TextVectorization": (lambda: K.TextVectorization(vocabulary=["a"], output_sequence_length=5), [(1,)], "string"),
    "TimeDistributed": (lambda: K.TimeDistributed(K.Conv2D(3, 3)), [(3, *IMAGE)]),
}
ACTIVATIONS = (
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "mish",
    "relu6",
    "selu",
    "sigmoid",
    "softmax",
)
MORE = {
    **{f"Activation-{name}": (lambda name=name: K.Activation(name), [ROW]) for name in ACTIVATIONS},
    **{f"Activation-{name}": (lambda name=name: K.Activation(name), [ROW]) for name in ("softplus", "swish", "tanh")},
    **{
        f"Resizing-{way}": (lambda way=way: K.Resizing(4, 4, interpolation=way), [IMAGE])
        for way in ("nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
    },
    **{
        f"UpSampling2D-{way}": (lambda way=way: K.UpSampling2D(interpolation=way), [IMAGE])
        for way in ("bilinear", "bicubic", "area", "lanczos3", "gaussian", "mitchellcubic")
    },
    **{
        f"{name}-unroll": (lambda name=name: getattr(K, name)(3, unroll=True), [STEPS])
        for name in ("GRU", "LSTM", "SimpleRNN")
    },
    "Attention-concat": (lambda: K.Attention(score_mode="concat"), [STEPS, STEPS]),
    "Bidirectional-unroll": (lambda: K.Bidirectional(K.LSTM(3, unroll=True)), [STEPS]),
    "Conv1D-any-length": (lambda: K.Conv1D(4, 3), [(None, 4)]),
    "Conv1D-causal": (lambda: K.Conv1D(4, 3, padding="causal"), [STEPS]),
    "Conv1D-groups": (lambda: K.Conv1D(4, 3, groups=2), [STEPS]),
    "Conv2D-any-size": (lambda: K.Conv2D(4, 3), [(None, None, 4)]),
    "Conv2D-channels-first": (lambda: K.Conv2D(4, 3, data_format="channels_first"), [IMAGE]),
    "Conv2D-dilation": (lambda: K.Conv2D(4, 3, dilation_rate=2), [IMAGE]),
    "Conv2D-groups": (lambda: K.Conv2D(4, 3, groups=2), [IMAGE]),
    "Conv2DTranspose-strides": (lambda: K.Conv2DTranspose(4, 3, strides=2, padding="same"), [IMAGE]),
    "Conv3D-dilation": (lambda: K.Conv3D(4, 3, dilation_rate=2), [VOLUME]),
    "Conv3D-groups": (lambda: K.Conv3D(4, 3, groups=2), [VOLUME]),
    "EinsumDense-ellipsis": (lambda: K.EinsumDense("...x,xy->...y", 3), [(2, 3, 4)]),
    "GRU-reset-before": (lambda: K.GRU(3, reset_after=False), [STEPS]),
    "Hashing-texts": (lambda: K.Hashing(5), [(1,)], "string"),
    "LSTM-any-length": (lambda: K.LSTM(3), [(None, 4)]),
    "LayerNormalization-any-length": (K.LayerNormalization, [(None, 4)]),
    "MultiHeadAttention-image": (lambda: K.MultiHeadAttention(2, 4, attention_axes=(1, 2)), [IMAGE, IMAGE]),
    "RNN-stacked": (lambda: K.RNN(K.StackedRNNCells([K.GRUCell(3), K.SimpleRNNCell(3)])), [STEPS]),
    "StringLookup-multi-hot": (lambda: K.StringLookup(vocabulary=["a"], output_mode="multi_hot"), [(3,)], "string"),
    "TimeDistributed-LSTM": (lambda: K.TimeDistributed(K.LSTM(3)), [(3, *STEPS)]),
}


def model_of(case, batch=None):
    make, shapes, dtype = (*case, "float32")[:3]
    inputs = [tf.keras.Input(shape, batch, dtype=dtype) for shape in shapes]
    layer = make()
    if isinstance(layer, K.MultiHeadAttention):
        return tf.keras.Model(inputs, layer(*inputs))
    return tf.keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def convert(model, *, flex=False):
    """The .tflite without what is done before it, or the operations that cannot be in it."""
    inner, preprocess = split_tables(model, numbers=True)
    converter = tf.lite.TFLiteConverter.from_keras_model(inner)
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    try:
        with quiet_stderr():
            return converter.convert(), preprocess
    except Exception as error:
        found = re.findall(r"'tf\.(\w+)' op is|failed to legalize operation 'tf\.(\w+)'", str(error))
        return {first or second for first, second in found}, preprocess


def runs(content):
    """Whether LiteRT computes a file, at sizes that fit where any goes."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    for place in interpreter.get_input_details():
        shape = [place["shape"][0], *(8 if size < 0 else size for size in place["shape_signature"][1:])]
        interpreter.resize_tensor_input(place["index"], shape)
    try:
        interpreter.allocate_tensors()
        for place in interpreter.get_input_details():
            interpreter.set_tensor(place["index"], np.zeros(place["shape"], place["dtype"]))
        interpreter.invoke()
    except (RuntimeError, ValueError):
        return False
    return True


def measured(case):
    """What a case needs: (need, operations)."""
    try:
        content, preprocess = convert(model_of(case))
        if isinstance(content, bytes) and runs(content):
            return {(Need.HOST, ())} if preprocess else set()
        fixed, _ = convert(model_of(case, 1))
        if isinstance(fixed, bytes) and runs(fixed):
            return {(Need.BATCH_1, ())}
        with_flex, _ = convert(model_of(case), flex=True)
    except ExportError:
        return {(Need.MISSING, ())}
    operations = tuple(sorted(content if isinstance(content, set) else fixed))
    is_flex = isinstance(with_flex, bytes) and b"Flex" in with_flex
    return {(Need.FLEX if is_flex else Need.MISSING, operations)}


def told(case):
    return {(need.need, need.operations) for need in phone_needs(model_of(case))}


def test_phone_cases_are_of_every_layer():
    classes = {getattr(K, name, Impute).__name__ for name in known_names("layer")}
    assert {*CASES, *NOT_ALONE} == classes


@pytest.mark.parametrize("case", [*(CASES | MORE).values()], ids=[*(CASES | MORE)])
def test_costs_of_every_layer_are_known(case):
    model = model_of(case)
    costs = layer_costs(model)
    assert None not in [cost.macs for cost in costs]
    assert sum(cost.parameters for cost in costs) == model.count_params()
    assert not peak_memory(model).activations < costs[-1].activations
    assert not kept_activations(model) < Amount()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", [*(CASES | MORE).values()], ids=[*(CASES | MORE)])
def test_phone_needs_are_what_the_converter_says(case):
    assert told(case) == measured(case)


@pytest.mark.parametrize("name", ["Dense", "SimpleRNN", "StringLookup", "AveragePooling3D", "Resizing-area"])
@pytest.mark.filterwarnings("ignore")
def test_phone_needs_of_one_layer_of_each_kind_are_what_the_converter_says(name):
    case = (CASES | MORE)[name]
    assert told(case) == measured(case)


def test_phone_needs_name_the_layer_and_what_is_inside():
    inputs = tf.keras.Input(STEPS)
    steps = K.Bidirectional(K.GRU(2, return_sequences=True), name="both")(inputs)
    (need,) = phone_needs(tf.keras.Model(inputs, K.Dense(1)(steps)))
    assert (need.layer, need.class_name, need.need, need.can_unroll) == ("both", "GRU", Need.BATCH_1, True)
