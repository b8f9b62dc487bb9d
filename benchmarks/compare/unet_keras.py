"""The U-Net in Keras."""

from tensorflow import keras
from tensorflow.keras import layers


def conv(x, layer=layers.Conv2D, strides=1):
    return layer(16, 3, strides, padding="same", use_bias=False, activation="relu")(x)


def unet(classes=2):
    inputs = x = keras.Input((256, 256, 3))
    skips = []
    for _ in range(4):
        x = conv(x, strides=2)
        skips.append(x)
    skips.pop()
    for _ in range(4):
        x = conv(conv(x), layers.Conv2DTranspose, strides=2)
        if skips:
            x = layers.Concatenate()([x, skips.pop()])
    outputs = layers.Conv2D(classes, 1, use_bias=False, activation="softmax")(x)
    return keras.Model(inputs, outputs)
