"""Parts of the page that other commands give facts for: speed, compression, int8 by layer, probes, calibration."""

from __future__ import annotations

import json

import pytest

TIMING = {"threads": 1, "batch": 1, "runs": 900, "p50_us": 38.24, "p95_us": 55.6, "p99_us": 4140.0, "noise": 0.021}
BENCHMARK = {
    "version": 1,
    "machine": {"cpu": "A <fast> one", "cores": 2, "system": "Linux x86_64"},
    "notes": ["the machine was busy"],
    "files": [
        {
            "file": "small_int8.tflite",
            "runtime": "LiteRT",
            "timings": [TIMING, TIMING | {"batch": 32, "p50_us": 612.0}],
            "starts": [{"threads": 1, "load_us": 4860.0, "first_us": 146.0, "peak_bytes": {"1": 4_650_000}}],
            "operations": {"layers": {"conv2d1": 18.2, "": 0.5, "digit": 0.0}},
            "estimates": {"energy": {"arithmetic_uj": 0.69, "weights_sram_uj": 5.4, "weights_dram_uj": [70.3, 140.6]}},
        },
        {"file": "small.onnx", "runtime": "ONNX Runtime", "timings": [], "error": "it crashed"},
    ],
}
TRIAL = {"error": 0.32, "changed": 0.1, "drop_points": 3.0, "passed": False, "reason": "too many."}
SENSITIVITY = {
    "version": 1,
    "file": "small_int8.tflite",
    "measured_on": "validation",
    "failure": None,
    "samples": 1000,
    "integers": TRIAL,
    "layers": [
        {
            "layer": "conv2d1",
            "class_name": "Conv2D",
            "local": 0.0104,
            "alone": TRIAL | {"error": 0.31},
            "without": TRIAL | {"error": 0.002},
            "reasons": [{"kind": "uneven channels", "text": "channel 3 reaches <41>", "figures": {}}],
        },
        {"layer": "input", "class_name": "InputLayer", "local": None, "alone": None, "without": None, "reasons": []},
    ],
    "exclude": ["conv2d1", "a: b"],
    "choice": {"layers": ["conv2d1"], "after": {"error": 0.004}},
}
STEP = {"arguments": {}, "loss": 0.02, "accuracy": 0.95, "drop_points": 0.0, "zeros": 0.0, "distinct": 3_000}
COMPRESSION = {
    "version": 1,
    "measured_on": "validation",
    "steps": [
        {"step": "Train", **STEP, "bytes": 15_304, "gzip_bytes": 14_000, "seconds": 0.0, "facts": {}},
        {
            "step": "Quantize",
            **STEP,
            "arguments": {"epochs": 2},
            "bytes": 3_900,
            "gzip_bytes": 3_000,
            "seconds": 12.5,
            "facts": {"layers": [{"layer": "elu", "class_name": "ELU", "status": "float", "reason": "no <kernel>"}]},
        },
    ],
    "promises": [],
}


def test_speed(again):
    page = again(benchmark=BENCHMARK)
    assert page.faults == []
    assert "latency" in page.sections
    assert "38.2 µs" in page.text[: page.text.index("Ship this file")]
    for told in ("A <fast> one", "the machine was busy", "4.86 ms", "146 µs", "4.65 MB", "612 µs", "18.2 µs"):
        assert told in page.text
    assert "small.onnx could not be timed: it crashed" in page.text
    card = (again.run.deploy / "MODEL_CARD.md").read_text()
    assert "| `small_int8.tflite` | LiteRT | 1 | 1 | 38.2 µs | 55.6 µs | 4.86 ms | 4.65 MB |" in card
    assert "| `small_int8.tflite` | 0.69 | 5.4 |" in card


def test_int8_by_layer(again):
    page = again(sensitivity=SENSITIVITY)
    assert page.faults == []
    text = page.text
    assert "With all layers of integers the error is 32.0%" in text
    assert "With 2 layers left in real numbers, the error is 0.40%" in text
    assert 'exclude: [conv2d1, "a: b"]' in text or "exclude: [conv2d1, 'a: b']" in text
    assert "uneven channels channel 3 reaches <41>" in text
    part = text[text.index("lost by itself") :]
    assert part.index("31.0%") < part.index("0.20%") < part.index("1.04%")


def test_int8_by_layer_that_could_not_be_measured(again):
    page = again(sensitivity={"file": "a.tflite", "failure": "no converter.", "layers": [], "exclude": []})
    assert "could not be measured: no converter." in page.text


def test_compression(again):
    page = again(compression=COMPRESSION)
    assert page.faults == []
    part = page.text[page.text.index("Measured after each step on the validation samples") :]
    assert "15.3 KB" in part
    assert "3.90 KB" in part
    assert "stays in real numbers: no <kernel>" in part


def test_sensitivity_of_a_pruning_within_a_budget_is_drawn(again):
    curve = {"layer": "conv<1>", "zeros": [0.2, 0.9], "loss": [0.1, 0.7], "accuracy": [0.95, 0.5]}
    found = {"sparsity": {"conv<1>": 0.6}, "sensitivity": {"kernels": [curve]}}
    step = {"step": "Prune", **STEP, "bytes": 1, "gzip_bytes": 1, "seconds": 1.0, "facts": {"rounds": [found, found]}}
    page = again(compression=COMPRESSION | {"steps": [COMPRESSION["steps"][0], step]})
    assert page.faults == []
    assert page.text.count("conv<1>: accuracy in percent over 2 shares of zeros: validation 95 to 50, chosen: 60") == 1


def test_what_steps_tell_of_layers_is_shown(again):
    storage = {
        "layer": "conv<1>",
        "kept_percent": 8.17,
        "weight_bits": 5,
        "coded_weight_bits": 3.86,
        "index_bits": 4.99,
    }
    storage |= {"coded_index_bits": 4.44, "rate_percent": 2.88, "coded_rate_percent": 2.4, "tkz_bytes": 22020}
    weight = {"layer": "dense1", "weight": "kernel", "step": 0.03125, "size": 235200, "nonzeros": 6069}
    facts = {
        "filters": {"conv<1>": [16, 7]},
        "storage": [storage],
        "weights": [weight | {"estimated_bytes": 2600, "tkz_bytes": 2663}] * 42,
    }
    step = {"step": "Any", **STEP, "bytes": 1, "gzip_bytes": 1, "seconds": 1.0, "facts": facts}
    page = again(compression=COMPRESSION | {"steps": [COMPRESSION["steps"][0], step]})
    assert page.faults == []
    for told in (
        "layer before after conv<1> 16 7",
        "conv<1> 8.17% 5, 3.86 4.99, 4.44 2.88% 2.4% 22,020 B",
        "dense1/kernel 0.0312 235,200 6,069 2,600 2,663",
        "2 more rows in compression.json",
    ):
        assert told in page.text
    assert page.text.count("dense1/kernel") == 40


@pytest.mark.parametrize("facts", [{"filters": {"a": 3}}, {"storage": [{}]}, {"weights": [{"step": "x"}]}], ids=str)
def test_tables_of_another_form_do_no_harm(facts, again):
    step = {"step": "Any", **STEP, "bytes": 1, "gzip_bytes": 1, "seconds": 1.0, "facts": facts}
    page = again(compression=COMPRESSION | {"steps": [COMPRESSION["steps"][0], step]})
    assert page.faults == []
    assert "compression" in page.sections


def test_rejected_file_is_not_recommended(again):
    verified = json.loads((again.run.deploy / "verify.json").read_text())
    for file in verified["files"]:
        if file["file"] == "small_int8.tflite":
            file["parity"] |= {"passed": False, "reason": "9 of <10> changed."}
    page = again(verify=verified)
    head = page.text[: page.text.index("Every file was run")]
    assert "✗ 3 of 4 files" in head
    assert "small_int8" not in head
    assert "✗ rejected 9 of <10> changed." in page.text
    card = (again.run.deploy / "MODEL_CARD.md").read_text()
    assert "**rejected**: 9 of &lt;10&gt; changed." in card


def test_no_file_is_recommended_where_all_are_rejected(again):
    verified = json.loads((again.run.deploy / "verify.json").read_text())
    for file in verified["files"]:
        file["parity"]["passed"] = False
    page = again(verify=verified)
    assert page.faults == []
    assert "Ship none of these files" in page.text
    assert "usage" not in page.sections


def test_probes_and_calibration(again):
    verified = json.loads((again.run.deploy / "verify.json").read_text())
    probe = {"name": "zeros", "samples": 1, "passed": True, "reason": "fine.", "limit": None, "largest_difference": 0.0}
    failed = probe | {"name": "odd batch", "passed": False, "reason": "largest <difference>."}
    verified["files"][0]["probes"] = [probe, failed]
    verified["files"][1]["probes"] = [probe]
    verified["calibration"] = {
        "role": "train",
        "samples": 500,
        "files": {"small_int8.tflite": 500},
        "classes": {"digit": {"0": 52, "1": 48}},
        "ranges": {"input": [0.0, 255.0]},
        "originals": ["train.gz, image 7"],
    }
    page = again(verify=verified)
    assert page.faults == []
    assert "odd batch" in page.text
    assert "largest <difference>." in page.text
    assert "The ranges of integers come from 500 samples of the train data." in page.text
    assert "0: 52, 1: 48" in page.text
    assert "train.gz, image 7" in page.text


def test_integers_are_told_with_their_own_limits(again):
    verified = json.loads((again.run.deploy / "verify.json").read_text())
    int8 = next(file for file in verified["files"] if file["precision"] == "int8")
    int8["parity"] |= {"floor": 7, "allowed": 7}
    wide = {"file": "small_int16x8.tflite", "precision": "int16x8", "facts": int8["facts"] | {"foreign": ["<Flex>"]}}
    verified["files"] = [int8, int8 | wide | {"parity": int8["parity"] | {"floor": None}}]
    page = again(verify=verified)
    assert page.faults == []
    assert "whose probability leads by more than 0.2 (int8) or 0.05 (int16x8)." in page.text
    assert "An int8 file may answer otherwise where the model itself is not sure (a lead of 0.2 or less)" in page.text
    assert "An int16x8 file may answer otherwise where the model itself is not sure (a lead of 0.05 or" in page.text
    assert page.text.count("the model itself: 7") == 1
    assert "change 7 sure answers of the model itself: small_int8.tflite may change as many, but no more" in page.text
    gpu = int8["facts"]["gpu"]
    taken = f"the GPU delegate would take {gpu['taken']} of {gpu['operations']} operations"
    assert f"small_int8.tflite needs nothing but TensorFlow Lite; {taken}" in page.text
    assert f"small_int16x8.tflite needs more than TensorFlow Lite: <Flex>; {taken}" in page.text


def test_page_without_integers_says_nothing_of_them(again):
    verified = json.loads((again.run.deploy / "verify.json").read_text())
    verified["files"] = [file for file in verified["files"] if file["precision"] == "float32"]
    text = again(verify=verified).text
    assert "leads by more than" not in text
    assert "may answer otherwise" not in text


@pytest.mark.parametrize("record", [{"files": None}, {"files": [{"timings": [{"p50_us": "fast"}]}]}, {}], ids=str)
def test_record_of_another_form_is_left_out(record, again):
    page = again(benchmark=record, sensitivity=record, compression=record)
    assert page.faults == []
    assert not {"latency", "sensitivity", "compression"} & set(page.sections)
