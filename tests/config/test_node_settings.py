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
