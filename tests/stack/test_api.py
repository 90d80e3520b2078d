"""The HTTP API of the deployed stack, asked over HTTP, with the real engine behind it."""

import hashlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from epsm.study.records import StudyStatus, VariantStatus
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, study_document
from tests.moto_fixtures import unique
from tests.stack import faults
from tests.stack.clients import SCHEDULES, Client, send, submit
from tests.support import (
    object_names,
    records_of,
    results_table,
    run_study,
    submits,
    wait_for,
    wait_for_end,
    wait_for_execution,
)


@pytest.fixture(scope="module")
def done(stack: LocalStack, anna: Client, room: dict[str, bytes]) -> str:
    """A study of Anna's that has ended: baseline, one success, one failure."""
    simulation = submit(anna, room, name="Anna's", parameters=[SCHEDULES])
    record = wait_for_end(stack, simulation)
    wait_for_execution(stack, record.execution_arn)
    return simulation


# --- EPSM's documented lines


def curl(*arguments: str) -> Any:
    answered = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(answered.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_epsms_curl_lines_work_but_for_the_host(stack: LocalStack, one_day: str, chicago: Path, tmp_path: Path) -> None:
    (tmp_path / "test.idf").write_text(one_day, encoding="utf-8")
    submitted = curl(
        "-X", "POST", f"{stack.api_url}/api/simulation/run/",
        "-F", f"idf_files=@{tmp_path}/test.idf", "-F", f"weather_file=@{chicago}",
        "-F", "parallel=true", "-F", "batch_mode=true",
    )  # fmt: skip
    assert submitted["file_count"] == 1
    task = submitted["task_id"]
    wait_for(lambda: curl(f"{stack.api_url}/api/simulation/task/{task}/status/")["ready"], "the end")
    assert curl(f"{stack.api_url}/api/simulation/{submitted['simulation_id']}/status/")["status"] == "completed"
    assert "engine_version" in curl(f"{stack.api_url}/api/simulation/system-resources/")


# --- submitting


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


def place_for(client: Client, content: bytes) -> dict[str, Any]:
    """Where to PUT a file."""
    sha256 = hashlib.sha256(content).hexdigest()
    wanted = {"files": [{"name": "a.idf", "sha256": sha256, "bytes": len(content)}]}
    (place,) = client.post("/api/simulation/uploads/", wanted).json()["files"]
    return dict(place)


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


def put_model(client: Client, content: bytes) -> None:
    place = place_for(client, content)
    if not place["present"]:
        requests.put(place["url"], data=content, headers=place["headers"], timeout=30).raise_for_status()


def test_an_estimate_does_not_tell_who_knows_a_hash_whether_the_file_has_run(
    anna: Client, ben: Client, room: dict[str, bytes], done: str
) -> None:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in room.items()}
    answer = ben.post("/api/simulation/estimate/", {"study": study_document(), "files": hashes})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["where"], error["what"]) == ("files.room.idf", "was not uploaded")


def test_an_estimate_says_what_it_rests_on(anna: Client, room: dict[str, bytes], done: str) -> None:
    put_model(anna, room["room.idf"])
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in room.items()}
    answer = anna.post("/api/simulation/estimate/", {"study": study_document(), "files": hashes})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["variants"], answer.json()["basis"]) == (3, "measured")
    assert answer.json()["cost_usd"] > 0


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


# --- asking


def test_a_study_tells_where_it_is(anna: Client, done: str) -> None:
    state = anna.get(f"/api/simulation/{done}/status/")
    assert (state["status"], state["variants"], state["succeeded"], state["failed"]) == ("partial", 3, 2, 1)
    assert (state["progress"], state["simulationId"]) == (100.0, done)


def test_a_list_knows_what_ended_studies_came_to_and_invents_nothing_of_others(
    stack: LocalStack, anna: Client, done: str
) -> None:
    record, waiting = records_of(stack).study(done), unique("waiting")
    assert record is not None
    records_of(stack).create_or_get_study(waiting, "waiting", {}, record.owner)
    listed = {each["simulation_id"]: each for each in anna.get("/api/simulation/results/")["results"]}
    assert [(listed[name]["succeeded"], listed[name]["failed"]) for name in (done, waiting)] == [(2, 1), (None, None)]


def test_a_task_has_the_format_of_legacy_epsm(anna: Client, done: str) -> None:
    task = anna.get(f"/api/simulation/task/{done}/status/")
    assert (task["state"], task["ready"], task["current"], task["total"]) == ("SUCCESS", True, 3, 3)


def test_rows_hold_failures_with_their_reason(anna: Client, done: str) -> None:
    found = anna.get(f"/api/simulation/{done}/results/")
    assert [row["status"] for row in found["rows"]] == ["succeeded", "succeeded", "failed"]
    assert "item not found" in found["rows"][2]["error"]
    assert found["next_start"] is None


def test_rows_are_those_of_the_table(stack: LocalStack, anna: Client, done: str) -> None:
    table = results_table(stack, done)
    row = anna.get(f"/api/simulation/{done}/results/")["rows"][1]
    assert row["site_eui_kwh_m2"] == table["site_eui_kwh_m2"][1]
    assert row["site_eui_saved_percent"] == table["site_eui_saved_percent"][1]


def test_rows_come_in_pages(anna: Client, done: str) -> None:
    first = anna.get(f"/api/simulation/{done}/results/", params={"limit": 2})
    second = anna.get(f"/api/simulation/{done}/parallel-results/", params={"start": first["next_start"]})
    assert [row["variant_index"] for row in first["rows"] + second["rows"]] == [0, 1, 2]


def test_downloads_are_addresses_that_can_be_used(anna: Client, done: str) -> None:
    offered = anna.get(f"/api/simulation/{done}/download/")["files"]
    assert set(offered) == {
        "results.csv",
        "results.parquet",
        "report.html",
        "sensitivity.json",
        "sensitivity.csv",
        "manifest.json",
    }
    assert requests.get(offered["results.csv"], timeout=30).text.startswith("\ufeffvariant_index,")


def test_a_file_of_a_variant_can_be_downloaded(anna: Client, done: str) -> None:
    offered = anna.get(f"/api/simulation/{done}/download/", params={"name": "variants/1/in.idf"})["files"]
    assert "Version" in requests.get(offered["variants/1/in.idf"], timeout=30).text


@pytest.mark.parametrize("name", ["../x.csv", "variants/../../other/results.csv", "/etc/passwd", "variants/1/%2e%2e"])
def test_a_name_that_leaves_the_run_is_refused(anna: Client, done: str, name: str) -> None:
    assert anna.ask("GET", f"/api/simulation/{done}/download/", params={"name": name}).status_code == 422


def test_the_list_comes_in_pages(anna: Client, done: str) -> None:
    names, page = [], None
    while True:
        found = anna.get("/api/simulation/results/", params={"limit": 2, **({"page": page} if page else {})})
        names += [each["simulation_id"] for each in found["results"]]
        page = found["next"]
        if page is None:
            break
    assert done in names
    assert len(names) == len(set(names))


def test_the_service_is_well(anna: Client) -> None:
    assert anna.get("/health/")["status"] == "ok"


def test_the_service_tells_its_version(anna: Client) -> None:
    assert anna.get("/version/")["engine_version"] == "25.2.0"


def test_the_api_describes_itself(anna: Client) -> None:
    document = anna.get("/openapi.json")
    assert "/api/simulation/run/" in document["paths"]


def test_an_unknown_path_is_a_problem(anna: Client) -> None:
    answer = anna.ask("GET", "/api/nothing/")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


# --- whose it is


ROUTES = [
    ("GET", "status/"),
    ("GET", "results/"),
    ("GET", "parallel-results/"),
    ("GET", "download/"),
    ("POST", "rerun/"),
    ("PATCH", ""),
    ("DELETE", ""),
]


@pytest.mark.parametrize(("method", "what"), ROUTES)
def test_what_is_somebody_elses_is_not_there(ben: Client, done: str, method: str, what: str) -> None:
    body = {"which": "failed"} if what == "rerun/" else {"max_concurrency": 5}
    answer = ben.ask(method, f"/api/simulation/{done}/{what}", json=body)
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize(("method", "what"), [("GET", "status/"), ("POST", "cancel/")])
def test_a_task_of_somebody_elses_is_not_there(ben: Client, done: str, method: str, what: str) -> None:
    assert ben.ask(method, f"/api/simulation/task/{done}/{what}").status_code == 404


def test_a_list_holds_nothing_of_somebody_elses(ben: Client, done: str) -> None:
    assert done not in [each["simulation_id"] for each in ben.get("/api/simulation/results/")["results"]]


def test_a_page_of_somebody_elses_list_is_refused(anna: Client, ben: Client, done: str) -> None:
    page = anna.get("/api/simulation/results/", params={"limit": 1})["next"]
    assert page is not None
    assert ben.ask("GET", "/api/simulation/results/", params={"page": page}).status_code == 422


def test_a_study_put_into_the_bucket_is_the_bucket_owners_who_can_let_another_follow(
    stack: LocalStack, anna: Client, make_study: StudyMaker, room: dict[str, bytes]
) -> None:
    record = run_study(stack, make_study("in-the-bucket", parameters=[]))
    path = f"/api/simulation/{record.simulation_id}/status/"
    assert anna.ask("GET", path).status_code == 404
    assert requests.get(f"{stack.api_url}{path}", timeout=30).json()["status"] == "completed"
    study = study_document(parameters=[], options={"after": record.simulation_id})
    files = [("idf_files", ("room.idf", room["room.idf"])), ("weather_file", ("chicago.epw", room["chicago.epw"]))]
    answer = requests.post(
        f"{stack.api_url}/api/simulation/run/", files=files, data={"study": json.dumps(study)}, timeout=30
    )
    assert answer.status_code == 202, answer.text
    assert wait_for_end(stack, answer.json()["simulation_id"]).status is StudyStatus.COMPLETED


# --- changing


@pytest.fixture
def slow(one_zone: str, chicago: Path) -> dict[str, bytes]:
    """A room that takes a while: it does not end before a test has done with it what it wants."""
    return {"room.idf": one_zone.replace("Timestep,4;", "Timestep,60;").encode(), "chicago.epw": chicago.read_bytes()}


def running(stack: LocalStack, simulation: str) -> bool:
    return any(each.status is VariantStatus.RUNNING for each in records_of(stack).variants(simulation))


def counts_of(client: Client, simulation: str) -> tuple[int, int, float]:
    """Succeeded, failed and percent done, as the API counts them."""
    state = client.get(f"/api/simulation/{simulation}/status/")
    return state["succeeded"], state["failed"], state["progress"]


def test_cancel_ends_engines_and_keeps_what_has_succeeded(
    stack: LocalStack, anna: Client, slow: dict[str, bytes], room: dict[str, bytes]
) -> None:
    files = slow | {"day.idf": room["room.idf"]}
    simulation = submit(anna, files, models=["day.idf", "room.idf"], parameters=[], name="Cancelled")
    wait_for(lambda: [each for each in records_of(stack).variants(simulation) if each.verdict], "the first variant")
    wait_for(lambda: running(stack, simulation), "the second variant")
    assert anna.post(f"/api/simulation/task/{simulation}/cancel/", {}).json()["status"] == "cancelled"
    wait_for(lambda: not running(stack, simulation), "the end of the engine")
    assert counts_of(anna, simulation) == (1, 0, 50.0), "before the results are collected"
    wait_for(lambda: "results.csv" in object_names(stack, simulation), "the table")
    table = results_table(stack, simulation)
    assert list(table["status"]) == ["succeeded", "not_run"]
    record = wait_for(lambda: records_of(stack).study(simulation), "the record")
    assert (record.status, record.succeeded) == (StudyStatus.CANCELLED, 1)
    assert counts_of(anna, simulation) == (1, 0, 50.0)
    message = anna.get(f"/api/simulation/task/{simulation}/status/")["message"]
    assert message == "1 of 2 variants have ended, 0 of them failed; 1 not run"


def test_what_has_ended_cannot_be_cancelled(anna: Client, done: str) -> None:
    assert anna.post(f"/api/simulation/task/{done}/cancel/", {}).status_code == 409


def test_a_cancelled_study_that_was_not_started_stays_cancelled(
    stack: LocalStack, anna: Client, room: dict[str, bytes]
) -> None:
    simulation = submit(anna, room, parameters=[], name="At once")
    assert anna.post(f"/api/simulation/task/{simulation}/cancel/", {}).status_code == 200
    wait_for(lambda: submits(stack, simulation), "the event of its upload")
    record = records_of(stack).study(simulation)
    assert record is not None
    assert record.status is StudyStatus.CANCELLED


def test_only_what_has_not_succeeded_is_run_again(stack: LocalStack, anna: Client, room: dict[str, bytes]) -> None:
    simulation = submit(anna, room, parameters=[SCHEDULES], name="Again")
    wait_for_execution(stack, wait_for_end(stack, simulation).execution_arn)
    before = {each.index: each.ended_at for each in records_of(stack).variants(simulation)}
    answer = anna.post(f"/api/simulation/{simulation}/rerun/", {"which": "failed"})
    assert (answer.status_code, answer.json()["variants"]) == (202, 1)
    record = wait_for_end(stack, simulation)
    after = {each.index: each.ended_at for each in records_of(stack).variants(simulation)}
    assert (record.status, record.attempt, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 2, 2, 1)
    assert [index for index in before if after[index] != before[index]] == [2]


def test_everything_can_be_run_again_as_a_simulation_of_its_own(stack: LocalStack, anna: Client, done: str) -> None:
    answer = anna.post(f"/api/simulation/{done}/rerun/", {"which": "all"})
    assert answer.status_code == 202, answer.text
    again = answer.json()["simulation_id"]
    assert again != done
    assert wait_for_end(stack, again).succeeded == 2


def test_the_concurrency_of_a_running_study_can_be_changed(
    stack: LocalStack, anna: Client, slow: dict[str, bytes]
) -> None:
    simulation = submit(anna, slow, name="Changed", options={"max_concurrency": 1})
    wait_for(lambda: running(stack, simulation), "a running variant")
    try:
        answer = anna.ask("PATCH", f"/api/simulation/{simulation}/", json={"max_concurrency": 3})
        assert (answer.status_code, answer.json()["max_concurrency"]) == (200, 3), answer.text
        wait_for(lambda: anna.get(f"/api/simulation/{simulation}/status/")["running"] == 3, "three at a time")
    finally:
        anna.post(f"/api/simulation/task/{simulation}/cancel/", {})


def test_a_removed_study_leaves_nothing(stack: LocalStack, anna: Client, room: dict[str, bytes]) -> None:
    simulation = submit(anna, room, parameters=[], name="Removed")
    source = wait_for_end(stack, simulation).source
    wait_for_execution(stack, f"{stack.outputs.state_machine_arn.replace('stateMachine', 'execution')}:{simulation}")
    assert anna.ask("DELETE", f"/api/simulation/{simulation}/").status_code == 204
    assert anna.ask("GET", f"/api/simulation/{simulation}/status/").status_code == 404
    assert simulation not in {each["simulation_id"] for each in anna.get("/api/simulation/results/")["results"]}
    wait_for(lambda: records_of(stack).study_including_removed(simulation) is None, "the removal")
    assert object_names(stack, simulation) == set()
    prefix = source["key"].rpartition("/")[0]
    listed = stack.client("s3").list_object_versions(Bucket=stack.outputs.inputs_bucket, Prefix=prefix)
    assert listed.get("Versions", []) == []


def test_while_step_functions_is_busy_no_counts_are_invented(
    stack: LocalStack, anna: Client, slow: dict[str, bytes]
) -> None:
    simulation = submit(anna, slow, parameters=[], name="Busy")
    try:
        wait_for(lambda: running(stack, simulation), "a running variant")
        with faults.answer("states", "DescribeMapRun", 400, "ThrottlingException"):
            answer = anna.ask("GET", f"/api/simulation/{simulation}/status/")
        assert (answer.status_code, "busy" in answer.json()["detail"]) == (503, True)
    finally:
        anna.post(f"/api/simulation/task/{simulation}/cancel/", {})


def test_more_files_than_a_caller_can_wait_for_are_refused(anna: Client) -> None:
    hashes = {f"{number}.epw": f"{number:064d}" for number in range(101)}
    answer = anna.post("/api/simulation/run/", {"study": study_document(), "files": hashes})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.files")


def test_a_study_that_was_sent_can_be_estimated(anna: Client, done: str) -> None:
    made = anna.get(f"/api/simulation/{done}/estimate/")
    assert (made["variants"], made["basis"]) == (3, "measured")
    assert made["cost_usd"] > 0
