"""Tests of `trainkit.data.images.read`."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from trainkit.data.images import MOST_PIXELS, ImageError, ImageSpec, read_image
from trainkit.errors import DataError
from trainkit.framework import tf

CORNERS = np.array([[10, 60, 110], [160, 210, 250]], np.uint8)
ORIENTED = {
    1: [[10, 60, 110], [160, 210, 250]],
    2: [[110, 60, 10], [250, 210, 160]],
    3: [[250, 210, 160], [110, 60, 10]],
    4: [[160, 210, 250], [10, 60, 110]],
    5: [[10, 160], [60, 210], [110, 250]],
    6: [[160, 10], [210, 60], [250, 110]],
    7: [[250, 110], [210, 60], [160, 10]],
    8: [[110, 250], [60, 210], [10, 160]],
}
"""What is seen of CORNERS by orientation, from the EXIF standard's "where are row 0 and column 0"."""

LOSSLESS = {"PNG": {}, "BMP": {}, "WebP": {"lossless": True}}


def encode(image, kind="PNG", **options):
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(stream, kind, **options)
    return stream.getvalue()


def noise(height, width, channels=3):
    return np.random.default_rng(3).integers(0, 256, (height, width, channels)).astype(np.uint8)


def spec_of(image, channels=3):
    return ImageSpec(*image.shape[:2], channels)


def png(width, height, *, bits=8, colour=2, data=b""):
    """A PNG whose header claims what it likes."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def exif(orientation, kind="<"):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[kind]
    return b"Exif\0\0" + mark + struct.pack(f"{kind}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_image_of_the_right_size_keeps_its_pixels(kind):
    image = noise(7, 5)
    result = read_image(encode(image, kind, **LOSSLESS[kind]), spec_of(image))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, image)


def test_file_is_read_like_its_bytes(tmp_path):
    content = encode(noise(9, 8))
    filepath = tmp_path / "a b.whatever"
    filepath.write_bytes(content)
    np.testing.assert_array_equal(read_image(filepath, ImageSpec(4, 4, 3)), read_image(content, ImageSpec(4, 4, 3)))


def test_jpeg_is_decoded_nearly_as_tensorflow_does():
    smooth = tf.image.resize(noise(6, 8), (48, 64), "bicubic").numpy().clip(0, 255).astype(np.uint8)
    content = encode(smooth, "JPEG", quality=90)
    decoded = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE").numpy().astype(int)
    assert np.abs(read_image(content, spec_of(smooth)) - decoded).max() <= 2


@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("kind", ["PNG", "WebP"])
def test_exif_orientation_is_applied(kind, orientation, order):
    content = encode(CORNERS, kind, exif=exif(orientation, order), **LOSSLESS[kind])
    expected = np.array(ORIENTED[orientation])
    assert read_image(content, spec_of(expected, 1))[..., 0].tolist() == expected.tolist()


@pytest.mark.parametrize("orientation", ORIENTED)
def test_exif_orientation_of_a_jpeg_is_applied(orientation):
    large = CORNERS.repeat(16, axis=0).repeat(16, axis=1)
    content = encode(large, "JPEG", quality=95, exif=exif(orientation))
    expected = np.array(ORIENTED[orientation])
    seen = read_image(content, ImageSpec(*expected.shape, 1, "area"))[..., 0]
    assert np.abs(seen - expected.astype(float)).max() <= 2


def test_orientation_is_applied_before_the_size():
    content = encode(np.repeat(CORNERS, 2, axis=1), exif=exif(6))
    assert read_image(content, ImageSpec(3, 2, 1, "area"))[..., 0].tolist() == ORIENTED[6]


@pytest.mark.parametrize(
    "damaged",
    [exif(6)[:-9], exif(9), b"Exif\0\0nonsense", b"Exif\0\0II*\0" + b"\xff" * 20],
    ids=["truncated", "no such orientation", "nonsense", "offset"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_damaged_exif_does_not_damage_the_image(kind, damaged):
    content = encode(CORNERS, kind, exif=damaged)
    assert read_image(content, ImageSpec(2, 3, 1)).shape == (2, 3, 1)


def test_orientation_counts_beside_a_damaged_tag():
    damaged = b"Exif\0\0II*\0" + struct.pack("<IHHHIHH", 8, 2, 0x0112, 3, 1, 6, 0)
    damaged += struct.pack("<HHII", 0x010E, 2, 5000, 40)  # a text longer than the file
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = read_image(encode(CORNERS, exif=damaged), ImageSpec(3, 2, 1))
    assert seen[..., 0].tolist() == ORIENTED[6]
    assert caught == []


def test_palette_is_looked_up():
    image = Image.new("P", (2, 1))
    image.putpalette([9, 8, 7, 200, 100, 50])
    image.putdata([1, 0])
    assert read_image(encode(image), ImageSpec(1, 2, 3)).tolist() == [[[200, 100, 50], [9, 8, 7]]]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_loses_its_transparency_only(kind):
    image = Image.new("P", (2, 1))
    image.putpalette([9, 8, 7, 200, 100, 50])
    image.putdata([1, 0])
    content = encode(image, kind, transparency=0)
    assert read_image(content, ImageSpec(1, 2, 3)).tolist() == [[[200, 100, 50], [9, 8, 7]]]
    assert read_image(content, ImageSpec(1, 2, 4))[..., 3].tolist() == [[255, 0]]


def test_palette_with_an_alpha_for_each_colour_is_read():
    image = Image.new("P", (2, 1))
    image.putpalette([9, 8, 7, 200, 100, 50])
    image.putdata([1, 0])
    content = encode(image, transparency=b"\x80\x40")
    assert read_image(content, ImageSpec(1, 2, 4)).tolist() == [[[200, 100, 50, 64], [9, 8, 7, 128]]]
    assert read_image(content, ImageSpec(1, 2, 3)).tolist() == [[[200, 100, 50], [9, 8, 7]]]


def test_one_bit_becomes_black_and_white():
    content = encode(Image.fromarray(np.array([[True, False, True]])))
    assert read_image(content, ImageSpec(1, 3, 1)).ravel().tolist() == [255, 0, 255]


@pytest.mark.parametrize("bits, values", [(2, [0, 85, 170, 255]), (4, [0, 17, 34, 51])], ids=["2 bits", "4 bits"])
def test_few_bits_are_scaled_to_a_byte(bits, values):
    row = sum(value << (bits * (3 - value)) for value in range(4)).to_bytes(bits // 2, "big")
    if bits == 2:
        row = bytes([0b00011011])
    content = png(4, 1, bits=bits, colour=0, data=b"\0" + row)
    assert read_image(content, ImageSpec(1, 4, 1)).ravel().tolist() == values


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_of_grey_are_scaled_as_tensorflow_does(channels):
    values = np.linspace(0, 65535, 300).astype(np.uint16).reshape(10, 30)
    content = encode(Image.fromarray(values))
    expected = tf.io.decode_png(content, channels=channels).numpy()
    assert (expected.min(), expected.max()) == (0, 255)
    np.testing.assert_array_equal(read_image(content, ImageSpec(10, 30, channels)), expected)


def test_sixteen_bits_of_colour_are_scaled_as_tensorflow_does():
    values = np.random.default_rng(1).integers(0, 65536, (4, 5, 3)).astype(np.uint16)
    content = tf.io.encode_png(values).numpy()
    np.testing.assert_array_equal(read_image(content, ImageSpec(4, 5, 3)), tf.io.decode_png(content, 3).numpy())


def test_grey_with_alpha_is_read():
    content = encode(Image.merge("LA", [Image.new("L", (2, 2), 90), Image.new("L", (2, 2), 30)]))
    assert read_image(content, ImageSpec(2, 2, 1))[0, 0].tolist() == [90]
    assert read_image(content, ImageSpec(2, 2, 4))[0, 0].tolist() == [90, 90, 90, 30]


@pytest.mark.parametrize("kind", ["PNG", "WebP"])
def test_alpha_is_kept_with_four_channels_and_dropped_else(kind):
    image = noise(5, 6, 4)
    image[..., 3] |= 1  # WebP does not keep the colour of what cannot be seen
    content = encode(image, kind, **LOSSLESS[kind])
    np.testing.assert_array_equal(read_image(content, spec_of(image, 4)), image)
    np.testing.assert_array_equal(read_image(content, spec_of(image, 3)), image[..., :3])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_cmyk_jpeg_becomes_rgb(channels):
    content = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)  # magenta and yellow: red
    red = {1: [76], 3: [255, 0, 0], 4: [255, 0, 0, 255]}[channels]
    assert np.abs(read_image(content, ImageSpec(16, 16, channels))[8, 8] - np.array(red, float)).max() <= 2


@pytest.mark.parametrize("kind", ["GIF", "WebP", "PNG"])
def test_first_frame_of_an_animation_is_read(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert read_image(content, ImageSpec(8, 8, 3))[4, 4].tolist() == pytest.approx([255, 0, 0], abs=2)


def test_size_is_that_of_the_spec():
    assert read_image(encode(noise(50, 70)), ImageSpec(12, 20, 1, "lanczos", fit="pad")).shape == (12, 20, 1)


def test_unreadable_images_are_data_errors():
    assert issubclass(ImageError, DataError)


@pytest.mark.parametrize(
    "content, came",
    [
        (b"", r"0 bytes"),
        (b"not an image at all", r"a file that begins with b'not an image'"),
        (encode(noise(3, 3), "TIFF"), r"a TIFF image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", r"a HEIC image"),
        (encode(noise(3, 3), "AVIF"), r"an AVIF image"),
        (encode(noise(3, 3), "PPM"), r"a file that begins with b'P6"),
    ],
    ids=["empty", "text", "TIFF", "HEIC", "AVIF", "PPM"],
)
def test_other_formats_are_refused(content, came):
    with pytest.raises(ImageError, match=rf"^must be a PNG, JPEG, BMP, GIF or WebP image\. Received: {came}.*\.$"):
        read_image(content, ImageSpec(4, 4, 3))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WebP"])
def test_truncated_image_is_refused(kind, share):
    content = encode(noise(64, 64), kind)
    with pytest.raises(ImageError, match=rf"^must be a whole, undamaged {kind} image\. Received: .+\.$"):
        read_image(content[: max(16, int(len(content) * share))], ImageSpec(4, 4, 3))


def test_damaged_data_are_refused():
    content = bytearray(encode(noise(64, 64)))
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    with pytest.raises(ImageError, match="must be a whole, undamaged PNG image"):
        read_image(bytes(content), ImageSpec(4, 4, 3))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)], ids=["no width", "no height", "neither"])
def test_image_without_pixels_is_refused(size):
    with pytest.raises(ImageError, match="must be a whole, undamaged PNG image"):
        read_image(png(*size), ImageSpec(4, 4, 3))


def bmp(width, height):
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "content, size",
    [
        (png(60_000, 60_000), "60,000×60,000"),
        (png(10_000, 10_001), "10,000×10,001"),
        (bmp(40_000, 30_000), "40,000×30,000"),
        (
            b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"," + struct.pack("<HHHHBB", *[0] * 5, 2),
            "65,535×65,535",
        ),
    ],
    ids=["PNG", "PNG, just", "BMP", "GIF"],
)
def test_image_of_too_many_pixels_is_refused_before_it_is_decoded(content, size, monkeypatch):
    monkeypatch.setattr(Image.core, "new", pytest.fail)
    with pytest.raises(ImageError, match=rf"^must have at most 100,000,000 pixels\. Received: {size}\."):
        read_image(content, ImageSpec(4, 4, 3))


def test_webp_of_too_many_pixels_is_refused():
    header = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_382).to_bytes(3, "little") * 2
    with pytest.raises(ImageError, match=r"^must have at most 100,000,000 pixels\. Received: more\."):
        read_image(b"RIFF" + struct.pack("<I", 22) + b"WEBP" + header, ImageSpec(4, 4, 3))


def test_as_many_pixels_as_allowed_are_only_truncated():
    assert MOST_PIXELS == 100_000_000  # more than Pillow warns of
    with pytest.raises(ImageError, match="must be a whole, undamaged PNG image"):
        read_image(png(10_000, 10_000), ImageSpec(4, 4, 3))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"^must be a file that can be read\. Received: No such file or directory\.$"):
        read_image(tmp_path / "none.png", ImageSpec(4, 4, 3))


def test_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"^must be a PNG, .* image\. Received: a folder\.$"):
        read_image(tmp_path, ImageSpec(4, 4, 3))


def test_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match=r"Received: no regular file\.$"):
        read_image(tmp_path / "pipe.png", ImageSpec(4, 4, 3))
