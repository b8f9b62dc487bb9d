"""YAML text as YAML 1.2 means it, every problem at its place, and nothing that a stranger's file could cost."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.config.yaml_reader import LARGEST_FILE, read_file, read_text
from trainkit.errors import ConfigError, Place


def read(text):
    return read_text(text, source="a.yaml", directory=Path("."))


def problems_of(text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\n", None),
        ("a: 1e-3", {"a": 0.001}),
        ("a: 010", {"a": 10}),
        ("a: [no, on, yes, off]", {"a": ["no", "on", "yes", "off"]}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: '1'\nb: \"true\"", {"a": "1", "b": "true"}),
        ("a:\nb: ~", {"a": None, "b": None}),
        ("on: 1\n1: 2\nnull: 3", {"on": 1, "1": 2, "null": 3}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: !!str 3", {"a": "3"}),
        ("a: !!seq [1]\nb: !!map {c: 1}", {"a": [1], "b": {"c": 1}}),
        ("'<<': 1", {"<<": 1}),
        ("a: &x {b: [1]}\nc: *x", {"a": {"b": [1]}, "c": {"b": [1]}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("a: $(4 * classes) # four", {"a": "$(4 * classes)"}),
        ("a: $(max(a, b))", {"a": "$(max(a, b))"}),
        ("a: |\n  b\n  c\n", {"a": "b\nc\n"}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("%YAML 1.1\n---\na: no", {"a": "no"}),
        ("a: 1\n...\n", {"a": 1}),
        ("\N{GRINNING FACE}: ü", {"\N{GRINNING FACE}": "ü"}),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, str) else "",
)
def test_read_text_means_what_yaml_1_2_means(text, data):
    assert read(text).data == data


def test_read_text_gives_every_alias_data_of_its_own():
    data = read("a: &x {b: 1}\nc: *x").data
    data["c"]["b"] = 2
    assert data == {"a": {"b": 1}, "c": {"b": 2}}


def test_read_text_keeps_the_place_of_every_key_and_value():
    document = read("a: &x\n  - b: 1\nc:  *x\n")
    assert document.keys == {
        ("a",): Place(1, 1),
        ("a", 0, "b"): Place(2, 5),
        ("c",): Place(3, 1),
        ("c", 0, "b"): Place(2, 5),
    }
    assert document.values == {
        (): Place(1, 1),
        ("a",): Place(1, 4),
        ("a", 0): Place(2, 5),
        ("a", 0, "b"): Place(2, 8),
        ("c",): Place(1, 4),
        ("c", 0): Place(2, 5),
        ("c", 0, "b"): Place(2, 8),
    }


def test_read_text_lists_all_duplicate_keys():
    assert problems_of("a: 1\nb:\n  - c: 1\n    c: 2\na: 3\n") == [
        "4:5    b[0].c: this key stands here already, at 3:5. Remove one of the two.",
        "5:1    a: this key stands here already, at 1:1. Remove one of the two.",
    ]


INDENTATION = "Check the indentation of this line and of those before it."
COLON = "To put settings under ReLU, write `- ReLU:` with a colon."
QUOTE = "Quote an expression that holds a comma or bracket: '$(max(a, b))'."
PLAIN = "A configuration is plain data: remove the tag."


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("a: !!int 3", "1:4: unknown tag 'tag:yaml.org,2002:int'", PLAIN),
        ("a: !mine 3", "1:4: unknown tag '!mine'", PLAIN),
        ("a: !!python/object:os.system x", "1:4: unknown tag 'tag:yaml.org,2002:python/object:os.system'", PLAIN),
        ("a: !!map 3", "1:4: unknown tag", PLAIN),
        ("!mine a: 3", "1:1: unknown tag '!mine'", PLAIN),
        ("a: &x {b: 1}\nc:\n  <<: *x", "3:3: merge keys (`<<`) are not read: write the keys out.", ""),
        ("a: *x", "1:4: unknown anchor '*x'", "it must stand before, and not around it."),
        ("a: &x [*x]", "1:8: unknown anchor '*x'", "it must stand before, and not around it."),
        ("? [1]\n: 2", "1:3: a key must be a text.", ""),
        ("*x : 1", "1:1: a key must be a text.", ""),
        ("a: 1\n---\nb: 2", "2:1: a file holds one document: remove this `---` and what follows.", ""),
        ("a:\n\tb: 1", "2:1: this is not YAML", "Indent with spaces, not with tabs."),
        ("a:\tb", "1:3: this is not YAML", "Write a space, not a tab."),
        ("a: 1\nb: a\0b", "2:5: this character is not allowed in YAML: '\\x00'.", ""),
        ("a: \x07", "1:4: this character is not allowed in YAML: '\\x07'.", ""),
        ("layers:\n  - ReLU\n    name: x", "3:9: this is not YAML", COLON),
        ("layers:\n  - ReLU  # then\n    name: x", "3:5: this is not YAML", COLON),
        ("layers:\n  - ReLU\n\n    name: x", "4:9: this is not YAML", COLON),
        ("a: {units: $(a[0])}", "1:15: this is not YAML", QUOTE),
        ("a: [$(max({b}))]", "1:11: this is not YAML", QUOTE),
        ("a:\n    b: 1\n  c: 2", "3:3: this is not YAML", INDENTATION),
        ("- a\nb: 1", "2:1: this is not YAML", INDENTATION),
        ("a: [1,\n  2", "2:4: this is not YAML", "it begins at 1:4."),
        ("a:\n  'b", "2:5: this is not YAML", "it begins at 2:3."),
        ("a: b: c", "1:5: this is not YAML: mapping values are not allowed here.", ""),
        ("a: @b", "1:4: this is not YAML", "cannot start any token."),
    ],
    ids=lambda value: ascii(value)[1:30],
)
def test_read_text_says_what_is_wrong_where_and_what_to_do(text, start, end):
    (problem,) = problems_of(text)
    assert problem.startswith(start)
    assert problem.endswith(end)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: " + "[" * 500 + "]" * 500, "1:104: values are nested more than 100 levels deep"),
        ("[" * 100_000, "nested more than 100 levels"),
        ("- " * 40_000, "nested more than 100 levels"),
        ("{a: " * 500, "nested more than 100 levels"),
        ("{" * 100_000, "a key must be a text"),
        ("? " * 20_000, "a key must be a text"),
        (
            "a0: &a0 [x,x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]\n" for i in range(1, 60)),
            "the aliases of this file expand to more than 10,000 values",
        ),
        ("a: [" + "x," * 300_000 + "]", "a configuration has at most 50,000 keys and values"),
        ("".join(f"k{i}: {i}\n" for i in range(60_000)), "25000:9: a configuration has at most 50,000"),
        ("a: '" + "''" * 400_000, "this is not YAML"),
        ("!" * 90_000, r"unknown tag 'tag:.{70,80}…\. "),
    ],
    ids=[
        "lists",
        "open-lists",
        "dashes",
        "mappings",
        "braces",
        "keys",
        "alias-bomb",
        "long-list",
        "many-keys",
        "quotes",
        "tag",
    ],
)
def test_read_text_refuses_quickly_what_is_too_much(text, told):
    start = time.process_time()
    with pytest.raises(ConfigError, match=told):
        read(text)
    assert time.process_time() - start < 5


def test_read_text_reads_up_to_the_limits():
    nested = read("[" * 101 + "]" * 101).data
    depth = 0
    while nested:
        nested, depth = nested[0], depth + 1
    assert depth == 100
    aliases = read("a: &x 1\nb: [" + "*x," * 9_999 + "]").data
    assert aliases["b"] == [1] * 9_999


YAML_PIECES = [
    "a",
    "b: ",
    "- ",
    "\n",
    "  ",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ": ",
    "? ",
    "&x ",
    "*x",
    "!!str ",
    "!t ",
    "'",
]
YAML_PIECES += [
    '"',
    "|",
    ">",
    "#",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "1e-3",
    "~",
    "\0",
    "\x85",
    "\u2028",
    "ReLU\n",
    "$(",
]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(YAML_PIECES), max_size=30).map("".join))
def test_read_text_raises_nothing_but_config_errors(text):
    with suppress(ConfigError):
        document = read(text)
        assert document.data is None or () in document.values


def test_read_file_reads_relative_to_its_own_directory(tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    monkeypatch.chdir(tmp_path)
    document = read_file("a.yaml")
    assert document.data == {"a": 1}
    assert document.source == "a.yaml"
    assert document.directory == tmp_path


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"a\.yaml: 1 problem\n  the file is empty\. `trainkit init` writes a first configuration\.$"),
        (b"# only a comment\n", "the file is empty"),
        (b"- a\n- b\n", r"1:1: a configuration must be a mapping, `key: value`\. Received: \['a', 'b'\]\.$"),
        (b"\n3\n", r"2:1: a configuration must be a mapping, .* Received: 3\.$"),
        (b"a: 1\nb: \xff\n", r"2:4: the file must be UTF-8 text\. Received: byte 0xff\.$"),
        ("a: ü".encode("latin-1"), r"1:4: the file must be UTF-8 text\. Received: byte 0xfc\.$"),
        ("a: 1".encode("utf-16"), "1:1: the file must be UTF-8 text"),
        (b"\0" * 100, "1:1: this character is not allowed"),
        (b"#" * (LARGEST_FILE + 1), r"the file must be a configuration of at most 1,000,000 bytes\.$"),
    ],
    ids=["empty", "comment", "list", "number", "not-utf-8", "latin-1", "utf-16", "nul", "large"],
)
def test_read_file_says_what_the_file_is_not(content, told, tmp_path):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        read_file(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "missing.yaml",
            r"missing\.yaml: 1 problem\n  the file does not exist\. `trainkit init` writes a first one\.$",
        ),
        (".", r"this is a directory\. Name the \.yaml file in it\.$"),
        ("file/a.yaml", r"the file cannot be read: Not a directory\.$"),
        ("a\0b", r"the file cannot be read: embedded null byte\.$"),
    ],
    ids=["missing", "directory", "below-a-file", "nul"],
)
def test_read_file_says_why_it_cannot_be_read(name, told, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=told):
        read_file(f"{tmp_path}/{name}")
