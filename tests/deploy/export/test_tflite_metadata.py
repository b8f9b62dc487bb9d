"""Metadata in a .tflite, read as the schema lays them out: field n of a table stands at 4 + 2n of its vtable."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tflite import export_tflite
from trainkit.deploy.export.tflite_metadata import add_metadata
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.inference.preprocess import Column, Preprocess

layers = tf.keras.layers

# metadata_schema.fbs, counted by hand
MODEL = {"name": 4, "description": 6, "version": 8, "subgraph_metadata": 10, "author": 12, "license": 14}
MODEL |= {"associated_files": 16, "min_parser_version": 18}
SUBGRAPH = {"inputs": 8, "outputs": 10}
TENSOR = {"name": 4, "description": 6, "content": 10, "process_units": 12, "stats": 14, "associated_files": 16}
CONTENT = {"type": 4, "properties": 6}
IMAGE = {"color_space": 4, "default_size": 6}
SIZE = {"width": 4, "height": 6}
UNIT = {"type": 4, "options": 6}
NORMALIZATION = {"mean": 4, "std": 6}
STATS = {"max": 4, "min": 6}
FILE = {"name": 4, "description": 6, "type": 8}
FEATURE_CONTENT, IMAGE_CONTENT, NORMALIZATION_UNIT = 1, 2, 1
UNKNOWN, DESCRIPTIONS, TENSOR_AXIS_LABELS = 0, 1, 2
RGB, GRAYSCALE = 1, 2


class At:
    """A table in bytes."""

    def __init__(self, data, position):
        self.table = Table(data, position)

    @classmethod
    def root(cls, data):
        return cls(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0))

    def _offset(self, at):
        return self.table.Offset(at)

    def text(self, at):
        offset = self._offset(at)
        return self.table.String(offset + self.table.Pos).decode() if offset else None

    def below(self, at):
        offset = self._offset(at)
        return At(self.table.Bytes, self.table.Indirect(offset + self.table.Pos)) if offset else None

    def all(self, at):
        offset = self._offset(at)
        if not offset:
            return []
        start = self.table.Vector(offset)
        places = range(start, start + 4 * self.table.VectorLen(offset), 4)
        return [At(self.table.Bytes, self.table.Indirect(place)) for place in places]

    def floats(self, at):
        offset = self._offset(at)
        return self.table.GetVectorAsNumpy(number_types.Float32Flags, offset).tolist() if offset else None

    def byte(self, at):
        return self.table.GetSlot(at, 0, number_types.Int8Flags)

    def whole(self, at):
        return self.table.GetSlot(at, 0, number_types.Uint32Flags)


def metadata_of(filepath):
    content = filepath.read_bytes()
    model = schema.Model.GetRootAsModel(content, 0)
    entries = {model.Metadata(index).Name(): model.Metadata(index).Buffer() for index in range(model.MetadataLength())}
    data = model.Buffers(entries[b"TFLITE_METADATA"]).DataAsNumpy().tobytes()
    assert data[4:8] == b"M001"
    return At.root(data)


def sides_of(filepath):
    """Metadata by name of inputs, and of outputs, in the order of the file."""
    (graph,) = metadata_of(filepath).all(MODEL["subgraph_metadata"])
    return tuple({one.text(TENSOR["name"]): one for one in graph.all(SUBGRAPH[side])} for side in ("inputs", "outputs"))


def labels_of(tensor):
    return [(file.text(FILE["name"]), file.byte(FILE["type"])) for file in tensor.all(TENSOR["associated_files"])]


def packed(filepath):
    with zipfile.ZipFile(filepath) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


PICTURE = {
    "shape": [8, 12, 3],
    "dtype": "float32",
    "columns": ["image"],
    "image": {
        "height": 8,
        "width": 12,
        "channels": 3,
        "method": "bicubic",
        "antialias": False,
        "fit": "crop",
        "range": [0, 255],
        "orientation": "EXIF orientation applied",
    },
}
KINDS, COLOURS = ["chat", "grüner Tee", "犬"], ["red", "blue"]
DATA = {
    "inputs": {"photo": PICTURE, "age": {"shape": [1], "dtype": "float32", "columns": ["years"]}},
    "outputs": {"kind": {"classes": KINDS}, "colour": {"classes": COLOURS}, "weight": {"classes": None}},
}


def samples(count):
    generator = np.random.default_rng(1)
    for _ in range(min(count, 20)):
        yield {"photo": generator.uniform(0, 255, (1, 8, 12, 3)), "age": generator.uniform(0, 90, (1, 1))}


CONTEXT = ExportContext("pets é", None, samples, "0.1.0", DATA, "ab" * 32)


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """A picture and a number in, two classes (of three and of two) and a number out; as float32 and as int8."""
    tf.keras.utils.set_random_seed(1)
    photo, age = tf.keras.Input((8, 12, 3), name="photo"), tf.keras.Input((1,), name="age")
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(photo)))
    x = layers.Concatenate()([x, layers.Rescaling(1 / 100)(age)])
    heads = [
        layers.Dense(1, name="weight")(x),
        layers.Dense(3, activation="softmax", name="kind")(x),
        layers.Dense(1, activation="sigmoid", name="colour")(x),
    ]
    model = tf.keras.Model([photo, age], heads)
    folder = tmp_path_factory.mktemp("pets")
    uint8 = {"precision": "int8", "input_type": "uint8", "output_type": "int8"}
    return SimpleNamespace(
        model=model,
        float32=export_tflite(model, folder / "float32.tflite", context=CONTEXT),
        uint8=export_tflite(model, folder / "uint8.tflite", context=CONTEXT, **uint8),
    )


@pytest.fixture(params=["float32", "uint8"])
def file(request, pets):
    return getattr(pets, request.param)


def test_metadata_tell_what_the_model_is(file):
    told = metadata_of(file)
    assert told.text(MODEL["name"]) == "pets é"
    assert told.text(MODEL["author"]) == "TrainKit 0.1.0"
    assert told.text(MODEL["min_parser_version"]) == "1.0.0"
    assert len(told.text(MODEL["version"])) == 12
    assert told.text(MODEL["license"]) is None


def test_version_is_another_where_the_network_is(pets):
    versions = {metadata_of(path).text(MODEL["version"]) for path in (pets.float32, pets.uint8)}
    assert len(versions) == 2


TYPES = [  # constants, activations, edges
    ("float32", {}, ["float32", "int32"], ["float32"], "input float32; output float32"),
    ("float16", {"precision": "float16"}, ["float16", "int32"], ["float32"], "input float32; output float32"),
    ("dynamic", {"precision": "dynamic"}, ["float32", "int8", "int32"], ["float32"], "input float32; output float32"),
    ("int8", {"precision": "int8"}, ["int8", "int32"], ["int8"], "input float32; output float32"),
    (
        "uint8",
        {"precision": "int8", "input_type": "uint8", "output_type": "int8"},
        ["int8", "int32"],
        ["int8"],
        "input uint8; output int8",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "held", "passed", "edges"), [row[1:] for row in TYPES], ids=[row[0] for row in TYPES]
)
def test_description_tells_the_types_that_are_inside(arguments, held, passed, edges, bench, model, tmp_path):
    filepath = bench.export(model, tmp_path, "TFLite", **arguments)
    constants, activations, *told = metadata_of(filepath).text(MODEL["description"]).split("; ")
    assert "; ".join(told) == edges
    assert types(constants, "constants ").keys() == set(held)
    assert types(activations, "activations ").keys() == set(passed)


def test_description_counts_as_litert_does(files):
    interpreter = Interpreter(
        str(files["int8"]), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    found = Counter(np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details())
    constants, activations, *_ = metadata_of(files["int8"]).text(MODEL["description"]).split("; ")
    told = Counter(types(constants, "constants ")) + Counter(types(activations, "activations "))
    assert told + Counter({"float32": 2}) == found


def types(text, before):
    """`before int8 (5 tensors), int32 (1)` as numbers by type."""
    assert text.startswith(before)
    pairs = [part.split(" (") for part in text.removeprefix(before).split(", ")]
    return {name: int(count.rstrip(")").split()[0]) for name, count in pairs}


def test_picture_has_its_size_and_colours(file):
    inputs, _ = sides_of(file)
    content = inputs["photo"].below(TENSOR["content"])
    assert content.byte(CONTENT["type"]) == IMAGE_CONTENT
    image = content.below(CONTENT["properties"])
    assert image.byte(IMAGE["color_space"]) == RGB
    size = image.below(IMAGE["default_size"])
    assert (size.whole(SIZE["width"]), size.whole(SIZE["height"])) == (12, 8)


def test_picture_goes_in_as_raw_pixels(file):
    inputs, _ = sides_of(file)
    (unit,) = inputs["photo"].all(TENSOR["process_units"])
    assert unit.byte(UNIT["type"]) == NORMALIZATION_UNIT
    options = unit.below(UNIT["options"])
    assert (options.floats(NORMALIZATION["mean"]), options.floats(NORMALIZATION["std"])) == ([0.0], [1.0])
    stats = inputs["photo"].below(TENSOR["stats"])
    assert (stats.floats(STATS["min"]), stats.floats(STATS["max"])) == ([0.0], [255.0])


def test_picture_is_described_as_an_app_makes_it(pets):
    made = "the image upright (EXIF orientation applied), scaled and cropped in the centre to 12 × 8 pixels "
    made += "(bicubic, without antialias), RGB, values 0 to 255"
    assert sides_of(pets.float32)[0]["photo"].text(TENSOR["description"]) == made


def test_integers_of_an_input_are_described_as_litert_takes_them(pets):
    runner = Interpreter(str(pets.uint8)).get_signature_runner()
    scale, zero = runner.get_input_details()["age"]["quantization"]
    assert zero == 0
    told = f"the column years; uint8: round(value / {scale:g})"
    assert sides_of(pets.uint8)[0]["age"].text(TENSOR["description"]) == told


def test_grey_picture_is_grey(model, bench, tmp_path):
    image = PICTURE["image"] | {"height": 14, "width": 14, "channels": 1, "fit": "stretch"}
    data = {"inputs": {"input": PICTURE | {"image": image}}}
    context = ExportContext("a", None, bench.context().calibration, "0.1.0", data)
    inputs, _ = sides_of(export_tflite(model, tmp_path / "a.tflite", context=context))
    properties = inputs["input"].below(TENSOR["content"]).below(CONTENT["properties"])
    assert properties.byte(IMAGE["color_space"]) == GRAYSCALE


def test_number_is_a_feature_of_which_nothing_more_is_known(file):
    inputs, _ = sides_of(file)
    assert inputs["age"].below(TENSOR["content"]).byte(CONTENT["type"]) == FEATURE_CONTENT
    assert inputs["age"].all(TENSOR["process_units"]) == []
    assert inputs["age"].below(TENSOR["stats"]) is None


def test_inputs_and_outputs_are_in_the_order_of_the_file(file):
    interpreter = Interpreter(str(file))
    runner = interpreter.get_signature_runner()
    for told, graph, signature in zip(
        sides_of(file),
        (interpreter.get_input_details(), interpreter.get_output_details()),
        (runner.get_input_details(), runner.get_output_details()),
        strict=True,
    ):
        names = {detail["index"]: name for name, detail in signature.items()}
        assert list(told) == [names[detail["index"]] for detail in graph]
        assert len(told) > 1


def test_outputs_name_the_labels_of_their_axis(file):
    _, outputs = sides_of(file)
    assert labels_of(outputs["kind"]) == [("labels_kind.txt", TENSOR_AXIS_LABELS)]
    assert labels_of(outputs["weight"]) == []


def test_one_unit_for_two_classes_has_no_axis_of_labels(file):
    _, outputs = sides_of(file)
    assert labels_of(outputs["colour"]) == [("labels_colour.txt", UNKNOWN)]
    assert outputs["colour"].text(TENSOR["description"]) == "probability of the second of two classes"


@pytest.mark.parametrize(("name", "is_share"), [("kind", True), ("colour", True), ("weight", False)])
def test_range_is_told_of_what_softmax_and_sigmoid_make(name, is_share, file):
    stats = sides_of(file)[1][name].below(TENSOR["stats"])
    told = stats and (stats.floats(STATS["min"]), stats.floats(STATS["max"]))
    assert told == (([0.0], [1.0]) if is_share else None)


def test_labels_are_packed_after_the_model(file):
    files = packed(file)
    assert files.keys() == {"labels_kind.txt", "labels_colour.txt", "trainkit.json"}
    assert files["labels_kind.txt"] == "chat\ngrüner Tee\n犬\n"
    assert files["labels_colour.txt"] == "red\nblue\n"


def test_labels_are_stored_as_an_app_maps_them(file):
    assert "chat\ngrüner Tee\n犬\n".encode() in file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        assert {(entry.compress_type, entry.date_time[0]) for entry in archive.infolist()} == {(0, 1980)}
        assert archive.testzip() is None


def test_facts_hold_the_description_of_the_data_and_the_hash_of_the_config(file):
    facts = json.loads(packed(file)["trainkit.json"])
    assert facts == {
        "name": "pets é",
        "producer": "TrainKit 0.1.0",
        "version": "0.1.0",
        "config_sha256": "ab" * 32,
        "data": DATA,
    }
    told = metadata_of(file).all(MODEL["associated_files"])
    assert [(one.text(FILE["name"]), one.byte(FILE["type"])) for one in told] == [("trainkit.json", DESCRIPTIONS)]


def test_only_output_with_classes_has_its_labels_in_labels_txt(files):
    assert packed(files["int8"])["labels.txt"] == "".join(f"{digit}\n" for digit in range(10))
    _, outputs = sides_of(files["int8"])
    assert labels_of(outputs["digit"]) == [("labels.txt", TENSOR_AXIS_LABELS)]


def test_same_export_gives_the_same_bytes(pets, tmp_path):
    again = export_tflite(pets.model, tmp_path / "again.tflite", context=CONTEXT)
    assert again.read_bytes() == pets.float32.read_bytes()


@pytest.fixture(scope="module")
def plain(pets):
    """What the converter writes."""
    return tf.lite.TFLiteConverter.from_keras_model(pets.model).convert()


def test_all_else_stays_as_the_converter_wrote_it(plain):
    content = add_metadata(plain, CONTEXT, None)
    before, after = (schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(x, 0)) for x in (plain, content))
    names = [entry.name for entry in before.metadata]
    assert {b"min_runtime_version", b"CONVERSION_METADATA"} == set(names)
    assert [entry.name for entry in after.metadata] == [*names, b"TFLITE_METADATA"]
    after.metadata.pop()
    after.buffers.pop()
    assert as_lists(after) == as_lists(before)
    assert content[4:8] == b"TFL3"


def as_lists(value):
    """All of an object of the schema, that `==` compares."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [as_lists(item) for item in value]
    return {key: as_lists(item) for key, item in vars(value).items()} if hasattr(value, "__dict__") else value


@pytest.mark.parametrize("interpreter", [Interpreter, tf.lite.Interpreter], ids=["LiteRT", "TensorFlow Lite"])
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_interpreters_answer_as_without_metadata(interpreter, plain):
    inputs = {name: array.astype(np.float32) for name, array in next(samples(1)).items()}
    contents = (plain, add_metadata(plain, CONTEXT, None))
    expected, found = (interpreter(model_content=x).get_signature_runner()(**inputs) for x in contents)
    assert expected.keys() == found.keys() == {"kind", "colour", "weight"}
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_analyzer_of_tensorflow_reads_the_file(pets, capfd):
    tf.lite.experimental.Analyzer.analyze(model_path=str(pets.uint8))
    said = capfd.readouterr().out
    assert "Signature#0 key: 'serving_default'" in said
    assert f"Model size: {pets.uint8.stat().st_size:>10} bytes" in said


def test_input_that_is_made_before_the_file_says_so(plain, tmp_path):
    filepath = tmp_path / "a.tflite"
    filepath.write_bytes(add_metadata(plain, CONTEXT, Preprocess({"age": Column("float32", (1,), ())})))
    told = sides_of(filepath)[0]["age"].text(TENSOR["description"])
    assert told == "what preprocess.json makes of the column years"
    assert json.loads(packed(filepath)["trainkit.json"])["preprocess"] == "preprocess.json"


def test_without_a_description_names_and_types_are_told(model, bench, tmp_path):
    context = ExportContext("a", None, bench.context().calibration, "0.1.0")
    filepath = export_tflite(model, tmp_path / "a.tflite", context=context)
    assert [list(side) for side in sides_of(filepath)] == [["input"], ["digit"]]
    assert packed(filepath) == {"trainkit.json": '{"name":"a","producer":"TrainKit 0.1.0","version":"0.1.0"}'}


def test_class_name_of_two_lines_is_refused(model, bench, tmp_path):
    context = ExportContext("a", ("a\nb", *"123456789"), bench.context().calibration, "0.1.0")
    with pytest.raises(InputError, match=r"a class name must be one line of text\. Received: 'a\\nb'\."):
        export_tflite(model, tmp_path / "a.tflite", context=context)
    assert list(tmp_path.iterdir()) == []
