"""Studies that are submitted through the API, and upload addresses for their files."""

import base64
import hashlib
import io
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError

from epsm.api.incoming import (
    FilesInRequest,
    FilesUploadedBefore,
    SubmittedStudy,
    presign_uploads,
    submit_from_request,
)
from epsm.errors import StudyRejected
from epsm.settings import Settings
from epsm.store import keys
from epsm.store.files import OWNER_METADATA
from epsm.study.records import StudyRecord, StudyStatus
from tests.conftest import study_document
from tests.unit.fakes import MemoryRecords, MemoryStack

BUCKET = "inputs"
ANNA = "iam:arn:aws:iam::123456789012:user/anna"
BEN = "iam:arn:aws:iam::123456789012:user/ben"


class Inputs:
    """The inputs bucket.

    Attributes:
        objects: Contents by key, in the order they came.
        metadata: Likewise.
        presigned: Parameters of each address that was asked for.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, Mapping[str, str]] = {}
        self.presigned: list[dict[str, Any]] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: Any) -> dict[str, str]:  # noqa: N803
        self.objects[Key], self.metadata[Key] = Body, more.get("Metadata", {})
        return {"VersionId": f"v{len(self.objects)}"}

    def copy_object(self, *, Bucket: str, Key: str, CopySource: dict[str, str]) -> None:  # noqa: N803
        self.objects[Key] = self.objects[CopySource["Key"]]

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, int]:  # noqa: N803
        return {"ContentLength": len(self._there(Key))}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self._there(Key))}

    def _there(self, key: str) -> bytes:
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return self.objects[key]

    def generate_presigned_url(self, operation: str, **given: Any) -> str:
        self.presigned.append({"operation": operation, **given})
        return f"https://inputs.example/{given['Params']['Key']}"


class Claims(MemoryRecords):
    """Records that can be claimed."""

    def create_or_get_study(self, simulation: str, name: str, source: dict[str, str], owner: str = "") -> StudyRecord:
        record = StudyRecord(simulation, name, StudyStatus.PENDING, "2026-01-01", source=source, owner=owner)
        return self.by_name.setdefault(simulation, record)

    def run_time(self, owner: str, sha256: str) -> float | None:
        return None


@pytest.fixture
def inputs() -> Inputs:
    return Inputs()


@pytest.fixture
def records() -> Claims:
    return Claims()


@pytest.fixture(scope="module")
def room(one_day: str, chicago: Path) -> dict[str, bytes]:
    return {"room.idf": one_day.encode(), "chicago.epw": chicago.read_bytes()}


def document(**changes: Any) -> bytes:
    return json.dumps(study_document(**changes), ensure_ascii=False).encode()


def send(
    inputs: Inputs,
    records: Claims,
    files: Mapping[str, bytes],
    study: bytes,
    owner: str = ANNA,
    max_variants: int = 100,
) -> SubmittedStudy:
    settings = Settings(
        inputs_bucket=BUCKET,
        results_bucket="results",
        table_name="records",
        max_variants=max_variants,
        longest_run_s=840,
        variant_memory_mb=1769,
    )
    stack = MemoryStack(records=records, s3=inputs, settings=settings)
    return submit_from_request(stack, study, FilesInRequest(stack.inputs, files), owner)


# --- taking a study in


class Measured(Claims):
    """A table that knows how long every model of Anna's runs."""

    def run_time(self, owner: str, sha256: str) -> float | None:
        return 1000.0 if owner == ANNA else None


def test_a_study_that_is_known_to_cost_more_than_it_may_is_refused_and_nothing_is_stored(
    inputs: Inputs, room: dict[str, bytes]
) -> None:
    with pytest.raises(StudyRejected, match=r"0\.01 is too little: by earlier runs"):
        send(inputs, Measured(), room, document(options={"max_cost_usd": 0.01}))
    assert inputs.objects == {}
    # Another owner must not learn from a rejection that Anna has run the model.
    assert send(inputs, Measured(), room, document(options={"max_cost_usd": 0.01}), owner=BEN)


def test_a_study_goes_into_the_bucket_with_its_study_json_last(
    inputs: Inputs, records: Claims, room: dict[str, bytes]
) -> None:
    send(inputs, records, room, document())
    assert [key.rpartition("/")[2] for key in inputs.objects] == ["room.idf", "chicago.epw", "study.json"]


def test_a_study_goes_below_its_owners_home(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    send(inputs, records, room, document())
    assert all(key.startswith(keys.home(ANNA)) for key in inputs.objects)


def test_the_simulation_has_the_name_that_the_upload_will_give_it(
    inputs: Inputs, records: Claims, room: dict[str, bytes]
) -> None:
    received = send(inputs, records, room, document())
    source = records.by_name[received.simulation_id].source
    assert received.simulation_id == keys.simulation_id(source["bucket"], source["key"], source["version_id"])


def test_a_study_is_known_as_its_owners_at_once(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    received = send(inputs, records, room, document())
    assert records.by_name[received.simulation_id].owner == ANNA


def test_an_owner_of_any_letters_is_written_in_ascii(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    owner = "jwt:https://issuer.example#Zoë % +中"
    send(inputs, records, room, document(), owner=owner)
    (written,) = [each[OWNER_METADATA] for each in inputs.metadata.values() if each]
    assert (written.isascii(), unquote(written)) == (True, owner)


def test_two_studies_of_one_name_are_two_simulations(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    first, second = (send(inputs, records, room, document(name="Office")).simulation_id for _ in range(2))
    assert first != second


@pytest.mark.parametrize("name", ["../../etc", "/", "..", "a/b\\c", "", " . ", "x" * 200, "Büro", "\u202e?#%"])
def test_a_name_of_a_study_makes_one_folder(inputs: Inputs, records: Claims, room: dict[str, bytes], name: str) -> None:
    send(inputs, records, room, document(name=name))
    folders = {key.removeprefix(keys.home(ANNA)).split("/")[2] for key in inputs.objects}
    depths = {key.count("/") for key in inputs.objects}
    assert (len(folders), depths, folders & {"", ".", ".."}) == (1, {5}, set())


@pytest.mark.parametrize(
    "changes",
    [
        {"models": ["hall.idf"]},
        {"models": ["../room.idf"]},
        {"models": ["/room.idf"]},
        {"weather": []},
        {"options": {"timeout_s": 0}},
        {"options": {"timeout_s": 841}},
    ],
)
def test_of_a_study_that_is_refused_nothing_is_stored(
    inputs: Inputs, records: Claims, room: dict[str, bytes], changes: dict[str, Any]
) -> None:
    with pytest.raises(StudyRejected):
        send(inputs, records, room, document(**changes))
    assert (inputs.objects, records.by_name) == ({}, {})


def test_a_study_that_is_too_large_is_refused(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    with pytest.raises(StudyRejected, match="at most 2"):
        send(inputs, records, room, document(), max_variants=2)


def reading(model: bytes, name: str) -> bytes:
    return model + f"\nSchedule:File,From File,,{name},1,0,8760,Comma;\n".encode()


def test_a_model_that_reads_a_study_json_starts_no_second_study(
    inputs: Inputs, records: Claims, room: dict[str, bytes]
) -> None:
    files = room | {"room.idf": reading(room["room.idf"], "more/study.json"), "more/study.json": b"{}"}
    with pytest.raises(StudyRejected, match="is the name of the study's own file"):
        send(inputs, records, files, document())
    assert inputs.objects == {}


def test_a_name_too_long_for_the_bucket_is_refused(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    name = "中" * 350 + ".epw"
    files = {"room.idf": room["room.idf"], name: room["chicago.epw"]}
    with pytest.raises(StudyRejected, match="too long a name"):
        send(inputs, records, files, document(weather=[name]))


def test_files_that_the_study_does_not_name_are_not_stored(
    inputs: Inputs, records: Claims, room: dict[str, bytes]
) -> None:
    send(inputs, records, room | {"../other.txt": b"x", "other.txt": b"x"}, document())
    assert not [key for key in inputs.objects if "other" in key]


# --- files uploaded before


@pytest.mark.parametrize("content", [b"1", b"2", b"3", b"4"])
def test_a_file_that_is_not_what_its_hash_says_is_refused(inputs: Inputs, content: bytes) -> None:
    hashes = uploaded(inputs, ANNA, {"a.idf": b"Version,25.2;"})
    inputs.objects[keys.stored_file_key(ANNA, hashes["a.idf"])] = content
    with pytest.raises(StudyRejected, match=f"SHA-256 {hashlib.sha256(content).hexdigest()}.*upload it again"):
        before(inputs, hashes).read("a.idf")


def uploaded(inputs: Inputs, owner: str, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Upload files; their hashes by name."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        inputs.objects[keys.stored_file_key(owner, hashes[name])] = content
    return hashes


def before(inputs: Inputs, hashes: Mapping[str, str], owner: str = ANNA) -> FilesUploadedBefore:
    return FilesUploadedBefore(MemoryStack(s3=inputs), owner, hashes)


def test_a_study_of_uploaded_files_is_accepted(inputs: Inputs, records: Claims, room: dict[str, bytes]) -> None:
    sent = before(inputs, uploaded(inputs, ANNA, room))
    received = submit_from_request(MemoryStack(records=records, s3=inputs), document(), sent, ANNA)
    assert (received.models, received.variants) == (1, 3)


def test_what_somebody_else_uploaded_is_not_there(inputs: Inputs) -> None:
    hashes = uploaded(inputs, "iam:ben", {"a.idf": b"x"})
    assert before(inputs, hashes).sizes(["a.idf"]) == {}


def test_a_name_in_nfd_is_found_by_its_nfc(inputs: Inputs) -> None:
    hashes = uploaded(inputs, ANNA, {unicodedata.normalize("NFD", "Büro.idf"): b"x"})
    assert before(inputs, hashes).sizes([]) == {"Büro.idf": 1}


def test_a_file_that_was_removed_in_between_is_none(inputs: Inputs) -> None:
    sent = before(inputs, {"a.idf": "0" * 64})
    assert sent.read("a.idf") is None


# --- addresses for uploads


def wanted(inputs: Inputs, content: bytes, owner: str = ANNA) -> Any:
    sha256 = hashlib.sha256(content).hexdigest()
    (upload,) = presign_uploads({"a.idf": sha256}, {"a.idf": len(content)}, owner, MemoryStack(s3=inputs))
    return upload


def test_an_address_is_for_one_content_and_length_alone(inputs: Inputs) -> None:
    upload = wanted(inputs, b"Version,25.2;")
    checksum = base64.b64encode(hashlib.sha256(b"Version,25.2;").digest()).decode()
    (given,) = inputs.presigned
    assert (given["Params"]["ChecksumSHA256"], given["Params"]["ContentLength"]) == (checksum, 13)
    assert upload.headers == {"x-amz-checksum-sha256": checksum}


def test_addresses_of_two_callers_are_for_different_places(inputs: Inputs) -> None:
    assert wanted(inputs, b"x").url != wanted(inputs, b"x", owner="iam:ben").url


def test_an_address_is_for_where_the_file_is_looked_for(inputs: Inputs) -> None:
    key = keys.stored_file_key(ANNA, hashlib.sha256(b"x").hexdigest())
    assert wanted(inputs, b"x").url == f"https://inputs.example/{key}"


def test_what_is_there_needs_no_address(inputs: Inputs) -> None:
    uploaded(inputs, ANNA, {"other-name.idf": b"x"})
    upload = wanted(inputs, b"x")
    assert (upload.present, upload.url) == (True, "")


def test_what_somebody_else_has_is_not_said_to_be_there(inputs: Inputs) -> None:
    uploaded(inputs, "iam:ben", {"a.idf": b"x"})
    assert not wanted(inputs, b"x").present
