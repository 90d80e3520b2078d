"""The inputs bucket: studies with their owners, copies, addresses to upload to."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.store.files import Files
from epsm.store.inputs import UPLOAD_SECONDS, InputsBucket, simulation_of
from epsm.study.manifest import Source
from tests.unit.conftest import INPUTS

ANNA = "arn:aws:iam::123456789012:user/Ännä 漢"


def content(s3: Any, key: str) -> bytes:
    return bytes(s3.get_object(Bucket=INPUTS, Key=key)["Body"].read())


def test_a_study_is_put_with_its_owner_whatever_the_owners_letters(inputs: InputsBucket, files: Files) -> None:
    key = keys.owned_study_key(ANNA, "ab12", "office")

    source = inputs.put_study(key, b"{}", ANNA)

    assert files.read_study(source.bucket, source.key, source.version_id) == (b"{}", ANNA)


def test_a_study_of_nobody_has_no_metadata(s3: Any, inputs: InputsBucket) -> None:
    inputs.put_study("office/study.json", b"{}")

    answer = s3.get_object(Bucket=INPUTS, Key="office/study.json")
    assert (answer["Metadata"], answer["ContentType"]) == ({}, "application/json")


def test_a_study_that_is_copied_onto_itself_is_a_new_version_with_the_same_owner(
    inputs: InputsBucket, files: Files
) -> None:
    key = keys.owned_study_key(ANNA, "ab12", "office")
    first = inputs.put_study(key, b"1", ANNA)
    inputs.put_study(key, b"2", "bert")

    again = inputs.copy_study(first)

    assert (again.bucket, again.key) == (first.bucket, first.key)
    assert again.version_id != first.version_id
    assert files.read_study(INPUTS, key, again.version_id) == (b"1", ANNA)
    assert simulation_of(again) != simulation_of(first)


def test_a_simulation_has_the_name_of_what_was_uploaded() -> None:
    source = Source(bucket="inputs", key="office/study.json", version_id="v1")

    assert simulation_of(source) == keys.simulation_id("inputs", "office/study.json", "v1")


def test_a_file_is_put_and_copied(s3: Any, inputs: InputsBucket) -> None:
    inputs.put("uploads/anna/ab12", b"Version,25.2;")

    inputs.copy("uploads/anna/ab12", "users/anna/studies/x/office/Büro +1.idf")

    assert content(s3, "users/anna/studies/x/office/Büro +1.idf") == b"Version,25.2;"


def test_an_upload_says_where_how_long_and_which_content(inputs: InputsBucket) -> None:
    digest = hashlib.sha256(b"Version,25.2;").hexdigest()

    url, headers = inputs.presigned_upload("uploads/anna/ab12", digest, 13)

    checksum = base64.b64encode(hashlib.sha256(b"Version,25.2;").digest()).decode()
    assert headers == {"x-amz-checksum-sha256": checksum}
    address, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert (address.hostname, address.path) == (f"{INPUTS}.s3.amazonaws.com", "/uploads/anna/ab12")
    assert query["X-Amz-Expires"] == [str(UPLOAD_SECONDS)]
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]


def test_a_file_that_is_not_there_is_not_copied(inputs: InputsBucket) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        inputs.copy("uploads/anna/ab12", "users/anna/room.idf")


def test_a_bucket_that_does_not_answer_is_a_fault(s3: Any, inputs: InputsBucket) -> None:
    inputs.look()

    with pytest.raises(ClientError):
        InputsBucket(s3, "not-a-bucket-of-this-account").look()
