"""The files: valid, of the expected size, with everything in them that is to be read."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from PIL import Image

from trainkit.framework import tf
from trainkit.models.drawing import draw_network
from trainkit.models.drawing import png as png_module

SVG = "{http://www.w3.org/2000/svg}"
L = tf.keras.layers
NAMES = {"stage1": "Stage", "stage1.bottleneck1": "Bottleneck"}


def svg_of(model, folder, **settings):
    """The root of the SVG."""
    filepath = folder / "network.svg"
    draw_network(model, [filepath], **{"title": "a title", **settings})
    return ElementTree.parse(filepath).getroot()


def texts_of(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_draw_network_writes_what_people_look_for(networks, tmp_path):
    texts = texts_of(svg_of(networks.lenet(), tmp_path, title="LeNet-5"))
    assert texts[:2] == ["LeNet-5", "7 layers, 431,080 parameters"]  # 520 + 25,050 + 400,500 + 5,010
    assert {"conv2d1", "Conv2D 20, 5×5, relu", "24 × 24 × 20 · 520 parameters"} <= set(texts)
    assert {"MaxPooling2D 2×2", "12 × 12 × 20", "Dense 10, softmax", "10 · 5,010 parameters"} <= set(texts)
    assert texts[-6:] == ["input", "convolution", "dense, attention", "pooling", "shape, noise and other", "output"]


def test_draw_network_paints_the_same_picture_in_both_files(networks, tmp_path):
    draw_network(networks.unet(), [tmp_path / "a.svg", tmp_path / "a.png"], title="U-Net")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert image.size == (2 * int(root.get("width")), 2 * int(root.get("height")))
        assert len(image.convert("RGB").getcolors(1 << 24)) > 20


def test_draw_network_paints_a_large_picture_with_fewer_pixels(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(png_module, "MOST_PIXELS", 100_000)
    draw_network(networks.chain(60), [tmp_path / "a.svg", tmp_path / "a.png"], title="chain")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    with Image.open(tmp_path / "a.png") as image:
        assert 0.95 * 100_000 < image.width * image.height < 1.05 * 100_000
        assert image.width / image.height == pytest.approx(int(root.get("width")) / int(root.get("height")), rel=0.02)


def test_draw_network_folds_blocks_and_says_what_they_hold(networks, tmp_path):
    texts = texts_of(svg_of(networks.resnet((2,)), tmp_path, depth=1, block_names=NAMES))
    at = texts.index("stage1 · Stage")
    # 1×1, 3×3, 1×1 and the projection, each with its bias and four numbers a channel of normalization
    first = (64 * 64 + 64 + 256) + (9 * 64 * 64 + 64 + 256) + 2 * (64 * 256 + 256 + 1024)
    second = (256 * 64 + 64 + 256) + (9 * 64 * 64 + 64 + 256) + (64 * 256 + 256 + 1024)
    around = (49 * 3 * 64 + 64 + 256) + (256 * 1000 + 1000)
    assert texts[1] == f"28 layers, {first + second + around:,} parameters"
    assert texts[2] == "1 block is folded: --depth 2 opens it."
    assert texts[at + 1 : at + 3] == [f"22 layers, {first + second:,} parameters", "56 × 56 × 256"]
    assert "bottleneck1" not in " ".join(texts)


def test_draw_network_folds_one_level_at_a_time(networks, tmp_path):
    texts = texts_of(svg_of(networks.resnet((2,)), tmp_path, depth=2, block_names=NAMES))
    assert "2 blocks are folded: --depth 3 opens them." in texts
    assert {"stage1 · Stage", "bottleneck1 · Bottleneck", "bottleneck2"} <= set(texts)
    assert "conv2d4" not in texts


def test_draw_network_folds_by_itself_where_there_are_many_layers(networks, tmp_path):
    texts = texts_of(svg_of(networks.resnet(), tmp_path))
    assert "16 blocks are folded: --depth 3 opens them." in texts  # 175 layers are more than 150
    assert sum(text.startswith("bottleneck") for text in texts) == 3 + 4 + 6 + 3


def test_draw_network_marks_what_is_shared(networks, tmp_path):
    texts = texts_of(svg_of(networks.siamese(), tmp_path))
    assert texts.count("encoder") == 2
    assert [text for text in texts if text.startswith("shared")] == ["shared, 1 of 2", "shared, 2 of 2"]
    assert texts.count("dense1") == 2


@pytest.mark.parametrize("title", ["größe <&> 卷积", "шаг 'a' \"b\"", "\x00\x1b[31m"], ids=["cjk", "quotes", "control"])
def test_draw_network_takes_any_text(title, networks, tmp_path):
    model = networks.siamese()
    draw_network(model, [tmp_path / "a.svg", tmp_path / "a.png"], title=title, block_names={"encoder": title})
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert texts_of(root)[0] == "".join(letter for letter in title if letter >= " ")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_draw_network_of_one_layer(networks, tmp_path):
    texts = texts_of(svg_of(networks.one_layer(), tmp_path))
    assert texts[:2] == ["a title", "1 layer, 5 parameters"]
    assert {"input", "dense1", "Dense 1", "1 · 5 parameters"} <= set(texts)


def test_draw_network_cuts_a_name_that_is_too_long(tmp_path):
    name = "a_very_" + "long_" * 40 + "name"
    root = svg_of(tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(1, name=name)]), tmp_path)
    (cut,) = (text for text in texts_of(root) if text and text.startswith("a_very"))
    assert "…" in cut
    assert name in " ".join(title.text for title in root.iter(f"{SVG}title"))


def test_draw_network_refuses_other_files(networks, tmp_path):
    with pytest.raises(ValueError, match=r"must end with \.svg or \.png\. Received: '.*network\.pdf'"):
        draw_network(networks.one_layer(), [tmp_path / "network.pdf"], title="a title")
    assert list(tmp_path.iterdir()) == []
