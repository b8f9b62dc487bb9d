"""Networks of one layer each: every layer of Keras that the config language takes, and its arguments that matter."""

import numpy as np

from trainkit.framework import tf
from trainkit.models.layers import Impute

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


VARIANTS = {
    **{f"Activation-{n}": (lambda n=n: K.Activation(n), [ROW]) for n in ("relu", "linear", "softsign", "hard_sigmoid")},
    **{
        f"Activation-{n}-image": (lambda n=n: K.Activation(n), [IMAGE])
        for n in (
            "elu",
            "exponential",
            "gelu",
            "hard_sigmoid",
            "leaky_relu",
            "mish",
            "relu",
            "relu6",
            "selu",
            "sigmoid",
            "softmax",
            "softplus",
            "softsign",
            "swish",
            "tanh",
            "linear",
        )
    },
    **{
        f"Conv2D-{n}": (lambda n=n: K.Conv2D(4, 3, activation=n), [IMAGE])
        for n in ("elu", "gelu", "selu", "swish", "softmax", "mish")
    },
    "Dense-elu": (lambda: K.Dense(4, activation="elu"), [ROW]),
    "Dense-steps": (lambda: K.Dense(4), [STEPS]),
    "Dense-image": (lambda: K.Dense(4), [IMAGE]),
    "Dense-volume": (lambda: K.Dense(4), [VOLUME]),
    "Dense-any-length": (lambda: K.Dense(4), [(None, 4)]),
    **{
        f"{n}-volume": (lambda n=n: getattr(K, n)(), [VOLUME])
        for n in (
            "ReLU",
            "BatchNormalization",
            "LayerNormalization",
            "Flatten",
            "Softmax",
            "PReLU",
            "LeakyReLU",
            "ELU",
            "UnitNormalization",
        )
    },
    **{
        f"{n}-steps": (lambda n=n: getattr(K, n)(), [STEPS])
        for n in (
            "ReLU",
            "BatchNormalization",
            "LayerNormalization",
            "Flatten",
            "Softmax",
            "PReLU",
            "LeakyReLU",
            "ELU",
            "UnitNormalization",
        )
    },
    **{
        f"{n}-row": (lambda n=n: getattr(K, n)(), [ROW])
        for n in (
            "ReLU",
            "BatchNormalization",
            "LayerNormalization",
            "Softmax",
            "PReLU",
            "LeakyReLU",
            "ELU",
            "UnitNormalization",
        )
    },
    **{
        f"{n}-image": (lambda n=n: getattr(K, n)(), [IMAGE, IMAGE])
        for n in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
    },
    **{f"{n}-volume": (lambda n=n: getattr(K, n)(), [VOLUME, VOLUME]) for n in ("Add", "Concatenate", "Multiply")},
    **{
        f"{n}-three": (lambda n=n: getattr(K, n)(), [IMAGE, IMAGE, IMAGE])
        for n in ("Add", "Average", "Maximum", "Multiply", "Concatenate")
    },
    "Multiply-squeeze": (lambda: K.Multiply(), [IMAGE, (1, 1, 4)]),
    "Add-rank": (lambda: K.Add(), [IMAGE, (8, 4)]),
    "Concatenate-axis1": (lambda: K.Concatenate(axis=1), [IMAGE, IMAGE]),
    "DepthwiseConv2D-multiplier": (lambda: K.DepthwiseConv2D(3, depth_multiplier=2), [IMAGE]),
    "DepthwiseConv2D-multiplier-grey": (lambda: K.DepthwiseConv2D(3, depth_multiplier=2), [(8, 8, 1)]),
    "DepthwiseConv2D-dilation": (lambda: K.DepthwiseConv2D(3, dilation_rate=2), [IMAGE]),
    "SeparableConv2D-multiplier": (lambda: K.SeparableConv2D(4, 3, depth_multiplier=2), [IMAGE]),
    "Conv2D-strides": (lambda: K.Conv2D(4, 3, strides=2, padding="same"), [IMAGE]),
    "Conv1D-dilation": (lambda: K.Conv1D(4, 3, dilation_rate=2), [STEPS]),
    "Conv1DTranspose-strides": (lambda: K.Conv1DTranspose(4, 3, strides=2), [STEPS]),
    "Conv2DTranspose-any": (lambda: K.Conv2DTranspose(4, 3, strides=2, padding="same"), [(None, None, 4)]),
    "UpSampling2D-any": (lambda: K.UpSampling2D(), [(None, None, 4)]),
    "GlobalAveragePooling2D-keep": (lambda: K.GlobalAveragePooling2D(keepdims=True), [IMAGE]),
    "GlobalAveragePooling2D-any": (lambda: K.GlobalAveragePooling2D(), [(None, None, 4)]),
    "MaxPooling2D-any": (lambda: K.MaxPooling2D(), [(None, None, 4)]),
    "Flatten-any": (lambda: K.Flatten(), [(None, 4)]),
    "Flatten-row": (lambda: K.Flatten(), [ROW]),
    "Reshape-volume": (lambda: K.Reshape((4, 4, 4, 4)), [IMAGE]),
    "Reshape-from-volume": (lambda: K.Reshape((36, 12)), [VOLUME]),
    "Permute-image": (lambda: K.Permute((3, 1, 2)), [IMAGE]),
    "Permute-volume": (lambda: K.Permute((4, 1, 2, 3)), [VOLUME]),
    "Dot-image": (lambda: K.Dot(-1), [STEPS, STEPS]),
    "Dot-normalize": (lambda: K.Dot(-1, normalize=True), [ROW, ROW]),
    "Embedding-mask": (lambda: K.Embedding(9, 4, mask_zero=True), [(5,)], "int32"),
    "Embedding-one": (lambda: K.Embedding(9, 4), [(1,)], "int32"),
    "CategoryEncoding-one_hot": (lambda: K.CategoryEncoding(5, output_mode="one_hot"), [(1,)], "int32"),
    "CategoryEncoding-count": (lambda: K.CategoryEncoding(5, output_mode="count"), [(3,)], "int32"),
    "Discretization-one_hot": (lambda: K.Discretization([0.0, 1.0], output_mode="one_hot"), [(1,)]),
    "ReLU-max": (lambda: K.ReLU(max_value=6.0), [IMAGE]),
    "ReLU-max3": (lambda: K.ReLU(max_value=3.0), [IMAGE]),
    "ReLU-slope": (lambda: K.ReLU(negative_slope=0.1), [IMAGE]),
    "ReLU-threshold": (lambda: K.ReLU(threshold=0.5), [IMAGE]),
    "ReLU-all": (lambda: K.ReLU(max_value=6.0, threshold=0.5, negative_slope=0.1), [IMAGE]),
    "ELU-alpha": (lambda: K.ELU(alpha=0.5), [IMAGE]),
    "PReLU-shared": (lambda: K.PReLU(shared_axes=[1, 2]), [IMAGE]),
    "BatchNormalization-axis1": (lambda: K.BatchNormalization(axis=1), [IMAGE]),
    "LayerNormalization-axis": (lambda: K.LayerNormalization(axis=[1, 2]), [IMAGE]),
    "GRU-any-length": (lambda: K.GRU(3), [(None, 4)]),
    "GRU-reset-before-slices": (lambda: K.GRU(3, reset_after=False, implementation=1), [STEPS]),
    "GRU-unroll-relu": (lambda: K.GRU(3, unroll=True, activation="relu"), [STEPS]),
    "LSTM-elu": (lambda: K.LSTM(3, activation="elu"), [STEPS]),
    "LSTM-many-steps": (lambda: K.LSTM(3), [(257, 4)]),
    "LSTM-mask": (lambda: tf.keras.Sequential([K.Embedding(9, 4, mask_zero=True), K.LSTM(3)]), [(5,)], "int32"),
    "LSTM-sequences": (lambda: K.LSTM(3, return_sequences=True), [STEPS]),
    "LSTM-unroll-elu": (lambda: K.LSTM(3, unroll=True, activation="elu"), [STEPS]),
    "Conv3D-strides": (lambda: K.Conv3D(4, 3, strides=2, padding="same"), [VOLUME]),
    "Conv3D-elu": (lambda: K.Conv3D(4, 3, activation="elu"), [VOLUME]),
    "Normalization-row": (lambda: K.Normalization(mean=[1.0] * 6, variance=[2.0] * 6), [ROW]),
    "ZeroPadding2D-uneven": (lambda: K.ZeroPadding2D(((0, 1), (0, 1))), [IMAGE]),
    "LocallyConnected2D-2": (lambda: K.LocallyConnected2D(4, 3, implementation=2), [IMAGE]),
    "MaxPooling1D-same": (lambda: K.MaxPooling1D(padding="same"), [STEPS]),
    "AveragePooling2D-same": (lambda: K.AveragePooling2D(padding="same"), [IMAGE]),
    "MaxPooling2D-channels_first": (lambda: K.MaxPooling2D(data_format="channels_first"), [IMAGE]),
    "UpSampling2D-3": (lambda: K.UpSampling2D(3), [IMAGE]),
    "Resizing-crop": (lambda: K.Resizing(4, 4, crop_to_aspect_ratio=True), [(8, 6, 4)]),
    "CenterCrop-larger": (lambda: K.CenterCrop(12, 12), [IMAGE]),
    "TimeDistributed-Dense": (lambda: K.TimeDistributed(K.Dense(3)), [(3, 6)]),
}


def model_of(case, batch=None):
    make, shapes, dtype = (*case, "float32")[:3]
    inputs = [tf.keras.Input(shape, batch, dtype=dtype) for shape in shapes]
    layer = make()
    if isinstance(layer, K.MultiHeadAttention):
        return tf.keras.Model(inputs, layer(*inputs))
    return tf.keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
