"""A Python file that a config uses: it runs only when its user lets it, and what it brings is checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.config.custom_code import allow_code, register
from trainkit.errors import ConfigError, InputError

CONFIG = """\
version: 1
name: own
custom_code: own.py
data: {source: Sample}
model:
  input: [28, 28, 1]
  layers:
    - Scale: {factor: 1.5}
    - Flatten
    - Dense: {units: $classes, activation: softmax}
training:
  loss: SparseCategoricalCrossentropy
"""
HEAD = "import tensorflow as tf\nfrom trainkit import register\n"
SCALE = """
@register
class Scale(tf.keras.layers.Layer):
    def __init__(self, factor: float = 2.0, mode="sum", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def call(self, x):
        return self.factor * x
    def get_config(self):
        return super().get_config() | {"factor": self.factor, "mode": "sum"}
"""


@pytest.fixture
def written(tmp_path):
    """A function that writes a config and its Python file, and gives the path of the config."""

    def write(code=HEAD + SCALE, config=CONFIG):
        (tmp_path / "own.py").write_text(code)
        (tmp_path / "own.yaml").write_text(config)
        return tmp_path / "own.yaml"

    return write


def problem_of(filepath):
    """The one problem, with its place, of a config whose code may run."""
    with allow_code(), pytest.raises(ConfigError) as caught:
        load_config(filepath)
    (problem,) = caught.value.problems
    return str(problem)


def test_load_config_does_not_run_code_by_itself(written, tmp_path):
    filepath = written(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ConfigError, match=r"3:14 +custom_code: own\.py is Python code.*--allow-code"):
        load_config(filepath)
    assert not (tmp_path / "ran").exists()


def test_allow_code_ends_with_its_block(written):
    filepath = written()
    with allow_code():
        load_config(filepath)
    with pytest.raises(ConfigError, match="does not run by itself"):
        load_config(filepath)


def test_load_config_checks_the_arguments_of_a_class_of_ones_own(written):
    filepath = written(config=CONFIG.replace("{factor: 1.5}", "{facto: 1.5}"))
    assert problem_of(filepath) == (
        "8:15   model.layers[0].Scale.facto: unknown argument. Scale takes factor, mode, dtype, trainable. "
        "Did you mean 'factor'?"
    )


def test_load_config_heeds_annotations(written):
    filepath = written(config=CONFIG.replace("1.5", "much"))
    assert problem_of(filepath).endswith("must be a number. Received: factor='much'.")


def test_load_config_suggests_names_of_ones_own(written):
    filepath = written(config=CONFIG.replace("Scale:", "Scal:"))
    assert "Did you mean 'Scale'?" in problem_of(filepath)


def test_load_config_runs_a_file_once_only(written, tmp_path):
    count = f"with open({str(tmp_path / 'count')!r}, 'a') as file:\n    file.write('x')\n"
    filepath = written(HEAD + SCALE + count)
    with allow_code():
        first, second = load_config(filepath), load_config(filepath)
    assert (tmp_path / "count").read_text() == "x"
    assert first.custom_code == second.custom_code
    assert {path.name for path in tmp_path.iterdir()} == {"own.py", "own.yaml", "count"}


def test_a_parameter_can_stand_for_something_of_ones_own(written):
    own = "@register\nclass Mine(tf.keras.regularizers.Regularizer):\n    pass\n"
    layers = "[Dense: {units: 2, kernel_regularizer: $reg}]"
    block = f"  blocks:\n    Wide:\n      params: {{reg: required}}\n      layers: {layers}\n"
    config = CONFIG.replace("  layers:\n", block + "  layers:\n    - Wide: {reg: {Mine: {}}}\n")
    with allow_code():
        network = load_config(written(HEAD + SCALE + own, config)).experiment.model.network
    assert network.calls["wide1.dense1"].node.arguments["kernel_regularizer"].definition.target.__name__ == "Mine"


def test_resolved_names_the_hash(written):
    filepath = written()
    with allow_code():
        resolved = load_config(filepath).resolved()
    sha256 = hashlib.sha256((HEAD + SCALE).encode()).hexdigest()
    assert resolved["custom_code"] == {"file": "own.py", "sha256": sha256}


def test_load_config_refuses_a_file_of_another_hash(written):
    config = CONFIG.replace("custom_code: own.py", f"custom_code: {{file: own.py, sha256: '{'0' * 64}'}}")
    assert f"own.py has changed: its sha256 must be {'0' * 64}. Received: " in problem_of(written(config=config))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (CONFIG.replace("own.py", "gone.py"), "3:14   custom_code: cannot be read: No such file or directory"),
        (
            CONFIG.replace("own.py", "own.txt"),
            "3:14   custom_code: must be a Python file, NAME.py. Received: 'own.txt'",
        ),
        (CONFIG.replace("own.py", "{file: own.py}"), "3:1    custom_code: the key 'sha256' is missing."),
    ],
    ids=["missing", "no-python", "no-hash"],
)
def test_load_config_refuses_what_is_no_such_file(written, config, problem):
    assert problem_of(written(config=config)).startswith(problem)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (HEAD + "x = 1 / 0\n", "own.py: line 3: ZeroDivisionError: division by zero"),
        (HEAD + "def f(:\n", "own.py: line 3: SyntaxError"),
        (HEAD + "raise SystemExit(3)\n", "own.py: line 3: SystemExit: 3"),
        (HEAD + SCALE.replace("Scale", "Dense"), "'Dense' is a layer of Keras or TrainKit already"),
        (HEAD + SCALE + SCALE, "a layer 'Scale' is registered already"),
        (HEAD + SCALE.replace("Scale", "scale"), "the name of a layer must begin with a capital letter"),
        (HEAD + SCALE.replace(", **kwargs)", ")").replace("**kwargs", ""), "must take `**kwargs`"),
        (HEAD + "register(3)\n", "`register` takes a class of tf.keras"),
        (HEAD + "@register\nclass A:\n    pass\n", "`register` takes a class of tf.keras"),
        (HEAD + "@register('layer')\ndef f(x):\n    return x\n", "`register` takes 'activation' or 'source'"),
        (HEAD + "@register('activation')\ndef relu(x):\n    return x\n", "'relu' is an activation of Keras"),
        (
            HEAD + "@register('source')\ndef Mine(*, size):\n    return {}\n",
            "every argument of a source must be annotated",
        ),
    ],
)
def test_load_config_says_what_is_wrong_with_the_code(written, code, told):
    problem = problem_of(written(code))
    assert problem.startswith("3:14   custom_code: own.py: ")
    assert told in problem


def test_register_outside_of_a_config_leaves_things_alone():
    assert register("activation")(abs) is abs


def test_register_refuses_what_it_does_not_know_anywhere():
    with pytest.raises(InputError, match=r"`register` takes a class of tf\.keras"):
        register(Path)


def test_code_of_one_config_is_unknown_to_another(written, tmp_path):
    function = "@register('activation')\ndef triple(x):\n    return {} * x\n"
    body = {"input": [1], "layers": [{"Activation": {"activation": "triple"}}]}
    configs = []
    for number in (3, 100):
        (tmp_path / f"{number}.py").write_text(HEAD + function.format(number))
        config = {"version": 1, "name": "a", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}, "model": body}
        with allow_code():
            configs.append(load_config(config | {"custom_code": str(tmp_path / f"{number}.py")}))
    from trainkit.models import build_model

    answers = []
    for config in configs:
        with config.locating():
            answers.append(float(build_model(config.experiment.model, {}, name="a")(np.array([[2.0]]))[0, 0]))
    assert answers == [6.0, 200.0]
    del config
    plain = load_config(
        {"version": 1, "name": "a", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}, "model": body}
    )
    with pytest.raises(ConfigError, match="unknown activation 'triple'"), plain.locating():
        build_model(plain.experiment.model, {}, name="a")


def test_defaults_that_yaml_cannot_hold_are_left_to_the_class(written):
    code = HEAD + SCALE.replace('mode="sum"', "mode=tf.nn.relu")
    with allow_code():
        resolved = load_config(written(code)).resolved()
    assert resolved["model"]["layers"][0]["Scale"] == {"factor": 1.5, "trainable": True}


@pytest.mark.parametrize(
    "code",
    [
        "    def call(self, x):\n        return x\n",
        "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n",
    ],
    ids=["call", "init"],
)
def test_a_layer_without_arguments_needs_no_config(written, code):
    from trainkit.models import build_model

    config = CONFIG.replace("Scale: {factor: 1.5}", "Scale")
    with allow_code():
        loaded = load_config(written(HEAD + "@register\nclass Scale(tf.keras.layers.Layer):\n" + code, config))
    with loaded.locating():
        assert build_model(loaded.experiment.model, {"classes": 10}, name="a").count_params() == 7850


def test_no_name_of_the_zoo_can_be_taken(written):
    assert "'UNet' is a network of the zoo" in problem_of(written(HEAD + SCALE.replace("Scale", "UNet")))


def test_no_block_takes_the_name_of_a_layer_of_ones_own(written):
    config = CONFIG.replace("  layers:\n", "  blocks: {Scale: {layers: [ReLU]}}\n  layers:\n", 1)
    config = config.replace("Scale: {factor: 1.5}", "Scale")
    assert "7:12   model.blocks.Scale: is the name of a layer of `custom_code`" in problem_of(written(config=config))


def test_what_a_layer_of_ones_own_raises_is_told(written):
    from trainkit.models import build_model

    code = HEAD + SCALE.replace("return self.factor * x", "raise RuntimeError('boo')")
    with allow_code():
        config = load_config(written(code))
    with pytest.raises(ConfigError, match="boo"), config.locating():
        build_model(config.experiment.model, {"classes": 10}, name="a")
