"""Check the figures of the demo: the run and the exported files hold what the README promises.

python tools/check_demo.py runs/sample_lenet5
"""

from __future__ import annotations

import json
import sys

from trainkit.runs import Run

LEAST_ACCURACY = 0.975
LARGEST_INT8_SHARE = 0.28
LARGEST_DROP_POINTS = 0.5


def main(directory: str) -> int:
    run = Run.open(directory)
    accuracy = json.loads(run.metrics.read_text())["test"]["accuracy"]
    files = {file["file"]: file for file in json.loads((run.deploy / "verify.json").read_text())["files"]}
    by_kind = {name.removeprefix("sample_lenet5"): file for name, file in files.items()}
    float32, int8, onnx = (by_kind[kind] for kind in ("_float32.tflite", "_int8.tflite", ".onnx"))
    share = int8["bytes"] / float32["bytes"]
    drop = int8["drop_points"]
    checks = {
        f"test accuracy {accuracy:.2%}, at least {LEAST_ACCURACY:.1%}": accuracy >= LEAST_ACCURACY,
        f"int8 file {share:.1%} of the float32 file, at most {LARGEST_INT8_SHARE:.0%}": share <= LARGEST_INT8_SHARE,
        f"int8 drop {drop:.2f} points, at most {LARGEST_DROP_POINTS}": drop <= LARGEST_DROP_POINTS,
        "every file answers like the model": all(file["parity"]["passed"] for file in (float32, int8, onnx)),
    }
    for told, holds in checks.items():
        print(f"{'ok  ' if holds else 'FAIL'} {told}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
