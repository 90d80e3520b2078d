"""The outline of a CBOR document (RFC 8949): maps and text strings; the rest is only checked to be well-formed.

Representations of equipment hold hundreds of thousands of numbers, which are not needed here.
"""

from collections.abc import Mapping
from typing import Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE, _MAX_SIMPLE = 31, 24
_BREAK = 0xFF
_MAX_LEVELS = 50


class NotCbor(Exception):
    """The bytes are not a single, complete item of CBOR."""


def outline(content: bytes) -> Any:
    """A document: maps with text keys as dict, text strings as str, anything else as None.

    Raises:
        NotCbor: If it is not CBOR, is cut off, or something follows it.

    >>> outline(bytes.fromhex("a2 61 61 82 01 02 61 62 61 63"))
    {'a': None, 'b': 'c'}
    """
    try:
        value, end = _item(content, 0, _MAX_LEVELS)
    except (IndexError, UnicodeDecodeError, _Stop):
        raise NotCbor("it is cut off or damaged") from None
    if end != len(content):
        raise NotCbor(f"{len(content) - end:,} bytes follow its end")
    return value


class _Stop(Exception):
    """The end of an array, map or string of indefinite length; holds the position after it."""


def _item(data: bytes, at: int, levels: int) -> tuple[Any, int]:
    """An item and where it ends."""
    if not levels:
        raise NotCbor(f"it is nested more than {_MAX_LEVELS} deep")
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == _SIMPLE and low == _INDEFINITE:
        raise _Stop(at)
    number: int | None = low
    if low >= _MAX_SIMPLE:
        if low == _INDEFINITE and major in (_BYTES, _TEXT, _ARRAY, _MAP):
            number = None
        elif low > 27:  # 28 to 30 are reserved
            raise NotCbor("it is damaged")
        else:
            size = 1 << (low - _MAX_SIMPLE)
            number = int.from_bytes(_cut(data, at, size), "big")
            at += size
    if major in (_BYTES, _TEXT) and number is not None:
        text = _cut(data, at, number)
        return (text.decode() if major == _TEXT else None), at + number
    if major in (_BYTES, _TEXT, _ARRAY, _MAP):
        return _group(data, at, levels, major, number)
    return _item(data, at, levels - 1) if major == _TAG else (None, at)


def _group(data: bytes, at: int, levels: int, major: int, count: int | None) -> tuple[Any, int]:
    texts: list[Any] = []
    found: dict[str, Any] = {}
    done = 0
    if major == _ARRAY and count and data[at : at + 9 * count : 9] == b"\xfb" * min(count, len(data)):
        # Eight-byte numbers: nearly all of a representation.
        _cut(data, at, 9 * count)
        return None, at + 9 * count
    while count is None or done < count:
        try:
            key, at = _item(data, at, levels - 1)
        except _Stop as stop:
            if count is not None:
                raise
            at = stop.args[0]
            break
        if major == _MAP:
            value, at = _item(data, at, levels - 1)
            if isinstance(key, str) and isinstance(value, (str, dict)):
                found[key] = value
            elif isinstance(key, str):
                found[key] = None
        elif major == _TEXT:
            texts.append(key)
        done += 1
    if major == _TEXT:
        return "".join(map(str, texts)), at
    return (found if major == _MAP else None), at


def _cut(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError
    return data[at : at + size]


def under(document: Any, *path: str) -> Any:
    """The value under a path of keys in a document; None if there is none.

    >>> under({"a": {"b": "c"}}, "a", "b"), under({"a": None}, "a", "b")
    ('c', None)
    """
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document
