"""`KEY=VALUE`: by path, by index, by name; what is wrong stands at the key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.config.overrides import apply_overrides
from trainkit.config.yaml_reader import read_text
from trainkit.errors import Place

TEXT = """\
seed: 7
data:
  source: Sample
model:
  input: [28, 28, 1]
  preprocess:
    - Rescaling: {scale: 0.1}
  layers:
    - Flatten
    - Dense: {units: 10}
      name: digit
    - Dense: {units: 3}
    - ReLU:
training:
  optimizer: {Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3}}}}
  callbacks:
"""


@pytest.fixture
def document(tmp_path):
    return read_text(TEXT, source="a.yaml", directory=tmp_path)


def at(document, *path):
    value = document.data
    for part in path:
        value = value[part]
    return value


LAYERS = ("model", "layers")
BRANCHED = """\
data:
  source: {Npy: {inputs: a.npy, targets: b.npy}}
  inputs: {left: a}
  class_weight: {Cat: 2}
model:
  inputs: {left: {shape: [3]}, right: {shape: [3]}}
  preprocess: {left: [Rescaling: {scale: 0.1}]}
  layers:
    - Add:
      branches:
        - - Dense: {units: 1}
          - Dense: {units: 2}
            name: wide
        - []
    - Dense: {units: 3}
    - Dense: {units: 4}
      inputs: [wide, x]
training:
  loss: {wide: Hinge, dense2: {Huber: {delta: 0.1}}}
  metrics: {wide: [Mean]}
"""


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("model.layers[0].branches[0][1].units=8", (*LAYERS, 0, "branches", 0, 1, "Dense", "units"), 8),
        ("model.layers.add1.branches.0.wide.units=8", (*LAYERS, 0, "branches", 0, 1, "Dense", "units"), 8),
        ("model.layers.Add.branches.0.dense1.units=8", (*LAYERS, 0, "branches", 0, 0, "Dense", "units"), 8),
        ("model.layers.dense2.units=8", (*LAYERS, 1, "Dense", "units"), 8),
        ("model.layers.dense3.units=8", (*LAYERS, 2, "Dense", "units"), 8),
        ("model.layers[0].branches[1]=[ReLU]", (*LAYERS, 0, "branches", 1), ["ReLU"]),
        ("model.layers[0].branches=[[], []]", (*LAYERS, 0), {"Add": None, "branches": [[], []]}),
        ("model.layers[1].inputs=wide", (*LAYERS, 1), {"Dense": {"units": 3}, "inputs": "wide"}),
        ("model.layers.dense3.inputs[0]=x", (*LAYERS, 2, "inputs"), ["x", "x"]),
        ("model.inputs.left.shape=[4]", ("model", "inputs", "left", "shape"), [4]),
        ("model.inputs.right.dtype=int32", ("model", "inputs", "right"), {"shape": [3], "dtype": "int32"}),
        ("model.preprocess.left.Rescaling.scale=2", ("model", "preprocess", "left", 0, "Rescaling", "scale"), 2),
        ("model.preprocess.right=[Flatten]", ("model", "preprocess", "right"), ["Flatten"]),
        ("model.outputs=[wide]", ("model", "outputs"), ["wide"]),
        ("training.loss.wide=Huber", ("training", "loss", "wide"), "Huber"),
        ("training.loss.dense2.delta=2", ("training", "loss", "dense2"), {"Huber": {"delta": 2}}),
        ("training.metrics.wide.Mean.name=m", ("training", "metrics", "wide"), [{"Mean": {}, "name": "m"}]),
        ("training.loss_weights.wide=2", ("training", "loss_weights"), {"wide": 2}),
        ("data.inputs.right=[b, c]", ("data", "inputs"), {"left": "a", "right": ["b", "c"]}),
        ("data.targets.wide=y", ("data", "targets"), {"wide": "y"}),
        ("data.source.inputs=c.npy", ("data", "source", "Npy", "inputs"), "c.npy"),
        ("data.class_weight.Cat=3", ("data", "class_weight"), {"Cat": 3}),
        ("data.class_weight.Dog=3", ("data", "class_weight"), {"Cat": 2, "Dog": 3}),
        ("data.class_weight.fox=3", ("data", "class_weight"), {"Cat": 2, "fox": 3}),
        ("data.bad_data.skip=3", ("data", "bad_data"), {"skip": 3}),
        ("data.resize.fit=pad", ("data", "resize"), {"fit": "pad"}),
        ("data.augment=[RandomFlip]", ("data", "augment"), ["RandomFlip"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_apply_overrides_sets_in_branches_and_mappings(override, path, value, tmp_path):
    document = read_text(BRANCHED, source="a.yaml", directory=tmp_path)
    assert apply_overrides(document, [override]) == []
    assert at(document, *path) == value
    assert document.place(path).override == override.split("=")[0] or isinstance(value, dict | list)


def test_apply_overrides_counts_the_layers_of_a_branch_from_the_first_of_the_network(tmp_path):
    text = "model: {layers: [Dense: {}, {Add: , branches: [[Dense: {}], [Dense: {}]]}]}"
    document = read_text(text, source="a.yaml", directory=tmp_path)
    assert apply_overrides(document, ["model.layers.add1.branches.1.dense3.units=8"]) == []
    (problem,) = apply_overrides(document, ["model.layers.add1.branches.1.dense1.units=8"])
    assert problem.message == "no entry is called 'dense1'. Did you mean 'Dense'? Known: Dense, dense3."
    assert at(document, *LAYERS, 1, "branches") == [[{"Dense": {}}], [{"Dense": {"units": 8}}]]


def test_apply_overrides_knows_the_layers_of_a_branch_only_there(tmp_path):
    document = read_text(BRANCHED, source="a.yaml", directory=tmp_path)
    (problem,) = apply_overrides(document, ["model.layers.wide.units=8"])
    assert problem.message == "no entry is called 'wide'. Known: Add, add1, Dense, dense2, dense3."


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=3", ("seed",), 3),
        (" seed = 3 ", ("seed",), 3),
        ("seed=1e-3", ("seed",), 0.001),
        ("name=a=b", ("name",), "a=b"),
        ("name=", ("name",), None),
        ("name='3'", ("name",), "3"),
        ("model.input=[1, null]", ("model", "input"), [1, None]),
        ("model.input[2]=3", ("model", "input", 2), 3),
        ("model.input.2=3", ("model", "input", 2), 3),
        ("model.layers[2].units=64", (*LAYERS, 2, "Dense", "units"), 64),
        ("model.layers[2].Dense.units=64", (*LAYERS, 2, "Dense", "units"), 64),
        ("model.layers.digit.units=64", (*LAYERS, 1, "Dense", "units"), 64),
        ("model.layers.dense1.units=64", (*LAYERS, 2, "Dense", "units"), 64),
        ("model.layers.flatten1.dtype=float32", (*LAYERS, 0), {"Flatten": {"dtype": "float32"}}),
        ("model.layers.Flatten.dtype=float32", (*LAYERS, 0), {"Flatten": {"dtype": "float32"}}),
        ("model.layers[0].name=flat", (*LAYERS, 0), {"Flatten": {}, "name": "flat"}),
        ("model.layers.ReLU.max_value=6", (*LAYERS, 3), {"ReLU": {"max_value": 6}}),
        ("model.layers.digit.name=answer", (*LAYERS, 1), {"Dense": {"units": 10}, "name": "answer"}),
        ("model.layers.digit={Dense: {units: 3}}", (*LAYERS, 1), {"Dense": {"units": 3}}),
        ("model.preprocess.Rescaling.scale=$(1/255)", ("model", "preprocess", 0, "Rescaling", "scale"), "$(1/255)"),
        ("model.layers.digit.units=$(max(2, classes))", (*LAYERS, 1, "Dense", "units"), "$(max(2, classes))"),
        ("model.layers=[Flatten]", LAYERS, ["Flatten"]),
        ("training.optimizer=SGD", ("training", "optimizer"), "SGD"),
        ("training.optimizer.learning_rate=0.1", ("training", "optimizer"), {"Adam": {"learning_rate": 0.1}}),
        (
            "training.optimizer.learning_rate.initial_learning_rate=0.1",
            ("training", "optimizer", "Adam", "learning_rate", "CosineDecay", "initial_learning_rate"),
            0.1,
        ),
        ("training.best.mode=max", ("training", "best"), {"mode": "max"}),
        ("data.validation_split.last=5", ("data", "validation_split"), {"last": 5}),
        ("deploy.export.ONNX.opset=15", ("deploy", "export", 2), {"ONNX": {"opset": 15}}),
        ("deploy.export[0].precision=int8", ("deploy", "export", 0), {"TFLite": {"precision": "int8"}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_apply_overrides_sets(document, override, path, value):
    assert apply_overrides(document, [override]) == []
    assert at(document, *path) == value


def test_apply_overrides_opens_the_default_optimizer(tmp_path):
    document = read_text("training: {epochs: 3}", source="a.yaml", directory=tmp_path)
    assert apply_overrides(document, ["training.optimizer.learning_rate=0.1"]) == []
    assert document.data == {"training": {"epochs": 3, "optimizer": {"Adam": {"learning_rate": 0.1}}}}


def test_apply_overrides_goes_in_the_order_given(document):
    overrides = ["training.optimizer=SGD", "training.optimizer.momentum=0.9", "seed=1", "seed=2"]
    assert apply_overrides(document, overrides) == []
    assert at(document, "training", "optimizer") == {"SGD": {"momentum": 0.9}}
    assert at(document, "seed") == 2


def test_apply_overrides_changes_one_alias_only(tmp_path):
    document = read_text("a: &x {B: {c: 1}}\nd: *x\ne: *x\n", source="a.yaml", directory=tmp_path)
    assert apply_overrides(document, ["d.c=2"]) == []
    assert document.data == {"a": {"B": {"c": 1}}, "d": {"B": {"c": 2}}, "e": {"B": {"c": 1}}}
    assert document.place(("d", "B", "c")) == Place(override="d.c")
    assert document.place(("e", "B", "c")) == Place(1, 15)


def test_apply_overrides_gives_values_and_made_sections_their_place(document):
    assert apply_overrides(document, ["model.layers={}", "deploy.export=3", "training.best.mode=max"]) == []
    assert document.place((*LAYERS, 0, "Flatten")) == Place(override="model.layers")
    assert document.place(LAYERS, of_key=True) == Place(override="model.layers")
    assert document.place(("deploy",), of_key=True) == Place(override="deploy.export")
    assert document.place(("training", "best", "monitor")) == Place(override="training.best.mode")
    assert document.place(("training", "optimizer")) == Place(15, 14)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed", "command line: seed: an override must be KEY=VALUE. Received: 'seed'."),
        ("=3", "command line: '=3': an override must be KEY=VALUE. Received: '=3'."),
        ("", "command line: '': an override must be KEY=VALUE. Received: ''."),
        (".=3", "command line: .: a key must be a path: training.epochs, model.layers[2].filters."),
        ("training..epochs=3", "command line: training..epochs: a key must be a path: "),
        ("model.layers[-1]=3", "command line: model.layers[-1]: a key must be a path: "),
        ("model layers=3", "command line: model layers: a key must be a path: "),
        ("seed=[1", "command line: seed: this is not YAML: "),
        ("seed=!!int 3", "command line: seed: unknown tag "),
        ("seed.x=3", "command line: seed.x: seed is a value and has no 'x'. Received: 7."),
        ("model.layers.digit.units.x=3", ": model.layers[1].Dense.units is a value and has no 'x'. Received: 10."),
        ("model.layers[4].units=3", "command line: model.layers[4].units: there is no entry 4: the last is 3."),
        (
            "model.layers.digt.units=3",
            ": no entry is called 'digt'. Did you mean 'digit'? Known: Flatten, flatten1, Dense, digit, dense1, ReLU, "
            "relu1.",
        ),
        ("model.layers.Dense.units=3", ": 'Dense' stands for 2 entries. Name one by its index: 1, 2."),
        ("model.layers.²=3", "no entry is called '²'."),
        ("model.layers." + "9" * 5000 + "=3", "no entry is called '999"),
        ("model.input.x=3", ": no entry is called 'x'. Name it by its index, 0 to 2."),
        ("training.callbacks[0].patience=3", ": there is no entry '0': the list is empty."),
        (
            "training.optimizer.SGD.momentum=0.9",
            ": training.optimizer is Adam. To change it, write training.optimizer='{SGD: {…}}'.",
        ),
    ],
    ids=lambda value: ascii(value)[1:40],
)
def test_apply_overrides_says_what_is_wrong(document, override, told):
    before = read_text(TEXT, source="a.yaml", directory=document.directory).data
    (problem,) = apply_overrides(document, [override])
    assert told in str(problem)
    assert str(problem).startswith("command line: ")
    assert document.data["seed"] == before["seed"]
    assert document.data["model"] == before["model"]


def test_apply_overrides_lists_every_problem_and_does_the_rest(document):
    problems = apply_overrides(document, ["seed", "seed=3", "model.layers.zebra=1"])
    assert [problem.path for problem in problems] == ["seed", "model.layers.zebra"]
    assert at(document, "seed") == 3


KEYS = [
    "seed",
    "model",
    "layers",
    "data",
    "source",
    "Dense",
    "digit",
    "training",
    "optimizer",
    "Adam",
    "input",
    "0",
    "9",
]


@settings(deadline=None)
@given(
    st.lists(
        st.text(max_size=20)
        | st.builds(
            "{}={}".format,
            st.lists(st.sampled_from(KEYS), min_size=1).map(".".join),
            st.sampled_from(["3", "{}", "[]", "Dense", "{Dense: {}}", "null", "[1", "{A: 1, B: 2}"]),
        ),
        max_size=4,
    )
)
def test_apply_overrides_raises_nothing(overrides):
    document = read_text(TEXT, source="a.yaml", directory=None)
    problems = apply_overrides(document, overrides)
    assert all(problem.place.override for problem in problems)
    assert isinstance(document.data, dict)


BLOCKS = """
input: [4]
blocks:
  Unit:
    params: {units: 3}
    layers:
      - Dense: {units: $units}
        name: dense
      - ReLU:
        name: act
        repeat: 2
layers:
  - Unit: {units: 4}
  - ReLU
"""


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("model.blocks.Unit.params.units=7", ["unit1.dense", "unit1.act1", "unit1.act2", "relu1"]),
        ("model.blocks.Unit.layers.act.repeat=1", ["unit1.dense", "unit1.act1", "relu1"]),
        ("model.blocks.Unit.layers[0].name=first", ["unit1.first", "unit1.act1", "unit1.act2", "relu1"]),
        ("model.layers.unit1.name=u", ["u.dense", "u.act1", "u.act2", "relu1"]),
        ("model.layers.relu1.when=false", ["unit1.dense", "unit1.act1", "unit1.act2"]),
        ("model.layers.relu1.repeat=0", ["unit1.dense", "unit1.act1", "unit1.act2"]),
        (
            "model.layers[1]=Unit",
            ["unit1.dense", "unit1.act1", "unit1.act2", "unit2.dense", "unit2.act1", "unit2.act2"],
        ),
        ("model.blocks.Unit.layers=[Softmax]", ["unit1.softmax1", "relu1"]),
        ("model.blocks.Other={layers: [ReLU]}", ["unit1.dense", "unit1.act1", "unit1.act2", "relu1"]),
        ("model.blocks.Unit.blocks.Deep={layers: [ReLU]}", ["unit1.dense", "unit1.act1", "unit1.act2", "relu1"]),
    ],
    ids=["default", "repeat", "name", "use", "when", "none", "entry", "layers", "new", "new-inside"],
)
def test_apply_overrides_changes_blocks_and_repetitions(override, names, network_of):
    assert [name for name, *_ in network_of(BLOCKS, overrides=[override])] == names


def test_apply_overrides_changes_a_parameter_where_a_block_is_used(network_of):
    calls = network_of(BLOCKS, overrides=["model.layers.unit1.units=9", "model.blocks.Unit.params.units=7"])
    assert calls[0][2] == {"units": 9}


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("model.blocks.Unit.layers.dense.unit=3", "unknown argument. Dense takes units, "),
        ("model.blocks.Unit.params.units=$zebra", "unknown name '$zebra'."),
        ("model.blocks.Unit.layers.zebra.units=3", "no entry is called 'zebra'. Known: Dense, dense, ReLU, act."),
        ("model.layers.unit1.unit=3", "unknown argument. Unit takes units. Did you mean 'units'?"),
        ("model.blocks.unit.params.units=3", "must be letters and digits, beginning with a capital letter."),
        ("model.layers[1].repeat=1000000000", "a network must have at most 20,000 layers and blocks."),
    ],
    ids=["argument", "default", "entry", "use", "block", "huge"],
)
def test_apply_overrides_tells_of_blocks_what_is_wrong(override, problem, problems_of):
    found = problems_of(BLOCKS, overrides=[override])
    assert found[0].startswith(f"command line: {override.partition('=')[0]}")
    assert problem in found[0]
