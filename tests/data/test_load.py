"""Tests of `trainkit.data.load`: from what a source returns to the splits that are trained on."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainkit.data import ArrayColumn, Field, Records, Splits, load_data
from trainkit.data.images import ImageFiles
from trainkit.errors import ConfigError
from trainkit.registry import Registry

CLASSES = ("cat", "dog")
TABLE = {"data__targets": "kind", "model__input": [2]}


@pytest.fixture
def load(make_config, monkeypatch):
    """Load the data of a config whose source returns the given parts."""

    def call(train, *, validation=None, test=None, notes=(), **changes):
        sources = Registry("source", {})
        sources.add("Sample", lambda: Splits(train, validation, test, notes))
        monkeypatch.setattr("trainkit.data.load.SOURCES", sources)
        return load_data(make_config(**changes))

    return call


def images(labels, *, size=2, bad=None, name="train.gz"):
    """Records of images of which all values are their index, as a source of images returns them."""
    labels = np.asarray(labels, np.int32)
    pixels = np.broadcast_to(np.arange(len(labels)).reshape(-1, 1, 1, 1), (len(labels), size, size, 1))
    columns = {
        "image": ArrayColumn(pixels.astype(np.uint8), origin=name),
        "label": ArrayColumn(labels, Field((), "int32", CLASSES), origin="labels.gz"),
    }
    return Records(columns, "label", bad or {})


def table(kinds, **columns):
    """Records of a table with two numbers and a text in each row."""
    rows = np.arange(len(kinds), dtype=np.float32)
    columns = {"a": rows, "b": rows * 10, "kind": np.asarray(kinds)} | columns
    return Records({name: ArrayColumn(np.asarray(array), origin=line) for name, array in columns.items()})


def line(row):
    return f"pets.csv, line {row + 2}"


def rows_of(split):
    """The first value of each sample: its row."""
    batches = [batch[0]["input"].numpy() for batch in split.ordered(100)]
    return [int(sample.flat[0]) for batch in batches for sample in batch]


def weights_of(split, name="digit"):
    return [float(value) for batch in split.ordered(100) for value in batch[2][name]]


def test_images_and_labels_become_inputs_and_targets(load):
    splits = load(images([0, 1] * 10), test=images([1, 0]))
    ((inputs, targets, weights),) = splits.test.ordered(2)
    assert (list(inputs), list(targets), weights) == (["input"], ["digit"], {})
    assert targets["digit"].numpy().tolist() == [1, 0]
    assert splits.train.facts.targets["digit"].classes == CLASSES
    assert splits.train.original(0) == "train.gz, image 0"


def test_columns_become_inputs_and_targets(load):
    train = load(table(["dog", "cat"] * 10), **TABLE, data__validation_split=0).train
    ((inputs, targets, _),) = train.subset(np.array([2, 3])).ordered(2)
    assert inputs["input"].numpy().tolist() == [[2, 20], [3, 30]]
    assert targets["digit"].numpy().tolist() == [1, 0]
    assert train.facts.inputs["input"].columns == ("a", "b")
    assert train.facts.targets["digit"].classes == ("cat", "dog")


def test_classes_are_those_of_the_training_samples(load):
    splits = load(table(["b", "c"] * 10), test=table(["c"]), **TABLE)
    assert splits.train.facts.targets["digit"].classes == ("b", "c")
    assert splits.test.facts.targets["digit"].classes == ("b", "c")
    assert splits.test.labels("digit").tolist() == [1]


def test_each_output_has_its_target(load):
    splits = load(
        table(["dog", "cat"] * 10),
        model__input=[1],
        model__layers=[
            {"Dense": {"units": 2}, "name": "kind"},
            {"Dense": {"units": 2}, "inputs": "input", "name": "size"},
        ],
        model__outputs=["kind", "size"],
        training__loss={"kind": "Hinge", "size": "Hinge"},
        data__inputs="a",
        data__targets={"kind": "kind", "size": ["b", "a"]},
        data__validation_split=0,
    )
    ((_, targets, _),) = splits.train.subset(np.array([3])).ordered(1)
    assert targets["kind"].numpy().tolist() == [0]
    assert targets["size"].numpy().tolist() == [[30, 3]]


@pytest.mark.parametrize(
    "changes, sizes",
    [
        ({}, (18, 2, None)),
        ({"data__validation_split": 0.25}, (15, 5, None)),
        ({"data__validation_split": {"last": 6}}, (14, 6, None)),
        ({"data__validation_split": 0}, (20, None, None)),
        ({"data__test_split": 0.5}, (9, 1, 10)),
        ({"data__test_split": {"last": 4}, "data__validation_split": {"last": 2}}, (14, 2, 4)),
    ],
    ids=["default", "share", "last", "none", "test", "both"],
)
def test_validation_and_test_samples_are_taken_out(load, changes, sizes):
    splits = load(images([0, 1] * 10), **changes)
    assert tuple(part and part.size for part in (splits.train, splits.validation, splits.test)) == sizes
    everything = [row for part in splits.present.values() for row in rows_of(part)]
    assert sorted(everything) == list(range(20))


def test_last_samples_test_and_those_before_validate(load):
    splits = load(images([0, 1] * 5), data__test_split={"last": 4}, data__validation_split={"last": 2})
    assert (rows_of(splits.validation), rows_of(splits.test)) == ([4, 5], [6, 7, 8, 9])


def test_choice_is_a_function_of_the_seed(load):
    first, again, other = (rows_of(load(images([0, 1] * 50), seed=seed).validation) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_parts_of_the_source_are_kept(load):
    splits = load(images([0, 1]), validation=images([1]), test=images([0]), notes=("3 rows were dropped",))
    assert (splits.train.size, splits.validation.size, splits.test.size) == (2, 1, 1)
    assert splits.notes[0] == "3 rows were dropped"


def test_class_that_a_part_has_none_of_is_told(load):
    splits = load(images([0, 1]), validation=images([1, 0]), test=images([1]))
    assert splits.notes == ("the test split has no sample of: cat",)


@pytest.mark.parametrize(
    "key, part", [("validation_split", "validation"), ("test_split", "test")], ids=["validation", "test"]
)
@pytest.mark.parametrize("share", [0.5, {"last": 1}], ids=["share", "last"])
def test_parts_of_the_source_are_not_replaced(load, key, part, share):
    told = rf"data\.{key}: must be 0 where the source brings {part} samples of its own, here 3\. Received: {key}="
    with pytest.raises(ConfigError, match=told):
        load(images([0, 1] * 10), **{part: images([0, 1, 0])}, **{f"data__{key}": share})


def test_split_that_cannot_be_stands_at_its_setting(load):
    with pytest.raises(ConfigError, match=r"data\.validation_split: must take at least 1 .* Received: .*=0\.01"):
        load(images([0, 1] * 10), data__validation_split=0.01)


@pytest.mark.parametrize("label", [2, -1], ids=["too large", "negative"])
def test_label_without_a_class_is_named_with_its_sample(load, label):
    told = rf"1 of 3 test samples cannot be used\..*\n +train\.gz, image 1: a label must be in .* Received: {label}\."
    with pytest.raises(ConfigError, match=told):
        load(images([0, 1] * 10), test=images([0, label, 1]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_input_that_is_not_finite_is_named_with_its_row(load, value):
    with pytest.raises(ConfigError, match=rf"pets\.csv, line 4: must be a finite number\. Received: {value}\."):
        load(table(["dog", "cat"] * 10, a=np.array([0, 1, value] + [3.0] * 17)), **TABLE)


def test_each_bad_sample_is_told_once_with_its_first_reason(load):
    records = table(["dog", "cat", "", "cat"] * 5, a=np.array([0, 1, np.nan, 3.0] * 5))
    records = Records(
        records.columns, bad={1: "pets.csv, line 3: has 5 values, not 3.", 2: "pets.csv, line 4: is odd."}
    )
    with pytest.raises(ConfigError, match=r"6 of 20 train samples cannot be used") as caught:
        load(records, **TABLE)
    lines = [text.strip() for text in str(caught.value).splitlines()]
    assert "pets.csv, line 3: has 5 values, not 3." in lines
    assert "pets.csv, line 4: is odd." in lines
    assert "pets.csv, line 8: must be a finite number. Received: nan." in lines
    assert len([text for text in lines if text.startswith("pets.csv")]) == 6


def test_bad_samples_are_left_out_and_told(load):
    train = images([0, 1] * 10, bad={3: "train.gz, image 3: is odd.", 4: "train.gz, image 4: is odd."})
    splits = load(train, test=images([0, 1, 7]), data__bad_data={"skip": 2}, data__validation_split=0)
    assert rows_of(splits.train) == [row for row in range(20) if row not in (3, 4)]
    assert rows_of(splits.test) == [0, 1]
    assert splits.notes == (
        "2 of 20 train samples cannot be used and were left out:\n"
        "    train.gz, image 3: is odd.\n"
        "    train.gz, image 4: is odd.",
        "1 of 3 test samples cannot be used and were left out:\n"
        "    train.gz, image 2: a label must be in [0, 1], the id of one of 2 classes. Received: 7.",
    )


def test_bad_samples_are_left_out_before_the_split(load):
    train = images([0, 1] * 10, bad=dict.fromkeys(range(10), "train.gz: is odd."))
    splits = load(train, data__bad_data={"skip": 10}, data__validation_split={"last": 5})
    assert (rows_of(splits.train), rows_of(splits.validation)) == (list(range(10, 15)), list(range(15, 20)))


def test_class_of_bad_samples_only_is_none(load):
    records = table(["dog", "cat"] * 10 + ["owl"])
    records = Records(records.columns, bad={20: "pets.csv, line 22: is odd."})
    splits = load(records, **TABLE, data__bad_data="skip")
    assert splits.train.facts.targets["digit"].classes == ("cat", "dog")


def test_bad_sample_of_image_files_is_named_by_its_file(load, tmp_path):
    for index in range(3):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / f"{index}.png")
    (tmp_path / "1.png").write_bytes(b"no image")
    labels = ArrayColumn(np.array([0, 1, 0], np.int32), Field((), "int32", CLASSES), origin="list.csv")
    files = ImageFiles([tmp_path / f"{index}.png" for index in range(3)], tmp_path)
    with pytest.raises(ConfigError, match=rf"1 of 3 train samples cannot be used.*\n *{tmp_path.name}/1\.png: "):
        load(Records({"label": labels, "image": files}, "label"))


def test_samples_weigh_what_their_column_says(load):
    splits = load(
        table(["dog", "cat"] * 10, w=np.arange(20)),
        **TABLE,
        data__sample_weight="w",
        data__class_weight={"dog": 10},
        data__validation_split={"last": 2},
    )
    assert weights_of(splits.train)[:4] == [0, 1, 20, 3]
    assert weights_of(splits.validation) == [18, 19]


def test_classes_weigh_in_training_only(load):
    splits = load(images([0, 0, 0, 1] * 5), test=images([0, 1]), data__class_weight="balanced")
    assert sum(weights_of(splits.train)) == pytest.approx(splits.train.size)
    assert (splits.validation.weights, splits.test.weights) == ({}, {})


def test_balance_is_that_of_what_is_left_to_train(load):
    labels = [0] * 12 + [1] * 4 + [0] * 4
    splits = load(images(labels), data__class_weight="balanced", data__validation_split={"last": 4})
    assert sorted(set(np.round(weights_of(splits.train), 6))) == pytest.approx([2 / 3, 2])


@pytest.mark.parametrize(
    "train, test, changes, message",
    [
        (
            images([0, 1] * 10, size=3),
            None,
            {},
            r"  model\.input: must be the shape of the data, \[3, 3, 1\]\. Received: \[2, 2, 1\]\.",
        ),
        (
            images([0, 1] * 10),
            images([0, 1], size=3),
            {},
            r"  model\.input: of the test samples: must be the shape of the data, \[3, 3, 1\]\.",
        ),
        (
            table(["dog", "cat"] * 10),
            None,
            {"model__input": [2], "data__targets": "knd"},
            r"  data\.targets: the data has no column 'knd'\. Did you mean 'kind'\?",
        ),
        (
            table(["dog", "cat"] * 10, w=np.ones(20)),
            table(["dog", "cat"]),
            {**TABLE, "data__sample_weight": "w"},
            r"  data\.sample_weight: of the test samples: the data has no column 'w'\.",
        ),
        (
            table(["dog", "cat"] * 10),
            None,
            {"data__targets": {"digit": ["kind", "b"]}, "data__inputs": "a", "model__input": [1]},
            r"  data\.targets\.digit: must be one column where it is a class\. Received: 2 columns\.",
        ),
        (
            table(["dog", "cat"] * 10),
            None,
            {**TABLE, "data__class_weight": {"Dog": 2}},
            r"  data\.class_weight: unknown class 'Dog'\. Did you mean 'dog'\?",
        ),
        (
            table(["dog"] * 4, size=np.zeros((4, 3))),
            table(["dog"] * 4, size=np.zeros((4, 2))),
            {"data__targets": "size", "data__inputs": ["a", "b"], "model__input": [2]},
            r"  data\.source: the test samples must have targets of the shape \(3,\), as the training samples have\. "
            r"Received: \(2,\) for 'digit'\.",
        ),
    ],
    ids=["shape", "shape of the test", "column", "column of the test", "classes", "weights", "targets of the test"],
)
def test_data_that_do_not_fit_are_refused_at_their_setting(load, train, test, changes, message):
    with pytest.raises(ConfigError, match=rf"^config: 1 problem\n{message}"):
        load(train, test=test, **changes)


def test_what_a_source_refuses_stands_at_the_source(make_config, tmp_path):
    config = make_config(data__source={"Mnist": {"path": str(tmp_path / "nowhere")}})
    with pytest.raises(ConfigError, match=r"^config: 1 problem\n  data\.source: .*nowhere must be a folder with"):
        load_data(config)


def test_shipped_digits_are_loaded(make_config):
    splits = load_data(make_config(model__input=[28, 28, 1]))
    assert {name: part.size for name, part in splits.present.items()} == {
        "train": 9_000,
        "validation": 1_000,
        "test": 2_000,
    }


def test_what_is_bad_is_told_of_its_own_column(load):
    """Each array of an .npz file has its name."""
    arrays = {"left": np.zeros((4, 2), np.float32), "right": np.zeros((4, 3), np.float32), "kind": np.arange(4) % 2}
    arrays["right"][3, 1] = np.nan
    columns = {name: ArrayColumn(array, origin=f"{name}, row {{}}".format) for name, array in arrays.items()}
    network = {
        "inputs": {"left": {"shape": [2]}, "right": {"shape": [3]}},
        "layers": [{"Concatenate": None, "inputs": ["left", "right"]}, {"Dense": {"units": 2}}],
    }
    told = r"right, row 3: must be a finite number\. Received: nan"
    with pytest.raises(ConfigError, match=told):
        load(Records(columns, "kind"), model=network)
    stacked = {"input": [5], "layers": [{"Dense": {"units": 2}}]}
    with pytest.raises(ConfigError, match=told):
        load(Records(columns, "kind"), model=stacked, data__inputs=["left", "right"])
    unused = {"image": ArrayColumn(np.zeros((4, 2), np.uint8), origin="image"), **columns}
    with pytest.raises(ConfigError, match=told):
        load(Records(unused, "kind"), model=network)
