"""Where results are put beside those of other runs of the same folder."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cli.fetch import fetch, run_in
from cli.target import Target
from epsm.store import keys


class MemoryS3:
    """The results of two runs, each with a manifest and one file."""

    def get_paginator(self, operation: str) -> "MemoryS3":
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - boto3's
        return [{"Contents": [{"Key": f"{Prefix}manifest.json"}, {"Key": f"{Prefix}results.csv"}]}]

    def download_file(self, bucket: str, key: str, path: str) -> None:
        simulation = next(each for each in ("older", "younger") if key.startswith(keys.run_key(each)))
        Path(path).write_text(json.dumps({"simulation_id": simulation}), encoding="utf-8")


@pytest.fixture
def target() -> Target:
    return Mock(Target, client=lambda service: MemoryS3(), results_bucket="results")


def bring(target: Target, simulation: str, folder: Path) -> Path:
    return fetch(target, simulation, folder, with_variants=False, report=lambda done, total: None)


def test_a_run_that_is_fetched_again_stays_where_it_is(target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    for _ in range(2):
        assert bring(target, "older", folder) == folder
    assert [each.name for each in tmp_path.iterdir()] == ["office"]


def test_a_run_that_made_room_for_a_younger_one_is_brought_up_to_date_where_it_lies(
    target: Target, tmp_path: Path
) -> None:
    folder = tmp_path / "office"
    bring(target, "older", folder)
    assert bring(target, "younger", folder) == folder
    assert run_in(tmp_path / "older") == "older"
    assert bring(target, "older", folder) == tmp_path / "older"
    assert run_in(folder) == "younger"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["office", "older"]
