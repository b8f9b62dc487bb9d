"""The networks of tf.keras.applications, layer by layer, with weights from files."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.models import build_model
from trainkit.models.applications import KerasApplication

SMALL = {"application": "MobileNetV2", "alpha": 0.35, "include_top": False}


def images(*shape):
    return np.random.default_rng(5).uniform(0, 1, (2, *shape)).astype("float32")


def set_random_weights(model):
    """Such that what is small stays no smaller: a network that was just made answers as good as zero."""
    rng = np.random.default_rng(7)
    model.set_weights([drawn(rng, weights.shape) for weights in model.get_weights()])


def drawn(rng, shape):
    """A kernel with the scale of He et al., or numbers around 1; each of a depthwise kernel is a filter."""
    if len(shape) < 2:
        return rng.uniform(0.7, 1.3, shape)
    fan_in = np.prod(shape[:2] if shape[-1] == 1 else shape[:-1])
    return rng.normal(0, np.sqrt(2 / fan_in), shape)


@pytest.fixture(scope="module")
def keras_model():
    """What Keras itself makes."""
    model = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None)
    set_random_weights(model)
    return model


@pytest.fixture
def build(tmp_path):
    """Builds the `model:` of a config."""

    def build(*layers, input_shape=(32, 32, 3), **further):
        model = {"input": list(input_shape), "layers": list(layers), **further}
        written = {"version": 1, "name": "small", "data": {"source": "Sample"}, "model": model}
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(written | {"training": {"loss": "MeanSquaredError"}}))
        config = load_config(tmp_path / "config.yaml")
        with config.locating():
            return build_model(config.experiment.model, {"classes": 10}, name="small", line_of=config.line_of)

    return build


def backbone(**further):
    return {"KerasApplication": SMALL | further, "name": "backbone"}


@pytest.mark.parametrize(
    ("application", "shape"),
    [
        ("MobileNetV2", (32, 32, 3)),
        ("MobileNetV3Small", (32, 32, 3)),
        pytest.param("InceptionV3", (75, 75, 3), marks=pytest.mark.slow),
    ],
    ids=["names-of-its-own", "functions", "counted-names"],
)
def test_application_answers_like_that_of_keras(application, shape, build):
    """With the same weights; its layers have the names that Keras gives them in a new process, `/` written `_`."""
    built = build(
        {"KerasApplication": {"application": application, "include_top": False}, "name": "net"}, input_shape=shape
    )
    twin = getattr(tf.keras.applications, application)(input_shape=shape, include_top=False, weights=None)
    assert built.count_params() == twin.count_params()
    assert len(built.layers) == len(twin.layers) + 1  # the one that has the name of the output
    set_random_weights(twin)
    own = {layer.name.replace("/", "_"): layer for layer in twin.layers}
    for layer in built.layers:
        name = layer.name.removeprefix("net.")
        if layer.weights and name in own:
            layer.set_weights(own[name].get_weights())
    if application == "InceptionV3":  # whose layers Keras counts on from network to network
        built.set_weights(twin.get_weights())
    found, expected = built(images(*shape)).numpy(), twin(images(*shape)).numpy()
    assert 0.1 < np.std(expected) < 1e6
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_application_has_the_same_names_whatever_was_built_before(build):
    node = {"KerasApplication": {"application": "MobileNetV3Small", "include_top": False}, "name": "net"}
    first, second = ([layer.name for layer in build(node).layers] for _ in range(2))
    assert first == second
    assert {"net.multiply", "net.multiply_1", "net.tf_multiply", "net.tf_multiply_1", "net.tf_add", "net.re_lu"} <= {
        *first
    }
    assert "net.expanded_conv_squeeze_excite_Mul" in first


def test_application_gives_features_of_its_layers(keras_model, build):
    model = build(
        backbone(),
        "GlobalAveragePooling2D",
        {"GlobalAveragePooling2D": None, "inputs": "backbone.block_6_expand_relu"},
        {"Concatenate": None, "inputs": ["globalaveragepooling2d1", "x"]},
    )
    model.set_weights(keras_model.get_weights())
    inner = tf.keras.Model(keras_model.input, [keras_model.output, keras_model.get_layer("block_6_expand_relu").output])
    expected = np.concatenate([features.numpy().mean(axis=(1, 2)) for features in inner(images(32, 32, 3))], axis=1)
    np.testing.assert_allclose(model(images(32, 32, 3)), expected, rtol=1e-5)


@pytest.mark.parametrize("trainable", [True, False])
def test_application_learns_or_stays_as_it_is(trainable, build):
    model = build(backbone(trainable=trainable), "GlobalAveragePooling2D", {"Dense": {"units": 2}})
    learned = {weight.name.split("/")[0] for weight in model.trainable_weights}
    assert "dense1" in learned
    assert ("backbone.Conv1" in learned, "backbone.bn_Conv1" in learned) == (trainable, trainable)
    before = model.get_layer("backbone.bn_Conv1").moving_mean.numpy()
    model(images(32, 32, 3), training=True)
    assert np.array_equal(model.get_layer("backbone.bn_Conv1").moving_mean, before) != trainable


def test_application_is_shared(build):
    left = {"KerasApplication": SMALL | {"pooling": "avg"}, "name": "left", "inputs": "one"}
    layers = [
        left,
        {"share": "left", "inputs": "two", "name": "right"},
        {"Subtract": None, "inputs": ["left", "right"]},
    ]
    shapes = {"one": {"shape": [32, 32, 3]}, "two": {"shape": [32, 32, 3]}}
    model = build(*layers, input_shape=[1], input=None, inputs=shapes)
    assert model.count_params() == 410_208  # what Keras prints of MobileNetV2 with alpha=0.35, without its top
    set_random_weights(model)
    np.testing.assert_array_equal(model([images(32, 32, 3), images(32, 32, 3)]), np.zeros((2, 1280)))


def test_application_runs_at_every_step(keras_model, build):
    node = {"TimeDistributed": {"layer": {"KerasApplication": SMALL | {"pooling": "avg"}}}, "name": "frames"}
    model = build(node, input_shape=[3, 32, 32, 3])
    assert "frames.Conv1" in [layer.name for layer in model.layers]
    model.set_weights(keras_model.get_weights())
    frames = np.random.default_rng(1).uniform(size=(2, 3, 32, 32, 3)).astype("float32")
    expected = np.stack([keras_model(frames[:, step]).numpy().mean(axis=(1, 2)) for step in range(3)], axis=1)
    np.testing.assert_allclose(model(frames), expected, rtol=1e-5)


def test_application_with_its_classifier_answers_with_classes(build):
    model = build(backbone(include_top=True, classes=7, classifier_activation=None))
    assert model.output_shape == (None, 7)
    assert model.layers[-1].activation is tf.keras.activations.linear


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["w.keras", "w.h5", "w.weights.h5", "run"])
def test_application_takes_weights(name, keras_model, build, tmp_path):
    path = tmp_path / name
    if name == "run":  # of a network that has the application under the same name
        path.mkdir()
        whole = build(backbone(), "GlobalAveragePooling2D", {"Dense": {"units": 4}})
        whole.set_weights([*keras_model.get_weights(), *whole.get_weights()[-2:]])
        whole.save(path / "model.keras")
    elif name == "w.weights.h5":
        keras_model.save_weights(path)
    else:
        tf.keras.models.save_model(keras_model, path, save_format=name.split(".")[1])
    model = build(backbone(weights=str(path)))
    np.testing.assert_array_equal(model(images(32, 32, 3)), keras_model(images(32, 32, 3)))


def test_application_takes_weights_from_the_cache_of_keras(build, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    twin = tf.keras.applications.MobileNetV2(input_shape=(224, 224, 3), alpha=0.35, include_top=False, weights=None)
    set_random_weights(twin)
    (tmp_path / ".keras/models").mkdir(parents=True)
    twin.save_weights(tmp_path / ".keras/models/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5")
    model = build(backbone(weights="imagenet"), input_shape=[224, 224, 3])
    for weights, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"application": "MobileNetV9"},
            r"\.application: KerasApplication refuses its arguments: `application` must be a network of Keras\. "
            r"Did you mean 'MobileNetV2'\?",
        ),
        (
            {"application": "VGG16"},
            r"\.application: Keras cannot build VGG16 on images of the shape \(32, 32, 3\): .*'alpha'",
        ),
        (
            {"weights": "WHERE/missing.h5"},
            r"\.weights: `weights` must be a file of Keras or a run\. Received: '.*missing\.h5', which does not",
        ),
        (
            {"weights": "WHERE"},
            r"\.weights: `weights` must be a file of Keras or a run\. Received: '.*model\.keras', which",
        ),
        ({"weights": "WHERE/text.h5"}, r"\.weights: .*text\.h5 is no file of weights of Keras: "),
        (
            {"weights": "WHERE/w.h5", "alpha": 0.5},
            r"\.weights: .*w\.h5 has other weights than 'block_1_project', which has weights: \(1, 1, 48, 16\) here, "
            r"\(1, 1, 48, 8\) in the file\.",
        ),
        (
            {"weights": "WHERE/w.h5", "application": "VGG16", "alpha": None},
            r"\.weights: .*w\.h5 has no weights for 13 of 13 layers: block1_conv1, block1_conv2, block2_conv1, …",
        ),
        (
            {"weights": "WHERE/w.weights.h5", "alpha": 0.5},
            r"\.weights: .*w\.weights\.h5 has other weights than 'block_1_project'",
        ),
        (
            {"weights": "imagenet", "alpha": 0.37},
            r"\.application: Keras cannot build MobileNetV2 on images of the shape \(32, 32, 3\): .*`alpha=0\.37`",
        ),
    ],
    ids=["application", "argument", "missing", "folder", "no-file", "shapes", "names", "in-order", "imagenet"],
)
def test_application_tells_what_is_wrong_and_where(arguments, told, keras_model, build, tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    tf.keras.models.save_model(keras_model, tmp_path / "w.h5", save_format="h5")
    keras_model.save_weights(tmp_path / "w.weights.h5")
    if "weights" in arguments:
        arguments = arguments | {"weights": arguments["weights"].replace("WHERE", str(tmp_path))}
    with pytest.raises(ConfigError, match=rf"model\.layers\[0\]\.KerasApplication{told}"):
        build(backbone(**arguments))


def test_application_says_that_weights_cannot_be_loaded(build, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(tf.keras.applications, "VGG16", fail)
    told = (
        r"KerasApplication\.weights: the weights of VGG16 are not in Keras' cache, and cannot be loaded\. Put the file "
        r"into Keras' cache \(~/\.keras/models\), or name a file of weights\. Keras says: no network\."
    )
    with pytest.raises(ConfigError, match=told):
        build({"KerasApplication": {"application": "VGG16", "weights": "imagenet"}})


def test_application_says_what_no_step_can_wrap(build):
    node = {"TimeDistributed": {"layer": {"KerasApplication": {"application": "MobileNetV3Small"}}}}
    with pytest.raises(ConfigError, match="MobileNetV3Small uses functions of TensorFlow, which TimeDistr"):
        build(node, input_shape=[2, 32, 32, 3])


def test_application_says_which_parts_it_has(build):
    told = r"unknown part 'backbone\.block_99' of 'backbone': its parts are Conv1, bn_Conv1, Conv1_relu, \w+, …"
    with pytest.raises(ConfigError, match=told):
        build(backbone(), {"Add": None, "inputs": ["x", "backbone.block_99"]})


def test_application_lists_all_where_no_name_is_near():
    with pytest.raises(
        ValueError, match=r"`application` must be a network of Keras\. Known: ConvNeXtBase, .*, Xception"
    ):
        KerasApplication("Zebra")
