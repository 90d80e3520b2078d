"""Folders for results next to those of other runs of the same study."""

import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody

from epsm.client import fetch as fetching
from epsm.client.connection import Connection
from epsm.client.early_download import downloading_early
from epsm.client.fetch import Download, fetch
from epsm.client.results_place import results_folder, run_in
from epsm.errors import CannotWrite, FolderBusy, NotFound
from epsm.store import keys
from epsm.store.executions import RunCounts

_NAMES = ("manifest.json", "results.csv")
_MODIFIED = datetime(2026, 5, 1, 12, tzinfo=UTC)


class MemoryS3:
    """The results of two runs, each with a manifest and one file. Notes what is downloaded."""

    def __init__(self, content: Callable[[str, str], bytes] | None = None, names: Sequence[str] = _NAMES) -> None:
        self._content = content or _identified
        self.names = list(names)
        self.downloaded: list[str] = []

    def get_paginator(self, operation: str) -> "MemoryS3":
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - boto3's
        return [{"Contents": [self._listed(f"{Prefix}{name}") for name in self.names]}]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        simulation, name = self._parts(Key)
        self.downloaded.append(name)
        content = self._content(simulation, name)
        return {"Body": io.BytesIO(content), "ETag": _etag(content), "LastModified": _MODIFIED}

    def _listed(self, key: str) -> dict[str, Any]:
        content = self._content(*self._parts(key))
        return {"Key": key, "ETag": _etag(content), "Size": len(content), "LastModified": _MODIFIED}

    def _parts(self, key: str) -> tuple[str, str]:
        simulation = next(each for each in ("older", "younger") if key.startswith(keys.run_key(each)))
        return simulation, key.removeprefix(keys.run_key(simulation))


def _identified(simulation: str, name: str) -> bytes:
    return json.dumps({"simulation_id": simulation}).encode()


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@pytest.fixture
def target() -> Connection:
    return Mock(Connection, client=lambda service: MemoryS3(), stack=Mock(settings=Mock(results_bucket="results")))


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
    class Half(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().read(1)

    class Full(MemoryS3):
        def get_object(self, **request: str) -> dict[str, Any]:
            answer = super().get_object(**request)
            return answer | {"Body": Half(answer["Body"].read())}

    target.client = lambda service: Full()  # type: ignore[misc]
    with pytest.raises(CannotWrite, match="No space left"):
        bring(target, "older", tmp_path / "office")
    assert list((tmp_path / "office").iterdir()) == []


def test_what_is_deleted_while_it_is_fetched_is_left_out_and_reported(target: Connection, tmp_path: Path) -> None:
    class Deleted(MemoryS3):
        def get_object(self, **request: str) -> dict[str, Any]:
            if request["Key"].endswith("results.csv"):
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
            return super().get_object(**request)

    target.client = lambda service: Deleted()  # type: ignore[misc]
    with pytest.raises(NotFound, match="older was deleted while it was downloaded: 1 of 2 files could not"):
        bring(target, "older", tmp_path / "office")
    assert [each.name for each in (tmp_path / "office").iterdir()] == ["manifest.json"]


class Breaking(MemoryS3):
    """The transfer of the table breaks off some times, in the middle."""

    def __init__(self, times: int) -> None:
        super().__init__(names=["manifest.json", "results.csv", "overview.json"])
        self.times = times

    def get_object(self, **request: str) -> dict[str, Any]:
        answer = super().get_object(**request)
        if not request["Key"].endswith("results.csv") or not self.times:
            return answer
        self.times -= 1
        content = answer["Body"].read()
        half = StreamingBody(io.BytesIO(content[: len(content) // 2]), len(content))
        return answer | {"Body": half}


def test_a_transfer_that_breaks_off_is_repeated(
    target: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_BEFORE_NEXT_S", 0.0)
    s3 = Breaking(times=2)
    target.client = lambda service: s3  # type: ignore[misc]
    folder = bring(target, "older", tmp_path / "office")
    assert (folder / "results.csv").read_bytes() == _identified("older", "results.csv")
    assert {path.name for path in folder.iterdir()} == set(s3.names)


def test_a_transfer_that_never_succeeds_leaves_no_part_and_is_completed_later(
    target: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_BEFORE_NEXT_S", 0.0)
    s3 = Breaking(times=1000)
    target.client = lambda service: s3  # type: ignore[misc]
    with pytest.raises(IncompleteReadError):
        bring(target, "older", tmp_path / "office")
    assert "results.csv" not in {path.name.strip(".").removesuffix(".part") for path in (tmp_path / "office").iterdir()}
    s3.times = 0
    s3.downloaded.clear()
    folder = bring(target, "older", tmp_path / "office")
    assert {path.name for path in folder.iterdir()} == set(s3.names)
    assert "manifest.json" not in s3.downloaded


def test_leftovers_of_a_killed_process_are_removed(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / ".results.csv.0123.part").write_text("half", encoding="utf-8")
    bring(target, "older", folder)
    assert sorted(each.name for each in folder.iterdir()) == ["manifest.json", "results.csv"]


def test_only_files_that_are_not_on_disk_or_have_changed_are_downloaded(target: Connection, tmp_path: Path) -> None:
    table = [b"1"]
    s3 = MemoryS3(lambda simulation, name: table[-1] if name == "results.csv" else _identified(simulation, name))
    target.client = lambda service: s3  # type: ignore[misc]
    folder = bring(target, "older", tmp_path / "office")
    bring(target, "older", folder)
    assert s3.downloaded == ["manifest.json", "results.csv"]
    table.append(b"2")
    bring(target, "older", folder)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    bring(target, "older", folder)
    assert s3.downloaded[2:] == ["results.csv", "manifest.json"]
    assert (folder / "results.csv").read_bytes() == b"2"


def test_an_object_in_parts_is_recognised_by_size_and_time(target: Connection, tmp_path: Path) -> None:
    class InParts(MemoryS3):
        def _listed(self, key: str) -> dict[str, Any]:
            return super()._listed(key) | {"ETag": '"0123-2"'}

    s3 = InParts()
    target.client = lambda service: s3  # type: ignore[misc]
    folder = bring(target, "older", tmp_path / "office")
    bring(target, "older", folder)
    assert s3.downloaded == ["manifest.json", "results.csv"]
    os.utime(folder / "results.csv")
    bring(target, "older", folder)
    assert s3.downloaded[2:] == ["results.csv"]


def test_what_ended_early_is_downloaded_while_the_study_runs(target: Connection, tmp_path: Path) -> None:
    s3 = MemoryS3(names=["manifest.json", "variants/0/in.idf"])
    target.client = lambda service: s3  # type: ignore[misc]
    download = Download(target, "older", tmp_path / "office", with_variants=True)
    with downloading_early(download) as note:
        note(RunCounts(running=2, total=10))
        assert not (tmp_path / "office").exists()
        note(RunCounts(running=2, succeeded=1, total=10))
        _await((tmp_path / "office" / "variants" / "0" / "in.idf").is_file)
    s3.names += ["results.csv", "variants/1/in.idf"]
    told: list[tuple[int, int]] = []
    assert download.finish(lambda done, total: told.append((done, total))) == tmp_path / "office"
    assert s3.downloaded[:2] == ["manifest.json", "variants/0/in.idf"]
    assert sorted(s3.downloaded[2:]) == ["results.csv", "variants/1/in.idf"], "several at a time"
    assert told[-1] == (4, 4)


def test_a_variant_that_ran_again_after_its_download_is_brought_again(target: Connection, tmp_path: Path) -> None:
    attempts = [b"first"]
    s3 = MemoryS3(lambda simulation, name: _identified(simulation, name) if "manifest" in name else attempts[-1])
    s3.names = ["manifest.json", "variants/0/result.json"]
    target.client = lambda service: s3  # type: ignore[misc]
    download = Download(target, "older", tmp_path / "office", with_variants=True)
    assert download.download_early()
    attempts.append(b"again")
    folder = download.finish(lambda done, total: None)
    assert (folder / "variants" / "0" / "result.json").read_bytes() == b"again"


def test_a_download_that_goes_on_in_a_folder_of_another_run_is_whole(target: Connection, tmp_path: Path) -> None:
    download = Download(target, "older", tmp_path / "office", with_variants=True)
    assert download.download_early()
    bring(target, "younger", tmp_path / "office")
    folder = download.finish(lambda done, total: None)
    assert {path.name for path in folder.iterdir()} == set(_NAMES)
    assert (run_in(folder), run_in(tmp_path / "office")) == ("older", "younger")


def test_early_downloads_wait_for_nobody_and_end_when_told(target: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "office"
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    download = Download(target, "older", folder, with_variants=True)
    with pytest.raises(FolderBusy):
        download.download_early()
    os.close(held)
    download.stop()
    assert not download.download_early()
    assert list(folder.iterdir()) == []


def test_a_fault_of_an_early_download_is_left_to_the_last_one(target: Connection, tmp_path: Path) -> None:
    (tmp_path / "office").write_text("", encoding="utf-8")
    download = Download(target, "older", tmp_path / "office", with_variants=True)
    threads = threading.active_count()
    with downloading_early(download) as note:
        note(RunCounts(succeeded=1, total=1))
        _await(lambda: threading.active_count() == threads)
    with pytest.raises(CannotWrite):
        download.finish(lambda done, total: None)


def test_a_small_rest_of_the_disk_is_left_to_the_study(
    target: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Mock(free=2**30))
    download = Download(target, "older", tmp_path / "office", with_variants=True)
    assert not download.download_early()
    assert list((tmp_path / "office").iterdir()) == []


def _await(true: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("key", ["../study.json", "a/../study.json", "./study.json", f"{'x' * 300}/study.json"])
def test_results_stay_below_the_results_folder(key: str, tmp_path: Path) -> None:
    assert results_folder(tmp_path, key, "simulation-1") == tmp_path / "simulation-1"


def test_results_are_in_a_folder_called_as_the_study_s(tmp_path: Path) -> None:
    assert results_folder(tmp_path, "anna/office/study.json", "office-1") == tmp_path / "office"
