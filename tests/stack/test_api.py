"""The deployed API about a study that has ended: status, rows, downloads, owners; and legacy EPSM's lines."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from epsm.study.records import StudyStatus
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, study_document
from tests.moto_fixtures import unique
from tests.stack.api_uploads import put_model
from tests.stack.clients import LAYERS, Client, submit
from tests.support import (
    records_of,
    results_table,
    run_study,
    wait_for,
    wait_for_end,
    wait_for_execution,
)


@pytest.fixture(scope="module")
def done(stack: LocalStack, anna: Client, room: dict[str, bytes]) -> str:
    """A study of Anna's that has ended: baseline, one success, one failure."""
    simulation = submit(anna, room, name="Anna's", parameters=[LAYERS])
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
        "overview.json",
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


def test_what_has_ended_cannot_be_cancelled(anna: Client, done: str) -> None:
    assert anna.post(f"/api/simulation/task/{done}/cancel/", {}).status_code == 409


def test_everything_can_be_run_again_as_a_simulation_of_its_own(stack: LocalStack, anna: Client, done: str) -> None:
    answer = anna.post(f"/api/simulation/{done}/rerun/", {"which": "all"})
    assert answer.status_code == 202, answer.text
    again = answer.json()["simulation_id"]
    assert again != done
    assert wait_for_end(stack, again).succeeded == 2


def test_a_study_that_was_sent_can_be_estimated(anna: Client, done: str) -> None:
    made = anna.get(f"/api/simulation/{done}/estimate/")
    assert (made["variants"], made["basis"]) == (3, "measured")
    assert made["cost_usd"] > 0
