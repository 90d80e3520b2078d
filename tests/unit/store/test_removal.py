"""Permanent deletion: orphaned uploads, batches, and deletions that S3 refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.store import keys, removal
from epsm.store.removal import NotRemoved, clear, delete_versions, measure_prefix, orphaned_uploads
from tests.unit.conftest import INPUTS, RESULTS
from tests.unit.fakes import MemoryS3, fake

LATER = datetime.now(UTC) + timedelta(days=1)
EARLIER = LATER - timedelta(days=2)
ANNA = "iam:arn:aws:iam::123456789012:user/anna"


def put(s3: Any, *names: str) -> None:
    for name in names:
        s3.put_object(Bucket=INPUTS, Key=name, Body=b"abc")


def test_orphaned_uploads_are_folders_of_requests_without_a_study_json(s3: Any) -> None:
    whole, orphan = (keys.owned_study_key(ANNA, token, "house").removesuffix("study.json") for token in ("1", "2"))
    put(s3, f"{whole}room.idf", f"{whole}study.json", f"{orphan}b.epw", f"{orphan}room.idf", f"{orphan}room.idf")
    put(s3, f"{keys.home(ANNA)}files/0123", "house/room.idf")
    ((folder, versions),) = orphaned_uploads(s3, INPUTS, LATER)
    assert (folder, len(versions)) == (orphan, 3)
    assert list(orphaned_uploads(s3, INPUTS, EARLIER)) == []


def test_only_the_versions_that_are_named_are_deleted(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    put(s3, *("a/room.idf",) * 6)
    listed = s3.list_object_versions(Bucket=INPUTS)["Versions"]
    delete_versions(s3, INPUTS, [(each["Key"], each["VersionId"]) for each in listed[:5]])
    (left,) = s3.list_object_versions(Bucket=INPUTS)["Versions"]
    assert left["VersionId"] == listed[5]["VersionId"]


def test_everything_below_a_prefix_is_measured_and_deleted(s3: Any) -> None:
    for name in ("runs/a/1", "runs/a/2", "runs/ab/1"):
        s3.put_object(Bucket=RESULTS, Key=name, Body=b"abc")
    assert measure_prefix(s3, RESULTS, "runs/a/") == (2, 6)
    assert clear(s3, RESULTS, "runs/a/") == (2, 6)
    assert measure_prefix(s3, RESULTS, "runs/") == (1, 3)
    assert clear(s3, RESULTS, "nothing/") == (0, 0)


def test_the_first_object_that_s3_refuses_is_named_with_the_number_of_all() -> None:
    s3 = MemoryS3()
    for name in ("a/1", "a/2", "a/3"):
        s3.put_object(Bucket=INPUTS, Key=name, Body=b"")

    def refuse(bucket: str, key: str) -> None:
        if key != "a/1":
            raise PermissionError(f"not {key}")

    s3.on_delete = refuse
    with pytest.raises(NotRemoved, match=r"^s3://inputs/a/2: AccessDenied: not a/2; 2 not removed$"):
        clear(fake(s3), INPUTS, "a/")
