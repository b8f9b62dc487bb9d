"""The picture of a benchmark."""

from __future__ import annotations

import pytest

from trainkit.deploy.benchmark.plot import draw_benchmark
from trainkit.errors import InputError


def test_svg_has_a_bar_for_each_file_threads_and_batch(result, timing, tmp_path):
    timings = [timing(40.0 * batch / threads, threads=threads, batch=batch) for threads in (1, 2) for batch in (1, 32)]
    found = result({"a.tflite": timings, "b.onnx": [timing(500.0)], "broken.tflite": []})
    draw_benchmark(found, tmp_path / "bars.svg")
    text = (tmp_path / "bars.svg").read_text()
    for told in ("<!-- a.tflite -->", "<!-- b.onnx -->", "<!-- 40.0 µs -->", "<!-- 20.0 µs -->", "<!-- 500 µs -->"):
        assert told in text
    assert "<!-- 25,000 -->" in text  # samples a second of batches, one thread
    assert "broken.tflite" not in text


def test_time_that_rounds_up_to_the_next_unit_is_told_in_that(result, timing, tmp_path):
    draw_benchmark(result({"a.tflite": [timing(999.7)]}), tmp_path / "bars.svg")
    assert "<!-- 1.00 ms -->" in (tmp_path / "bars.svg").read_text()


def test_png_is_one(result, timing, tmp_path):
    draw_benchmark(result({"a.tflite": [timing(40.0)]}), tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_draw_is_an_error(result, tmp_path):
    with pytest.raises(InputError, match="needs a file that was timed"):
        draw_benchmark(result({"a.tflite": []}), tmp_path / "bars.svg")
    assert not list(tmp_path.iterdir())
