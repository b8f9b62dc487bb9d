"""What the first comment of a network's file tells of it."""

from __future__ import annotations

import pytest

from trainkit.config.zoo_header import ZooHeader, zoo_header, zoo_headers, zoo_text
from trainkit.errors import InputError


def test_zoo_header_reads_what_is_written():
    header = zoo_header("LSTMClassifier")
    assert header.name == "LSTMClassifier"
    assert header.summary == "the class of a sequence, by long short-term memory"
    assert header.paper == "Hochreiter, Schmidhuber: Long Short-Term Memory, Neural Computation, 1997"
    assert (header.input, header.shape) == ("any×16; sequences of any length and number of features", "any×16")
    assert header.parameters == 20_866
    assert header.arguments["mask_value"] == "what every feature of a step is that is skipped"
    assert header.use == (
        "model:\n  input: [null, 16]\n  layers:\n    - LSTMClassifier: {classes: $classes, bidirectional: true}\n"
    )


def test_zoo_header_joins_the_lines_of_a_paper():
    assert zoo_header("MobileNetV2").paper == (
        "Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018"
        " (arXiv:1801.04381)"
    )


@pytest.mark.parametrize(
    ("paper", "citation"),
    [
        ("He, Zhang, Ren, Sun: Deep Residual Learning, 2015 (arXiv:1512.03385)", "He et al. 2015"),
        ("Cho et al.: Learning, 2014", "Cho et al. 2014"),
        ("Simonyan, Zisserman: Very Deep Networks, 2014", "Simonyan, Zisserman 2014"),
        ("Chollet: Xception, 2016", "Chollet 2016"),
        ("LeCun, Bottou, Bengio, Haffner: Learning, 1998; sizes of Jia et al.: Caffe, 2014", "LeCun et al. 1998"),
    ],
    ids=["several", "written-short", "two", "one", "two-papers"],
)
def test_zoo_header_cites_a_paper_in_short(paper, citation):
    assert ZooHeader("Net", "a network", paper, "any", 1, {}, "").citation == citation


def test_zoo_headers_are_in_the_order_of_their_numbers():
    names = [header.name for header in zoo_headers()]
    assert [name for name in names if name.startswith("ResNet")] == [
        "ResNet1D",
        "ResNet8",
        "ResNet50",
        "ResNet101",
        "ResNet152",
    ]


def test_zoo_text_suggests_the_nearest_network():
    with pytest.raises(InputError, match=r"^unknown network 'resnet50'\. Did you mean 'ResNet50'\? Known: Autoencoder"):
        zoo_text("resnet50")
