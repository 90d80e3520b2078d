"""Status, lists, rows and downloads."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest

from epsm.pipeline.aggregate import aggregate
from epsm.store import keys
from epsm.store.packs import pack
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.api.routes.requests import ANNA, BEN, ROOT, ask, ended
from tests.unit.conftest import RESULTS
from tests.unit.deployed import Deployed

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


def test_a_page_token_has_the_keys_of_its_list_and_values_that_dynamodb_accepts(stack: Deployed) -> None:
    """DynamoDB's limit of a sort key is 1024 bytes, and no key is empty."""
    for number in range(2):
        stack.records.create_or_get_study(f"annas-{number}", "Anna's", {}, ANNA)
    path = "/api/simulation/results/"
    start = json.loads(urlsafe_b64decode(ask(stack, "GET", path, limit="1")[1]["next"]))

    def status(changed: dict[str, str]) -> int:
        return ask(stack, "GET", path, page=urlsafe_b64encode(json.dumps(changed).encode()).decode())[0]

    assert status(start) == status(start | {keys.SORT_KEY: "s" * 1024}) == 200
    assert status(start | {keys.SORT_KEY: "s" * 1025}) == status(start | {keys.SORT_KEY: ""}) == 422
    assert status(start | {"more": "x"}) == 422
    assert {status({name: start[name] for name in start if name != absent}) for absent in start} == {422}


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


@pytest.mark.parametrize("stored", ["series/part-0000001.parquet", "variants/1/series.parquet"], ids=["now", "0.2.0"])
def test_series_are_downloaded_by_their_variant(stack: Deployed, stored: str) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/{simulation}/download/"
    stack.files.put_text(keys.run_key(simulation, stored), "PAR1", "application/octet-stream")
    for name in ("variants/1/series.parquet", stored):
        (offered,) = ask(stack, "GET", path, name=name)[1]["files"].items()
        assert offered[0] == name
        assert f"runs/{simulation}/{stored}?" in offered[1]
    assert ask(stack, "GET", path, name="variants/2/series.parquet")[0] == 404


def test_a_file_of_a_pack_is_downloaded_as_a_copy_which_is_made_once(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    path = f"/api/simulation/{simulation}/download/"
    stack.files.put_bytes(keys.run_key(simulation, "packs/a.zip"), pack({1: {"in.idf": b"Version;"}}, {}), "")
    record = VariantRecord(1, VariantStatus.SUCCEEDED, verdict="ok", pack="packs/a.zip")
    stack.records.finish_successes(simulation, [record], 4_000_000_000)

    for _ in range(2):
        files = ask(stack, "GET", path, name="variants/1/in.idf")[1]["files"]
        assert f"runs/{simulation}/unpacked/a/1/in.idf?" in files["variants/1/in.idf"]
    copy = stack.files.open_result(keys.run_key(simulation, "unpacked/a/1/in.idf"))
    assert copy.read() == b"Version;"
    assert ask(stack, "GET", path, name="variants/1/eplusout.err")[0] == 404
    stack.s3.delete_object(Bucket=RESULTS, Key=keys.run_key(simulation, "packs/a.zip"))
    assert ask(stack, "GET", path, name="variants/1/in.idf")[0] == 404


def test_rows_of_an_ended_study_have_their_pareto_ranks(stack: Deployed) -> None:
    simulation = ended(stack, impact={"pareto": ["site_eui_kwh_m2", "unmet_heating_hours"]})
    path = f"/api/simulation/{simulation}/results/"
    assert [row.get("pareto_rank") for row in ask(stack, "GET", path)[1]["rows"]] == [None] * 3, "not written yet"

    stack.files.put_json(keys.run_key(simulation, "pareto.json"), {"objectives": [], "ranks": {"0": 2, "1": 1}})

    assert [row["pareto_rank"] for row in ask(stack, "GET", path)[1]["rows"]] == [2, 1, None]


def test_ranks_are_read_for_the_rows_of_a_page_alone(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = ended(stack, impact={"pareto": ["site_eui_kwh_m2", "unmet_heating_hours"]})
    content = b"".join(rank.to_bytes(4, "little") for rank in (2, 0))
    stack.files.put_bytes(keys.run_key(simulation, "pareto-ranks.bin"), content, "application/octet-stream")
    stack.files.put_json(keys.run_key(simulation, "pareto.json"), {"objectives": [], "ranks": {"0": 9}})
    path = f"/api/simulation/{simulation}/results/"

    assert [row["pareto_rank"] for row in ask(stack, "GET", path)[1]["rows"]] == [2, None, None]
    assert [row["pareto_rank"] for row in ask(stack, "GET", path, start="1", limit="1")[1]["rows"]] == [None]
    assert [row["pareto_rank"] for row in ask(stack, "GET", path, start="2")[1]["rows"]] == [None], "past its end"


@pytest.mark.parametrize("ranked", [True, False])
def test_pages_have_the_ranks_of_the_table(stack: Deployed, ranked: bool) -> None:
    wall = {
        "name": "wall",
        "class": "Material",
        "object": "Wall Insulation",
        "field": "Thickness",
        "values": [0.1, 0.2],
    }
    simulation = stack.accepted(ANNA, parameters=[wall], impact={"pareto": ["site_eui_kwh_m2", "unmet_heating_hours"]})
    for index, eui in enumerate((100.0, 80.0, 90.0)):
        metrics = {"site_eui_kwh_m2": eui, "unmet_heating_hours": eui} if ranked else {}
        summary = {"metrics": metrics, "engine_seconds": 1.0, "period": "a year"}
        stack.records.finish_variant(simulation, VariantRecord(index, VariantStatus.SUCCEEDED, summary=summary), 0)
    aggregate(stack.files, stack.records, simulation)

    path = f"/api/simulation/{simulation}/results/"
    pages = [ask(stack, "GET", path, start=str(start), limit="1")[1]["rows"] for start in range(3)]

    assert [row["pareto_rank"] for (row,) in pages] == ([3, 1, 2] if ranked else [None] * 3)
