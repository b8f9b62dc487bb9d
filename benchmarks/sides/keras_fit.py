"""The plain side: `fit` of NumPy arrays. python keras_fit.py NETWORK DATA CLASSES BATCH_SIZE EPOCHS"""

from __future__ import annotations

import sys

from channel import Channel

channel = Channel()

from keras_networks import load, make_model, tf  # noqa: E402
from waiting import waiting  # noqa: E402

network, filepath, classes, batch_size, epochs = sys.argv[1:]
inputs, labels = load(filepath)
model = make_model(network, inputs, int(classes))
callback = waiting(tf.keras.callbacks.Callback, channel)()
model.fit(inputs, labels, batch_size=int(batch_size), epochs=int(epochs) + 1, verbose=0, callbacks=[callback])
