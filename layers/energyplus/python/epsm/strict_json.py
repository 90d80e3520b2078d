"""JSON without surprises: a key that stands twice in one object is refused."""

from typing import Any


class RepeatedKey(Exception):
    """A key stands twice in one JSON object."""


def without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python's json keeps the last of two equal keys; a modeller would never learn that the first was dropped."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise RepeatedKey(key)
        result[key] = value
    return result
