"""Files with something broken in them are read or refused, and never end in a crash."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from trainkit.config.load import load_config
from trainkit.errors import InputError

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
EXAMPLES = [
    *(path.read_text() for path in sorted(ROOT.glob("configs/*.yaml"))),
    *(block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)),
]
HEAD = "version: 1\nname: drawn\ndata: {source: Sample}\nmodel:\n"
TAIL = "training: {loss: MeanSquaredError}\n"
RICH = """\
  inputs: {left: {shape: [8, 4]}, right: {shape: [null, 4]}}
  preprocess: {left: [Rescaling: {scale: $(1/255)}]}
  blocks:
    Unit:
      params: {units: required, rate: 0.1, deep: $(units > 4), reg: {L2: {l2: 0.5}}, widths: [2, 3]}
      layers:
        - Dense: {units: $units, kernel_regularizer: $reg}
          name: dense$units
        - Dropout: {rate: $rate}
          when: $deep
        - Dense: {units: $w}
          for_each: {w: $widths}
        - Add:
          branches: [[Dense: {units: 3}], []]
    Pair:
      inputs: [a, b]
      params: {units: 4, times: 2}
      blocks: {Cell: {params: {u: 3}, layers: [GRUCell: {units: $u}]}}
      layers:
        - Unit: {units: $(units + 1), rate: 0}
          name: unit
          inputs: a
        - Unit: {units: $units}
          name: more
          repeat: $times
        - share: unit
          inputs: b
        - Add:
          inputs: [x, unit]
          when: $(times < 0)
        - Maximum:
          branches: [[], [{share: more2}]]
        - RNN: {cell: {Cell: {u: $units}}, return_state: true}
          name: rnn
        - GlobalMaxPooling1D:
          name: last
          inputs: more$times
        - Concatenate:
          inputs: [rnn, rnn.1, last]
  layers:
    - Pair: {units: $n}
      for_each: {n: [3, 4], i: [1, 2]}
      inputs: {a: left, b: right}
      name: pair$i
    - share: pair1
      inputs: [right, left]
      name: again
    - MultiHeadAttention: {num_heads: 2, key_dim: 3}
      inputs: {query: left, value: left}
    - TimeDistributed: {layer: {Unit: {units: '$(max(2, 3))'}}}
    - Flatten
    - Concatenate:
      name: all
      inputs: [x, pair1, pair2, again]
    - Dense: {units: $classes}
"""
EXAMPLES.append(HEAD + RICH + TAIL)
ODD = [
    "",
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "1e400",
    "1000000000",
    "$x",
    "$(",
    "'$(1/0)'",
    "$classes",
    "x",
    "ReLU",
    "share",
]
ODD += [
    "repeat",
    "name",
    "inputs",
    "when",
    "for_each",
    "branches",
    "layers",
    "blocks",
    "params",
    "a.b",
    "9",
    "&a",
    "*a",
    "%",
]


def tokens(text):
    """Words, marks and white space, which together are the text."""
    return re.findall(r"\n[ ]*|[ ]+|[\w.]+|.", text)


def mutilated(text, rng):
    """A file with one to three things deleted, doubled, swapped or replaced."""
    for _ in range(rng.randint(1, 3)):
        parts = rng.choice([tokens, lambda text: text.splitlines(keepends=True)])(text)
        if len(parts) < 2:
            return text
        one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
        match rng.randrange(6):
            case 0:
                del parts[one]
            case 1:
                parts.insert(other, parts[one])
            case 2:
                parts[one], parts[other] = parts[other], parts[one]
            case 3:
                parts[one] = rng.choice(ODD)
            case 4:
                parts[one] = parts[other]
            case _:
                parts[one] = re.sub(r"(^|\n) *", lambda match: match[0] + rng.choice(["  ", "", " "]), parts[one])
        text = "".join(parts)
    return text


def assert_read_or_refused(text, filepath):
    filepath.write_text(text)
    try:
        config = load_config(filepath)
    except InputError:
        return
    assert config.resolved_yaml()


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_a_mutilated_file_is_read_or_refused(index, tmp_path):
    rng = random.Random(index)
    for _ in range(12):
        assert_read_or_refused(mutilated(EXAMPLES[index], rng), tmp_path / "config.yaml")
