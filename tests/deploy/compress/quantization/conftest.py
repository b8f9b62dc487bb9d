"""What the tests of quantization share: networks with statistics as after training, and what their int8 files hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tflite import export_tflite
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor

layers = tf.keras.layers
SAMPLES = 128


class File:
    """An int8 file."""

    def __init__(self, filepath):
        self._interpreter = Interpreter(str(filepath))
        self._interpreter.allocate_tensors()
        self.tensors = self._interpreter.get_tensor_details()

    @property
    def operations(self):
        """How often it computes what, without changes of range."""
        names = (operation["op_name"] for operation in self._interpreter._get_ops_details())
        return Counter(name for name in names if name not in ("DELEGATE", "QUANTIZE", "DEQUANTIZE"))

    @property
    def changes_of_range(self):
        """How often integers are rounded anew; the way in is no such change."""
        return sum(one["op_name"] == "QUANTIZE" for one in self._interpreter._get_ops_details()) - 1

    @property
    def floats(self):
        """Tensors of real numbers that are neither input nor output."""
        ends = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        outside = {end["index"] for end in ends}
        return [one["name"] for one in self.tensors if one["dtype"] is np.float32 and one["index"] not in outside]

    @property
    def kernels(self):
        """The int8 constants with a step a channel, output channels first."""
        found = []
        for tensor in self.tensors:
            parameters = tensor["quantization_parameters"]
            if tensor["dtype"] is np.int8 and len(parameters["scales"]) > 1:
                values = self._interpreter.get_tensor(tensor["index"])
                found.append(np.moveaxis(values, parameters["quantized_dimension"], 0))
        return found

    def predict(self, inputs):
        runner, answers = self._interpreter.get_signature_runner(), []
        for index in range(len(next(iter(inputs.values())))):
            answers.append(runner(**{name: array[index : index + 1] for name, array in inputs.items()}))
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


class Workshop:
    """Builds, quantizes and writes networks."""

    def __init__(self, folder):
        self._folder = folder

    def network(self, compute, shape=(8, 8, 3)):
        """A network of one input, with BatchNormalizations as after training."""
        inputs = tf.keras.Input(shape, name="input")
        return self.settle(tf.keras.Model(inputs, compute(inputs)))

    def settle(self, model):
        """Give statistics of a trained network to each BatchNormalization: some factors are negative."""
        random = np.random.default_rng(1)
        for layer in model._flatten_layers():
            if isinstance(layer, layers.BatchNormalization):
                width = layer.moving_mean.shape[0]
                signs = random.choice([-1, 1], width, p=[0.25, 0.75])
                gamma, variance = random.uniform(0.5, 1.5, width) * signs, random.uniform(0.3, 2.0, width)
                layer.set_weights([gamma, random.normal(0, 0.3, width), random.normal(0, 0.3, width), variance])
        return model

    def samples(self, model):
        random = np.random.default_rng(2)
        pairs = zip(model.input_names, model.inputs, strict=True)
        return {name: random.normal(size=(SAMPLES, *tensor.shape[1:])).astype(np.float32) for name, tensor in pairs}

    def quantize(self, model, promises=()):
        return QuantizationAware(flatten(model), promises, self.samples(model))

    def train(self, quantized, *, epochs=1, rate=1e-3):
        """Train towards other outputs than the network gives."""
        model = quantized.model
        inputs = list(self.samples(model).values())
        targets = [np.random.default_rng(3).normal(size=(SAMPLES, *one.shape[1:])) for one in model.outputs]
        model.compile(tf.keras.optimizers.Adam(rate), "mse")
        model.fit(inputs, targets, batch_size=32, epochs=epochs, verbose=0)

    def write(self, model, samples=None):
        samples = self.samples(model) if samples is None else samples

        def calibration(count):
            return ({name: array[index : index + 1] for name, array in samples.items()} for index in range(count))

        context = ExportContext("network", None, calibration, "0.1.0")
        filepath = self._folder / "network.tflite"
        return File(export_tflite(model, filepath, precision="int8", calibration_samples=SAMPLES, context=context))

    def answers(self, model):
        return KerasPredictor(model).predict(self.samples(model))

    def difference(self, first, second):
        """The root mean squared difference of answers, as a share of their spread; of the worst output."""
        assert first.keys() == second.keys()
        return max(float(np.sqrt(np.mean((first[n] - second[n]) ** 2)) / np.std(second[n])) for n in first)


@pytest.fixture
def workshop(tmp_path):
    tf.keras.utils.set_random_seed(1)  # else the networks depend on the tests before
    return Workshop(tmp_path)
