"""A value of a config becomes a node: what is read, what is refused, and in which words."""

from __future__ import annotations

import pytest

from trainkit.config.node import nodes_inside, to_plain
from trainkit.config.node_settings import is_node_name
from trainkit.config.parse import looks_like_node, parse_node
from trainkit.config.signatures import known_names


def told(value, kind="layer"):
    _, problems = parse_node(value, kind)
    return [(problem.path, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        ("Flatten", "layer", {"Flatten": {}}),
        ({"Flatten": None}, "layer", {"Flatten": {}}),
        ({"Dense": {"units": 3}, "name": "digit"}, "layer", {"Dense": {"units": 3}, "name": "digit"}),
        ({"Dense": {"units": "$(2 * classes)"}}, "layer", {"Dense": {"units": "$(2 * classes)"}}),
        ({"ReLU": None, "inputs": "x"}, "layer", {"ReLU": {}, "inputs": "x"}),
        ({"Add": None, "inputs": ["a", "x"]}, "layer", {"Add": {}, "inputs": ["a", "x"]}),
        ({"Dot": {"axes": 1}, "inputs": {"inputs": "a"}}, "layer", {"Dot": {"axes": 1}, "inputs": {"inputs": "a"}}),
        (
            {"Add": None, "branches": [["ReLU", {"Dense": {"units": 3}}], []]},
            "layer",
            {"Add": {}, "branches": [[{"ReLU": {}}, {"Dense": {"units": 3}}], []]},
        ),
        ({"Add": None, "branches": [None, ["ReLU"]]}, "layer", {"Add": {}, "branches": [[], [{"ReLU": {}}]]}),
        ({"Dense": {"units": 3, "dtype": "float32", "trainable": False}}, "layer", None),
        ({"Dense": {"units": 3, "activation": "$$odd"}}, "layer", None),
        ({"Conv2D": {"filters": 3, "kernel_size": [3, 3]}}, "layer", None),
        ({"Adam": {"learning_rate": 1e-3}}, "optimizer", None),
        ({"SparseCategoricalAccuracy": None, "name": "accuracy"}, "metric", None),
        ("Sample", "source", {"Sample": {}}),
        ({"TFLite": {"precision": "int8"}}, "exporter", None),
        ({"Idx": {"images": "a", "labels": "b", "classes": ["x", "y"]}}, "source", None),
    ],
    ids=[
        "bare",
        "colon",
        "name",
        "expression",
        "input",
        "inputs",
        "call-arguments",
        "branches",
        "empty-branch",
        "dtype",
        "dollar",
        "list",
        "optimizer",
        "metric",
        "source",
        "exporter",
        "texts",
    ],
)
def test_parse_node_reads(value, kind, plain):
    node, problems = parse_node(value, kind)
    assert problems == []
    assert node.kind == kind
    assert to_plain(node) == (plain or {key: item or {} for key, item in value.items()})


def test_parse_node_reads_nodes_among_the_arguments():
    schedule = {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": "$(steps // 2)"}}
    node, problems = parse_node({"Adam": {"learning_rate": schedule, "weight_decay": 0.1}}, "optimizer")
    assert problems == []
    ((path, inner),) = nodes_inside(node)
    assert path == ("Adam", "learning_rate")
    assert (inner.kind, inner.class_name) == ("schedule", "CosineDecay")
    assert to_plain(node) == {"Adam": {"learning_rate": schedule, "weight_decay": 0.1}}


def test_parse_node_reads_a_bare_name_among_the_arguments():
    node, problems = parse_node({"Dense": {"units": 3, "kernel_initializer": "HeNormal"}}, "layer")
    assert problems == []
    assert node.arguments["kernel_initializer"].kind == "initializer"
    node, problems = parse_node({"Dense": {"units": 3, "kernel_initializer": "he_normal"}}, "layer")
    assert problems == []
    assert node.arguments["kernel_initializer"] == "he_normal"


DENSE = "Dense takes units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, "
DENSE += "bias_regularizer, activity_regularizer, …"
CAPITAL = "must be a layer: a mapping with exactly one Capitalised key. Received: the keys "
ALONE = "must be a layer: a Capitalised name, alone or with arguments. Received: "


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (3, [((), f"{ALONE}3.")]),
        (None, [((), f"{ALONE}None.")]),
        (["Dense"], [((), f"{ALONE}['Dense'].")]),
        ({}, [((), f"{CAPITAL}none.")]),
        ({"dense": {}}, [((), f"{CAPITAL}'dense'. Did you mean 'Dense'?")]),
        ({"Dense": {"units": 1}, "Flatten": None}, [((), f"{CAPITAL}'Dense', 'Flatten'.")]),
        ("flaten", [((), "unknown layer. Received: 'flaten'. Did you mean 'Flatten'?")]),
        ({"Dens": {"units": 1}}, [(("Dens",), "unknown layer. Received: 'Dens'. Did you mean 'Dense'?")]),
        ("Adam", [((), "unknown layer. Adam is an optimizer.")]),
        ({"Dense": [3]}, [(("Dense",), "arguments must be a mapping, {name: value}. Received: [3].")]),
        ({"Dense": None}, [(("Dense",), "Dense needs units.")]),
        ("Conv2D", [((), "Conv2D needs filters, kernel_size.")]),
        ({"Dense": {"unit": 1}}, [(("Dense", "unit"), f"unknown argument. {DENSE} Did you mean 'units'?")]),
        ({"Dense": {"units": 1, "zebra": 1}}, [(("Dense", "zebra"), f"unknown argument. {DENSE}")]),
        (
            {"Dense": {"units": 1, "name": "x"}},
            [
                (
                    ("Dense", "name"),
                    "Dense takes no name among its arguments. Write `name:` beside Dense, at its indentation.",
                )
            ],
        ),
        (
            {"Dense": None, "units": 3},
            [
                (
                    ("units",),
                    "unknown key. Beside Dense may stand: name, inputs, branches, repeat, for_each, when. "
                    "Indent it further to make it an argument of Dense.",
                )
            ],
        ),
        (
            {"Dense": {"units": 3}, "nam": "x"},
            [
                (
                    ("nam",),
                    "unknown key. Beside Dense may stand: name, inputs, branches, repeat, for_each, when. Did you mean "
                    "'name'?",
                )
            ],
        ),
        (
            {"Dense": {"units": "$clases"}},
            [(("Dense", "units"), "unknown name '$clases'. Did you mean 'classes'? Known here: $classes, $tokens.")],
        ),
        (
            {"Dense": {"units": 3, "kernel_regularizer": {"L3": {}}}},
            [
                (
                    ("Dense", "kernel_regularizer", "L3"),
                    "unknown regularizer. Received: 'L3'. Known: L1, L1L2, L2, OrthogonalRegularizer.",
                )
            ],
        ),
        (
            {"Dense": {"units": {"Adam": {}}}},
            [(("Dense", "units", "Adam"), "units takes a value, nothing that gets built.")],
        ),
        (
            {"Reshape": {"target_shape": [3, "$nope"]}},
            [(("Reshape", "target_shape", 1), "unknown name '$nope'. Known here: $classes, $tokens.")],
        ),
    ],
    ids=[
        "number",
        "null",
        "list",
        "empty",
        "small-letter",
        "two",
        "bare",
        "class",
        "other-kind",
        "arguments",
        "missing",
        "missing-two",
        "misspelled",
        "unknown",
        "name",
        "beside",
        "setting",
        "expression",
        "inside",
        "value",
        "in-list",
    ],
)
def test_parse_node_says_what_is_wrong_once(value, problems):
    assert told(value) == problems


def test_parse_node_tells_of_a_torn_expression_once():
    torn = {"units": "$(max(1", "classes": None, "3))": None, "activation": "relu"}
    assert told({"Dense": torn}) == [
        (
            ("Dense", "units"),
            "must be an expression. Received: '$(max(1'. "
            "Quote an expression that holds a comma or bracket: '$(max(a, b))'.",
        )
    ]


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({"Adam": {"learning_rate": "fast"}}, "optimizer", "must be a number. Received: learning_rate='fast'."),
        ({"Adam": {"beta_1": "0.9"}}, "optimizer", "must be a number. Received: beta_1='0.9'."),
        ({"Adam": {"amsgrad": "no"}}, "optimizer", "must be true or false. Received: amsgrad='no'."),
        ({"Adam": {"amsgrad": 1}}, "optimizer", "must be true or false. Received: amsgrad=1."),
        (
            {"TFLite": {"precision": "int4"}},
            "exporter",
            "must be one of float32, float16, dynamic, int8, int16x8. Received: precision='int4'.",
        ),
        ({"TFLite": {"precision": None}}, "exporter", "must be given, not null. Received: precision=None."),
        (
            {"TFLite": {"calibration_samples": 17.5}},
            "exporter",
            "must be a whole number. Received: calibration_samples=17.5.",
        ),
        (
            {"TFLite": {"calibration_samples": True}},
            "exporter",
            "must be a whole number. Received: calibration_samples=True.",
        ),
        ({"TFLite": {"calibration_samples": 0}}, "exporter", "must be at least 1. Received: calibration_samples=0."),
        ({"Mnist": {"path": 3}}, "source", "must be a text. Received: path=3."),
        (
            {"Idx": {"images": "a", "labels": "b", "classes": [0, 1]}},
            "source",
            "must be a list of texts (quote numbers). Received: classes=[0, 1].",
        ),
    ],
    ids=["rate", "text", "boolean", "one", "choice", "null", "half", "true", "least", "path", "texts"],
)
def test_parse_node_checks_types(value, kind, message):
    ((path, found),) = told(value, kind)
    assert found == message
    assert path == (*value, found.split("Received: ")[1].split("=")[0])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"Adam": {"learning_rate": "$classes"}}, "optimizer"),
        ({"ONNX": {"opset": "$classes"}}, "exporter"),
        ({"Csv": {"path": "a.csv", "delimiter": "$classes"}}, "source"),
        ({"Dense": {"units": "$steps"}}, "layer"),
        ({"EarlyStopping": {"patience": "$epochs"}}, "callback"),
    ],
    ids=["optimizer", "exporter", "source", "layer", "callback"],
)
def test_parse_node_knows_names_by_kind(value, kind):
    ((_, message),) = told(value, kind)
    assert message.startswith("unknown name '$")


def test_parse_node_knows_the_length_of_the_training_in_schedules():
    arguments = {"initial_learning_rate": "$(1/classes)", "decay_steps": "$(steps - 2 * steps_per_epoch + epochs)"}
    assert told({"CosineDecay": arguments}, "schedule") == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("digit", True),
        ("conv_1", True),
        ("Digit", False),
        ("_x", False),
        ("1a", False),
        ("a-b", False),
        ("a.b", False),
        ("", False),
        ("é", False),
        (3, False),
        (None, False),
    ],
)
def test_is_node_name_takes_small_identifiers(name, is_one):
    assert is_node_name(name) is is_one


def test_parse_node_refuses_other_names():
    value = {"Dense": {"units": 3}, "name": "Digit"}
    message = "must begin with a small letter and have letters, digits and _ only. Received: name='Digit'."
    assert told(value) == [(("name",), message)]


@pytest.mark.parametrize("kind", ["optimizer", "loss", "callback", "exporter", "source"])
def test_parse_node_has_a_name_for_layers_and_metrics_only(kind):
    ((path, message),) = told({"Zebra": {}, "name": "x"}, kind)[:1]
    assert path == ("name",)
    assert message.startswith("unknown key. Beside Zebra may stand: nothing.")


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("Dense", True),
        ("relu", False),
        ({"Dense": None}, True),
        ({"a": 1}, False),
        ({}, False),
        (3, False),
        ("", False),
    ],
)
def test_looks_like_node_looks_for_a_capital(value, is_one):
    assert looks_like_node(value) is is_one


INPUTS = "must be the name of a layer, a list of names, or a mapping from call arguments to names. Received: inputs="
BRANCHES = "must be a list of branches, each a list of layers (`- - Conv2D: …`) or [] to pass the input on. Received: "


@pytest.mark.parametrize(
    "inputs",
    [3, True, [], {}, ["a", 3], [["a"]], {"query": 3}, {"query": [["a"]]}],
    ids=["number", "true", "no-list", "no-mapping", "number-in-list", "list-in-list", "number-inside", "list-inside"],
)
def test_parse_node_refuses_other_inputs(inputs):
    assert told({"ReLU": None, "inputs": inputs}) == [(("inputs",), f"{INPUTS}{inputs!r}.")]


@pytest.mark.parametrize(
    "branches",
    ["ReLU", 3, {}, [], {"ReLU": None}, ["ReLU"], [["ReLU"], "ReLU"], [{"ReLU": None}]],
    ids=["text", "number", "no-mapping", "no-list", "mapping", "one-list", "one-flat", "node"],
)
def test_parse_node_refuses_other_branches(branches):
    assert told({"Add": None, "branches": branches}) == [(("branches",), f"{BRANCHES}{branches!r}.")]


def test_parse_node_finds_problems_in_branches():
    inner = {"Add": None, "branches": [[], [{"Dense": {"unit": 3}}]]}
    assert told({"Add": None, "branches": [["ReLU", "Zebra"], [inner]]}) == [
        (("branches", 0, 1), f"unknown layer. Received: 'Zebra'. {known_layers()}"),
        (
            ("branches", 1, 0, "branches", 1, 0, "Dense", "unit"),
            f"unknown argument. {DENSE} Did you mean 'units'?",
        ),
    ]


def known_layers():
    return f"Known: {', '.join(list(known_names('layer'))[:12])}, …"


def test_parse_node_refuses_inputs_beside_branches():
    value = {"Add": None, "inputs": ["a", "b"], "branches": [["ReLU"], []]}
    ((path, message),) = told(value)
    assert (path, message) == (("inputs",), "must not stand beside branches, whose ends are the inputs.")


def test_parse_node_says_where_settings_among_the_arguments_belong():
    assert told({"Add": {"inputs": ["a", "b"], "branches": []}}) == [
        (("Add", key), f"unknown argument. Write `{key}:` beside Add, at its indentation.")
        for key in ("inputs", "branches")
    ]


@pytest.mark.parametrize("kind", ["metric", "optimizer", "augmentation"])
@pytest.mark.parametrize("key", ["inputs", "branches"])
def test_parse_node_has_inputs_and_branches_for_layers_only(kind, key):
    name = {"metric": "Mean", "optimizer": "Adam", "augmentation": "RandomFlip"}[kind]
    beside = "name" if kind == "metric" else "nothing"
    ((path, message),) = told({name: None, key: ["a"]}, kind)
    assert path == (key,)
    assert message.startswith(f"unknown key. Beside {name} may stand: {beside}.")


@pytest.mark.parametrize("setting", [{"inputs": "a"}, {"branches": [["ReLU"], []]}], ids=["inputs", "branches"])
def test_parse_node_refuses_settings_of_a_layer_inside_another(setting):
    message = "a layer inside another takes what that gives it: it has no inputs, branches, repeat, for_each, when."
    value = {"TimeDistributed": {"layer": {"Add": None, **setting}}}
    assert told(value) == [(("TimeDistributed", "layer"), message)]


def test_parse_node_knows_the_size_of_a_vocabulary():
    assert told({"Embedding": {"input_dim": "$tokens", "output_dim": 8}}) == []
    ((_, message),) = told({"MeanIoU": {"num_classes": "$tokens"}}, "metric")
    assert message == "unknown name '$tokens'. Known here: $classes."


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: 2}
    share: dense1
""",
            [
                (
                    "7:7    model.layers[0]: must be a layer: a mapping with one Capitalised key, or `share` in its "
                    "place. Received: the keys 'Dense', 'share'."
                ),
            ],
            id="shareandclass",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: 2}
  - TimeDistributed: {layer: {share: dense1}}
""",
            [
                (
                    "8:32   model.layers[1].TimeDistributed.layer: a layer inside another must be its own: `share` "
                    "stands"
                    " among the layers of a network or block only."
                ),
            ],
            id="shareinner",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - TimeDistributed: {layer: {Dense: {units: 2}, repeat: 2}}
""",
            [
                (
                    "7:32   model.layers[0].TimeDistributed.layer: a layer inside another takes what that gives it: it "
                    "has no inputs, branches, repeat, for_each, when."
                ),
            ],
            id="setinner2",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add: {branches: [[], []]}
""",
            [
                (
                    "7:13   model.layers[0].Add.branches: unknown argument. Write `branches:` beside Add, at its "
                    "indentation."
                ),
            ],
            id="branchesunder",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
      branches:
        - [ReLU]
        - []
""",
            [
                (
                    "8:9    model.layers[0].Add.branches: unknown argument. Write `branches:` beside Add, at its "
                    "indentation."
                ),
            ],
            id="branchesunder2",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU: {repeat: 2}
""",
            ["7:14   model.layers[0].ReLU.repeat: unknown argument. Write `repeat:` beside ReLU, at its indentation."],
            id="repeatunder",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    branches: x
""",
            [
                (
                    "8:17   model.layers[0].branches: must be a list of branches, each a list of layers (`- - "
                    "Conv2D: …`)"
                    " or [] to pass the input on. Received: 'x'."
                ),
            ],
            id="branchestext",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    branches: [ReLU, Softmax]
""",
            [
                (
                    "8:17   model.layers[0].branches: must be a list of branches, each a list of layers (`- - "
                    "Conv2D: …`)"
                    " or [] to pass the input on. Received: ['ReLU', 'Softmax']."
                ),
            ],
            id="branchesflat",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    branches: [[Foo], [{Dense: {unit: 3}}]]
""",
            [
                (
                    "8:19   model.layers[0].branches[0][0]: unknown layer. Received: 'Foo'. Known: Activation, "
                    "ActivityRegularization, Add, AdditiveAttention, AlphaDropout, Attention, Average, "
                    "AveragePooling1D, "
                    "AveragePooling2D, AveragePooling3D, AvgPool1D, AvgPool2D, …"
                ),
                (
                    "8:35   model.layers[0].branches[1][0].Dense.unit: unknown argument. Dense takes units, "
                    "activation, "
                    "use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, "
                    "activity_regularizer, … Did you mean 'units'?"
                ),
            ],
            id="branchesinside",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: 2, name: foo}
""",
            [
                (
                    "7:25   model.layers[0].Dense.name: Dense takes no name among its arguments. Write `name:` beside "
                    "Dense, at its indentation."
                ),
            ],
            id="namearg",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - StackedRNNCells: {cells: [{LSTMCell: {unit: 3}}]}
""",
            [
                (
                    "7:45   model.layers[0].StackedRNNCells.cells[0].LSTMCell.unit: unknown argument. LSTMCell takes "
                    "units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, "
                    "bias_initializer, unit_forget_bias, … Did you mean 'units'?"
                ),
            ],
            id="cells",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - RNN: {cell: Adam}
""",
            ["7:19   model.layers[0].RNN.cell: unknown layer. Adam is an optimizer."],
            id="cellnone",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: $(max(1, 2))}
""",
            [
                (
                    "7:22   model.layers[0].Dense.units: must be an expression. Received: '$(max(1'. Quote an "
                    "expression "
                    "that holds a comma or bracket: '$(max(a, b))'."
                ),
            ],
            id="unquoted",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: '$(2 ** 9)'}
""",
            [
                (
                    "7:22   model.layers[0].Dense.units: 'Pow' is not part of the expression language. Received: "
                    "'$(2 ** "
                    "9)'. An expression knows numbers, names, + - * / // %, comparisons, and, or, not, min and max."
                ),
            ],
            id="foreign",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: '$(__import__("os"))'}
""",
            [
                (
                    "7:22   model.layers[0].Dense.units: \"__import__('os')\" is not part of the expression language. "
                    "Received: '$(__import__(\"os\"))'. An expression knows numbers, names, + - * / // %, comparisons, "
                    "and, or, not, min and max."
                ),
            ],
            id="foreign2",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: $2}
""",
            [
                (
                    "7:22   model.layers[0].Dense.units: must be an expression. Received: '$2'. Write $name or $(…) as "
                    "the whole value, or $$ for a dollar."
                ),
            ],
            id="dollartext",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
    name: foo
""",
            [
                (
                    "8:11: this is not YAML: mapping values are not allowed here. To put settings under ReLU, write `- "
                    "ReLU:` with a colon."
                ),
            ],
            id="colon",
        ),
    ],
)
def test_load_config_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
