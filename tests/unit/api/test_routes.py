"""What each route answers about a study, on buckets and a table of moto in this process."""

import hashlib
import json
from base64 import b64encode
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from botocore.exceptions import ClientError

from epsm import __version__
from epsm.api.description import app
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.conftest import study_document
from tests.unit.deployed import Deployed
from tests.unit.fakes import fake

ACCOUNT = "arn:aws:iam::123456789012:user"
ANNA, BEN, ROOT = (f"iam:{ACCOUNT}/{name}" for name in ("anna", "ben", "root"))
JSON = "application/json"


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records, administrators=(f"{ACCOUNT}/root",), stage="test")


@pytest.fixture(scope="module")
def room(one_day: str, chicago: Any) -> dict[str, bytes]:
    return {"room.idf": one_day.encode(), "chicago.epw": chicago.read_bytes()}


def ask(
    stack: Deployed,
    method: str,
    path: str,
    body: Any = None,
    *,
    caller: str = ANNA,
    content_type: str = JSON,
    **query: str,
) -> tuple[int, Any]:
    """Status and body of an answer."""
    http = {"method": method, "path": path, "sourceIp": "", "protocol": "", "userAgent": ""}
    authorizer = {"iam": {"userArn": caller.removeprefix("iam:")}} if caller else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "queryStringParameters": query,
        "headers": {"content-type": content_type} if body is not None else {},
        "requestContext": {"authorizer": authorizer, "http": http, "stage": "$default", "requestId": "r-1"},
        "body": b64encode(raw).decode(),
        "isBase64Encoded": True,
    }
    app.append_context(stack=stack)
    context: Any = SimpleNamespace(aws_request_id="1")
    answer = app.resolve(event, context)
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def put_files(stack: Deployed, files: dict[str, bytes]) -> dict[str, str]:
    """Upload files to the addresses that the API gives; their hashes."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    wanted = [{"name": name, "sha256": hashes[name], "bytes": len(content)} for name, content in files.items()]
    status, answer = ask(stack, "POST", "/api/simulation/uploads/", {"files": wanted})
    assert status == 200, answer
    for place in answer["files"]:
        if not place["present"]:
            key = unquote(urlsplit(place["url"]).path).lstrip("/")
            stack.put(key, files[place["name"]])
    return hashes


def ended(stack: Deployed) -> str:
    """A study of Anna's that has ended: two variants succeeded, one failed."""
    simulation = stack.accepted(ANNA)
    summary = {"metrics": {"site_eui_kwh_m2": 100.0}, "engine_seconds": 1.0}
    for index, status in enumerate((VariantStatus.SUCCEEDED, VariantStatus.SUCCEEDED, VariantStatus.FAILED)):
        stack.records.start_variant(simulation, index, 0)
        found = stack.records.variant(simulation, index)
        assert found is not None
        more: dict[str, Any] = {"error": "it rains"} if status is VariantStatus.FAILED else {"summary": summary}
        record = VariantRecord(index, status, found.started_at, ended_at=found.started_at, verdict="clean", **more)
        stack.records.finish_variant(simulation, record, 0)
    stack.records.finish_study(simulation, StudyStatus.PARTIAL, succeeded=2, failed=1)
    return simulation


# --- who asks


def test_a_request_without_an_identity_is_refused(stack: Deployed) -> None:
    assert ask(stack, "GET", "/api/simulation/results/", caller="")[0] == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "{}/status/"),
        ("GET", "task/{}/status/"),
        ("POST", "task/{}/cancel/"),
        ("GET", "{}/results/"),
        ("GET", "{}/parallel-results/"),
        ("GET", "{}/download/"),
        ("GET", "{}/estimate/"),
        ("POST", "{}/rerun/"),
        ("PATCH", "{}/"),
        ("DELETE", "{}/"),
    ],
)
def test_a_study_is_not_there_for_others_and_there_for_administrators(stack: Deployed, method: str, path: str) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    body = {"rerun": {"which": "failed"}, "PATCH": {"priority": "low"}}.get("rerun" if "rerun" in path else method)
    place = f"/api/simulation/{path.format('annas-1')}"
    status, answer = ask(stack, method, place, body, caller=BEN)
    assert (status, answer["detail"]) == (404, "There is no simulation 'annas-1'")
    own = ask(stack, method, place, body, caller=ROOT)
    assert own[0] != 404 or "There is no simulation" not in own[1]["detail"]


# --- faults of a request


def test_faults_of_a_request_are_the_callers(stack: Deployed) -> None:
    run, uploads = "/api/simulation/run/", "/api/simulation/uploads/"
    assert ask(stack, "GET", "/nothing/") == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "Path not found; see /openapi.json",
            "error": "Path not found; see /openapi.json",
        },
    )
    assert ask(stack, "POST", run, b"x", content_type="text/plain")[0] == 415
    assert ask(stack, "POST", uploads, b"x", content_type="text/plain")[0] == 415
    assert ask(stack, "POST", uploads, b"a=b", content_type="application/x-www-form-urlencoded")[0] == 415
    status, answer = ask(stack, "POST", uploads, b'{"files": "\xff"}')
    assert (status, "not valid UTF-8 JSON" in answer["detail"]) == (422, True)
    status, answer = ask(stack, "POST", uploads, {"files": [{}]})
    assert (status, {each["where"] for each in answer["errors"]}) == (
        422,
        {f"body.files.0.{name}" for name in ("name", "sha256", "bytes")},
    )
    status, answer = ask(stack, "POST", run, {"files": {}})
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["body.study"])
    status, answer = ask(stack, "POST", uploads, b"[" * 100_000)
    assert (status, "nested too deeply" in answer["detail"]) == (422, True)


class Refusing:
    """Records that DynamoDB refuses to read."""

    def __init__(self, code: str) -> None:
        self._code = code

    def study(self, simulation: str) -> None:
        raise ClientError({"Error": {"Code": self._code}}, "GetItem")


def test_throttling_is_distinguished_from_a_fault_of_the_service(stack: Deployed) -> None:
    path = "/api/simulation/annas-1/status/"
    stack.records = fake(Refusing("ThrottlingException"))
    status, answer = ask(stack, "GET", path)
    assert (status, answer["detail"]) == (503, "The service is busy; try again in a few seconds")
    stack.records = fake(Refusing("AccessDeniedException"))
    status, answer = ask(stack, "GET", path)
    assert (status, answer["detail"]) == (500, "Internal error; see request r-1 in the log")


# --- submitting


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """A multipart form, with the boundary `b`, of parts with field, name of the file (or none) and content."""
    body = b""
    for field, name, content in parts:
        file = f'; filename="{name}"' if name else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


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


def test_files_are_uploaded_once_and_only_by_their_owner(stack: Deployed, room: dict[str, bytes]) -> None:
    hashes = put_files(stack, room)
    wanted = {"files": [{"name": "a.idf", "sha256": hashes["room.idf"], "bytes": len(room["room.idf"])}]}
    assert [ask(stack, "POST", "/api/simulation/uploads/", wanted, caller=caller)[1]["files"][0]["present"]
            for caller in (ANNA, BEN)] == [True, False]  # fmt: skip
    body = {"study": study_document(), "files": hashes}
    status, answer = ask(stack, "POST", "/api/simulation/run/", body, caller=BEN)
    assert (status, len(answer["errors"])) == (422, 2)


# --- status


def test_the_status_of_a_study_that_waits_runs_and_has_ended(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, options={"max_cost_usd": 5.0, "priority": "low"})
    path = f"/api/simulation/{simulation}/status/"
    waiting = ask(stack, "GET", path)[1]
    assert (waiting["status"], waiting["progress"], waiting["variants"]) == ("pending", 0.0, 3)
    assert (waiting["priority"], waiting["max_cost_usd"], waiting["spent_usd"]) == ("low", 5.0, 0.0)

    stack.begin(simulation)
    stack.machine.counts = {"running": 1, "succeeded": 1}
    running = ask(stack, "GET", path)[1]
    assert (running["running"], running["succeeded"], running["failed"]) == (1, 1, 0)
    assert (running["status"], running["progress"], running["simulationId"]) == ("running", 33.3, simulation)
    task = ask(stack, "GET", f"/api/simulation/task/{simulation}/status/")[1]
    assert (task["state"], task["ready"], task["result"], task["error"]) == ("PROGRESS", False, None, None)
    assert (task["current"], task["total"], task["message"]) == (1, 3, "1 of 3 variants have ended, 0 of them failed")


def test_the_status_of_a_study_that_has_ended(stack: Deployed) -> None:
    simulation = ended(stack)
    state = ask(stack, "GET", f"/api/simulation/{simulation}/status/")[1]
    assert (state["status"], state["progress"]) == ("partial", 100.0)
    assert (state["max_cost_usd"], state["spent_usd"]) == (None, None)
    task = ask(stack, "GET", f"/api/simulation/task/{simulation}/status/")[1]
    assert (task["state"], task["ready"], task["result"]) == ("SUCCESS", True, {"succeeded": 2, "failed": 1})


def test_what_a_cancelled_study_did_not_run_is_counted_apart(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    stack.records.cancel_study(simulation, "By Anna.")
    task = ask(stack, "GET", f"/api/simulation/task/{simulation}/status/")[1]
    assert (task["state"], task["error"]) == ("REVOKED", "By Anna.")
    assert task["message"] == "0 of 3 variants have ended, 0 of them failed; 3 not run"


def test_a_study_of_no_variants_is_at_its_end_or_beginning(stack: Deployed) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    path = "/api/simulation/annas-1/status/"
    assert ask(stack, "GET", path)[1]["progress"] == 0.0
    stack.records.reject_study("annas-1", [])
    assert ask(stack, "GET", path)[1]["progress"] == 100.0


def test_lists_come_in_pages_of_the_callers_own_studies(stack: Deployed) -> None:
    for number in range(3):
        stack.records.create_or_get_study(f"annas-{number}", "Anna's", {}, ANNA)
    stack.records.create_or_get_study("bens-1", "Ben's", {}, BEN)
    stack.records.finish_study("annas-0", StudyStatus.COMPLETED, succeeded=4, failed=0)
    stack.records.finish_study("annas-1", StudyStatus.COMPLETED, succeeded=4, failed=0)
    stack.records.mark_removing("annas-1")

    def listed(caller: str, **query: str) -> dict[str, Any]:
        status, answer = ask(stack, "GET", "/api/simulation/results/", caller=caller, **query)
        assert status == 200, answer
        return dict(answer)

    first = listed(ANNA, limit="2")
    second = listed(ANNA, limit="2", page=first["next"])
    found = {each["simulation_id"]: each["succeeded"] for each in first["results"] + second["results"]}
    assert found == {"annas-0": 4, "annas-2": None}
    assert second["next"] is None
    assert [each["simulation_id"] for each in listed(ANNA, status="completed")["results"]] == ["annas-0"]
    assert len(listed(ROOT)["results"]) == 3
    page = listed(ROOT, limit="1")["next"]
    assert len(listed(ROOT, page=page)["results"]) == 2
    for token in (first["next"], page):
        status, answer = ask(stack, "GET", "/api/simulation/results/", caller=BEN, page=token)
        assert (status, "belongs to a different query" in answer["detail"]) == (422, True)
    assert ask(stack, "GET", "/api/simulation/results/", page="no token")[1]["detail"] == "Invalid 'page' token"


# --- results


def test_rows_come_in_pages_with_failures_and_their_reason(stack: Deployed) -> None:
    simulation = ended(stack)
    path = f"/api/simulation/{simulation}"
    first = ask(stack, "GET", f"{path}/results/", limit="2")[1]
    second = ask(stack, "GET", f"{path}/parallel-results/", start="2")[1]
    assert (first["next_start"], second["next_start"], first["variants"]) == (2, None, 3)
    rows = first["rows"] + second["rows"]
    assert [(row["variant_index"], row["status"]) for row in rows] == [
        (0, "succeeded"),
        (1, "succeeded"),
        (2, "failed"),
    ]
    assert (rows[2]["error"], rows[2].get("site_eui_kwh_m2")) == ("it rains", None)


def test_rows_of_a_study_that_was_not_accepted_are_none(stack: Deployed) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    answer = ask(stack, "GET", "/api/simulation/annas-1/results/")[1]
    assert (answer["rows"], answer["variants"], answer["next_start"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("end", "status", "error"),
    [
        ("cancelled", "not_run", "The study was cancelled while this variant ran."),
        ("given up", "not_run", "The study was given up while this variant ran."),
        ("failed", "failed", "The variant was started but has no result: its worker was lost or stopped."),
    ],
)
def test_a_variant_that_ran_when_its_study_ended_says_how(stack: Deployed, end: str, status: str, error: str) -> None:
    simulation = stack.accepted(ANNA)
    stack.records.start_variant(simulation, 0, 0)
    if end == "cancelled":
        stack.records.cancel_study(simulation, "By Anna.")
    else:
        stack.records.finish_study(simulation, StudyStatus.FAILED, succeeded=0, failed=0, given_up=end == "given up")
    first, *others = ask(stack, "GET", f"/api/simulation/{simulation}/results/")[1]["rows"]
    assert (first["status"], first["error"]) == (status, error)
    assert {row["status"] for row in others} == {"not_run"}


def test_downloads_are_of_the_files_that_are_there(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/{simulation}/download/"
    stack.files.put_text(keys.run_key(simulation, "results.csv"), "a,b", "text/csv")
    answer = ask(stack, "GET", path)[1]
    assert (set(answer["files"]), answer["expires_in_s"]) == ({"results.csv", "manifest.json"}, 900)
    assert f"runs/{simulation}/results.csv" in answer["files"]["results.csv"]
    assert set(ask(stack, "GET", path, name="results.csv")[1]["files"]) == {"results.csv"}
    status, answer = ask(stack, "GET", path, name="variants/0/in.idf")
    assert (status, "once the study has ended" in answer["detail"]) == (404, True)
    assert ask(stack, "GET", path, name="../x.csv")[0] == 422


# --- estimates


def test_an_estimate_rests_on_measured_or_assumed_run_times(stack: Deployed, room: dict[str, bytes]) -> None:
    hashes = put_files(stack, room)
    path, body = "/api/simulation/estimate/", {"study": study_document(), "files": hashes}
    assumed = ask(stack, "POST", path, body)[1]
    assert (assumed["variants"], assumed["basis"]) == (3, "assumed")
    stack.records.note_run_time(hashes["room.idf"], 100.0)
    measured = ask(stack, "POST", path, body)[1]
    assert (measured["basis"], measured["cost_usd"] > assumed["cost_usd"] > 0) == ("measured", True)
    status, answer = ask(stack, "POST", path, body, caller=BEN)
    assert (status, [each["where"] for each in answer["errors"]]) == (422, ["files.room.idf"])
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
    stack.records.note_run_time(ref.sha256, 100.0)
    assert ask(stack, "GET", path)[1]["basis"] == "measured"


def test_a_model_uploaded_to_the_bucket_is_not_read_for_an_estimate(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, key="house/study.json")
    assert ask(stack, "GET", f"/api/simulation/{simulation}/estimate/", caller=ROOT)[0] == 409


def test_a_study_that_was_not_accepted_has_no_estimate(stack: Deployed) -> None:
    stack.records.create_or_get_study("annas-1", "Anna's", {}, ANNA)
    assert ask(stack, "GET", "/api/simulation/annas-1/estimate/")[1]["detail"] == "The study has not been accepted"


# --- changing


def test_cancelling_stops_the_execution_once(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/task/{simulation}/cancel/"
    assert ask(stack, "POST", path)[1]["message"] == "The study was cancelled."
    assert stack.record(simulation).error == "Cancelled through the API."
    assert [error for _, error in stack.machine.stopped] == ["Cancelled"]
    assert ask(stack, "POST", path)[1]["message"] == "The study was already cancelled."
    assert len(stack.machine.stopped) == 1


def test_what_has_ended_is_not_cancelled_changed_but_removed(stack: Deployed) -> None:
    simulation = ended(stack)
    assert ask(stack, "POST", f"/api/simulation/task/{simulation}/cancel/")[1]["detail"] == (
        "The study has ended as partial"
    )
    path = f"/api/simulation/{simulation}/"
    assert ask(stack, "PATCH", path, {"priority": "low"})[0] == 409
    assert ask(stack, "DELETE", path) == (204, None)
    assert stack.asked.asked == [f"remove {simulation}"]
    for method, behind in (("GET", "status/"), ("GET", "results/"), ("GET", "download/"), ("DELETE", "")):
        assert ask(stack, method, f"{path}{behind}")[0] == 404
    assert not stack.records.reopen_study(simulation, attempt=2)


def test_a_study_that_has_not_ended_is_not_removed(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    assert ask(stack, "DELETE", f"/api/simulation/{simulation}/")[0] == 409
    assert stack.asked.asked == []


def test_options_are_changed_while_variants_run(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/{simulation}/"
    status, answer = ask(stack, "PATCH", path, {"max_concurrency": 7})
    assert (status, answer["detail"]) == (409, "The study is not running variants now")
    stack.begin(simulation)
    stack.machine.counts = {"running": 1}
    changed = ask(stack, "PATCH", path, {"max_concurrency": 7, "priority": "high"})[1]
    assert (changed["max_concurrency"], changed["priority"], stack.machine.concurrency) == (7, "high", 7)
    assert stack.asked.asked == ["share"]
    status, answer = ask(stack, "PATCH", path, {"max_cost_usd": 1.0})
    assert (status, answer["detail"]) == (409, "The study was submitted without max_cost_usd")
    assert ask(stack, "PATCH", path, {})[0] == 422


# --- running again


def test_only_what_has_not_succeeded_is_run_again(stack: Deployed) -> None:
    simulation = ended(stack)
    path = f"/api/simulation/{simulation}/rerun/"
    status, answer = ask(stack, "POST", path, {"which": "failed"})
    assert (status, answer["simulation_id"], answer["variants"], answer["file_count"]) == (202, simulation, 1, 0)
    assert stack.machine.started == [f"{simulation}-2"]
    assert [item["index"] for item in stack.json_of(simulation, "items-2.json")] == [2]
    record = stack.record(simulation)
    assert (record.status.final, record.attempt, record.succeeded) == (False, 2, 2)
    status, answer = ask(stack, "POST", path, {"which": "failed"})
    assert (status, answer["detail"]) == (409, f"The study is {record.status.value}")


def test_what_was_never_collected_is_collected_by_running_its_first_variant_again(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, parameters=[])
    stack.records.start_variant(simulation, 0, 0)
    summary = {"metrics": {}, "engine_seconds": 1.0}
    done = VariantRecord(0, VariantStatus.SUCCEEDED, "2026-01-01T00:00:00.000Z", verdict="clean", summary=summary)
    stack.records.finish_variant(simulation, done, 0)
    stack.records.finish_study(simulation, StudyStatus.FAILED, succeeded=1, failed=0)
    answer = ask(stack, "POST", f"/api/simulation/{simulation}/rerun/", {"which": "failed"})[1]
    assert answer["variants"] == 1
    assert [item["index"] for item in stack.json_of(simulation, "items-2.json")] == [0]


def test_a_completed_study_has_nothing_to_run_again(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    stack.records.finish_study(simulation, StudyStatus.COMPLETED, succeeded=3, failed=0)
    status, answer = ask(stack, "POST", f"/api/simulation/{simulation}/rerun/", {"which": "failed"})
    assert (status, answer["detail"]) == (409, "There are no variants to rerun")
    assert stack.record(simulation).attempt == 1


def test_everything_can_be_run_again_as_a_simulation_of_its_own(stack: Deployed) -> None:
    simulation = ended(stack)
    path = f"/api/simulation/{simulation}/rerun/"
    status, answer = ask(stack, "POST", path, {"which": "all"})
    again = stack.record(answer["simulation_id"])
    assert (status, answer["variants"], again.owner, again.status) == (202, 3, ANNA, StudyStatus.PENDING)
    assert answer["simulation_id"] != simulation
    source = stack.record(simulation).source
    stack.s3.delete_object(Bucket=source["bucket"], Key=source["key"], VersionId=source["version_id"])
    status, answer = ask(stack, "POST", path, {"which": "all"})
    assert (status, answer["detail"]) == (409, "The study's input files have been deleted")


def test_a_study_uploaded_to_the_bucket_is_run_again_by_uploading_it(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, key="house/study.json")
    stack.records.finish_study(simulation, StudyStatus.PARTIAL, succeeded=2, failed=1)
    path = f"/api/simulation/{simulation}/rerun/"
    status, answer = ask(stack, "POST", path, {"which": "all"}, caller=ROOT)
    assert (status, "uploaded to the bucket directly" in answer["detail"]) == (409, True)


def test_a_run_without_a_manifest_cannot_be_run_again(stack: Deployed) -> None:
    simulation = ended(stack)
    stack.s3.delete_object(Bucket="results", Key=keys.run_key(simulation, "manifest.json"))
    status, answer = ask(stack, "POST", f"/api/simulation/{simulation}/rerun/", {"which": "failed"})
    assert (status, answer["detail"]) == (409, "The study's input files have been deleted")


# --- the service


def test_the_service_tells_what_runs_and_may_run(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    stack.begin(simulation)
    stack.machine.counts = {"running": 2}
    path = "/api/simulation/system-resources/"
    answer = ask(stack, "GET", path)[1]
    assert (answer["running_studies"], answer["running_variants"], answer["account_concurrency"]) == (1, 2, 1000)
    assert ask(stack, "GET", path, caller=BEN)[1]["running_studies"] == 0
    assert ask(stack, "GET", path, caller=ROOT)[1]["running_studies"] == 1


def test_health_names_the_part_that_does_not_answer(stack: Deployed) -> None:
    assert ask(stack, "GET", "/health/") == (
        200,
        {
            "status": "ok",
            "checks": dict.fromkeys(("table", "inputs bucket", "results bucket", "state machine"), "ok"),
        },
    )
    stack.s3.delete_bucket(Bucket="results")
    status, answer = ask(stack, "GET", "/health/")
    assert (status, answer["status"], answer["checks"]["results bucket"]) == (503, "down", "ClientError")


def test_versions_are_those_of_the_release_and_its_engine(stack: Deployed) -> None:
    answer = ask(stack, "GET", "/version/")
    assert answer == (200, {"version": __version__, "engine_version": "25.2.0", "stage": "test"})


def test_the_description_names_every_form_field(stack: Deployed) -> None:
    document = ask(stack, "GET", "/openapi.json")[1]
    form = document["paths"]["/api/simulation/run/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["schema"]["properties"]) >= {"idf_files", "weather_file", "files", "study", "name"}
