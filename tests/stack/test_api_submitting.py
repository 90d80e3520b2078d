"""Submitting to the deployed API: forms, uploads, faults, estimates."""

import hashlib
import json
import time
from urllib.parse import unquote, urlsplit

import requests

from epsm.study.records import StudyStatus
from epsm_local.stack import LocalStack
from tests.conftest import study_document
from tests.moto_fixtures import unique
from tests.stack.api_uploads import place_for, put_model
from tests.stack.clients import Client, send
from tests.support import (
    wait_for_end,
)


def test_a_study_with_a_fault_is_refused_with_every_fault(anna: Client, room: dict[str, bytes]) -> None:
    answer = send(anna, room, study_document(models=["hall.idf"], weather=["boston.epw"]))
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert [each["where"] for each in answer.json()["errors"]] == ["study.json: models[0]", "study.json: weather[0]"]


def test_a_form_without_files_is_refused(anna: Client) -> None:
    answer = anna.ask("POST", "/api/simulation/run/", files=[("parallel", (None, "true"))])
    assert answer.status_code == 422


def test_a_body_of_another_kind_is_refused(anna: Client) -> None:
    answer = anna.ask("POST", "/api/simulation/run/", data="x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_files_are_uploaded_once_and_used_by_their_hash(
    stack: LocalStack, anna: Client, room: dict[str, bytes]
) -> None:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in room.items()}
    wanted = {
        "files": [{"name": name, "sha256": hashes[name], "bytes": len(content)} for name, content in room.items()]
    }
    for place in anna.post("/api/simulation/uploads/", wanted).json()["files"]:
        if not place["present"]:
            requests.put(
                place["url"], data=room[place["name"]], headers=place["headers"], timeout=30
            ).raise_for_status()
    again = anna.post("/api/simulation/uploads/", wanted).json()["files"]
    assert all(place["present"] for place in again)
    answer = anna.post("/api/simulation/run/", {"study": study_document(name="By hash"), "files": hashes})
    assert answer.status_code == 202, answer.text
    assert wait_for_end(stack, answer.json()["simulation_id"]).status is StudyStatus.COMPLETED


def test_a_body_that_curl_calls_a_form_is_refused_with_what_to_say(anna: Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = anna.ask("PATCH", "/api/simulation/none-1/", data=b'{"priority": "low"}', headers=headers)
    assert (answer.status_code, "Content-Type: application/json" in answer.json()["detail"]) == (415, True)


def test_a_file_in_a_field_of_another_name_is_refused(anna: Client, room: dict[str, bytes]) -> None:
    files = [("idf", ("room.idf", room["room.idf"])), ("weather_file", ("chicago.epw", room["chicago.epw"]))]
    answer = anna.ask("POST", "/api/simulation/run/", files=files)
    (problem,) = answer.json()["errors"]
    assert (answer.status_code, problem["where"]) == (422, "form field 'idf'")


def test_a_file_that_two_fields_send_with_different_content_is_refused(anna: Client, room: dict[str, bytes]) -> None:
    files = [(field, (name, content)) for field, name, content in (
        ("idf_files", "room.idf", room["room.idf"]),
        ("weather_file", "chicago.epw", room["chicago.epw"]),
        ("files", "chicago.epw", b"another"),
        ("files", "room.idf", room["room.idf"]),
    )]  # fmt: skip
    answer = anna.ask("POST", "/api/simulation/run/", files=files)
    assert (answer.status_code, [each["where"] for each in answer.json()["errors"]]) == (422, ["chicago.epw"])


def test_a_study_json_in_a_form_that_is_no_utf_8_is_refused(anna: Client) -> None:
    answer = anna.ask(
        "POST", "/api/simulation/run/", files=[("study", ("study.json", '{"name": "Süd"}'.encode("latin-1")))]
    )
    (problem,) = answer.json()["errors"]
    assert (answer.status_code, "UTF-8" in problem["what"]) == (422, True)


def test_an_upload_that_calls_itself_a_form_is_stored_whole(stack: LocalStack, anna: Client) -> None:
    content = f"Version,25.2; ! {unique('form')}".encode()
    place = place_for(anna, content)
    headers = {**place["headers"], "Content-Type": "application/x-www-form-urlencoded"}
    requests.put(place["url"], data=content, headers=headers, timeout=30).raise_for_status()
    assert place_for(anna, content)["present"]
    key = unquote(urlsplit(place["url"]).path).removeprefix(f"/{stack.outputs.inputs_bucket}/")
    stored = stack.client("s3").get_object(Bucket=stack.outputs.inputs_bucket, Key=key)
    assert stored["Body"].read() == content


def test_an_upload_of_another_content_is_refused(anna: Client) -> None:
    content = f"Version,25.2; ! {unique('other')}".encode()
    place = place_for(anna, content)
    answer = requests.put(place["url"], data=b"Version,9.6;", headers=place["headers"], timeout=30)
    assert (answer.status_code, "BadDigest" in answer.text) == (400, True)
    assert not place_for(anna, content)["present"]


def test_a_file_of_somebody_else_cannot_be_named(anna: Client, ben: Client, room: dict[str, bytes]) -> None:
    content = b"Version,25.2;"
    sha256 = hashlib.sha256(content).hexdigest()
    wanted = {"files": [{"name": "a.idf", "sha256": sha256, "bytes": len(content)}]}
    (place,) = anna.post("/api/simulation/uploads/", wanted).json()["files"]
    requests.put(place["url"], data=content, headers=place["headers"], timeout=30).raise_for_status()
    (bens,) = ben.post("/api/simulation/uploads/", wanted).json()["files"]
    assert not bens["present"]


def test_the_same_request_with_a_key_starts_one_study(anna: Client, room: dict[str, bytes]) -> None:
    study = study_document(name="Once", parameters=[])
    parts = [("idf_files", ("room.idf", room["room.idf"])), ("weather_file", ("chicago.epw", room["chicago.epw"]))]
    request = requests.Request(
        "POST", f"{anna.url}/api/simulation/run/", files=parts, data={"study": json.dumps(study)}
    ).prepare()
    request.headers["Idempotency-Key"] = f"key-{time.time_ns()}"
    with requests.Session() as session:
        answers = [session.send(request, timeout=60) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()


def test_an_estimate_counts_the_samples_of_a_list_that_was_uploaded(anna: Client, room: dict[str, bytes]) -> None:
    table = b"wall\n0.1\n0.2\n0.3\n"
    wall = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    study = study_document(parameters=[wall], sampling={"method": "list", "file": "samples.csv"})
    put_model(anna, room["room.idf"])
    files = room | {"samples.csv": table}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    absent = anna.post("/api/simulation/estimate/", {"study": study, "files": hashes})
    assert [error["where"] for error in absent.json()["errors"]] == ["files.samples.csv"]
    put_model(anna, table)
    answer = anna.post("/api/simulation/estimate/", {"study": study, "files": hashes})
    assert (answer.status_code, answer.json()["variants"]) == (200, 4), answer.text


def test_more_files_than_a_caller_can_wait_for_are_refused(anna: Client) -> None:
    hashes = {f"{number}.epw": f"{number:064d}" for number in range(101)}
    answer = anna.post("/api/simulation/run/", {"study": study_document(), "files": hashes})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.files")
