"""Bodies of objects: on the disk, and open only while they are read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epsm_local.moto_patches import objects
from epsm_local.stack import LocalStack
from tests.moto_fixtures import unique

LARGE = 200_000


@pytest.fixture
def s3(stack: LocalStack) -> Any:
    return stack.client("s3")


@pytest.fixture
def folder(stack: LocalStack, tmp_path: Path) -> Iterator[Path]:
    """Bodies that are stored during a test are here."""
    before = objects._folder
    objects.use_folder(tmp_path)
    yield tmp_path
    objects.use_folder(before)


@pytest.fixture
def bucket(s3: Any, folder: Path) -> str:
    name = unique("bodies")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def open_files() -> int:
    """Regular files that this process has open, deleted ones too; sockets are not counted."""
    links = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return sum(link.startswith("/") and not link.startswith("/dev/") for link in links)


def test_stored_objects_hold_no_file_open(s3: Any, bucket: str) -> None:
    before = open_files()
    for number in range(100):
        s3.put_object(Bucket=bucket, Key=str(number), Body=bytes([number]) * LARGE)
    assert open_files() < before + 20
    for number in range(100):
        assert s3.get_object(Bucket=bucket, Key=str(number))["Body"].read() == bytes([number]) * LARGE


def test_a_file_goes_with_the_last_version_of_it(s3: Any, bucket: str, folder: Path) -> None:
    for key in ("a", "a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode() * LARGE)
    s3.list_object_versions(Bucket=bucket)  # moto copies every version to list it
    assert len(list(folder.iterdir())) == 3
    for each in s3.list_object_versions(Bucket=bucket, Prefix="a")["Versions"]:
        s3.delete_object(Bucket=bucket, Key="a", VersionId=each["VersionId"])
    assert len(list(folder.iterdir())) == 1
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"b" * LARGE


def test_parts_of_an_upload_leave_no_file(s3: Any, bucket: str, folder: Path) -> None:
    upload = {"Bucket": bucket, "Key": "big"}
    for complete in (True, False):
        upload["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
        etag = s3.upload_part(**upload, PartNumber=1, Body=b"x" * LARGE)["ETag"]
        if complete:
            s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
        else:
            s3.abort_multipart_upload(**upload)
    assert len(list(folder.iterdir())) == 1
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == b"x" * LARGE


def test_a_full_disk_is_named_and_not_tried_again(
    s3: Any, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = folder / "full"
    full.symlink_to("/dev/full")  # every write to it finds no space
    monkeypatch.setattr("epsm_local.moto_patches.objects.uuid.uuid4", lambda: type("Name", (), {"hex": "full"}))
    with pytest.raises(s3.exceptions.ClientError, match="disk is full") as fault:
        s3.put_object(Bucket=bucket, Key="a", Body=bytes(LARGE))
    monkeypatch.undo()
    assert fault.value.response["Error"]["Code"] == "InsufficientStorage"
    assert fault.value.response["ResponseMetadata"]["RetryAttempts"] == 0
