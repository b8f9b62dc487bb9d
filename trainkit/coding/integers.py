"""Signed integers of any shape, coded with what their neighbours in the kernel say of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import numpy as np

from trainkit.coding.arithmetic import Coder, Decoder, Encoder
from trainkit.coding.mixing import Mixer

LARGEST = 2**31 - 1
"""The largest absolute value that is coded."""

_LEVELS = 20
"""Levels of a density, see `_level`."""
_SHORT = 8
"""Bits behind the first of a magnitude, of which every combination is learned."""
_NODES = 32 + (1 << _SHORT) + 32
"""Decisions that a magnitude is made of: its length, its bits in short ones, and in long ones."""


def encode_integers(values: np.ndarray, *, geometry: Sequence[int] | None = None) -> bytes:
    """Code signed integers in as few bytes as the model of this module knows how to.

    The last axis is taken for the output units of a kernel, those before it for its inputs, the first two or one of
    them for places in an image. Units and inputs that are all zeros cost next to nothing.

    Args:
        values: Integers of any shape, absolute values up to `LARGEST`.
        geometry: The shape that the inputs of a dense kernel had before they were made flat, `(height, width,
            channels)`: what is next to each other there is alike.

    Returns:
        The content; it does not tell its length or the shape.

    Raises:
        ValueError: If a value is too large, or the geometry does not fit.

    Example:
        >>> kernel = np.zeros((784, 300), np.int32)
        >>> kernel[::50, ::30] = 1
        >>> content = encode_integers(kernel, geometry=(28, 28, 1))
        >>> np.array_equal(decode_integers(content, (784, 300), geometry=(28, 28, 1)), kernel), len(content) < 200
        (True, True)

    Reference:
        Mahoney, Adaptive weighing of context models for lossless data compression, 2005.
    """
    values = np.asarray(values)
    if values.size and max(abs(int(values.min())), abs(int(values.max()))) > LARGEST:
        raise ValueError(f"values must be between -{LARGEST} and {LARGEST}.")
    encoder = Encoder()
    _code(encoder, _by_unit(values.astype(np.int64), layout_of(values.shape, geometry)))
    return encoder.finish()


def decode_integers(content: bytes, shape: Sequence[int], *, geometry: Sequence[int] | None = None) -> np.ndarray:
    """The integers that were coded, as `int32`; other bytes, or another shape, are refused or give other integers.

    Args:
        content: What `encode_integers` gave.
        shape: Of the values that it was given.
        geometry: As it was given.

    Raises:
        ValueError: If the geometry does not fit.
        DamagedError: If the content is too short for so many, or too long.
    """
    height, width, channels, units = layout_of(shape, geometry)
    values = np.zeros((units, channels, height, width), np.int64)
    decoder = Decoder(content)
    _code(decoder, values)
    decoder.finish()
    return values.transpose(2, 3, 1, 0).reshape(shape).astype(np.int32)


def room_of(shape: Sequence[int], *, geometry: Sequence[int] | None = None) -> int:
    """How many neighbours are remembered while values of a shape are coded."""
    height, width, channels, _ = layout_of(shape, geometry)
    return _length(channels, height, width)


def layout_of(shape: Sequence[int], geometry: Sequence[int] | None = None) -> tuple[int, int, int, int]:
    """How a weight is looked at: its last axis are units, those before it inputs, the first of which are an image.

    Args:
        shape: Of the weight, any.
        geometry: See `encode_integers`.

    Returns:
        Height, width, channels and units.

    Raises:
        ValueError: If the geometry does not fit.

    Example:
        >>> layout_of((5, 5, 20, 50)), layout_of((784, 300)), layout_of((784, 300), (28, 28, 1)), layout_of((10,))
        ((5, 5, 20, 50), (1, 1, 784, 300), (28, 28, 1, 300), (1, 1, 1, 10))
    """
    *inputs, units = tuple(shape) or (1,)
    if geometry is not None:
        if prod(geometry) != prod(inputs):
            raise ValueError(f"a geometry must have as many places as there are inputs: {geometry} for {shape}.")
        inputs = list(geometry)
    *image, channels = inputs or [1]
    *height, width = image or [1]
    return prod(height), width, channels, units


def _by_unit(values: np.ndarray, layout: tuple[int, int, int, int]) -> np.ndarray:
    """Shape `(units, channels, height, width)`."""
    return values.reshape(layout).transpose(3, 2, 0, 1).copy()


def _code(coder: Coder, values: np.ndarray) -> None:
    """Code values by unit, or, where the coder reads, find them out: they are then written into `values`."""
    units, *inputs = values.shape
    if not values.size:
        return
    several = prod(inputs) > 1
    alive_units = np.ones(units, bool)
    if several:
        alive_units = _code_flags(coder, np.any(values, axis=(1, 2, 3)).reshape(1, 1, units)).ravel()
    alive = np.ones(inputs, bool)
    if several and units > 1:
        alive = _code_flags(coder, np.any(values, axis=0, keepdims=True)[0])
    kernel = _Kernel(coder, alive, units)
    for unit in np.flatnonzero(alive_units):
        values[unit][alive] = kernel.code_unit(values[unit][alive].tolist())


def _code_flags(coder: Coder, flags: np.ndarray) -> np.ndarray:
    """Code which inputs, shape `(channels, height, width)`, or units are alive."""
    places, stride, size = _padded(flags.shape)
    mixer = Mixer(coder, 1 + 16 + 16 + 64, 3)
    coded, found = [0] * size, []
    plane = size // flags.shape[0]
    for place, flag in zip(places, flags.ravel().tolist(), strict=True):
        left, up = coded[place - 1], coded[place - stride]
        near = left * 8 + up * 4 + coded[place - stride - 1] * 2 + coded[place - stride + 1]
        far = (
            coded[place - 2] * 8 + coded[place - 2 * stride] * 4 + left * 2 + (place >= plane and coded[place - plane])
        )
        bit = mixer.code(int(flag), (0, 1 + near, 17 + far))
        coded[place] = bit
        found.append(bit)
    return np.array(found, bool).reshape(flags.shape)


def _padded(shape: Sequence[int]) -> tuple[list[int], int, int]:
    """The places of inputs in a list with room around each plane, the length of a row in it, and its length."""
    channels, height, width = shape
    stride = width + 2
    plane = stride * (height + 3)
    rows = [stride * (2 + row) + 2 for row in range(height)]
    places = [plane * one + row + column for one in range(channels) for row in rows for column in range(width)]
    return places, stride, _length(channels, height, width)


def _length(channels: int, height: int, width: int) -> int:
    return (width + 2) * (height + 3) * channels + 2


def _level(some: int, all_of: int) -> int:
    """A density in half octaves, from 0 to `_LEVELS` - 1."""
    share = (some << 10) // all_of if some < all_of else 1 << 10
    length = share.bit_length()
    return 0 if length < 2 else 2 * (length - 1) - 1 + (share >> (length - 2) & 1)


class _Kernel:
    """What is known of a kernel while its units are coded, one after the other.

    Args:
        coder: Where decisions go to, or come from.
        alive: Which inputs have values that are not 0: the others are left out. Shape `(channels, height, width)`.
        units: How many there are.
    """

    def __init__(self, coder: Coder, alive: np.ndarray, units: int) -> None:
        channels, height, width = alive.shape
        places, self._stride, self._size = _padded(alive.shape)
        self._plane = (self._size - 2) // channels
        inputs = np.flatnonzero(alive).tolist()
        area = height * width
        self._cells = [(places[number], order, number // area) for order, number in enumerate(inputs)]
        self._before = [0] * self._size
        self._columns = [0] * self._size
        self._units = 0
        sizes = [1, 64, 36, len(inputs), units, _LEVELS * 5, channels * 3]
        self._starts = list(accumulate(sizes, initial=0))
        self._zero = Mixer(coder, self._starts[-1], len(sizes))
        self._sign = Mixer(coder, 1 + 9 + 9 + 9 + len(inputs), 5)
        self._bits = Mixer(coder, _NODES * (1 + 16 + 16 + 16), 4)
        self._sums = [0] * self._size

    def code_unit(self, values: list[int]) -> list[int]:
        """Code the values of the inputs that are alive; returns them."""
        stride, plane, before, columns, sums = self._stride, self._plane, self._before, self._columns, self._sums
        _, of_near, of_amount, of_input, of_unit, of_heat, of_channel = self._starts[:-1]
        of_unit += self._units
        code = self._zero.code
        grid = [0] * self._size
        units = self._units + 1
        found, some, total = [], 0, 0
        for value, (place, order, channel) in zip(values, self._cells, strict=True):
            left, up = grid[place - 1], grid[place - stride]
            corner, right = grid[place - stride - 1], grid[place - stride + 1]
            is_left, is_up, is_corner, is_right = left != 0, up != 0, corner != 0, right != 0
            near = is_left + is_up + is_corner + is_right
            last = before[place] != 0
            inner = grid[place - plane] != 0 if place >= plane else 0
            column = columns[place]
            heat = (
                4 * column + columns[place - 1] + columns[place + 1] + columns[place - stride] + columns[place + stride]
            )
            warm = _level(heat, 8 * units)
            large = min(abs(left), 2) * 3 + min(abs(up), 2)
            pattern = is_left * 32 + is_up * 16 + is_corner * 8 + is_right * 4
            pattern += (grid[place - 2] != 0) * 2 + (grid[place - 2 * stride] != 0)
            contexts = (
                0,
                of_near + pattern,
                of_amount + large * 4 + last * 2 + inner,
                of_input + order,
                of_unit,
                of_heat + warm * 5 + near,
                of_channel + channel * 3 + min(near, 2),
            )
            if code(value != 0, contexts):
                some += 1
                negative = self._code_sign(value < 0, left, up, corner + right, before[place], order)
                typical = _level(total, 8 * some) if some > 1 else 0
                size = self._code_size(abs(value), left, up, sums[place], column, typical)
                total += size
                value = -size if negative else size
                grid[place] = value
                columns[place] = column + 1
                sums[place] += size
            found.append(value)
        self._before = grid
        self._units += 1
        return found

    def _code_sign(self, negative: bool, left: int, up: int, diagonal: int, last: int, order: int) -> int:
        near, far = _side(left) * 3 + _side(up), _side(diagonal) * 3 + _side(last)
        total = _side(left + up + diagonal) * 3 + _side(last)
        return self._sign.code(int(negative), (0, 1 + near, 10 + far, 19 + total, 28 + order))

    def _code_size(self, size: int, left: int, up: int, total: int, count: int, typical: int) -> int:
        """Code an absolute value from 1: how many bits follow its first one, then those bits."""
        near = min(abs(left), 3) * 4 + min(abs(up), 3)
        column = min(15, 2 * total // count) if count else 0
        typical = min(15, typical)
        code = self._bits.code

        def one(bit: int, node: int) -> int:
            slot = _NODES + node * 16
            return code(bit, (node, slot + near, slot + _NODES * 16 + column, slot + _NODES * 32 + typical))

        length = 0
        while length < 31 and one(size >> length > 1, min(length, 31)):
            length += 1
        found = 1
        for shift in range(length - 1, -1, -1):
            node = 32 + ((1 << length) + found if length < _SHORT else (1 << _SHORT) + shift)
            found = found * 2 + one(size >> shift & 1, node)
        return found


def _side(value: int) -> int:
    return 0 if not value else 1 if value > 0 else 2
