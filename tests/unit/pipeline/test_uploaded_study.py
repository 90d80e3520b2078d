"""Which versions of the files in a bucket belong to a study."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from epsm.pipeline import uploaded_study
from epsm.pipeline.uploaded_study import UploadedStudy
from epsm.store import keys
from epsm.store.files import OWNER_METADATA, Files
from epsm.study.manifest import Source
from tests.unit.fakes import fake

GRACE_S = 10
LONG_AGO = datetime(2026, 5, 1, 12, tzinfo=UTC)


class VersionedBucket:
    """What `Files` uses of an S3 client to list and read versions.

    Attributes:
        versions: Key, version, time in seconds, content (None for a mark of a deletion), in the order they came.
    """

    def __init__(self) -> None:
        self.versions: list[tuple[str, str, float, bytes | None]] = []
        self.metadata: dict[str, str] = {}

    def put(self, key: str, at_s: float, content: bytes | None) -> str:
        version = f"v{len(self.versions)}"
        self.versions.append((key, version, at_s, content))
        return version

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's names
        page: dict[str, Any] = {"Versions": [], "DeleteMarkers": []}
        for key, version, at_s, content in reversed(self.versions):
            moment = {"Key": key, "VersionId": version, "LastModified": LONG_AGO + timedelta(seconds=int(at_s))}
            if not key.startswith(Prefix):
                continue
            if content is None:
                page["DeleteMarkers"].append(moment)
            else:
                etag = hashlib.sha256(content).hexdigest()
                page["Versions"].append({**moment, "Size": len(content), "ETag": etag})
        return [page]

    def get_object(self, *, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:  # noqa: N803
        (content,) = [each[3] for each in self.versions if each[:2] == (Key, VersionId)]
        return {"Body": io.BytesIO(content or b""), "VersionId": VersionId, "Metadata": self.metadata}


@pytest.fixture
def bucket() -> VersionedBucket:
    return VersionedBucket()


def study_of(bucket: VersionedBucket, version: str, document: bytes = b"{}", key: str = "me/a/study.json") -> Any:
    source = Source(bucket="inputs", key=key, version_id=version)
    return UploadedStudy(Files(fake(bucket), "results"), source, document, timedelta(seconds=GRACE_S), lambda _: None)


def read(study: UploadedStudy, name: str = "room.idf") -> bytes | None:
    study.sizes([name])
    return study.read(name)


def test_a_file_that_is_overwritten_after_study_json_is_not_taken(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 98, b"mine")
    version = bucket.put("me/a/study.json", 100, b"{}")
    bucket.put("me/a/room.idf", 102, b"another")
    study = study_of(bucket, version)
    assert (read(study), study.problems) == (b"mine", [])


def test_every_delivery_pins_the_same_version(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 98, b"mine")
    version = bucket.put("me/a/study.json", 100, b"{}")
    pins = []
    for later in (200, 300):
        study = study_of(bucket, version)
        read(study)
        pins.append(study.refs["room.idf"])
        bucket.put("me/a/room.idf", later, b"later")
    assert pins[0] == pins[1]


def test_a_file_that_comes_after_study_json_is_read_in_its_first_version(bucket: VersionedBucket) -> None:
    version = bucket.put("me/a/study.json", 100, b"{}")
    bucket.put("me/a/room.idf", 102, b"mine")
    bucket.put("me/a/room.idf", 300, b"another")
    assert read(study_of(bucket, version)) == b"mine"


class Waiting:
    """A study whose study.json was written a second ago, at 100 s; the clock advances by a second with each wait.

    Attributes:
        arrivals: Uploads of room.idf, by the second in which they arrive.
        now_s: The time.
    """

    def __init__(self, bucket: VersionedBucket, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrivals: dict[int, bytes] = {}
        self.now_s = 101
        self._bucket = bucket
        source = Source(bucket="inputs", key="me/a/study.json", version_id=bucket.put("me/a/study.json", 100, b"{}"))
        files = Files(fake(bucket), "results")
        self.study = UploadedStudy(files, source, b"{}", timedelta(seconds=GRACE_S), self._wait)
        clock = SimpleNamespace(now=lambda zone: LONG_AGO + timedelta(seconds=self.now_s))
        monkeypatch.setattr(uploaded_study, "datetime", clock)

    def _wait(self, _: float) -> None:
        if content := self.arrivals.get(self.now_s):
            self._bucket.put("me/a/room.idf", self.now_s, content)
        self.now_s += 1


@pytest.mark.parametrize("at_s", [101, 105, 109])
def test_a_missing_file_is_waited_for(bucket: VersionedBucket, monkeypatch: pytest.MonkeyPatch, at_s: int) -> None:
    waiting = Waiting(bucket, monkeypatch)
    waiting.arrivals[at_s] = b"mine"
    assert waiting.study.sizes(["room.idf"]) == {"room.idf": 4, "study.json": 2}
    assert (waiting.study.read("room.idf"), waiting.now_s) == (b"mine", at_s + 1)


def test_a_missing_file_is_not_waited_for_once_no_other_one_has_arrived_for_a_while(
    bucket: VersionedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(bucket, monkeypatch)
    assert waiting.study.sizes(["room.idf"]) == {"study.json": 2}
    assert waiting.now_s == 100 + GRACE_S


@pytest.mark.parametrize("at_s", [101, 105, 100 + GRACE_S])
def test_an_older_file_is_taken_only_if_no_newer_one_follows_study_json(
    bucket: VersionedBucket, monkeypatch: pytest.MonkeyPatch, at_s: int
) -> None:
    bucket.put("me/a/room.idf", 50, b"older")
    waiting = Waiting(bucket, monkeypatch)
    waiting.arrivals[at_s] = b"newer"
    waiting.study.sizes(["room.idf"])
    waiting.study.read("room.idf")
    assert [problem.where for problem in waiting.study.problems] == ["room.idf"]
    assert waiting.now_s == 100 + GRACE_S + 1


def test_files_that_are_there_are_not_waited_for(bucket: VersionedBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("me/a/room.idf", 99, b"mine")
    waiting = Waiting(bucket, monkeypatch)
    assert waiting.study.sizes(["room.idf"])["room.idf"] == 4
    assert waiting.now_s == 101


def test_a_file_deleted_before_study_json_is_not_there(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 50, b"old")
    bucket.put("me/a/room.idf", 60, None)
    version = bucket.put("me/a/study.json", 100, b"{}")
    assert study_of(bucket, version).sizes(["room.idf"]) == {"study.json": 2}


def test_a_folder_uploaded_again_with_study_json_first_is_refused_not_guessed(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 0, b"of an hour ago")
    version = bucket.put("me/a/study.json", 3600, b"{}")
    bucket.put("me/a/room.idf", 3602, b"of now")
    study = study_of(bucket, version)
    read(study)
    assert [each.what for each in study.problems] == ["was uploaded again 2 s after study.json, and existed before"]


def test_two_files_of_one_name_in_the_second_of_study_json_are_refused(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 100.1, b"mine")
    version = bucket.put("me/a/study.json", 100.2, b"{}")
    bucket.put("me/a/room.idf", 100.3, b"another")
    study = study_of(bucket, version)
    read(study)
    assert "within the same second" in study.problems[0].what


@pytest.mark.parametrize("mine_at_s", [50, 100, 130])
def test_a_study_with_hashes_gets_exactly_its_bytes(bucket: VersionedBucket, mine_at_s: float) -> None:
    """However two uploads to one folder meet."""
    document = b'{"files": {"room.idf": "%s"}}' % hashlib.sha256(b"mine").hexdigest().encode()
    uploads = [("room.idf", mine_at_s, b"mine"), ("room.idf", 90, b"another"), ("room.idf", 101, b"a third")]
    version = ""
    for name, at_s, content in sorted([*uploads, ("study.json", 100, document)], key=lambda each: each[1]):
        put = bucket.put(f"me/a/{name}", at_s, content)
        version = put if name == "study.json" else version
    study = study_of(bucket, version, document)
    assert (read(study), study.problems) == (b"mine", [])


def test_without_its_bytes_a_study_with_hashes_shows_what_is_there(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 98, b"another")
    document = b'{"files": {"room.idf": "%s"}}' % (b"0" * 64)
    assert read(study_of(bucket, bucket.put("me/a/study.json", 100, document), document)) == b"another"


@pytest.mark.parametrize("key", ["study.json", "users/study.json"])
def test_a_study_elsewhere_reaches_no_file_of_the_apis_callers(bucket: VersionedBucket, key: str) -> None:
    theirs = keys.owned_study_key("anna", "ab12", "Office").replace("study.json", "room.idf")
    bucket.put(theirs, 50, b"Anna's")
    name = theirs.removeprefix(keys.study_prefix(key))
    assert name not in study_of(bucket, bucket.put(key, 100, b"{}"), key=key).sizes([])


@pytest.mark.parametrize(
    ("key", "believed"),
    [
        (keys.owned_study_key("anna", "ab12", "Office"), "anna"),
        (keys.owned_study_key("ben", "ab12", "Office"), ""),
        ("office/study.json", ""),
        ("users/study.json", ""),
    ],
)
def test_an_owner_is_believed_in_the_owners_home_alone(bucket: VersionedBucket, key: str, believed: str) -> None:
    bucket.metadata = {OWNER_METADATA: quote("anna")}
    version = bucket.put(key, 100, b"{}")
    assert Files(fake(bucket), "results").read_study("inputs", key, version) == (b"{}", believed)


def test_a_file_of_an_earlier_study_json_is_no_second_one_of_this(bucket: VersionedBucket) -> None:
    bucket.put("me/a/room.idf", 95, b"of the first")
    bucket.put("me/a/study.json", 96, b"{}")
    bucket.put("me/a/room.idf", 100.1, b"of the second")
    version = bucket.put("me/a/study.json", 100.2, b"{}")
    study = study_of(bucket, version)
    assert (read(study), study.problems) == (b"of the second", [])
