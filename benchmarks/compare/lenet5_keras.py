"""LeNet-5 in Keras."""

from tensorflow import keras
from tensorflow.keras import layers


def lenet5(classes=10):
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(20, 5),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 5),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500, "relu"),
            layers.Dense(classes, "softmax"),
        ]
    )
