"""Strict JSON: duplicate keys in an object are rejected."""

from typing import Any


class RepeatedKey(Exception):
    """A duplicate key in a JSON object."""


def without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python's json keeps the last of two equal keys and silently drops the first."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise RepeatedKey(key)
        result[key] = value
    return result
