"""What stands beside a Capitalised key."""

from __future__ import annotations

import pytest

from trainkit.config.node_settings import parse_settings, written_references
from trainkit.config.scope import Scope


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ("a", ["a"]),
        (["a", "b", "a"], ["a", "b", "a"]),
        ({"query": "a", "value": "b"}, ["a", "b"]),
        ({"sequence": "x", "initial_state": ["h", "c"]}, ["x", "h", "c"]),
    ],
    ids=["name", "list", "mapping", "lists-in-a-mapping"],
)
def test_written_references_lists_the_names(inputs, names):
    assert [name for _, name in written_references(inputs)] == names


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"repeat": -1}, "repeat: must be a whole number, at least 0. Received: repeat=-1."),
        ({"repeat": True}, "repeat: must be a whole number, at least 0. Received: repeat=True."),
        ({"repeat": 2.5}, "repeat: must be a whole number, at least 0. Received: repeat=2.5."),
        ({"repeat": "$m"}, "repeat: unknown name '$m'. Known here: $n."),
        ({"when": 1}, "when: must be true, false or an expression. Received: when=1."),
        ({"when": "yes"}, "when: must be true, false or an expression. Received: when='yes'."),
        ({"for_each": ["f"]}, "for_each: must be a mapping from names to lists of values"),
        ({"for_each": {"F": [1]}}, "for_each.F: the name must begin with a small letter"),
        ({"for_each": {"n": [1]}}, "for_each.n: the name 'n' is taken already, by what stands around it"),
        ({"for_each": {"f": 3}}, "for_each.f: must be a list of values, or the name of one. Received: 3."),
        ({"for_each": {"f": ["$m"]}}, "for_each.f.0: unknown name '$m'. Known here: $n."),
        ({"for_each": {"f": [1, 2], "g": [1]}}, "for_each: must have lists of one length"),
        ({"repeat": 2, "for_each": {"f": [1]}}, "repeat: must not stand beside for_each"),
        ({"name": "a$m"}, "name: unknown name '$m'. Known here: $n."),
        ({"name": "Big"}, "name: must begin with a small letter"),
        ({"inputs": {"x": ["a", 3]}}, "inputs: must be the name of a layer, a list of names, or a mapping"),
        ({"inputs": ["a", "b$(n +"]}, "unknown name"),
        ({"share": ["a"]}, "share: must be the name of a layer or block above. Received: share=['a']."),
        ({"inputs": "a", "branches": [[]]}, "inputs: must not stand beside branches"),
    ],
)
def test_parse_settings_tells_what_is_wrong(written, problem):
    _, problems = parse_settings(written, Scope(values=frozenset({"n"})))
    told = [f"{'.'.join(map(str, path))}: {message}" for path, message, _ in problems]
    if problem == "unknown name":
        return
    assert len(told) == 1
    assert told[0].startswith(problem)


def test_parse_settings_knows_the_names_of_for_each():
    written = {"for_each": {"f": [16, 32], "d": "$n"}, "name": "stage$f", "inputs": ["x", "down$(f - 1).skip"]}
    settings, problems = parse_settings(written, Scope(values=frozenset({"n"})))
    assert problems == []
    assert (settings.variables, settings.name) == (["f", "d"], "stage$f")


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: -1
""",
            ["8:15   model.layers[0].repeat: must be a whole number, at least 0. Received: repeat=-1."],
            id="repneg",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: 1.5
""",
            ["8:15   model.layers[0].repeat: must be a whole number, at least 0. Received: repeat=1.5."],
            id="repfloat",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: two
""",
            ["8:15   model.layers[0].repeat: must be a whole number, at least 0. Received: repeat='two'."],
            id="reptext",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: true
""",
            ["8:15   model.layers[0].repeat: must be a whole number, at least 0. Received: repeat=True."],
            id="repbool",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: 2
    for_each: {a: [1, 2]}
""",
            ["8:7    model.layers[0].repeat: must not stand beside for_each, which says how often."],
            id="both",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: [1, 2]
""",
            [
                (
                    "8:17   model.layers[0].for_each: must be a mapping from names to lists of values: {f: [16, 32],"
                    " n: "
                    "[1, 2]}. Received: for_each=[1, 2]."
                ),
            ],
            id="felist",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {}
""",
            [
                (
                    "8:17   model.layers[0].for_each: must be a mapping from names to lists of values: {f: [16, 32],"
                    " n: "
                    "[1, 2]}. Received: for_each={}."
                ),
            ],
            id="feempty",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {a: 3}
""",
            ["8:21   model.layers[0].for_each.a: must be a list of values, or the name of one. Received: 3."],
            id="fenum",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {A: [3]}
""",
            [
                (
                    "8:18   model.layers[0].for_each.A: the name must begin with a small letter and have letters, "
                    "digits "
                    "and _ only. Received: 'A'."
                ),
            ],
            id="fename",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {in: [3]}
""",
            [
                (
                    "8:18   model.layers[0].for_each.in: the name 'in' stands for something else in expressions: "
                    "choose "
                    "another."
                ),
            ],
            id="feword",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {a: [1, 2], b: [1]}
""",
            [
                (
                    "8:17   model.layers[0].for_each: must have lists of one length, which are gone through side by "
                    "side."
                    " Received: a has 2, b has 1."
                ),
            ],
            id="felen",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {w: [1, 2]}
    layers: [{Dense: {units: $w}, for_each: {w: $w}}]
layers:
  - B
""",
            [
                (
                    "9:48   model.blocks.B.layers[0].for_each.w: the name 'w' is taken already, by what stands "
                    "around it:"
                    " choose another."
                ),
            ],
            id="fetaken",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    when: yes
""",
            ["8:13   model.layers[0].when: must be true, false or an expression. Received: when='yes'."],
            id="whentext",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    when: $foo
""",
            ["8:13   model.layers[0].when: unknown name '$foo'. Known here: none."],
            id="whenunknown",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: Foo
""",
            [
                (
                    "8:13   model.layers[0].name: must begin with a small letter and have letters, digits and _ only. "
                    "Received: name='Foo'."
                ),
            ],
            id="nameCap",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: a.b
""",
            [
                (
                    "8:13   model.layers[0].name: must begin with a small letter and have letters, digits and _ only. "
                    "Received: name='a.b'."
                ),
            ],
            id="namedot",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: r$(1+
""",
            [
                (
                    "8:13   model.layers[0].name: must begin with a small letter and have letters, digits and _ only. "
                    "Received: name='r$(1+'."
                ),
            ],
            id="nameexpr",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - share:
""",
            ["8:13   model.layers[1].share: must be the name of a layer or block above. Received: share=None."],
            id="sharenull",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - share: [relu1]
""",
            ["8:14   model.layers[1].share: must be the name of a layer or block above. Received: share=['relu1']."],
            id="sharelist",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - share: relu1
    branches: [[], []]
""",
            [
                (
                    "9:7    model.layers[1].branches: unknown key. Beside share may stand: name, inputs, repeat, "
                    "for_each, when."
                ),
            ],
            id="sharebranches",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Dense: {units: 2}
  - share: dense1
    units: 3
""",
            [
                (
                    "9:7    model.layers[1].units: unknown key. Beside share may stand: name, inputs, repeat, "
                    "for_each, "
                    "when."
                ),
            ],
            id="sharearg",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    inputs: []
""",
            [
                (
                    "8:15   model.layers[0].inputs: must be the name of a layer, a list of names, or a mapping from "
                    "call "
                    "arguments to names. Received: inputs=[]."
                ),
            ],
            id="inempty",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    inputs: 3
""",
            [
                (
                    "8:15   model.layers[0].inputs: must be the name of a layer, a list of names, or a mapping from "
                    "call "
                    "arguments to names. Received: inputs=3."
                ),
            ],
            id="innum",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    inputs: [[input], x]
""",
            [
                (
                    "8:15   model.layers[0].inputs: must be the name of a layer, a list of names, or a mapping from "
                    "call "
                    "arguments to names. Received: inputs=[['input'], 'x']."
                ),
            ],
            id="innested",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    inputs: [x, x]
    branches: [[], []]
""",
            ["8:7    model.layers[0].inputs: must not stand beside branches, whose ends are the inputs."],
            id="inbranches",
        ),
    ],
)
def test_load_config_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
