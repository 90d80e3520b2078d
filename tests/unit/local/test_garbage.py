"""The garbage collector while the local stack starts: epsm_local/aws/garbage.py."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from epsm_local.aws.garbage import rarely_collected


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_many_objects_are_made_without_a_collection() -> None:
    collections: list[str] = []

    def note(phase: str, _: Any) -> None:
        collections.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    try:
        with rarely_collected():
            kept = [[number] for number in range(50_000)]
    finally:
        gc.callbacks.remove(note)
    assert (len(kept), collections) == (50_000, [])


def test_later_collections_leave_out_what_exists_and_come_as_often_as_before() -> None:
    kept: list[list[int]] = [[1]]

    @rarely_collected()
    def start() -> None:
        kept.append([2])
        raise OSError("full")

    gc.set_threshold(900, 8, 7)
    with pytest.raises(OSError, match="full"):
        start()
    assert gc.get_threshold() == (900, 8, 7)
    assert not any(each is kept for each in gc.get_objects())
