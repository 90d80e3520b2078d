"""Results of a study, which an earlier attempt does not replace once a later one has written them."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.store import collected_files
from epsm.store.collected_files import CollectedFiles
from tests.unit.conftest import RESULTS

KEY = "runs/a/results.csv"


def put(s3: Any, attempt: int, content: bytes | Path) -> bool:
    return CollectedFiles(s3, RESULTS, attempt).put(KEY, content, "text/csv")


def content_of(s3: Any) -> bytes:
    content: bytes = s3.get_object(Bucket=RESULTS, Key=KEY)["Body"].read()
    return content


@pytest.fixture(params=[False, True], ids=["whole", "in parts"])
def content(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a content, or a file that is uploaded in parts, of an attempt."""
    if not request.param:
        return lambda attempt: b"of attempt %d" % attempt
    monkeypatch.setattr(collected_files, "_PART_BYTES", 5 * 2**20)

    def file(attempt: int) -> Path:
        path = tmp_path / str(attempt)
        path.write_bytes(b"%d" % attempt * (11 * 2**20))
        return path

    return file


def bytes_of(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


@pytest.mark.parametrize("attempts", [(1,), (1, 1), (1, 2), (2, 3), (1, 3, 3)])
def test_an_attempt_replaces_its_own_and_earlier_ones(s3: Any, content: Any, attempts: tuple[int, ...]) -> None:
    for attempt in attempts:
        assert put(s3, attempt, content(attempt))
    assert content_of(s3) == bytes_of(content(attempts[-1]))
    assert s3.head_object(Bucket=RESULTS, Key=KEY)["ContentType"] == "text/csv"


def test_an_earlier_attempt_that_collects_late_replaces_nothing(s3: Any, content: Any) -> None:
    assert put(s3, 2, content(2))
    assert not put(s3, 1, content(1))
    assert content_of(s3) == bytes_of(content(2))


def test_objects_of_an_earlier_release_are_replaced(s3: Any) -> None:
    s3.put_object(Bucket=RESULTS, Key=KEY, Body=b"old")
    assert put(s3, 1, b"new")
    assert content_of(s3) == b"new"


@pytest.mark.parametrize(("late", "other", "expected"), [(1, 2, b"other"), (2, 1, b"late"), (2, 2, b"late")])
def test_of_two_attempts_that_write_at_a_time_the_later_remains(
    s3: Any, monkeypatch: pytest.MonkeyPatch, late: int, other: int, expected: bytes
) -> None:
    put(s3, 1, b"first")
    write, others = s3.put_object, [other]

    def write_late(**arguments: Any) -> Any:
        if others and "IfMatch" in arguments:
            assert put(s3, others.pop(), b"other")
        return write(**arguments)

    monkeypatch.setattr(s3, "put_object", write_late)

    assert put(s3, late, b"late") is (expected == b"late")
    assert content_of(s3) == expected


def test_a_missing_object_that_may_not_be_listed_is_written(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "403"}}, "HeadObject")

    monkeypatch.setattr(s3, "head_object", forbidden)
    assert put(s3, 2, b"new")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        put(s3, 2, b"newer")


def test_another_refusal_is_raised_at_once(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(**arguments: Any) -> Any:
        asked.append(arguments["Key"])
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    monkeypatch.setattr(s3, "put_object", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        put(s3, 1, b"")
    assert asked == [KEY]


def test_parts_of_a_failed_upload_are_dropped(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collected_files, "_PART_BYTES", 5 * 2**20)
    (tmp_path / "a").write_bytes(bytes(6 * 2**20))

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown"}}, "CompleteMultipartUpload")

    monkeypatch.setattr(s3, "complete_multipart_upload", refuse)
    with pytest.raises(ClientError):
        put(s3, 1, tmp_path / "a")
    assert not s3.list_multipart_uploads(Bucket=RESULTS).get("Uploads")
