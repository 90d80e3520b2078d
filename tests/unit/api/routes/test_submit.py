"""Submitting studies and files, and estimating their cost."""

import hashlib
import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from epsm.study.records import StudyStatus
from tests.conftest import study_document
from tests.unit.api.routes.requests import ANNA, BEN, ROOT, ask, form
from tests.unit.deployed import Deployed


@pytest.fixture(scope="module")
def room(one_day: str, chicago: Any) -> dict[str, bytes]:
    return {"room.idf": one_day.encode(), "chicago.epw": chicago.read_bytes()}


def put_files(stack: Deployed, files: dict[str, bytes], caller: str = ANNA) -> dict[str, str]:
    """Upload files to the addresses that the API gives; their hashes."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    wanted = [{"name": name, "sha256": hashes[name], "bytes": len(content)} for name, content in files.items()]
    status, answer = ask(stack, "POST", "/api/simulation/uploads/", {"files": wanted}, caller=caller)
    assert status == 200, answer
    for place in answer["files"]:
        if not place["present"]:
            key = unquote(urlsplit(place["url"]).path).lstrip("/")
            stack.put(key, files[place["name"]])
    return hashes


def send(stack: Deployed, *parts: tuple[str, str, bytes]) -> tuple[int, Any]:
    return ask(stack, "POST", "/api/simulation/run/", form(*parts), content_type="multipart/form-data; boundary=b")


def test_a_form_is_submitted_with_its_files(stack: Deployed, room: dict[str, bytes]) -> None:
    model, weather = ("room.idf", room["room.idf"]), ("chicago.epw", room["chicago.epw"])
    status, answer = send(stack, ("idf_files", *model), ("weather_file", *weather))
    assert (status, answer["file_count"], answer["variants"]) == (202, 1, 1)
    record = stack.record(answer["simulation_id"])
    assert (record.name, record.owner, record.status) == ("room", ANNA, StudyStatus.PENDING)
    folder = record.source["key"].rpartition("/")[0]
    assert stack.s3.get_object(Bucket="inputs", Key=f"{folder}/room.idf")["Body"].read() == room["room.idf"]
    status, answer = send(stack, ("idf", *model), ("weather_file", *weather))
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["form field 'idf'"])
    status, answer = send(stack, ("idf_files", *model), ("weather_file", *weather), ("files", "room.idf", b"another"))
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["room.idf"])


@pytest.mark.parametrize("name", ["", "study.json"])
def test_a_form_may_bring_its_study_as_text_or_as_a_file(stack: Deployed, room: dict[str, bytes], name: str) -> None:
    study = json.dumps(study_document(name="Sent")).encode()
    files = [("files", file, content) for file, content in room.items()]
    status, answer = send(stack, *files, ("study", name, study))
    assert (status, answer["variants"]) == (202, 3), answer
    assert stack.record(answer["simulation_id"]).name == "Sent"


def test_a_form_may_have_construction_sets_of_legacy_epsm(stack: Deployed, room: dict[str, bytes]) -> None:
    files = (("idf_files", "room.idf", room["room.idf"]), ("weather_file", "chicago.epw", room["chicago.epw"]))
    sets = {"wall": [{"name": "U 0.2", "u_w_m2k": 0.2, "films": "included"}, {"name": "thin", "layers": ["Brick"]}]}
    fields = (("scenario", "", json.dumps(sets).encode()), ("construction_mode", "", b"per_construction"))
    status, answer = send(stack, *files, *fields)
    assert (status, answer["variants"]) == (202, 3), answer
    status, answer = send(stack, *files, ("scenario_id", "", b"7"))
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["form field 'scenario_id'"])


def test_files_are_uploaded_once_and_only_by_their_owner(stack: Deployed, room: dict[str, bytes]) -> None:
    hashes = put_files(stack, room)
    wanted = {"files": [{"name": "a.idf", "sha256": hashes["room.idf"], "bytes": len(room["room.idf"])}]}
    assert [ask(stack, "POST", "/api/simulation/uploads/", wanted, caller=caller)[1]["files"][0]["present"]
            for caller in (ANNA, BEN)] == [True, False]  # fmt: skip
    body = {"study": study_document(), "files": hashes}
    status, answer = ask(stack, "POST", "/api/simulation/run/", body, caller=BEN)
    assert (status, len(answer["errors"])) == (422, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 401},
        {"sha256": "0" * 63},
        {"sha256": "g" * 64},
        {"bytes": -1},
    ],
    ids=str,
)
def test_an_upload_has_a_name_a_hash_and_a_size(stack: Deployed, wrong: dict[str, Any]) -> None:
    file = {"name": "n" * 400, "sha256": "0" * 64, "bytes": 0}
    assert ask(stack, "POST", "/api/simulation/uploads/", {"files": [file]})[0] == 200
    status, answer = ask(stack, "POST", "/api/simulation/uploads/", {"files": [file | wrong]})
    assert (status, [each["where"] for each in answer["errors"]]) == (422, [f"body.files.0.{name}" for name in wrong])


def test_an_estimate_rests_on_measured_or_assumed_run_times(stack: Deployed, room: dict[str, bytes]) -> None:
    hashes = put_files(stack, room)
    path, body = "/api/simulation/estimate/", {"study": study_document(), "files": hashes}
    assumed = ask(stack, "POST", path, body)[1]
    assert (assumed["variants"], assumed["basis"]) == (3, "assumed")
    stack.records.note_run_time(ANNA, hashes["room.idf"], 100.0)
    measured = ask(stack, "POST", path, body)[1]
    assert (measured["basis"], measured["cost_usd"] > assumed["cost_usd"] > 0) == ("measured", True)
    status, answer = ask(stack, "POST", path, body, caller=BEN)
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["files.room.idf"])
    put_files(stack, room, caller=BEN)
    assert ask(stack, "POST", path, body, caller=BEN)[1] == assumed, "it says nothing of Anna's runs"
    computes = measured["computes"]
    assert {name: one["available"] for name, one in computes.items()} == {
        "function": True,
        "container": False,
        "spot": False,
    }
    assert computes["function"]["cost_usd"] > computes["container"]["cost_usd"] > computes["spot"]["cost_usd"]
    stack.asked.limit = 1
    one_at_a_time = ask(stack, "POST", path, body)[1]
    assert one_at_a_time["wall_seconds"] > measured["wall_seconds"]


def test_an_estimate_counts_the_samples_of_an_uploaded_list(stack: Deployed, room: dict[str, bytes]) -> None:
    wall = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    study = study_document(parameters=[wall], sampling={"method": "list", "file": "samples.csv"})
    hashes = put_files(stack, room)
    path = "/api/simulation/estimate/"
    absent = ask(stack, "POST", path, {"study": study, "files": hashes})[1]
    assert [each["where"] for each in absent["errors"]] == ["files.samples.csv"]
    hashes |= put_files(stack, {"samples.csv": b"wall\n0.1\n0.2\n0.3\n"})
    assert ask(stack, "POST", path, {"study": study, "files": hashes})[1]["variants"] == 4
    hashes |= put_files(stack, {"samples.csv": b"roof\n0.1\n"})
    status, answer = ask(stack, "POST", path, {"study": study, "files": hashes})
    assert (status, answer["errors"][0]["where"].startswith("samples.csv")) == (422, True)


def test_a_submitted_study_is_estimated_as_long_as_its_models_are_there(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/{simulation}/estimate/"
    assert ask(stack, "GET", path)[1]["basis"] == "assumed"
    ref = stack.files.read_manifest(simulation).inputs["room.idf"]
    stack.s3.delete_object(Bucket=ref.bucket, Key=ref.key, VersionId=ref.version_id)
    status, answer = ask(stack, "GET", path)
    assert (status, "its file is no longer available" in answer["detail"]) == (409, True)
    stack.records.note_run_time(BEN, ref.sha256, 100.0)
    assert ask(stack, "GET", path)[0] == 409
    stack.records.note_run_time(ANNA, ref.sha256, 100.0)
    assert ask(stack, "GET", path)[1]["basis"] == "measured"


def test_a_model_uploaded_to_the_bucket_is_not_read_for_an_estimate(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, key="house/study.json")
    assert ask(stack, "GET", f"/api/simulation/{simulation}/estimate/", caller=ROOT)[0] == 409


def test_a_study_that_was_not_accepted_has_no_estimate(stack: Deployed) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    assert ask(stack, "GET", "/api/simulation/annas-1/estimate/")[1]["detail"] == "The study has not been accepted"
