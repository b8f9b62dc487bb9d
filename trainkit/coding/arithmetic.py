"""A binary arithmetic coder: decisions that a model expects cost a fraction of a bit."""

from __future__ import annotations

from typing import Protocol

from trainkit.coding.content import DamagedError

PRECISION = 16
"""Bits of a probability: it is a multiple of 2**-16."""

_WHOLE = 0xFFFFFFFF
_TOP = 0xFF000000
_AHEAD = 4
"""Bytes that a decoder has read before it needs them."""


class Coder(Protocol):
    """Either end of the coding, so that one model of the decisions serves both."""

    def code(self, bit: int, probability: int) -> int:
        """Code a decision.

        Args:
            bit: 0 or 1; a decoder, which is to find it out, takes any.
            probability: That it is 1, in `[1, 2**PRECISION - 1]`.

        Returns:
            The bit.
        """


class Encoder:
    """Turns decisions into bytes.

    Example:
        >>> encoder = Encoder()
        >>> coded = [encoder.code(bit, 60_000) for bit in (1, 1, 0)]
        >>> decoder = Decoder(encoder.finish())
        >>> [decoder.code(0, 60_000) for _ in range(3)]
        [1, 1, 0]
    """

    def __init__(self) -> None:
        self._low, self._high = 0, _WHOLE
        self._content = bytearray()

    def code(self, bit: int, probability: int) -> int:
        """Write a decision; see `Coder.code`."""
        low, high = self._low, self._high
        middle = low + ((high - low) * probability >> PRECISION)
        if bit:
            high = middle
        else:
            low = middle + 1
        while not (low ^ high) & _TOP:
            self._content.append(high >> 24)
            low, high = low << 8 & _WHOLE, high << 8 & _WHOLE | 0xFF
        self._low, self._high = low, high
        return bit

    def finish(self) -> bytes:
        """All that was written: as few bytes as a decoder needs, which reads up to `_AHEAD` zeros after them."""
        end = self._low
        for shift in (24, 16, 8, 0):
            rounded = self._low + (1 << shift) - 1 >> shift << shift
            if rounded <= self._high:
                end = rounded
                break
        return bytes(self._content) + end.to_bytes(_AHEAD, "big").rstrip(b"\0")


class Decoder:
    """Turns bytes into decisions.

    Args:
        content: What `Encoder.finish` gave.

    Raises:
        DamagedError: In `code`, if there are more decisions than bytes; in `finish`, if there are fewer.
    """

    def __init__(self, content: bytes) -> None:
        self._low, self._high = 0, _WHOLE
        self._content = iter(content + bytes(_AHEAD))
        self._value = int.from_bytes(bytes(next(self._content) for _ in range(_AHEAD)), "big")

    def code(self, bit: int, probability: int) -> int:
        """Read a decision; see `Coder.code`."""
        low, high = self._low, self._high
        middle = low + ((high - low) * probability >> PRECISION)
        if self._value <= middle:
            bit, high = 1, middle
        else:
            bit, low = 0, middle + 1
        while not (low ^ high) & _TOP:
            low, high = low << 8 & _WHOLE, high << 8 & _WHOLE | 0xFF
            self._value = self._value << 8 & _WHOLE | self._next_byte()
        self._low, self._high = low, high
        return bit

    def finish(self) -> None:
        """Refuse bytes that no decision came from; all that may be left are the zeros behind them."""
        if sum(1 for _ in self._content) > _AHEAD:
            raise DamagedError("has an array that goes on behind its end")

    def _next_byte(self) -> int:
        for byte in self._content:
            return byte
        raise DamagedError("has an array that ends too early")
