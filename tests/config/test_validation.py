"""Every problem of the settings and nodes at once, each at its place and said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainkit.config.document import Document
from trainkit.config.overrides import apply_overrides
from trainkit.config.settings import Best, Last, settings_at
from trainkit.config.validation import validate
from trainkit.config.yaml_reader import read_text

SMALL = """\
version: 1
name: small
data: {source: Sample}
model:
  input: [28, 28, 1]
  layers:
    - Flatten
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  loss: SparseCategoricalCrossentropy
"""


def problems_of(text, *overrides):
    document = read_text(text, source="a.yaml", directory=Path("."))
    assert apply_overrides(document, overrides) == []
    _, problems = validate(document)
    return [str(problem) for problem in problems]


def changed(old, new):
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


def test_validate_makes_an_experiment_with_defaults():
    experiment, problems = validate(read_text(SMALL, source="a.yaml", directory=Path(".")))
    assert problems == []
    assert (experiment.version, experiment.name, experiment.seed) == (1, "small", 0)
    assert (experiment.data.batch_size, experiment.data.validation_split) == (32, 0.1)
    assert (experiment.model.input, experiment.model.preprocess) == ([28, 28, 1], [])
    assert [(node.class_name, node.name) for node in experiment.model.layers] == [("Flatten", None), ("Dense", "digit")]
    assert (experiment.training.epochs, experiment.training.optimizer.class_name) == (10, "Adam")
    assert (experiment.training.metrics, experiment.training.callbacks, experiment.training.best) == ([], [], None)
    exports = [(node.class_name, node.arguments) for node in experiment.deploy.export]
    assert exports == [("TFLite", {"precision": "float32"}), ("TFLite", {"precision": "int8"}), ("ONNX", {})]


def test_validate_reads_all_settings():
    text = changed("Sample}", "Sample, batch_size: 64, validation_split: {last: 500}}").replace(
        "loss: Sp", "epochs: 3\n  best: {monitor: val_accuracy, mode: max}\n  loss: Sp"
    )
    experiment, problems = validate(read_text(text.replace("1]", "null]"), source="a.yaml", directory=Path(".")))
    assert problems == []
    assert experiment.data.validation_split == Last(last=500)
    assert experiment.training.best == Best(monitor="val_accuracy", mode="max")
    assert experiment.model.input == [28, 28, None]


MISTAKES = """\
version: 2
name: bad name
seed: -1
sed: 3
data:
  source: Sampel
  batch_size: 2.5
  validation_split: 1.5
  batch: 3
model:
  input: [28, 28, one]
  layers:
    - Conv2D: {filter: 20, kernel_size: 5}
    - Dens: {units: 3}
    - Dense: &dense {units: $clases}
      nam: digit
    - Dense: *dense
    - Dense: {units: 3, name: x}
    - 3
    - Dense: {units: 3, kernel_regularizer: {L3: {l2: 1}}}
    - Adam
training:
  lr: fast
  epochs: ten
  optimizer: {Adam: {lr: fast, learning_rate: fast}}
  loss: {}
  metrics: Accuracy
  best: {monitor: 3, mode: least}
  callbacks: {EarlyStopping: {}}
deploy:
  export: []
  quantise: 3
"""
CONV2D = "Conv2D takes filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, …"
ADAM = "Adam takes learning_rate, beta_1, beta_2, epsilon, adaptive_epsilon, amsgrad, weight_decay, clipnorm, …"
LIST = "must be a list, each entry on a line with `- ` or in [ ]."
CLASSES = "unknown name '$clases'. Did you mean 'classes'? Known here: $classes."
TOP = "The top level has data, deploy, model, name, seed, training, version."
FOUND = [
    "1:10   version: must be 1. Received: 2.",
    "2:7    name: must be letters, digits, '.', '_' and '-', beginning with a letter or digit. Received: 'bad name'.",
    "3:7    seed: must be at least 0. Received: -1.",
    f"4:1    sed: unknown key. Did you mean 'seed'? {TOP}",
    "6:11   data.source: unknown source. Received: 'Sampel'. Did you mean 'Sample'?",
    "7:15   data.batch_size: must be a whole number. Received: 2.5.",
    "8:21   data.validation_split: must be less than 1.0. Received: 1.5.",
    "9:3    data.batch: unknown key. Did you mean 'batch_size'? data has batch_size, source, validation_split.",
    "11:19  model.input[2]: must be a whole number. Received: 'one'.",
    f"13:16  model.layers[0].Conv2D.filter: unknown argument. {CONV2D} Did you mean 'filters'?",
    "14:7   model.layers[1].Dens: unknown layer. Received: 'Dens'. Did you mean 'Dense'?",
    f"15:29  model.layers[2].Dense.units: {CLASSES}",
    "16:7   model.layers[2].nam: unknown key. Beside Dense may stand: name. Did you mean 'name'?",
    f"15:29  model.layers[3].Dense.units: {CLASSES}",
    "18:25  model.layers[4].Dense.name: Dense takes no name among its arguments. "
    "Write `name:` beside Dense, at its indentation.",
    "19:7   model.layers[5]: must be a layer: a Capitalised name, alone or with arguments. Received: 3.",
    "20:46  model.layers[6].Dense.kernel_regularizer.L3: unknown regularizer. Received: 'L3'. "
    "Known: L1, L1L2, L2, OrthogonalRegularizer.",
    "21:7   model.layers[7]: unknown layer. Adam is an optimizer.",
    "23:3   training.lr: unknown key. training has best, callbacks, epochs, loss, metrics, optimizer.",
    "24:11  training.epochs: must be a whole number. Received: 'ten'.",
    f"25:22  training.optimizer.Adam.lr: unknown argument. {ADAM} Did you mean 'learning_rate'?",
    "25:47  training.optimizer.Adam.learning_rate: must be a number. Received: learning_rate='fast'.",
    "26:9   training.loss: must be a loss: a mapping with exactly one Capitalised key. Received: the keys none.",
    f"27:12  training.metrics: {LIST} Received: 'Accuracy'.",
    "28:19  training.best.monitor: must be a text. Received: 3.",
    "28:28  training.best.mode: must be 'min' or 'max'. Received: 'least'.",
    f"29:14  training.callbacks: {LIST} Received: {{'EarlyStopping': {{}}}}.",
    "31:11  deploy.export: must be a list with at least 1 entry. Received: [].",
    "32:3   deploy.quantise: unknown key. deploy has export.",
]


def test_validate_finds_every_problem_at_its_place():
    assert sorted(problems_of(MISTAKES)) == sorted(FOUND)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (changed("name: small\n", ""), "1:1: the key 'name' is missing. Names the runs and the exported files."),
        (changed("data: {source: Sample}\n", ""), "1:1: the key 'data' is missing."),
        (changed("source: Sample", ""), "3:1    data: the key 'source' is missing. Where the samples come from."),
        (changed("  loss: Spa", "  epochs: 3 # Spa"), "10:1   training: the key 'loss' is missing. A Keras loss."),
        (
            changed("Sample}", "Sample, validation_split: {}}"),
            "3:24   data.validation_split: the key 'last' is missing. How many of the last training samples validate.",
        ),
        (
            changed("name: small", "nam: small"),
            "2:1    nam: unknown key. Did you mean 'name'? "
            "The top level has data, deploy, model, name, seed, training, version.",
        ),
        (
            changed("loss:", "los:"),
            "11:3   training.los: unknown key. Did you mean 'loss'? "
            "training has best, callbacks, epochs, loss, metrics, optimizer.",
        ),
        (changed("Sample}", "Sample, batch_size: 0}"), "3:36   data.batch_size: must be at least 1. Received: 0."),
        (
            changed("Sample}", "Sample, batch_size: yes}"),
            "3:36   data.batch_size: must be a whole number. Received: 'yes'.",
        ),
        (
            changed("Sample}", "Sample, batch_size: true}"),
            "3:36   data.batch_size: must be a whole number. Received: True.",
        ),
        (
            changed("Sample}", "Sample, validation_split: .nan}"),
            "3:42   data.validation_split: must be less than 1.0. Received: nan.",
        ),
        (
            changed("Sample}", "Sample, validation_split: [1]}"),
            "3:42   data.validation_split: must be a number. Received: [1].",
        ),
        (
            changed("Sample}", "Sample, validation_split: {last: 0}}"),
            "3:49   data.validation_split.last: must be at least 1. Received: 0.",
        ),
        (changed("small", "3"), "2:7    name: must be a text. Received: 3."),
        (changed("small", "a" * 101), f"2:7    name: must be at most 100 characters. Received: '{'a' * 78}…."),
        (
            changed("small", "../up"),
            "2:7    name: must be letters, digits, '.', '_' and '-', beginning with a letter "
            "or digit. Received: '../up'.",
        ),
        (
            changed("small", "small\nseed: 2147483648"),
            "3:7    seed: must be less than 2147483648. Received: 2147483648.",
        ),
        (
            changed("small", f"small\nseed: {'9' * 30}"),
            f"3:7    seed: must be less than 2147483648. Received: {'9' * 30}.",
        ),
        (changed("version: 1", "version: '1'"), "1:10   version: must be 1. Received: '1'."),
        (changed("[28, 28, 1]", "[]"), "5:10   model.input: must be a list with at least 1 entry. Received: []."),
        (changed("[28, 28, 1]", "[0]"), "5:11   model.input[0]: must be at least 1. Received: 0."),
        (changed("[28, 28, 1]", "28"), f"5:10   model.input: {LIST} Received: 28."),
        (SMALL + "deploy:\n", "12:8   deploy: must be a mapping, `key: value`. Received: None."),
        (
            changed("loss: SparseCategoricalCrossentropy", "loss: mse"),
            "11:9   training.loss: unknown loss. Received: 'mse'. Did you mean 'MeanSquaredError'?",
        ),
    ],
    ids=[
        "name",
        "data",
        "source",
        "loss",
        "last",
        "nam",
        "los",
        "zero",
        "yes",
        "true",
        "nan",
        "split",
        "last-zero",
        "number-name",
        "long-name",
        "path-name",
        "seed",
        "huge-seed",
        "version",
        "no-input",
        "zero-input",
        "flat-input",
        "empty-section",
        "initials",
    ],
)
def test_validate_says_one_thing_of_one_mistake(text, problem):
    assert problems_of(text) == [problem]


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.epochs=ten", "command line: training.epochs: must be a whole number. Received: 'ten'."),
        (
            "sed=3",
            "command line: sed: unknown key. Did you mean 'seed'? The top level has data, deploy, model, name, "
            "seed, training, version.",
        ),
        ("data.source=Idx", "command line: data.source: Idx needs images, labels."),
        ("model.layers.digit.units=$clases", f"command line: model.layers.digit.units: {CLASSES}"),
        (
            "model.layers.digit=3",
            "command line: model.layers.digit: must be a layer: a Capitalised name, alone or with "
            "arguments. Received: 3.",
        ),
        ("model.layers=[Flatten, Dense]", "command line: model.layers model.layers[1]: Dense needs units."),
        (
            "training.best.monitr=loss",
            "command line: training.best.monitr: unknown key. Did you mean 'monitor'? training.best has mode, monitor.",
        ),
        ("training.epochs.x=3", "command line: training.epochs.x: must be a whole number. Received: {'x': 3}."),
        (
            "model.layers[0].name=digit",
            "9:13   model.layers[1].name: the name 'digit' is taken already, by model.layers[0].",
        ),
    ],
    ids=["value", "key", "node", "expression", "entry", "inside", "section", "too-deep", "name"],
)
def test_validate_names_the_override(override, problem):
    assert problems_of(SMALL, override) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            changed("- Flatten", "- Dense: {units: 1}\n      name: digit"),
            "10:13  model.layers[1].name: the name 'digit' is taken already, by model.layers[0].",
        ),
        (
            changed("layers:", "preprocess:\n    - Rescaling: {scale: 1}\n      name: digit\n  layers:"),
            "12:13  model.layers[1].name: the name 'digit' is taken already, by model.preprocess[0].",
        ),
        (
            changed("name: digit", "name: input"),
            "9:13   model.layers[1].name: the name 'input' is taken already, by the input.",
        ),
        (
            SMALL + "  metrics:\n    - Mean:\n      name: m\n    - Sum:\n      name: m\n",
            "16:13  training.metrics[1].name: the name 'm' is taken already, by training.metrics[0].",
        ),
    ],
    ids=["layers", "preprocess", "input", "metrics"],
)
def test_validate_refuses_a_name_twice(text, problem):
    assert problems_of(text) == [problem]


def test_validate_lets_a_metric_have_the_name_of_a_layer():
    assert problems_of(SMALL + "  metrics:\n    - Mean:\n      name: digit\n") == []


@pytest.mark.parametrize("data", [3, None, [1], "text"], ids=["number", "none", "list", "text"])
def test_validate_takes_mappings_only(data):
    experiment, (problem,) = validate(Document("a.yaml", data, Path(".")))
    assert experiment is None
    assert str(problem) == f"must be a mapping, `key: value`. Received: {data!r}."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), "Experiment"),
        (("training",), "Training"),
        (("training", "best"), "Best"),
        (("data", "validation_split"), "Last"),
        (("training", "optimizer"), None),
        (("training", "optimizer", "Adam"), None),
        (("model", "layers", 0), None),
        (("nowhere",), None),
    ],
)
def test_settings_at_follows_settings_only(path, name):
    assert getattr(settings_at(path), "__name__", None) == name
