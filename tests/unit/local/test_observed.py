"""How a second opinion on the local stack compares what was observed: tests/observed.py."""

from typing import Any

import pytest

from tests.observed import differences


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": "x"}, {"a": 2, "b": "x"}, ["a: 1 | 2"]),
        ({"a": "there"}, {}, ["a: there | (nothing)"]),
        ({}, {"a": [1]}, ["a: (nothing) | [1]"]),
    ],
)
def test_differences_are_named(ours: dict[str, Any], theirs: dict[str, Any], found: list[str]) -> None:
    assert differences(ours, theirs) == found
