"""Bytes that are read from front to back, and never taken at their word."""

from __future__ import annotations


class DamagedError(ValueError):
    """Bytes are not what was written: the message ends a sentence that begins with the file."""


def write_number(number: int) -> bytes:
    """A number from 0 as bytes of 7 bits each, the lowest first; all but the last have their highest bit set.

    Example:
        >>> write_number(5), write_number(784)
        (b'\\x05', b'\\x90\\x06')
    """
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])


class Reader:
    """Reads bytes in their order.

    Args:
        content: All of them.
    """

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    @property
    def left(self) -> int:
        """How many bytes were not read."""
        return len(self._content) - self._place

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            DamagedError: If there are not so many.
        """
        if size > self.left:
            raise DamagedError(f"ends {size - self.left:,} bytes too early")
        self._place += size
        return self._content[self._place - size : self._place]

    def number(self, what: str, most: int) -> int:
        """The number that `write_number` wrote.

        Args:
            what: It is, for the message.
            most: It can be.

        Raises:
            DamagedError: If it is larger, or not whole.
        """
        number = shift = 0
        while (byte := self.take(1)[0]) > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                break
        number |= byte << shift
        if number > most:
            raise DamagedError(f"has {what} above {most:,}")
        return number
