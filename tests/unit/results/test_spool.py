"""Rows on disk between the two passes over them."""

from pathlib import Path
from typing import Any

import pytest

from epsm.results import spool as spool_module
from epsm.results.spool import Spool

ROWS: list[dict[str, Any]] = [
    {"variant_index": 0, "eui": 100.5, "note": None, "end_uses": {"heating": 1e-9, "cooling": 0.1 + 0.2}},
    {"variant_index": 1, "eui": float("inf"), "note": "wärmer", "end_uses": {}},
    {"variant_index": 2, "status": "failed", "baseline": True},
    {"eui": 7, "variant_index": 3, "end_uses": {"heating": 2.0}},
]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 100])
@pytest.mark.parametrize("block", [1, 3, 500])
def test_rows_come_back_as_they_were(
    tmp_path: Path, at_a_time: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "_ROWS_OF_A_BLOCK", block)
    with Spool(tmp_path / "rows") as spool:
        for row in ROWS:
            spool.add(row)
        batches = list(spool.batches(at_a_time))

    assert [len(batch) for batch in batches[:-1]] == [at_a_time] * (len(batches) - 1)
    found = [row for batch in batches for row in batch]
    assert [list(row.items()) for row in found] == [list(row.items()) for row in ROWS]
    assert not list(tmp_path.iterdir())


def test_an_empty_spool_has_no_batch(tmp_path: Path) -> None:
    with Spool(tmp_path / "rows") as spool:
        assert list(spool.batches(10)) == []
