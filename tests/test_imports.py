"""Imports point down; TensorFlow has one door, and what needs no TensorFlow does not open it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    {"errors", "native"},
    {"framework"},
    {"registry"},
    {"config"},
    {"objects"},
    {"coding", "data", "models", "runs"},
    {"workers"},
    {"inference"},
    {"callbacks"},
    {"training"},
    {"deploy"},
    {"cli"},
]
FLOOR = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
FILES = sorted(path for path in ROOT.glob("trainkit/**/*.py") if path != ROOT / "trainkit/__init__.py")
FOREIGN = {"tensorflow", "keras", "tf_keras"}
KERAS_3 = ("keras3_child", "keras3_runtime", "keras3_writer")
DOORS = {"trainkit.framework", *(f"trainkit.inference.{name}" for name in (*KERAS_3, "tensorflow_lite"))}
"""What may import them: the one door, and what has a process of its own: what reads, runs and writes files of Keras 3,
and the interpreter of TensorFlow Lite, which is imported without the rest."""


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(text, module, *, is_package=False):
    """Every module that a text imports, inside functions and `if TYPE_CHECKING` too, each with its line."""
    for part in ast.walk(ast.parse(text)):
        if isinstance(part, ast.Import):
            yield from ((part.lineno, alias.name) for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - part.level + is_package] if part.level else []
            base = ".".join([*above, *filter(None, [part.module])])
            yield from ((part.lineno, f"{base}.{alias.name}") for alias in part.names)
        elif isinstance(part, ast.Call) and part.args and isinstance(part.args[0], ast.Constant):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if name in ("import_module", "__import__"):
                yield part.lineno, str(part.args[0].value)


def wrong_imports(text, module, *, is_package=False):
    """The imports of a module that do not point down, as `line: name`."""
    part = module.split(".")[1]
    for line, name in imports(text, module, is_package=is_package):
        if name.split(".")[0] != "trainkit" or name == "trainkit.__version__":
            continue
        if name == "trainkit":
            yield f"{line}: {name}, which may name anything"
            continue
        other = name.split(".")[1]
        if other != part and FLOOR[other] >= FLOOR[part]:
            yield f"{line}: {name}"


def foreign_imports(text, module):
    return [f"{line}: {name}" for line, name in imports(text, module) if name.split(".")[0] in FOREIGN]


def test_imports_looks_at_every_floor():
    assert {name_of(path).split(".")[1] for path in FILES} >= {
        "errors",
        "framework",
        "config",
        "runs",
        "training",
        "cli",
    }
    assert {name_of(path).split(".")[1] for path in FILES} <= FLOOR.keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path):
    assert list(wrong_imports(path.read_text(), name_of(path), is_package=path.name == "__init__.py")) == []


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path) not in DOORS], ids=name_of)
def test_imports_take_tensorflow_from_framework(path):
    assert foreign_imports(path.read_text(), name_of(path)) == []


def test_imports_leave_the_program_for_keras_3_alone():
    program = "trainkit.inference.keras3_child"
    assert program in map(name_of, FILES)
    found = [
        f"{name_of(path)}, line {line}"
        for path in FILES
        for line, name in imports(path.read_text(), name_of(path), is_package=path.name == "__init__.py")
        if name.startswith(program)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import trainkit.cli",
        "from trainkit.models import build_model",
        "from trainkit import training",
        "from ..training import fit",
        "def f():\n    from trainkit.deploy import deploy",
        "if TYPE_CHECKING:\n    from trainkit.callbacks import Clock",
        "import_module('trainkit.cli')",
        "import trainkit",
    ],
    ids=["import", "neighbour", "from-top", "relative", "in-function", "type-checking", "by-name", "top"],
)
def test_imports_upward_are_found(text):
    assert len(list(wrong_imports(text, "trainkit.data.load"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf",
        "from tf_keras import layers",
        "def f():\n    import keras",
        "__import__('tensorflow')",
    ],
    ids=["tensorflow", "tf_keras", "keras", "by-name"],
)
def test_imports_past_framework_are_found(text):
    assert len(foreign_imports(text, "trainkit.data.load")) == 1


WITHOUT_TENSORFLOW = {
    "trainkit": "import trainkit; trainkit.ConfigError, trainkit.TrainKitError",
    "config": "from trainkit.config import load_config; load_config('configs/sample_lenet5.yaml').resolved_yaml()",
    "make_schema": "from trainkit.config import make_schema; make_schema()",
    "templates": "from trainkit.config.templates import template_names; template_names()",
    "runs": "from trainkit.runs import Run",
    "data": "from trainkit.data import ArrayColumn, Facts, Records, Split, describe, fingerprint",
    "sources": "from trainkit.data.sources import SOURCES; list(SOURCES)",
    "cli": "from trainkit.cli import main; sys.argv = ['trainkit', '--help']; run(main)",
    "fit-help": "from trainkit.cli import main; sys.argv = ['trainkit', 'fit', '--help']; run(main)",
    "schema": "from trainkit.cli import main; sys.argv = ['trainkit', 'schema']; run(main)",
    "bad-config": "from trainkit.cli import main; sys.argv = ['trainkit', 'fit', 'missing.yaml']; run(main)",
    "bad-run": "from trainkit.cli import main; sys.argv = ['trainkit', 'deploy', 'missing']; run(main)",
}


@pytest.mark.parametrize("code", WITHOUT_TENSORFLOW.values(), ids=WITHOUT_TENSORFLOW.keys())
def test_imports_leave_tensorflow_alone(code):
    script = f"""
import sys

def run(main):
    try:
        main()
    except SystemExit:
        pass

{code}
print("loaded:", sorted({FOREIGN!r} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("loaded: []\n"), done.stdout[-500:] + done.stderr[-2000:]
