"""Plain data -> YAML as a person writes a config."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trainkit.config.yaml_reader import read_text
from trainkit.config.yaml_writer import write_yaml

TEXT = """\
version: 1
name: small
data:
  source: {Idx: {images: a.gz, labels: b.gz}}
  batch_size: 32
  augment:
    - RandomFlip: {mode: horizontal}
    - MixUp
model:
  inputs:
    left: {shape: [28, null, 1]}
    right: {shape: [4], dtype: string}
  layers:
    - Conv2D: {filters: 8, kernel_size: [3, 1], activation: relu, kernel_regularizer: {L2: {l2: 1e-5}}}
      name: stem
      inputs: left
    - Add:
      inputs: [stem, x]
    - Rescaling: {scale: $(1/255), offset: -0.5}
    - MultiHeadAttention: {num_heads: 2, key_dim: 3}
      inputs: {query: stem, value: right}
    - share: stem
      name: again
  outputs: [stem, again]
training:
  optimizer: {Adam: {learning_rate: 0.001}}
  best: {monitor: val_loss, mode: min}
  metrics: {left: [Accuracy]}
"""


def test_write_yaml_writes_as_a_person_would():
    plain = read_text(TEXT, source="text", directory=Path()).data
    assert write_yaml(plain) == TEXT


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("relu", "relu"),
        ("$(1/255)", "$(1/255)"),
        ("no", "no"),
        ("1e-3", '"1e-3"'),
        ("true", '"true"'),
        ("", '""'),
        ("a, b", '"a, b"'),
        ("- a", '"- a"'),
        ("a # b", '"a # b"'),
        (1e-07, "1e-7"),
        (1e22, "1e22"),
        (float("inf"), ".inf"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_write_yaml_quotes_only_what_would_be_read_as_something_else(value, written):
    assert write_yaml({"key": value}) == f"key: {written}\n"


scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text(max_size=8)
keys = st.sampled_from(["units", "Dense", "a b", "1", "Conv2D", "x:", "null"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(keys, values, min_size=1, max_size=3))
def test_write_yaml_reads_back_to_the_same_values(value):
    text = write_yaml(value)
    assert read_text(text, source="text", directory=Path()).data == value
    assert "\n\n" not in text


def test_write_yaml_is_yaml_to_others_too():
    assert yaml.safe_load(write_yaml({"layers": ["a: b", {"Dense": {"units": 3}, "name": "x"}]})) == {
        "layers": ["a: b", {"Dense": {"units": 3}, "name": "x"}]
    }
