"""Uploading a study in a folder to the inputs bucket: epsm.client.upload."""

import getpass
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import epsm
from epsm.checks.study import CheckedStudy
from epsm.client.folder import FolderOnDisk, check_folder
from epsm.client.upload import upload
from epsm.store.records import Records
from epsm.study.manifest import Source
from tests.conftest import study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER
from tests.unit.conftest import INPUTS
from tests.unit.deployed import Deployed


@pytest.fixture
def folder(tmp_path: Path, one_zone: str) -> Path:
    """A study of a model and a weather file."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "room.idf").write_text(one_zone, encoding="utf-8")
    (folder / "chicago.epw").write_text(DAY_OF_WEATHER, encoding="utf-8")
    (folder / "study.json").write_text(json.dumps(study_document(options={"retention_days": 7})), encoding="utf-8")
    return folder


@pytest.fixture
def accepted(folder: Path) -> CheckedStudy:
    return check_folder(folder, 100)


@pytest.fixture
def connection(s3: Any, records: Records) -> epsm.Connection:
    return epsm.Connection("epsm-dev", {"s3": s3}.__getitem__, Deployed(s3, records), poll_s=0.0)


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")


def send(folder: Path, accepted: CheckedStudy, connection: epsm.Connection, **options: Any) -> tuple[Source, list[str]]:
    """Where study.json was put, and the files in the order in which they were sent, each with its size."""
    sent: dict[str, int] = {}

    def report(name: str, size: int) -> None:
        sent[name] = sent.get(name, 0) + size

    source = upload(folder, accepted.hashes, connection, report, **options)
    assert {name: sent[name] for name in sent if name != "study.json"} == {
        name: (folder / name).stat().st_size for name in accepted.hashes
    }
    return source, list(sent)


def versions(s3: Any) -> dict[str, int]:
    """How many versions of each file the bucket has."""
    listed = s3.list_object_versions(Bucket=INPUTS)["Versions"]
    names = [each["Key"] for each in listed]
    return {name: names.count(name) for name in names}


def test_the_files_are_sent_first_and_study_json_last_with_their_hashes(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, s3: Any
) -> None:
    source, sent = send(folder, accepted, connection)
    assert (source.bucket, source.key) == (INPUTS, "ann/house/study.json")
    assert (set(sent), sent[-1]) == ({"room.idf", "chicago.epw", "study.json"}, "study.json")
    body = s3.get_object(Bucket=INPUTS, Key=source.key, VersionId=source.version_id)["Body"].read()
    assert json.loads(body)["options"] == {"retention_days": 7}
    assert all(sha256 in body.decode() for sha256 in accepted.hashes.values())


def test_what_is_there_is_not_sent_again(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, s3: Any
) -> None:
    send(folder, accepted, connection)
    (folder / "room.idf").write_text((folder / "room.idf").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    source, _ = send(folder, check_folder(folder, 100), connection)
    place = source.key.removesuffix("study.json")
    assert versions(s3) == {f"{place}room.idf": 2, f"{place}chicago.epw": 1, f"{place}study.json": 2}


def test_a_study_is_sent_without_reuse_if_that_is_wanted(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, s3: Any
) -> None:
    source, _ = send(folder, accepted, connection, cache=False)
    body = json.loads(s3.get_object(Bucket=INPUTS, Key=source.key)["Body"].read())
    assert body["options"] == {"retention_days": 7, "cache": False}


def test_a_study_is_sent_with_another_compute_if_that_is_wanted(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, s3: Any
) -> None:
    source, _ = send(folder, accepted, connection, compute="spot")
    body = json.loads(s3.get_object(Bucket=INPUTS, Key=source.key)["Body"].read())
    assert body["options"] == {"retention_days": 7, "compute": "spot"}


def test_a_file_that_changes_after_the_check_is_refused(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection
) -> None:
    (folder / "chicago.epw").write_text("other", encoding="utf-8")
    with pytest.raises(epsm.StudyRejected, match=r"chicago.epw: has changed since it was checked"):
        send(folder, accepted, connection)


def test_files_that_may_be_written_and_not_looked_at_are_sent(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    code = "403"

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "HeadObject")

    monkeypatch.setattr(s3, "head_object", refuse)
    source, _ = send(folder, accepted, connection)
    assert source.version_id
    code = "500"
    with pytest.raises(ClientError):
        send(folder, accepted, connection)


def test_a_user_without_a_name_has_a_number(
    folder: Path, accepted: CheckedStudy, connection: epsm.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert send(folder, accepted, connection)[0].key == f"uid-{os.getuid()}/house/study.json"
    monkeypatch.setattr(getpass, "getuser", lambda: "lab/ann")
    assert send(folder, accepted, connection)[0].key == "lab-ann/house/study.json"


def test_files_have_composed_names_and_hidden_ones_are_left_out(folder: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "größe.csv")
    (folder / decomposed).write_bytes(b"1")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(b"")
    (folder / ".hidden").write_bytes(b"")
    files = FolderOnDisk(folder)
    assert list(files.paths()) == ["chicago.epw", "größe.csv", "room.idf", "study.json"]
    assert files.read("größe.csv") == b"1"
    assert files.sizes(["room.idf"])["größe.csv"] == 1
    assert files.read("nothing.csv") is None


def test_links_in_a_circle_do_not_matter(folder: Path) -> None:
    (folder / "round.csv").symlink_to("round.csv")
    assert "round.csv" not in FolderOnDisk(folder).paths()


def test_a_folder_without_a_study_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(epsm.StudyRejected, match=r"holds no study.json \(allowed: the folder of a study\)"):
        check_folder(tmp_path, 100)
