"""Tests of `trainkit.data.idx`."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from trainkit.data import read_idx
from trainkit.errors import DataError

HEADER = struct.pack(">HBB2I", 0, 0x08, 2, 2, 3)  # 2×3 of uint8
WHOLE = HEADER + bytes(range(6))


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gzip"])
def test_read_idx_returns_what_was_written(write_idx, name, suffix):
    written = np.array([[1, 2, 3], [100, 0, 77]], name)
    array = read_idx(write_idx(f"values{suffix}", written))
    assert array.dtype == np.dtype(name)
    assert array.dtype.isnative
    assert array.tolist() == [[1, 2, 3], [100, 0, 77]]


def test_numbers_are_big_endian(tmp_path):
    (tmp_path / "values").write_bytes(bytes([0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE]))
    assert read_idx(tmp_path / "values").tolist() == [258, -2]


@pytest.mark.parametrize(
    "name, content", [("plain.gz", WHOLE), ("zipped", gzip.compress(WHOLE))], ids=["plain as .gz", "gzip without .gz"]
)
def test_gzip_is_told_by_content_not_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_idx(tmp_path / name).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_gzip_of_several_members_is_one_file(tmp_path):
    (tmp_path / "values").write_bytes(gzip.compress(WHOLE[:9]) + gzip.compress(WHOLE[9:]))
    assert read_idx(tmp_path / "values").tolist() == [[0, 1, 2], [3, 4, 5]]


DAMAGED = gzip.compress(WHOLE)
TWO_BYTES = "must hold 6 bytes of values, as its header says (2×3 of uint8). Received: "


@pytest.mark.parametrize(
    "content, came",
    [
        pytest.param(b"", "must be an IDX file, plain or gzipped. Received: an empty file", id="empty"),
        pytest.param(gzip.compress(b""), "Received: an empty file", id="empty gzip"),
        pytest.param(b"\0", r"Received: a file that begins with b'\x00'", id="one byte"),
        pytest.param(b"\0\0", r"a file that begins with b'\x00\x00'", id="two bytes"),
        pytest.param(b"\1" + WHOLE[1:], r"a file that begins with b'\x01\x00\x08\x02'", id="not two zeros first"),
        pytest.param(b"\x89PNG\r\n", r"a file that begins with b'\x89PNG'", id="png"),
        pytest.param(b"\0\0\x0a\1" + WHOLE[4:], r"b'\x00\x00\n\x01'", id="unknown dtype"),
        pytest.param(b"\0\0\x08\0" + WHOLE[4:], r"b'\x00\x00\x08\x00'", id="no dimension"),
        pytest.param(b"\0\0\x08\x21" + bytes(500), r"b'\x00\x00\x08!'", id="33 dimensions"),
        pytest.param(WHOLE[:9], "Received: a header of 9 bytes where 12 were declared", id="half a header"),
        pytest.param(struct.pack(">HBB2I", 0, 8, 2, 0, 3), "the shape (0, 3), which holds nothing", id="no sample"),
        pytest.param(WHOLE[:-1], TWO_BYTES + "a file of 17 bytes", id="short"),
        pytest.param(WHOLE + b"\0", TWO_BYTES + "more", id="long"),
        pytest.param(gzip.compress(WHOLE[:-1]), TWO_BYTES + "5", id="short inside gzip"),
        pytest.param(gzip.compress(WHOLE + b"\0"), TWO_BYTES + "more", id="long inside gzip"),
        pytest.param(DAMAGED[:-12], "Received: damaged gzip data (", id="gzip cut off"),
        pytest.param(DAMAGED[:12], "Received: damaged gzip data (", id="gzip cut off in the header"),
        pytest.param(DAMAGED[:-8] + bytes(8), "Received: damaged gzip data (CRC check failed", id="wrong checksum"),
        pytest.param(DAMAGED[:10] + b"\xff" * 20, "Received: damaged gzip data (Error -3", id="no deflate"),
    ],
)
def test_file_that_is_not_whole_is_refused(tmp_path, content, came):
    filepath = tmp_path / "values"
    filepath.write_bytes(content)
    with pytest.raises(DataError, match=r"/values must (hold|be) ") as caught:
        read_idx(filepath)
    assert came in str(caught.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_absurd_size_is_refused_before_memory_is_taken(tmp_path, pack):
    filepath = tmp_path / "values"
    filepath.write_bytes(pack(struct.pack(">HBB3I", 0, 0x08, 3, 2**16, 2**14, 1) + bytes(100)))  # 1 GiB
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="must hold 1,073,741,824 bytes of values"):
            read_idx(filepath)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_size_beyond_64_bits_is_refused(tmp_path):
    (tmp_path / "values").write_bytes(struct.pack(">HBB3I", 0, 0x0E, 3, *[2**32 - 1] * 3))
    with pytest.raises(DataError, match="must hold 633,825,299,671,392,843,082,401,579,000 bytes"):
        read_idx(tmp_path / "values")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.gz must be an IDX file.*Received: no such file\. Check the path\."):
        read_idx(tmp_path / "nowhere.gz")


def test_directory_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"must be an IDX file.*Received: a directory"):
        read_idx(tmp_path)
