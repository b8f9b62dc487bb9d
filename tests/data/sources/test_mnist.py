"""Tests of the sources Mnist and FashionMnist, and so of `trainkit.data.sources.mnist_files`."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from trainkit.data import SOURCES
from trainkit.errors import DataError
from trainkit.framework import tf

NAMES = [pytest.param("Mnist", "mnist", id="Mnist"), pytest.param("FashionMnist", "fashion_mnist", id="FashionMnist")]
FASHION = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"


@pytest.fixture(autouse=True)
def no_download(monkeypatch, request):
    """No variable, and no network but in the tests that say what Keras answers."""

    def fail():
        raise Exception("URL fetch failure on https://example.org/mnist.npz: None -- Network is unreachable")

    if "full_data" not in request.fixturenames:
        monkeypatch.delenv("TRAINKIT_DATA", raising=False)
    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", fail)
    monkeypatch.setattr(tf.keras.datasets.fashion_mnist, "load_data", fail)


@pytest.mark.parametrize("suffix", [".gz", ""], ids=["gzipped", "unzipped"])
@pytest.mark.parametrize("name, folder", NAMES)
def test_files_are_read_from_path(write_mnist, name, folder, suffix):
    splits = SOURCES.get(name)(path=write_mnist("anywhere", suffix))
    assert (splits.train.size, splits.test.size) == (40, 10)
    assert splits.train.columns["image"].field.shape == (28, 28, 1)
    assert splits.train.columns["image"].original(17) == f"train-images-idx3-ubyte{suffix}, image 17"
    assert splits.test.columns["image"].original(3) == f"t10k-images-idx3-ubyte{suffix}, image 3"


@pytest.mark.parametrize("name, folder", NAMES)
def test_files_are_read_from_the_folder_of_the_variable(write_mnist, monkeypatch, name, folder):
    monkeypatch.setenv("TRAINKIT_DATA", str(write_mnist(folder).parent))
    assert SOURCES.get(name)().train.size == 40


@pytest.mark.parametrize(
    "name, classes",
    [("Mnist", list("0123456789")), ("FashionMnist", FASHION.split(","))],
    ids=["Mnist", "FashionMnist"],
)
def test_classes_have_their_names(write_mnist, name, classes):
    assert list(SOURCES.get(name)(path=write_mnist()).train.columns["label"].field.classes) == classes


def test_missing_files_are_named(write_mnist):
    folder = write_mnist()
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    (folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"Received: no train-images-idx3-ubyte, no t10k-labels-idx1-ubyte\."):
        SOURCES.get("Mnist")(path=folder)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere must be a folder with train-images.*Received: no such folder\."):
        SOURCES.get("Mnist")(path=tmp_path / "nowhere")


def test_incomplete_folder_of_the_variable_is_an_error_not_a_download(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("TRAINKIT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mnist must be a folder with .*Received: no train-images"):
        SOURCES.get("Mnist")()


@pytest.mark.parametrize("variable", [None, "elsewhere"], ids=["no variable", "variable without the folder"])
@pytest.mark.parametrize("name, folder", NAMES)
def test_failed_download_says_what_to_set(tmp_path, monkeypatch, name, folder, variable):
    if variable:
        monkeypatch.setenv("TRAINKIT_DATA", str(tmp_path / variable))
    with pytest.raises(
        DataError, match=rf"not download {folder}\. Received: URL fetch .*`path`.*TRAINKIT_DATA.*{folder}/"
    ):
        SOURCES.get(name)()


def test_download_is_what_keras_gives(monkeypatch, capsys):
    def load_data():
        print("Downloading")
        images = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
        return (images, np.array([4, 0, 9], np.uint8)), (images[:1], np.array([7], np.uint8))

    monkeypatch.setattr(tf.keras.datasets.mnist, "load_data", load_data)
    splits = SOURCES.get("Mnist")()
    assert splits.train.columns["label"].array.tolist() == [4, 0, 9]
    assert splits.train.columns["image"].array.shape == (3, 28, 28, 1)
    assert splits.test.columns["label"].array.tolist() == [7]
    assert splits.train.columns["image"].original(2) == "mnist, training, image 2"
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, train, test",
    [
        ("Mnist", "6bbc9ace898e44ae57da46a324031adb", "2646ac647ad5339dbf082846283269ea"),
        ("FashionMnist", "f4a8712d7a061bf5bd6d2ca38dc4d50a", "8181f5470baa50b63fa0f6fddb340f0a"),
    ],
    ids=["Mnist", "FashionMnist"],
)
def test_full_data_sets_are_read_byte_for_byte(full_data, name, train, test):
    splits = SOURCES.get(name)()
    for split, size, md5 in ((splits.train, 60_000, train), (splits.test, 10_000, test)):
        header = np.array([0x0803, size, 28, 28], ">u4").tobytes()  # the published MD5 is of the unzipped file
        assert hashlib.md5(header + split.columns["image"].array.tobytes()).hexdigest() == md5
