"""Decode .tkz files where there is only the wheel and what it needs, and compare every weight bit for bit.

python tools/check_tkz.py runs/*/001/deploy/*.tkz

Each file is held to the compressed.keras beside it. The wheel is built from this tree; pip has to find what it needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
DECODE = """\
import hashlib, json, sys, tempfile
from pathlib import Path
import trainkit
from trainkit.inference.keras import KerasPredictor
from trainkit.inference.unpack import unpack_file

def digest(filepath):
    weights = KerasPredictor(filepath).model.get_weights()
    return hashlib.sha256(b"".join(weight.dtype.str.encode() + weight.tobytes() for weight in weights)).hexdigest()

same = {}
for name in map(Path, sys.argv[1:]):
    with tempfile.TemporaryDirectory() as folder:
        made = unpack_file(name, output=Path(folder) / "model.keras").filepath
        same[str(name)] = digest(made) == digest(name.with_name("compressed.keras"))
print(json.dumps({"from": trainkit.__file__, "same": same}))
"""


def main(filepaths: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv/bin/python"
        pip = [sys.executable, "-m", "pip", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, str(ROOT)], check=True)
        venv.create(python.parents[1], with_pip=True)
        (wheel,) = Path(folder).glob("*.whl")
        limits = ["--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([python, "-m", "pip", "--quiet", "install", *limits, str(wheel)], check=True)
        names = [str(Path(name).absolute()) for name in filepaths]
        told = subprocess.run([python, "-c", DECODE, *names], cwd=folder, check=True, capture_output=True, text=True)
    found = json.loads(told.stdout.splitlines()[-1])
    assert str(folder) in found["from"], "the wheel's own code has to decode"
    for name, is_same in found["same"].items():
        print(f"{'ok  ' if is_same else 'FAIL'} {Path(name).stat().st_size:,} bytes: {name}")
    return 0 if found["same"] and all(found["same"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
