"""TrainKit's side: `trainkit.fit`. python trainkit_fit.py CONFIG, JSON, in whose folder the runs are made"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from channel import Channel

channel = Channel()

import trainkit  # noqa: E402
from trainkit.framework import tf  # noqa: E402

CODE = """\
import __main__
from trainkit import register

register(__main__.Waiting)
"""
folder = Path(sys.argv[1]).parent


def ready(model: Any) -> dict[str, Any]:
    """How the steps are run."""
    manifest = json.loads(next(folder.glob("*/*/manifest.json")).read_text())
    return {"execution": manifest["execution"]["0"]}


from waiting import waiting  # noqa: E402

Waiting = waiting(tf.keras.callbacks.Callback, channel, ready=ready)
Path(folder, "code.py").write_text(CODE)
config = json.loads(Path(sys.argv[1]).read_text())
config["custom_code"] = str(folder / "code.py")
config["training"]["callbacks"] = ["Waiting"]
with trainkit.allow_code():
    trainkit.fit(config, runs=folder)
