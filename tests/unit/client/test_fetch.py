"""Folders for results next to those of other runs of the same study."""

import errno
import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from epsm.client.connection import Connection
from epsm.client.fetch import fetch, results_folder, run_in
from epsm.errors import CannotWrite, FolderBusy
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
def target() -> Connection:
    return Mock(Connection, client=lambda service: MemoryS3(), results_bucket="results")


def bring(target: Connection, simulation: str, folder: Path, wait_s: float = 0.0) -> Path:
    return fetch(target, simulation, folder, with_variants=False, report=lambda done, total: None, wait_s=wait_s)


def test_a_run_that_is_fetched_again_stays_where_it_is(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    for _ in range(2):
        assert bring(target, "older", folder) == folder
    assert [each.name for each in tmp_path.iterdir()] == ["office"]


def test_a_run_that_made_room_for_a_younger_one_is_brought_up_to_date_where_it_lies(
    target: Connection, tmp_path: Path
) -> None:
    folder = tmp_path / "office"
    bring(target, "older", folder)
    assert bring(target, "younger", folder) == folder
    assert run_in(tmp_path / "older") == "older"
    assert bring(target, "older", folder) == tmp_path / "older"
    assert run_in(folder) == "younger"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["office", "older"]


def test_two_writers_of_one_folder_leave_whole_files(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    with ThreadPoolExecutor(8) as pool:
        for place in pool.map(lambda _: bring(target, "older", folder, wait_s=30), range(24)):
            assert place == folder
    assert sorted(each.name for each in folder.iterdir()) == ["manifest.json", "results.csv"]


def test_writers_of_different_runs_do_not_mix_their_files(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    runs = ["older", "younger"] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda run: bring(target, run, folder, wait_s=30), runs))
    for place in tmp_path.iterdir():
        told = {json.loads(file.read_text(encoding="utf-8"))["simulation_id"] for file in place.iterdir()}
        assert told == {run_in(place)}
    assert {run_in(place) for place in tmp_path.iterdir()} == {"older", "younger"}


def test_a_folder_that_another_process_writes_to_is_busy(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(FolderBusy, match="office"):
        bring(target, "older", folder)
    os.close(held)
    assert bring(target, "older", folder) == folder


def test_a_file_in_the_place_of_the_folder_is_named(target: Connection, tmp_path: Path) -> None:
    (tmp_path / "office").write_text("", encoding="utf-8")
    with pytest.raises(CannotWrite, match="office"):
        bring(target, "older", tmp_path / "office")


def test_a_full_disk_leaves_no_part_of_a_file(target: Connection, tmp_path: Path) -> None:
    class Full(MemoryS3):
        def download_file(self, bucket: str, key: str, path: str) -> None:
            Path(path).write_text("half", encoding="utf-8")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    target.client = lambda service: Full()  # type: ignore[misc]
    with pytest.raises(CannotWrite, match="No space left"):
        bring(target, "older", tmp_path / "office")
    assert list((tmp_path / "office").iterdir()) == []


def test_what_is_deleted_while_it_is_fetched_is_left_out(target: Connection, tmp_path: Path) -> None:
    class Deleted(MemoryS3):
        def download_file(self, bucket: str, key: str, path: str) -> None:
            if key.endswith("results.csv"):
                raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
            super().download_file(bucket, key, path)

    target.client = lambda service: Deleted()  # type: ignore[misc]
    bring(target, "older", tmp_path / "office")
    assert [each.name for each in (tmp_path / "office").iterdir()] == ["manifest.json"]


def test_leftovers_of_a_killed_process_are_removed(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / ".results.csv.0123.part").write_text("half", encoding="utf-8")
    bring(target, "older", folder)
    assert sorted(each.name for each in folder.iterdir()) == ["manifest.json", "results.csv"]


@pytest.mark.parametrize("key", ["../study.json", "a/../study.json", "./study.json", f"{'x' * 300}/study.json"])
def test_results_stay_below_the_results_folder(key: str, tmp_path: Path) -> None:
    assert results_folder(tmp_path, key, "simulation-1") == tmp_path / "simulation-1"


def test_results_are_in_a_folder_called_as_the_study_s(tmp_path: Path) -> None:
    assert results_folder(tmp_path, "anna/office/study.json", "office-1") == tmp_path / "office"
