"""The container .tkz."""

from __future__ import annotations

import hashlib
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.coding import DamagedError, read_container, write_container
from trainkit.coding.container import MAGIC, MOST_TEXT, _deflate
from trainkit.coding.content import write_number
from trainkit.coding.dictionary import DICTIONARY
from trainkit.coding.tensors import MOST_VALUES

NETWORK = '{"class_name":"Functional","config":{"name":"net"}}'
WEIGHTS = [np.eye(12, dtype=np.float32) * np.float32(0.3), np.arange(5, dtype=np.int64), np.zeros((), np.float32)]
CONTENT = write_container(NETWORK, WEIGHTS, [(3, 4, 1), None, None])


def sealed(body):
    """A file with the checksum that it should have."""
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def test_network_and_weights_come_back():
    network, weights = read_container(CONTENT)
    assert network == NETWORK
    assert [one.dtype for one in weights] == [one.dtype for one in WEIGHTS]
    assert all(map(np.array_equal, weights, WEIGHTS))


def test_a_container_costs_few_bytes_besides():
    assert len(CONTENT) < 100


def test_the_format_stays_what_it_is():
    assert CONTENT[:4] == b"TKZ\x02"
    assert hashlib.sha256(DICTIONARY).hexdigest()[:16] == "17f977222c959cda"
    assert hashlib.sha256(CONTENT).hexdigest()[:16] == "1c30a3ffd08256db"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused(place, change):
    content = bytearray(CONTENT)
    content[place] ^= change
    with pytest.raises(DamagedError):
        read_container(bytes(content))


@pytest.mark.parametrize("size", range(len(CONTENT)))
def test_a_cut_file_is_refused(size):
    with pytest.raises(DamagedError):
        read_container(CONTENT[:size])


@settings(max_examples=150, deadline=None)
@given(st.integers(8, len(CONTENT) - 1), st.integers(0, 255))
def test_a_changed_byte_under_a_right_checksum_is_refused_or_another_network(place, byte):
    body = bytearray(CONTENT[8:])
    body[place - 8] = byte
    with suppress(DamagedError):
        assert sum(one.size for one in read_container(sealed(bytes(body))).weights) <= MOST_VALUES


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_under_a_right_checksum_are_refused(body):
    with pytest.raises(DamagedError):
        read_container(sealed(body))


def many(number):
    return write_number(number)


HOSTILE = {
    "of another kind": (b"PK\x03\x04" + CONTENT, "is no .tkz file"),
    "empty": (b"", "is no .tkz file|ends"),
    "of another version": (b"TKZ\x01" + CONTENT[4:], "is of version 1 of the format, not of version 2"),
    "longer": (sealed(CONTENT[8:] + b"\0"), "1 bytes too many"),
    "of a description that grows": (sealed(many(10) + many(30) + _deflate(b" " * 10_000_000)[:30]), "description"),
    "of a description without end": (sealed(many(MOST_TEXT + 1)), "has a description above"),
    "of a number without end": (sealed(b"\xff" * 100), "above"),
    "of too many values": (sealed(many(0) + many(2) + b"\x03\0" + many(1) + many(2**40)), "has values above"),
    "of more than it says": (
        sealed(many(0) + many(2) + b"\x03\0" + many(1) + many(3) + b"\x02\x02" + many(2**14) * 2 + b"\x04abcd"),
        "has an array of 268,435,456 values where 3 are left",
    ),
    "of many axes": (sealed(many(0) + many(2) + b"\x03\0" + many(1) + many(3) + b"\x02\x63"), "has axes above 8"),
    "of a kind that is not known": (sealed(many(0) + many(2) + b"\x03\0" + many(1) + many(3) + b"\x07"), "a kind"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_little_memory(name):
    content, told = HOSTILE[name]
    tracemalloc.start()
    with pytest.raises(DamagedError, match=told):
        read_container(content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_more_than_a_reader_takes_is_not_written():
    with pytest.raises(ValueError, match="are more than"):
        write_container("", [np.broadcast_to(np.float32(0), (2**14, 2**15))], [None])
