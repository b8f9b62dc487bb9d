"""The programs that the page shows: they run, and answer like `trainkit predict`."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import trainkit
from trainkit.deploy.page.usage import as_comment, as_cpp, as_kotlin
from trainkit.inference.predictor import ENVIRONMENTS


def programs(directory, language):
    """The programs of one language on a page, by the file that they are for."""
    text = (directory / "report.html").read_text(encoding="utf-8")
    found = {}
    for part in text.split('<details class="box"')[1:]:
        name = html.unescape(re.sub("<[^>]*>", "", part[part.index("<summary>") : part.index("</summary>")])).split()[0]
        codes = re.findall(r"<summary>([^<]*)</summary>\n<pre[^>]*><code>(.*?)</code></pre>", part, re.DOTALL)
        found[name] = {key: html.unescape(code) for key, code in codes}[language]
    return found


def run(program, capsys):
    exec(compile(program, "program", "exec"), {})
    return capsys.readouterr().out.split()


@pytest.fixture
def photo():
    """A picture of another size, in colour, that lies on its side."""
    pixels = np.random.default_rng(3).integers(0, 255, (9, 7, 3), np.uint8)
    image = Image.fromarray(pixels).resize((140, 180))
    exif = image.getexif()
    exif[0x0112] = 6
    return image, exif


def test_programs_answer_like_predict(of_images, photo, tmp_path, monkeypatch, capsys):
    directory = tmp_path / "deploy"
    shutil.copytree(of_images[0].deploy, directory)
    image, exif = photo
    image.save(directory / "photo.jpg", quality=95, exif=exif)
    monkeypatch.chdir(directory)
    found = programs(directory, "Python")
    assert sorted(found) == ["small.onnx", "small_float32.tflite", "small_int8.tflite", "small_saved_model"]
    for name, program in found.items():
        (expected,) = trainkit.predict(directory / name, [directory / "photo.jpg"])
        label, probability = run(program, capsys)
        ((name_of_best, best),) = expected.classes["digit"]
        assert label == name_of_best
        assert float(probability) == pytest.approx(best, abs=1e-6)


def test_programs_over_tables_do_what_preprocess_says(of_tables, tmp_path, monkeypatch, capsys):
    directory = tmp_path / "deploy"
    shutil.copytree(of_tables[0].deploy, directory)
    monkeypatch.chdir(directory)
    zeros = {"left": np.zeros((1, 6), np.float32), "right": np.zeros((1, 4), np.float32)}
    for name, program in programs(directory, "Python").items():
        expected = trainkit.load(directory / name)(zeros)
        label, probability, *numbers = run(program, capsys)
        assert label == str(expected["kind"].argmax())
        assert float(probability) == pytest.approx(float(expected["kind"].max()), abs=1e-5)
        assert [float(number.strip("[]")) for number in numbers if number.strip("[]")] == pytest.approx(
            expected["size"][0].tolist(), abs=1e-4
        )


@pytest.mark.slow
def test_program_for_keras3_answers_like_the_file(two_run, deploy_copy, read_page, tmp_path):
    """It needs all inputs, raw; and a process whose Keras is not tf_keras."""
    directory = deploy_copy(two_run, tmp_path, "[Keras3]").directory
    assert "Keras 3, float32" in read_page(directory).text
    ((name, program),) = programs(directory, "Python").items()
    zeros = {"left": np.zeros((1, 6), np.float32), "right": np.zeros((1, 4), np.float32)}
    expected = trainkit.load(directory / name)(zeros)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env=os.environ | ENVIRONMENTS["Keras 3"],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    label, probability, *numbers = ended.stdout.split()
    assert label == str(expected["kind"].argmax())
    assert float(probability) == pytest.approx(float(expected["kind"].max()), abs=1e-5)
    assert [float(number.strip("[]")) for number in numbers if number.strip("[]")] == pytest.approx(
        expected["size"][0].tolist(), abs=1e-4
    )


@pytest.mark.parametrize("language", ["Kotlin", "C++"])
def test_programs_for_apps_name_what_is_there(language, of_images):
    directory = of_images[0].deploy
    text = (directory / "report.html").read_text(encoding="utf-8")
    assert language in text
    part = next(one for one in text.split('<details class="box"')[1:] if "int8" in one[:200])
    codes = dict(re.findall(r"<summary>([^<]*)</summary>\n<pre[^>]*><code>(.*?)</code></pre>", part, re.DOTALL))
    code = html.unescape(codes[language])
    for told in ('"small_int8.tflite"', '"input"', '"digit"', '"labels.txt"', "28×28", "grey"):
        assert told in code
    assert code.count("{") == code.count("}")
    assert code.count("(") == code.count(")")


def test_texts_stay_texts_in_programs():
    name = 'a"b$c\\\nd'
    assert as_cpp(name) == '"a\\"b$c\\\\\\nd"'
    assert as_kotlin(name) == '"a\\"b\\$c\\\\\\nd"'
    assert as_comment("a\nb\u2028c \\") == "a b c"
