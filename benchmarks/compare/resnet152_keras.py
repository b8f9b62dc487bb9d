"""ResNet-152 in Keras."""

from tensorflow import keras
from tensorflow.keras import layers


def conv_bn(x, filters, kernel_size=1, strides=1, padding="same"):
    x = layers.Conv2D(filters, kernel_size, strides, padding)(x)
    return layers.BatchNormalization(epsilon=1.001e-5)(x)


def bottleneck(x, filters, strides=1, project=False):
    shortcut = conv_bn(x, 4 * filters, strides=strides) if project else x
    x = layers.ReLU()(conv_bn(x, filters, strides=strides))
    x = layers.ReLU()(conv_bn(x, filters, 3))
    x = layers.Add()([shortcut, conv_bn(x, 4 * filters)])
    return layers.ReLU()(x)


def resnet152(classes=1000):
    inputs = keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(3)(inputs)
    x = layers.ReLU()(conv_bn(x, 64, 7, 2, "valid"))
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, 2)(x)
    for filters, depth, strides in [(64, 3, 1), (128, 8, 2), (256, 36, 2), (512, 3, 2)]:
        x = bottleneck(x, filters, strides, project=True)
        for _ in range(depth - 1):
            x = bottleneck(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, "softmax")(x)
    return keras.Model(inputs, outputs)
