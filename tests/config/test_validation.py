"""Every problem of the settings and nodes at once, each at its place and said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainkit.config.data_settings import Last, Resize, Skip
from trainkit.config.document import Document
from trainkit.config.model_settings import Input
from trainkit.config.overrides import apply_overrides
from trainkit.config.settings import Best, Training, settings_at
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
    assert (experiment.data.batch_size, experiment.data.validation_split) == (32, None)
    assert (experiment.model.input, experiment.model.preprocess) == ([28, 28, 1], [])
    assert [(node.class_name, node.name) for node in experiment.model.layers] == [("Flatten", None), ("Dense", "digit")]
    assert (experiment.training.epochs, experiment.training.optimizer.class_name) == (None, "Adam")
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


TRAINING = ", ".join(sorted(Training.model_fields))

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
DATA = (
    "augment, bad_data, batch_size, class_weight, inputs, padding, resize, sample_weight, source, targets, test_split, "
)
DATA += "validation_split"
LIST = "must be a list, each entry on a line with `- ` or in [ ]."
CLASSES = "unknown name '$clases'. Did you mean 'classes'? Known here: $classes, $tokens."
TOP = "The top level has custom_code, data, deploy, include, model, name, seed, training, version."
FOUND = [
    "1:10   version: must be 1. Received: 2.",
    "2:7    name: must be letters, digits, '.', '_' and '-', beginning with a letter or digit. Received: 'bad name'.",
    "3:7    seed: must be at least 0. Received: -1.",
    f"4:1    sed: unknown key. Did you mean 'seed'? {TOP}",
    "6:11   data.source: unknown source. Received: 'Sampel'. Did you mean 'Sample'?",
    "7:15   data.batch_size: must be a whole number. Received: 2.5.",
    "8:21   data.validation_split: must be less than 1.0. Received: 1.5.",
    f"9:3    data.batch: unknown key. Did you mean 'batch_size'? data has {DATA}.",
    "11:19  model.input[2]: must be a whole number. Received: 'one'.",
    f"13:16  model.layers[0].Conv2D.filter: unknown argument. {CONV2D} Did you mean 'filters'?",
    "14:7   model.layers[1].Dens: unknown layer. Received: 'Dens'. Did you mean 'Dense'?",
    f"15:29  model.layers[2].Dense.units: {CLASSES}",
    "16:7   model.layers[2].nam: unknown key. Beside Dense may stand: name, inputs, branches, repeat, for_each, when. "
    "Did you mean 'name'?",
    f"15:29  model.layers[3].Dense.units: {CLASSES}",
    "18:25  model.layers[4].Dense.name: Dense takes no name among its arguments. "
    "Write `name:` beside Dense, at its indentation.",
    "19:7   model.layers[5]: must be a layer: a Capitalised name, alone or with arguments. Received: 3.",
    "20:46  model.layers[6].Dense.kernel_regularizer.L3: unknown regularizer. Received: 'L3'. "
    "Known: L1, L1L2, L2, OrthogonalRegularizer.",
    "21:7   model.layers[7]: unknown layer. Adam is an optimizer.",
    f"23:3   training.lr: unknown key. training has {TRAINING}.",
    "24:11  training.epochs: must be a whole number. Received: 'ten'.",
    f"25:22  training.optimizer.Adam.lr: unknown argument. {ADAM} Did you mean 'learning_rate'?",
    "25:47  training.optimizer.Adam.learning_rate: must be a number. Received: learning_rate='fast'.",
    "26:9   training.loss: must be a loss: a mapping with exactly one Capitalised key. Received: the keys none.",
    f"27:12  training.metrics: {LIST[:-1]}, or a mapping, `key: value`. Received: 'Accuracy'. Keras metrics; with "
    "several outputs a mapping from each to its list.",
    "28:19  training.best.monitor: must be a text. Received: 3.",
    "28:28  training.best.mode: must be 'min' or 'max'. Received: 'least'.",
    f"29:14  training.callbacks: {LIST} Received: {{'EarlyStopping': {{}}}}.",
    "31:11  deploy.export: must be a list with at least 1 entry. Received: [].",
    "32:3   deploy.quantise: unknown key. deploy has benchmark, compress, export, fine_tune.",
]


def test_validate_finds_every_problem_at_its_place():
    assert sorted(problems_of(MISTAKES)) == sorted(FOUND)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (changed("name: small\n", ""), "1:1: the key 'name' is missing. Names the runs and the exported files."),
        (changed("data: {source: Sample}\n", ""), "1:1: the key 'data' is missing."),
        (changed("source: Sample", ""), "3:1    data: the key 'source' is missing. Where the samples come from."),
        (
            changed("  loss: Spa", "  epochs: 3 # Spa"),
            "10:1   training: the key 'loss' is missing. A Keras loss; with several "
            "outputs a mapping from each to its loss.",
        ),
        (
            changed("Sample}", "Sample, validation_split: {}}"),
            "3:24   data.validation_split: the key 'last' is missing. How many of the last training samples.",
        ),
        (
            changed("name: small", "nam: small"),
            "2:1    nam: unknown key. Did you mean 'name'? "
            "The top level has custom_code, data, deploy, include, model, name, seed, training, version.",
        ),
        (
            changed("loss:", "los:"),
            f"11:3   training.los: unknown key. Did you mean 'loss'? training has {TRAINING}.",
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
            "3:42   data.validation_split: must be a number, or a mapping, `key: value`. Received: [1]. Share of the "
            "training samples that validate (seeded, stratified), or {last: N}; 0 for none. By default 0.1 where the "
            "source has no validation samples.",
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


ALL = """\
version: 1
name: all
data:
  source: {Csv: {path: a.csv}}
  inputs: DATA_INPUTS
  targets: DATA_TARGETS
  sample_weight: SAMPLE_WEIGHT
  class_weight: CLASS_WEIGHT
  test_split: TEST_SPLIT
  resize: RESIZE
  augment: AUGMENT
  bad_data: BAD_DATA
model:
  inputs: MODEL_INPUTS
  outputs: OUTPUTS
  preprocess: PREPROCESS
  layers: [{Dense: {units: 2}, name: digit}]
training:
  loss: LOSS
  loss_weights: LOSS_WEIGHTS
  metrics: METRICS
"""
GOOD = {
    "DATA_INPUTS": "a",
    "DATA_TARGETS": "b",
    "SAMPLE_WEIGHT": "null",
    "CLASS_WEIGHT": "null",
    "TEST_SPLIT": "0",
    "RESIZE": "null",
    "AUGMENT": "[]",
    "BAD_DATA": "fail",
    "MODEL_INPUTS": "{left: {shape: [3]}}",
    "OUTPUTS": "[digit]",
    "PREPROCESS": "[]",
    "LOSS": "Hinge",
    "LOSS_WEIGHTS": "null",
    "METRICS": "[]",
}


def all_settings(**changes):
    text = ALL
    for key, value in (GOOD | changes).items():
        text = text.replace(f" {key}\n", f" {value}\n")
    return text


def read_all(**changes):
    experiment, problems = validate(read_text(all_settings(**changes), source="a.yaml", directory=Path(".")))
    assert problems == []
    return experiment


@pytest.mark.parametrize(
    ("written", "columns"),
    [("a", "a"), ("[a, b]", ["a", "b"]), ("{left: a}", {"left": "a"}), ("{left: [a, b]}", {"left": ["a", "b"]})],
    ids=["text", "list", "mapping", "lists"],
)
def test_validate_reads_every_form_of_inputs(written, columns):
    assert read_all(DATA_INPUTS=written).data.inputs == columns


@pytest.mark.parametrize(
    ("written", "columns"),
    [("a", "a"), ("[a, b]", ["a", "b"]), ("{digit: a}", {"digit": "a"}), ("null", None)],
    ids=["text", "list", "mapping", "null"],
)
def test_validate_reads_every_form_of_targets(written, columns):
    assert read_all(DATA_TARGETS=written).data.targets == columns


@pytest.mark.parametrize(
    ("written", "weights"),
    [("balanced", "balanced"), ("{Cat: 2, dog: 0, 3: 0.5}", {"Cat": 2, "dog": 0, "3": 0.5}), ("{Cat: 2}", {"Cat": 2})],
    ids=["balanced", "mapping", "capital"],
)
def test_validate_reads_every_form_of_class_weight(written, weights):
    assert read_all(CLASS_WEIGHT=written).data.class_weight == weights


@pytest.mark.parametrize(
    ("written", "split"), [("0.25", 0.25), ("0", 0), ("{last: 5}", Last(last=5))], ids=["share", "none", "last"]
)
def test_validate_reads_every_form_of_test_split(written, split):
    assert read_all(TEST_SPLIT=written).data.test_split == split


@pytest.mark.parametrize(
    ("written", "policy"),
    [("fail", "fail"), ("skip", "skip"), ("{skip: 20}", Skip(skip=20))],
    ids=["fail", "skip", "N"],
)
def test_validate_reads_every_form_of_bad_data(written, policy):
    assert read_all(BAD_DATA=written).data.bad_data == policy


def test_validate_reads_how_images_get_their_size():
    assert read_all(RESIZE="{}").data.resize == Resize(method="bilinear", antialias=True, fit="stretch")
    written = read_all(RESIZE="{method: lanczos, antialias: false, fit: crop}").data.resize
    assert written == Resize(method="lanczos", antialias=False, fit="crop")


def test_validate_reads_augmentations():
    nodes = read_all(AUGMENT="[RandomFlip, {RandomRotation: {factor: 0.1}}]").data.augment
    assert [(node.kind, node.class_name, node.arguments) for node in nodes] == [
        ("augmentation", "RandomFlip", {}),
        ("augmentation", "RandomRotation", {"factor": 0.1}),
    ]


def test_validate_reads_inputs_with_their_types():
    model = read_all(MODEL_INPUTS="{left: {shape: [null, 3], dtype: int64}}").model
    assert model.input_specs == {"left": Input(shape=[None, 3], dtype="int64")}
    assert read_all(MODEL_INPUTS="{left: {shape: [3]}}").model.input_specs["left"].dtype == "float32"


@pytest.mark.parametrize(
    ("written", "names"),
    [("[Flatten]", {"left": ["Flatten"]}), ("{left: [Flatten, ReLU]}", {"left": ["Flatten", "ReLU"]}), ("{}", {})],
    ids=["list", "mapping", "empty"],
)
def test_validate_reads_every_form_of_preprocess(written, names):
    found = read_all(PREPROCESS=written).model.preprocess_by_input
    assert {name: [node.class_name for node in nodes] for name, nodes in found.items()} == names


@pytest.mark.parametrize(
    "written",
    ["Huber", "{Huber: {delta: 2}}", "{digit: Huber}", "{digit: {Huber: {delta: 2}}}"],
    ids=["name", "node", "by-output", "node-by-output"],
)
def test_validate_reads_every_form_of_loss(written):
    loss = read_all(LOSS=written).training.loss
    node = loss["digit"] if isinstance(loss, dict) else loss
    assert (node.kind, node.class_name) == ("loss", "Huber")
    assert isinstance(loss, dict) is written.startswith("{digit")


@pytest.mark.parametrize("written", ["[Mean]", "{digit: [Mean]}"], ids=["list", "mapping"])
def test_validate_reads_every_form_of_metrics(written):
    metrics = read_all(METRICS=written).training.metrics
    (node,) = metrics["digit"] if isinstance(metrics, dict) else metrics
    assert (node.kind, node.class_name) == ("metric", "Mean")


COLUMNS = "must be a text, or a list, each entry on a line with `- ` or in [ ]"
MAPPING = "or a mapping, `key: value`"
NAME = "must be letters, digits and '_', beginning with a small letter."
PATH_NAME = f"{NAME[:-1]}; of a layer in a block the path: decoder.head."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"DATA_INPUTS": "3"},
            f"5:11   data.inputs: {COLUMNS}, {MAPPING}. Received: 3. The columns that go in: one or a list for the one "
            "input, or a mapping from the model's inputs.",
        ),
        ({"DATA_INPUTS": "[3]"}, "5:12   data.inputs[0]: must be a text. Received: 3."),
        ({"DATA_INPUTS": "[]"}, "5:11   data.inputs: must be a list with at least 1 entry. Received: []."),
        ({"DATA_INPUTS": "{}"}, "5:11   data.inputs: must be a mapping with at least 1 entry. Received: {}."),
        ({"DATA_INPUTS": "{left: 3}"}, f"5:18   data.inputs.left: {COLUMNS}. Received: 3."),
        ({"DATA_INPUTS": "{left: {a: b}}"}, f"5:18   data.inputs.left: {COLUMNS}. Received: {{'a': 'b'}}."),
        ({"DATA_INPUTS": "{Left: a}"}, f"5:12   data.inputs.Left: {PATH_NAME} Received: 'Left'."),
        (
            {"DATA_TARGETS": "true"},
            f"6:12   data.targets: {COLUMNS}, {MAPPING}. Received: True. The columns to learn: one or a list for the "
            "one output, or a mapping from the model's outputs.",
        ),
        (
            {"DATA_TARGETS": "{digit: []}"},
            "6:20   data.targets.digit: must be a list with at least 1 entry. Received: [].",
        ),
        ({"SAMPLE_WEIGHT": "[w]"}, "7:18   data.sample_weight: must be a text. Received: ['w']."),
        ({"CLASS_WEIGHT": "ballanced"}, "8:17   data.class_weight: must be 'balanced'. Received: 'ballanced'."),
        (
            {"CLASS_WEIGHT": "[1, 2]"},
            f"8:17   data.class_weight: must be a text, {MAPPING}. Received: [1, 2]. How much the training samples of "
            "a class count: balanced, or a mapping from class to weight.",
        ),
        ({"CLASS_WEIGHT": "{}"}, "8:17   data.class_weight: must be a mapping with at least 1 entry. Received: {}."),
        ({"CLASS_WEIGHT": "{Cat: a}"}, "8:23   data.class_weight.Cat: must be a number. Received: 'a'."),
        ({"CLASS_WEIGHT": "{Cat: -1}"}, "8:23   data.class_weight.Cat: must be at least 0.0. Received: -1."),
        ({"CLASS_WEIGHT": "{cat: .inf}"}, "8:23   data.class_weight.cat: must be a finite number. Received: inf."),
        ({"CLASS_WEIGHT": "{cat: .nan}"}, "8:23   data.class_weight.cat: must be a finite number. Received: nan."),
        ({"TEST_SPLIT": "1.0"}, "9:15   data.test_split: must be less than 1.0. Received: 1.0."),
        ({"TEST_SPLIT": "{last: 0}"}, "9:22   data.test_split.last: must be at least 1. Received: 0."),
        (
            {"TEST_SPLIT": "half"},
            f"9:15   data.test_split: must be a number, {MAPPING}. Received: 'half'. Share of the samples that test "
            "(seeded, stratified), or {last: N}; where the source has no test.",
        ),
        ({"RESIZE": "pad"}, "10:11  data.resize: must be a mapping, `key: value`. Received: 'pad'."),
        (
            {"RESIZE": "{method: cubic}"},
            "10:20  data.resize.method: must be 'nearest', 'bilinear', 'bicubic', 'area' or 'lanczos'. Received: "
            "'cubic'.",
        ),
        ({"RESIZE": "{fit: cover}"}, "10:17  data.resize.fit: must be 'stretch', 'crop' or 'pad'. Received: 'cover'."),
        ({"RESIZE": "{antialias: 1}"}, "10:23  data.resize.antialias: must be true or false. Received: 1."),
        (
            {"RESIZE": "{methd: area}"},
            "10:12  data.resize.methd: unknown key. Did you mean 'method'? data.resize has antialias, fit, method.",
        ),
        ({"AUGMENT": "RandomFlip"}, f"11:12  data.augment: {LIST} Received: 'RandomFlip'."),
        (
            {"AUGMENT": "[RandomFlp]"},
            "11:13  data.augment[0]: unknown augmentation. Received: 'RandomFlp'. Did you mean 'RandomFlip'?",
        ),
        ({"BAD_DATA": "skp"}, "12:13  data.bad_data: must be 'fail' or 'skip'. Received: 'skp'."),
        ({"BAD_DATA": "{skip: 0}"}, "12:20  data.bad_data.skip: must be at least 1. Received: 0."),
        (
            {"BAD_DATA": "{}"},
            "12:3   data.bad_data: the key 'skip' is missing. How many bad samples may be left out at most.",
        ),
        (
            {"BAD_DATA": "3"},
            f"12:13  data.bad_data: must be a text, {MAPPING}. Received: 3. Stop at samples that cannot be used, or "
            "skip them: 1 % at most, or as many as {skip: N} says.",
        ),
        ({"MODEL_INPUTS": "{}"}, "14:11  model.inputs: must be a mapping with at least 1 entry. Received: {}."),
        ({"MODEL_INPUTS": "[3]"}, "14:11  model.inputs: must be a mapping, `key: value`. Received: [3]."),
        ({"MODEL_INPUTS": "{left: [3]}"}, "14:18  model.inputs.left: must be a mapping, `key: value`. Received: [3]."),
        (
            {"MODEL_INPUTS": "{left: {}}"},
            "14:12  model.inputs.left: the key 'shape' is missing. Of one sample, without the batch.",
        ),
        (
            {"MODEL_INPUTS": "{left: {shape: [3], dtype: float}}"},
            "14:38  model.inputs.left.dtype: must be 'float32', 'int32', 'int64' or 'string'. Received: 'float'.",
        ),
        (
            {"MODEL_INPUTS": "{left: {shape: [3], typ: float}}"},
            "14:31  model.inputs.left.typ: unknown key. Did you mean 'dtype'? model.inputs.left has dtype, shape.",
        ),
        ({"MODEL_INPUTS": "{Left: {shape: [3]}}"}, f"14:12  model.inputs.Left: {NAME} Received: 'Left'."),
        ({"OUTPUTS": "[]"}, "15:12  model.outputs: must be a list with at least 1 entry. Received: []."),
        ({"OUTPUTS": "digit"}, f"15:12  model.outputs: {LIST} Received: 'digit'."),
        ({"OUTPUTS": "[Digit]"}, f"15:13  model.outputs[0]: {PATH_NAME} Received: 'Digit'."),
        (
            {"PREPROCESS": "{Rescaling: {scale: 1}}"},
            f"16:15  model.preprocess: {LIST[:-1]}, {MAPPING}. Received: {{'Rescaling': {{'scale': 1}}}}. Layers "
            "before the network, part of every exported file; with several inputs a list for each.",
        ),
        ({"PREPROCESS": "{left: Flatten}"}, f"16:22  model.preprocess.left: {LIST} Received: 'Flatten'."),
        (
            {"PREPROCESS": "{left: [Flaten]}"},
            "16:23  model.preprocess.left[0]: unknown layer. Received: 'Flaten'. Did you mean 'Flatten'?",
        ),
        (
            {"LOSS": "[Hinge]"},
            "19:9   training.loss: must be a loss: a Capitalised name, alone or with arguments. Received: ['Hinge'].",
        ),
        (
            {"LOSS": "{digit: mse}"},
            "19:17  training.loss.digit: unknown loss. Received: 'mse'. Did you mean 'MeanSquaredError'?",
        ),
        (
            {"LOSS": "{digit: {Huber: {delt: 2}}}"},
            "19:26  training.loss.digit.Huber.delt: unknown argument. Huber takes delta, reduction. "
            "Did you mean 'delta'?",
        ),
        ({"LOSS_WEIGHTS": "2"}, "20:17  training.loss_weights: must be a mapping, `key: value`. Received: 2."),
        (
            {"LOSS_WEIGHTS": "{}"},
            "20:17  training.loss_weights: must be a mapping with at least 1 entry. Received: {}.",
        ),
        (
            {"LOSS_WEIGHTS": "{digit: -1}"},
            "20:25  training.loss_weights.digit: must be at least 0.0. Received: -1.",
        ),
        (
            {"METRICS": "{Mean: {}}"},
            f"21:12  training.metrics: {LIST[:-1]}, {MAPPING}. Received: {{'Mean': {{}}}}. Keras metrics; with several "
            "outputs a mapping from each to its list.",
        ),
        ({"METRICS": "{digit: Mean}"}, f"21:20  training.metrics.digit: {LIST} Received: 'Mean'."),
    ],
    ids=lambda value: " ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else "",
)
def test_validate_says_what_a_setting_must_be(changes, problem):
    assert problems_of(all_settings(**changes)) == [problem]


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("training.epochs=ten", "command line: training.epochs: must be a whole number. Received: 'ten'."),
        (
            "sed=3",
            "command line: sed: unknown key. Did you mean 'seed'? The top level has custom_code, data, deploy, "
            "include, model, name, seed, training, version.",
        ),
        (
            "data.class_weight={Cat: -1}",
            "command line: data.class_weight data.class_weight.Cat: must be at least 0.0. Received: -1.",
        ),
        (
            "model.outputs=[digt]",
            "command line: model.outputs model.outputs[0]: unknown layer 'digt'. Did you mean 'digit'?",
        ),
        (
            "model.layers.digit.inputs=flaten1",
            "command line: model.layers.digit.inputs: unknown layer 'flaten1'. Did you mean 'flatten1'?",
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
    ids=[
        "value",
        "key",
        "mapping",
        "output",
        "inputs",
        "node",
        "expression",
        "entry",
        "inside",
        "section",
        "too-deep",
        "name",
    ],
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
            "8:13   model.preprocess[0].name: the name 'digit' is taken already, by model.layers[1].",
        ),
        (
            changed("name: digit", "name: input"),
            "9:13   model.layers[1].name: the name 'input' is taken already, by the input 'input'.",
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
        (("data", "test_split"), "Last"),
        (("data", "bad_data"), "Skip"),
        (("data", "resize"), "Resize"),
        (("data", "class_weight"), None),
        (("data", "inputs"), None),
        (("data", "inputs", "left"), None),
        (("model", "inputs"), None),
        (("model", "inputs", "left"), "Input"),
        (("model", "inputs", "left", "shape"), None),
        (("model", "preprocess", "left"), None),
        (("training", "loss", "digit"), None),
        (("training", "optimizer"), None),
        (("training", "optimizer", "Adam"), None),
        (("model", "layers", 0), None),
        (("nowhere",), None),
    ],
)
def test_settings_at_follows_settings_only(path, name):
    assert getattr(settings_at(path), "__name__", None) == name


def test_validate_says_what_a_file_of_blocks_is_for():
    problems = problems_of("input: [3]\nblocks: {B: {layers: [ReLU]}}\n")
    assert problems == [
        "2:1    blocks: this file holds blocks, and is no configuration: name it in the `include` of one."
    ]
