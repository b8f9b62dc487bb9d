"""Configs that only name data, for models that were made elsewhere."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

import trainkit
from trainkit.data import load_data
from trainkit.errors import ConfigError, InputError
from trainkit.inference import open_predictor
from trainkit.inference.outside import load_data_config, read_model, says_loss

DATA = "version: 1\ndata:\n  source: {Npz: {path: data.npz, target: %s}}\n  inputs: %s\n  test_split: 0.5\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with samples for `one` and `two` of `models`."""
    random = np.random.default_rng(4)
    np.savez(
        tmp_path / "data.npz",
        pixels=random.normal(size=(40, 4, 3)).astype("float32"),
        left=random.normal(size=(40, 3)).astype("float32"),
        right=random.normal(size=(40, 2)).astype("float32"),
        kind=np.arange(40) % 5,
        sizes=random.normal(size=(40, 4)).astype("float32"),
        shares=random.uniform(size=(40, 1)).astype("float32"),
        few=np.arange(40) % 3,
    )
    return tmp_path


@pytest.fixture
def read(folder, models):
    """The config of a text, for a model."""

    def read(text, *overrides, name="one"):
        (folder / "data.yaml").write_text(text)
        filepath = models.folder / f"{name}.tflite"
        return load_data_config(folder / "data.yaml", open_predictor(filepath), filepath, overrides)

    return read


def test_config_needs_only_version_and_data(read):
    config = read(DATA % ("kind", "pixels"))
    assert config.experiment.name == "one"
    assert config.experiment.model.input_specs["input"].shape == [4, 3]
    assert config.experiment.model.output_names == ["digit"]
    assert not says_loss(config)
    assert load_data(config).test.facts.inputs["input"].shape == (4, 3)


def test_config_with_several_inputs_and_outputs_maps_columns_to_them(read):
    inputs, targets = "{left: left, right: right}", "\n  targets: {total: sizes, share: shares}"
    facts = load_data(read(DATA % ("sizes", inputs + targets), name="two")).train.facts
    assert {name: field.shape for name, field in facts.inputs.items()} == {"left": (3,), "right": (2,)}
    assert {name: field.shape for name, field in facts.targets.items()} == {"total": (4,), "share": (1,)}


def test_config_may_say_name_and_loss_and_a_network_that_is_not_used(read):
    more = "name: mine\ntraining: {loss: SparseCategoricalCrossentropy}\nmodel: {input: [9], layers: [Flatten]}\n"
    config = read(DATA % ("kind", "pixels") + more)
    assert config.experiment.name == "mine"
    assert config.experiment.model.output_names == ["digit"]
    assert says_loss(config)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 1\n", r"data\.yaml: 1 problem\n.*data"),
        ("- 1\n", "must be a mapping"),
        (DATA % ("kind", "pixels") + "  resise: {fit: crop}\n", r"6:3 +data\.resise: unknown key\. Did you mean"),
        (DATA % ("kind", "{image: pixels}"), r"4:\d+ +data\.inputs\.image: unknown input 'image'\. Known: input"),
        (DATA % ("kind", "pixels") + "  targets: {animal: kind}\n", "unknown output 'animal'. Known: digit"),
        (
            DATA % ("kind", "left"),
            r"model\.inputs\.input\.shape: must be the shape of the data, \[3\]. Received: \[4, 3\]",
        ),
        (DATA % ("kind", "depth"), r"4:\d+ +data\.inputs.*depth"),
    ],
    ids=["no-data", "list", "key", "input", "output", "shape", "column"],
)
def test_config_that_does_not_fit_is_told(text, told, read):
    with pytest.raises(ConfigError, match=told):
        load_data(read(text))


def test_config_that_is_missing_is_told(models, tmp_path):
    predictor = open_predictor(models.folder / "one.tflite")
    with pytest.raises(ConfigError, match="the file does not exist"):
        load_data_config(tmp_path / "none.yaml", predictor, models.folder / "one.tflite")


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_other_classes_than_those_of_the_model_are_told(suffix, folder, models):
    (folder / "data.yaml").write_text(DATA % ("few, classes: [a, b, c]", "pixels"))
    told = r"'digit' must have an answer for each of 3 classes \(a, b, c\)\. Received: 5\."
    with pytest.raises(InputError, match=told):
        trainkit.evaluate(models.folder / f"one{suffix}", data=folder / "data.yaml")
    np.save(folder / "pixels.npy", np.zeros((1, 4, 3), np.float32))
    with pytest.raises(InputError, match=told):
        list(trainkit.predict(models.folder / f"one{suffix}", folder / "pixels.npy", data=folder / "data.yaml"))


@pytest.fixture
def torch_like(folder):
    """A file with the names that PyTorch gives; it answers the sum of 3 inputs, and its negative."""
    kernel = onnx.numpy_helper.from_array(np.float32([[1, -1]] * 3), "kernel")
    node = onnx.helper.make_node("MatMul", ["onnx::Gemm.0", "kernel"], ["17"])
    inputs = [onnx.helper.make_tensor_value_info("onnx::Gemm.0", onnx.TensorProto.FLOAT, [None, 3])]
    outputs = [onnx.helper.make_tensor_value_info("17", onnx.TensorProto.FLOAT, [None, 2])]
    graph = onnx.helper.make_graph([node], "torch", inputs, outputs, [kernel])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "torch like.onnx")
    return folder / "torch like.onnx"


def test_file_whose_names_no_config_can_say_is_measured(torch_like, folder):
    left = np.load(folder / "data.npz")["left"]
    np.savez(folder / "data.npz", left=left, negative=(left.sum(axis=1) < 0).astype(int))
    (folder / "data.yaml").write_text(DATA % ("negative, classes: ['no', 'yes']", "left"))
    measured = trainkit.evaluate(torch_like, data=folder / "data.yaml", split="train")
    assert (measured["accuracy"], measured["classes"], measured["metrics"]) == (1.0, ["no", "yes"], {})
    np.save(folder / "left.npy", left)
    predictions = list(trainkit.predict(torch_like, folder / "left.npy", data=folder / "data.yaml"))
    assert [p.classes["output_17"][0][0] == "yes" for p in predictions] == (left.sum(axis=1) < 0).tolist()


@pytest.mark.parametrize(
    ("name", "told"),
    [("none.keras", "which does not exist"), (".", "must be a model file"), ("broken.h5", "cannot be opened by Keras")],
    ids=["missing", "folder", "broken"],
)
def test_read_model_refuses_what_is_no_model(name, told, tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"no model")
    with pytest.raises(InputError, match=told):
        read_model(tmp_path / name)
