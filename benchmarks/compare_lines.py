"""How many lines a network takes, in Caffe's prototxt, PyTorch, Keras and TrainKit: the table of docs/compare.md.

python benchmarks/compare_lines.py            # print the table
python benchmarks/compare_lines.py --write    # write the prototxt files anew as well

Counted are the lines of benchmarks/compare/ that are not blank, no comment, no docstring and no import; none is longer
than 100 columns.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

COMPARED = Path(__file__).with_name("compare")
NETWORKS = {"LeNet-5": "lenet5", "ResNet-152": "resnet152", "U-Net": "unet"}
LANGUAGES = {"Caffe": ".prototxt", "PyTorch": "_pytorch.py", "Keras": "_keras.py", "TrainKit": ".yaml"}
LONGEST_LINE = 100
UNCOUNTED = ("#", '"""', "import ", "from ")


def count_lines(text: str) -> int:
    return sum(bool(line.strip()) and not line.strip().startswith(UNCOUNTED) for line in text.splitlines())


def make_prototxt(network: str) -> str:
    spec = importlib.util.spec_from_file_location("prototxt", COMPARED / "prototxt.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, network)()


def source(network: str, ending: str) -> str:
    """The text that is counted; ResNet-152 for Caffe has so many lines that it is made anew."""
    filepath = COMPARED / f"{network}{ending}"
    return filepath.read_text() if filepath.exists() else make_prototxt(network)


def make_table() -> str:
    rows = [["", *LANGUAGES], ["---", *["--:"] * len(LANGUAGES)]]
    for told, network in NETWORKS.items():
        rows.append([told, *(f"{count_lines(source(network, ending)):,}" for ending in LANGUAGES.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        for network in ("lenet5", "unet"):
            (COMPARED / f"{network}.prototxt").write_text(make_prototxt(network))
    print(make_table())


if __name__ == "__main__":
    main()
