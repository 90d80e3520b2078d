"""Objects in S3: versions, owners, pinned inputs, results that are written once."""

import gzip
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.files import OWNER_METADATA, Files
from epsm.study.manifest import ObjectRef
from tests.unit.conftest import INPUTS, RESULTS

ANNA = "arn:aws:iam::123456789012:user/Ännä"


def put(s3: Any, key: str, content: bytes = b"", **more: Any) -> str:
    """The version of a new object of the inputs bucket."""
    return str(s3.put_object(Bucket=INPUTS, Key=key, Body=content, **more)["VersionId"])


def ref(s3: Any, key: str, content: bytes, **changes: Any) -> ObjectRef:
    """A reference to a new object."""
    version = put(s3, key, content)
    digest = hashlib.sha256(content).hexdigest()
    pinned = ObjectRef(bucket=INPUTS, key=key, version_id=version, sha256=digest, bytes=len(content))
    return pinned.model_copy(update=changes)


# --- Versions


def test_the_versions_of_a_file_come_the_newest_first(s3: Any, files: Files) -> None:
    versions = [put(s3, "office/room.idf", content) for content in (b"1", b"22", b"333")]
    put(s3, "office2/room.idf")

    found = files.list_study(INPUTS, "office/")

    assert list(found) == ["room.idf"]
    assert [each.version_id for each in found["room.idf"]] == versions[::-1]
    assert [(each.key, each.bytes, each.deleted) for each in found["room.idf"]] == [
        ("office/room.idf", 3, False),
        ("office/room.idf", 2, False),
        ("office/room.idf", 1, False),
    ]
    assert len({each.etag for each in found["room.idf"]}) == 3


def test_a_deleted_file_has_a_mark_before_its_versions(s3: Any, files: Files) -> None:
    put(s3, "office/room.idf", b"1")
    s3.delete_object(Bucket=INPUTS, Key="office/room.idf")

    mark, version = files.list_study(INPUTS, "office/")["room.idf"]

    assert (mark.deleted, mark.bytes, mark.etag) == (True, 0, "")
    assert (version.deleted, version.bytes) == (False, 1)


def test_files_are_found_by_the_same_name_however_their_letters_are_composed(s3: Any, files: Files) -> None:
    composed, apart = (unicodedata.normalize(form, "Büro.idf") for form in ("NFC", "NFD"))
    put(s3, f"office/{composed}")
    put(s3, f"office/{apart}")

    found = files.list_study(INPUTS, "office/")

    assert {name: {each.key for each in versions} for name, versions in found.items()} == {
        composed: {f"office/{composed}", f"office/{apart}"}
    }


def test_a_folder_without_files_has_none(files: Files) -> None:
    assert files.list_study(INPUTS, "office/") == {}


# --- Who sent a study


def test_an_owner_is_believed_in_the_owners_own_home_alone(s3: Any, files: Files) -> None:
    metadata = {OWNER_METADATA: quote(ANNA)}
    at_home, elsewhere = keys.owned_study_key(ANNA, "ab12", "office"), "office/study.json"
    with_another = keys.owned_study_key("bert", "ab12", "office")
    versions = {key: put(s3, key, b"{}", Metadata=metadata) for key in (at_home, elsewhere, with_another)}

    owners = {key: files.read_study(INPUTS, key, version)[1] for key, version in versions.items()}

    assert owners == {at_home: ANNA, elsewhere: "", with_another: ""}


def test_a_study_without_an_owner_has_none(s3: Any, files: Files) -> None:
    version = put(s3, "office/study.json", b"{}")

    assert files.read_study(INPUTS, "office/study.json", version) == (b"{}", "")


def test_of_a_study_the_version_that_was_announced_is_read(s3: Any, files: Files) -> None:
    first = put(s3, "study.json", b"1")
    put(s3, "study.json", b"2")

    assert files.read_study(INPUTS, "study.json", first)[0] == b"1"
    with pytest.raises(NotFound, match=f"s3://{INPUTS}/study.json"):
        files.read_study(INPUTS, "study.json", "00000000-0000-0000-0000-000000000000")


# --- Pinned inputs


def test_a_read_pins_what_was_read(s3: Any, files: Files) -> None:
    version = put(s3, "room.idf", b"Version,25.2;")

    content, pinned = files.read(INPUTS, "room.idf")

    digest = hashlib.sha256(b"Version,25.2;").hexdigest()
    assert content == b"Version,25.2;"
    assert pinned == ObjectRef(bucket=INPUTS, key="room.idf", version_id=version, sha256=digest, bytes=13)


def test_an_object_of_a_bucket_without_versions_is_pinned_as_such(s3: Any, files: Files) -> None:
    s3.put_object(Bucket=RESULTS, Key="a", Body=b"1")

    assert files.read(RESULTS, "a")[1].version_id == "null"


def test_what_was_pinned_is_fetched_whatever_came_later(s3: Any, files: Files, tmp_path: Path) -> None:
    pinned = ref(s3, "room.idf", b"1")
    put(s3, "room.idf", b"2")

    files.fetch(pinned, tmp_path / "in.idf")

    assert (tmp_path / "in.idf").read_bytes() == b"1"
    assert [each.name for each in tmp_path.iterdir()] == ["in.idf"]


def test_of_a_bucket_without_versions_the_only_content_is_fetched(s3: Any, files: Files, tmp_path: Path) -> None:
    s3.put_object(Bucket=RESULTS, Key="a", Body=b"1")

    files.fetch(files.read(RESULTS, "a")[1], tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == b"1"


def test_other_content_than_was_pinned_is_refused_and_leaves_no_file(s3: Any, files: Files, tmp_path: Path) -> None:
    pinned = ref(s3, "room.idf", b"1", sha256=hashlib.sha256(b"2").hexdigest())

    with pytest.raises(RuntimeError, match=f"s3://{INPUTS}/room.idf has changed since the study was accepted"):
        files.fetch(pinned, tmp_path / "in.idf")

    assert list(tmp_path.iterdir()) == []


def test_what_is_gone_is_not_there(s3: Any, files: Files, tmp_path: Path) -> None:
    pinned = ref(s3, "room.idf", b"1")
    s3.delete_object(Bucket=INPUTS, Key="room.idf", VersionId=pinned.version_id)

    with pytest.raises(NotFound, match=f"s3://{INPUTS}/room.idf"):
        files.fetch(pinned, tmp_path / "in.idf")
    with pytest.raises(NotFound):
        files.read(INPUTS, "never.idf")


def test_a_refusal_is_not_an_absence(files: Files) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        files.read("not-a-bucket-of-this-account", "room.idf")


# --- Results


def test_json_is_written_as_it_is_read(s3: Any, files: Files) -> None:
    files.put_json("runs/a/result.json", {"name": "Büro", "eui": 1.5})

    answer = s3.get_object(Bucket=RESULTS, Key="runs/a/result.json")
    assert json.loads(answer["Body"].read()) == {"name": "Büro", "eui": 1.5}
    assert answer["ContentType"] == "application/json"


def test_json_holds_no_number_that_is_none(files: Files) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.put_json("runs/a/result.json", {"eui": float("nan")})

    assert files.size(RESULTS, "runs/a/result.json") is None


def test_what_is_written_once_is_not_written_again(files: Files) -> None:
    assert files.put_text_once("runs/a/manifest.json", "first", "text/plain")
    assert not files.put_text_once("runs/a/manifest.json", "second", "text/plain")

    assert files.open_result("runs/a/manifest.json").read() == b"first"


def test_text_is_written_over(s3: Any, files: Files) -> None:
    files.put_text("report.html", "first", "text/html")
    files.put_text("report.html", "Ä", "text/html")

    answer = s3.get_object(Bucket=RESULTS, Key="report.html")
    assert (answer["Body"].read().decode(), answer["ContentType"]) == ("Ä", "text/html")


@pytest.mark.parametrize(("size", "parts"), [(4_000, ""), (16 * 2**20, ""), (16 * 2**20 + 1, "-3")])
def test_a_file_arrives_whole_a_large_one_in_parts_of_8_mib(
    s3: Any, files: Files, tmp_path: Path, size: int, parts: str
) -> None:
    content = (b"a,b\n" * (size // 4 + 1))[:size]
    (tmp_path / "results.csv").write_bytes(content)

    etag = files.put_file("runs/a/results.csv", tmp_path / "results.csv", "text/csv")

    answer = s3.get_object(Bucket=RESULTS, Key="runs/a/results.csv")
    assert answer["Body"].read() == content
    assert (answer["ContentType"], answer["ETag"]) == ("text/csv", etag)
    assert re.fullmatch(f'"[0-9a-f]{{32}}{parts}"', etag)


@pytest.mark.parametrize(("size", "asked"), [(0, False), (2**20, False), (2**20 + 1, True)])
def test_s3_is_asked_whether_it_takes_an_object_before_it_is_sent_only_if_it_is_large(
    s3: Any, files: Files, tmp_path: Path, size: int, asked: bool
) -> None:
    (tmp_path / "eplusout.err").write_bytes(bytes(size))
    sent: list[bool] = []

    def note(request: Any, **_: Any) -> None:
        sent.append("Expect" in request.headers)

    s3.meta.events.register("before-sign.s3.PutObject", note)
    try:
        files.put_file("runs/a/eplusout.err", tmp_path / "eplusout.err")
        files.put_bytes("runs/a/eplusout.err", bytes(size))
    finally:
        s3.meta.events.unregister("before-sign.s3.PutObject", note)
    assert sent == [asked, asked]
    assert files.open_result("runs/a/eplusout.err").read() == bytes(size)


def test_a_compressed_file_unpacks_to_what_it_was_and_leaves_nothing(files: Files, tmp_path: Path) -> None:
    (tmp_path / "eplusout.sql").write_bytes(b"0" * 100_000)

    files.put_file_compressed("runs/a/eplusout.sql.gz", tmp_path / "eplusout.sql")

    packed = files.open_result("runs/a/eplusout.sql.gz").read()
    assert (gzip.decompress(packed), len(packed) < 10_000) == (b"0" * 100_000, True)
    assert packed[4:8] == bytes(4), "no time of modification: the same file gives the same object"
    assert [each.name for each in tmp_path.iterdir()] == ["eplusout.sql"]


def test_the_size_of_an_object_is_its_bytes(s3: Any, files: Files) -> None:
    put(s3, "room.idf", b"123")

    assert files.size(INPUTS, "room.idf") == 3
    assert files.size(INPUTS, "never.idf") is None


def test_a_download_may_be_had_by_its_address_for_some_seconds(files: Files) -> None:
    url = files.presigned_download("runs/a/results.csv", 60)

    assert "runs/a/results.csv" in url
    assert RESULTS in url


@pytest.mark.parametrize(
    "read",
    [lambda files: files.open_result("runs/a/results.csv"), lambda files: files.read_manifest("a")],
    ids=["file", "manifest"],
)
def test_a_result_that_is_not_written_yet_is_not_there(files: Files, read: Callable[[Files], Any]) -> None:
    with pytest.raises(NotFound, match=f"s3://{RESULTS}/runs/a/"):
        read(files)


def test_a_bucket_that_does_not_answer_is_a_fault(s3: Any, files: Files) -> None:
    files.look()

    s3.delete_bucket(Bucket=RESULTS)

    with pytest.raises(ClientError):
        files.look()


@pytest.mark.parametrize("code", ["AccessDenied", "403"])
def test_an_object_that_a_worker_may_not_list_is_missing(files: Files, s3: Any, code: str) -> None:
    def refuse(**_: Any) -> tuple[Any, dict[str, Any]]:
        response = type("Response", (), {"status_code": 403})()
        return response, {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    s3.meta.events.register("before-call.s3", refuse)
    try:
        with pytest.raises(NotFound):
            files.read_unchanged("runs/a/variants/0/result.json", '"etag"')
        with pytest.raises(NotFound):
            files.copy_unchanged("runs/a/variants/0/in.idf", '"etag"', "runs/b/variants/0/in.idf")
    finally:
        s3.meta.events.unregister("before-call.s3", refuse)


def test_a_result_that_is_removed_before_it_is_copied_is_missing(s3: Any, files: Files) -> None:
    etag = files.put_bytes("runs/a/variants/1/in.idf", b"content")

    def remove(**_: Any) -> None:
        s3.delete_object(Bucket=RESULTS, Key="runs/a/variants/1/in.idf")

    s3.meta.events.register("before-call.s3.CopyObject", remove)
    try:
        with pytest.raises(NotFound):
            files.copy_unchanged("runs/a/variants/1/in.idf", etag, "runs/b/variants/1/in.idf")
    finally:
        s3.meta.events.unregister("before-call.s3.CopyObject", remove)
