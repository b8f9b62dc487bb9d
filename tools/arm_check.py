"""Run the .tflite files of a deployed run on an emulated ARM processor, and compare with what they answer here.

python tools/arm_check.py --cache ~/.cache/trainkit-arm --make       # once: 250 MB, nothing outside that folder
python tools/arm_check.py --cache ~/.cache/trainkit-arm runs/sample_lenet5

docs/arm.md says what that proves, and what it does not.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.operations import Operation, read_operations
from trainkit.errors import InputError, TrainKitError, counted
from trainkit.inference.preprocess import read_preprocess
from trainkit.inference.tflite import TFLitePredictor, quantize
from trainkit.inference.tflite_graph import TFLiteGraph
from trainkit.runs import Run

QEMU = "qemu-aarch64-static"
SUITE, PYTHON = "bookworm", "3.11"
PACKAGES = ("libpython3.11-stdlib", "libstdc++6", "python3.11-minimal", "zlib1g")
WHEELS = ("ai-edge-litert==2.1.0", "numpy==2.2.6")  # LiteRT 2.3.0 crashes under QEMU 7.2
CPUS = ("cortex-a53", "cortex-a76", "max,sme=off")
"""Each makes LiteRT choose other kernels: without int8 dot products and half precision, with, with int8 matrices."""
LIMITS = {"float32": 1e-5, "float16": 1e-5, "dynamic": 5e-3}
"""Largest difference, times the largest answer or 1; a dynamic file rounds activations, and may round one otherwise."""
MOST_STEPS = 1
"""How far an integer answer may be off, in steps of its scale."""


@dataclass(frozen=True)
class Tree:
    """A folder with Python and LiteRT for ARM, which QEMU runs program by program: nothing is installed or mounted.

    Args:
        folder: Where it is.
    """

    folder: Path

    @property
    def root(self) -> Path:
        """Where the libraries are that programs look for in `/`."""
        return self.folder / "root"

    @property
    def site(self) -> Path:
        """Where Python's packages are."""
        return self.folder / "site"

    @property
    def is_made(self) -> bool:
        """Whether all of it is there, as this version makes it."""
        done = self.folder / "done"
        return done.exists() and done.read_text() == self._contents

    @property
    def _contents(self) -> str:
        return " ".join([SUITE, *PACKAGES, *WHEELS])

    def make(self) -> None:
        """Fetch and unpack what is not there yet.

        Raises:
            InputError: If a program is missing, or one fails.
        """
        _need(QEMU, "debootstrap", "dpkg-deb")
        if self.is_made:
            print(f"{self.folder}: is there")
            return
        self._remove("root", "site", "debian", "wheels")
        print(f"{self.folder}: Python {PYTHON} of Debian {SUITE} and {', '.join(WHEELS)}, for arm64")
        self._unpack_debian()
        self._unpack_wheels()
        self.run(["-c", "import ai_edge_litert.interpreter"], cpu=CPUS[0])
        self._remove("debian", "wheels")
        (self.folder / "done").write_text(self._contents)

    def _remove(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _unpack_debian(self) -> None:
        """Download packages as debootstrap does, and unpack them: their scripts, which would want more, do not run."""
        options = ["--arch=arm64", "--variant=minbase", "--download-only", f"--include={','.join(PACKAGES)}"]
        _run(["debootstrap", *options, SUITE, str(self.folder / "debian")])
        for package in sorted(self.folder.glob("debian/var/cache/apt/archives/*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(self.root)], is_told=False)

    def _unpack_wheels(self) -> None:
        platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 27, 28)]
        options = ["--only-binary=:all:", "--no-deps", f"--python-version={PYTHON}", "--implementation=cp"]
        wheels = self.folder / "wheels"
        _run([sys.executable, "-m", "pip", "download", *platforms, *options, "-d", str(wheels), *WHEELS])
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(self.site)

    def run(self, arguments: Sequence[str], *, cpu: str) -> None:
        """Run Python for ARM.

        Args:
            arguments: Of its command line.
            cpu: A name of `qemu-aarch64-static -cpu help`.
        """
        command = [QEMU, "-cpu", cpu, "-L", str(self.root), str(self.root / f"usr/bin/python{PYTHON}"), *arguments]
        environment = {"PYTHONPATH": str(self.site), "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        _run(command, environment | {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, is_told=False)


def _need(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        cure = "as root: apt-get update && apt-get install qemu-user-static debootstrap"
        raise InputError(f"programs needed: {', '.join(programs)}. Missing: {', '.join(missing)}. Get them, {cure}")


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None, *, is_told: bool = True) -> None:
    if is_told:
        print(f"$ {shlex.join(command)}", flush=True)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        last = "\n".join((ended.stdout + ended.stderr).strip().splitlines()[-5:])
        raise InputError(f"{shlex.join(command)} ended with {ended.returncode}:\n{last}")


@dataclass(frozen=True)
class Row:
    """How the answers of a file on one processor differ from those here.

    Args:
        file: Its name.
        cpu: The processor.
        samples: How many were compared.
        difference: The largest, of a value.
        limit: What it may be.
        unequal: Share of values that are not the same to the last bit.
        steps: The largest difference in steps of the output's integers, where it has some.
        changed: Samples whose largest value is another one.
    """

    file: str
    cpu: str
    samples: int
    difference: float
    limit: float
    unequal: float
    steps: float | None
    changed: int

    @property
    def holds(self) -> bool:
        """Whether the file answers alike; what differs by less than the limit of real numbers changes no class."""
        return self.difference <= self.limit and (self.steps is not None or not self.changed)

    def __str__(self) -> str:
        steps = "" if self.steps is None else f"{self.steps:.0f}"
        numbers = f"{self.difference:>11.2g}{self.limit:>11.2g}{self.unequal:>9.2%}{steps:>7}{self.changed:>9}"
        return f"{self.file:<36}{self.cpu:<12}{self.samples:>8}{numbers}  {'ok' if self.holds else 'FAIL'}"


HEAD = (
    f"{'file':<36}{'processor':<12}{'samples':>8}{'largest':>11}{'limit':>11}{'unequal':>9}{'steps':>7}{'changed':>9}"
)


def check(tree: Tree, run: Run, *, samples: int, cpus: Sequence[str]) -> Iterator[Row]:
    """Compare each .tflite of a run, processor by processor.

    Args:
        tree: Python and LiteRT for ARM.
        run: A deployed run.
        samples: How many of its test samples.
        cpus: The processors.
    """
    files = sorted(run.deploy.glob("*.tflite"))
    if not files:
        raise InputError(
            f"{run.directory} must have .tflite files. Found: none. First: trainkit deploy {run.directory}"
        )
    splits = load_data(load_config(run.resolved))
    inputs = (splits.test or splits.validation or splits.train).first_inputs(samples)
    with tempfile.TemporaryDirectory(prefix="trainkit-arm-") as name:
        for filepath in files:
            yield from _check_file(tree, filepath, inputs, cpus, Path(name))


def _check_file(
    tree: Tree, filepath: Path, inputs: Mapping[str, np.ndarray], cpus: Sequence[str], folder: Path
) -> Iterator[Row]:
    np.savez(folder / "samples.npz", **_as_the_file_takes_them(filepath, inputs))
    arguments = [str(Path(__file__).with_name("arm_answers.py")), str(filepath.absolute()), str(folder / "samples.npz")]
    _run([sys.executable, *arguments, str(folder / "here.npz")], is_told=False)
    operations = read_operations(TFLiteGraph(filepath.read_bytes()))
    for cpu in cpus:
        tree.run([*arguments, str(folder / "there.npz")], cpu=cpu)
        with np.load(folder / "here.npz") as here, np.load(folder / "there.npz") as there:
            rows = [_compare(filepath, cpu, here[name], there[name], name, operations) for name in here.files]
        yield max(rows, key=lambda row: (not row.holds, row.difference / row.limit))


def _as_the_file_takes_them(filepath: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The samples in the types of a file, after what stands in `preprocess.json`."""
    preprocess, predictor = read_preprocess(filepath), TFLitePredictor(filepath)
    taken = preprocess.apply(inputs) if preprocess else dict(inputs)
    return {
        name: array.astype(facts.dtype)
        if facts.scale is None or facts.zero_point is None
        else quantize(array, facts.scale, facts.zero_point, facts.dtype)
        for name, facts in predictor.inputs.items()
        for array in [taken[name]]
    }


def _compare(
    filepath: Path, cpu: str, here: np.ndarray, there: np.ndarray, name: str, operations: Sequence[Operation]
) -> Row:
    difference = np.abs(here.astype(np.float64) - there.astype(np.float64))
    precision = next((kind for kind in LIMITS if filepath.stem.endswith(f"_{kind}")), "int8")
    step = 1.0 if here.dtype.kind in "iu" else _step_of(name, operations)
    is_integer = precision not in LIMITS and step is not None
    largest, last = float(difference.max()), here.shape[-1]
    limit = (
        1.001 * MOST_STEPS * step
        if is_integer and step
        else LIMITS.get(precision, LIMITS["float32"]) * max(1.0, float(np.abs(here).max()))
    )
    changed = (here.reshape(-1, last).argmax(-1) != there.reshape(-1, last).argmax(-1)).sum() if last > 1 else 0
    return Row(
        file=filepath.name,
        cpu=cpu,
        samples=len(here),
        difference=largest,
        limit=limit,
        unequal=float((difference > 0).mean()),
        steps=largest / step if is_integer and step else None,
        changed=int(changed),
    )


def _step_of(output: str, operations: Sequence[Operation]) -> float | None:
    """The step of an output that the file makes real numbers of at its end."""
    ends = [one for one in operations if one.kind == "DEQUANTIZE" and one.layer == output]
    return ends[-1].inputs[0].scale if ends else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", type=Path, help="a deployed run, or a directory of runs: the newest")
    parser.add_argument("--cache", type=Path, required=True, help="the folder of Python and LiteRT for ARM")
    parser.add_argument("--make", action="store_true", help="make that folder, if it is not there")
    parser.add_argument("--samples", type=int, default=200, help="test samples to compare (200)")
    parser.add_argument("--cpu", action="append", help="a processor of QEMU (by default three)")
    given = parser.parse_args(arguments)
    tree = Tree(given.cache.expanduser().absolute())
    try:
        return _main(tree, given)
    except TrainKitError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _main(tree: Tree, given: argparse.Namespace) -> int:
    if given.make:
        tree.make()
    _need(QEMU)
    if not tree.is_made:
        make = shlex.join(["python", "tools/arm_check.py", "--cache", str(given.cache), "--make"])
        raise InputError(f"{tree.folder} must hold Python and LiteRT for ARM. Found: none. Make it: {make}")
    if given.run is None:
        return 0
    rows = []
    print(HEAD)
    for row in check(tree, Run.open(given.run), samples=given.samples, cpus=given.cpu or CPUS):
        print(row, flush=True)
        rows.append(row)
    bad = sum(not row.holds for row in rows)
    print(f"{counted(len(rows), 'comparison')}, {bad or 'none'} beyond the limit")
    return 3 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
