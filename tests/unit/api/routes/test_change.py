"""Cancelling, changing, removing and running again."""

from typing import Any

import pytest

from epsm.store import keys
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.api.routes.requests import ANNA, ROOT, ask, ended
from tests.unit.deployed import Deployed

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
    assert not stack.records.reopen_study(simulation, attempt=2, succeeded=0)


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


@pytest.mark.parametrize(
    "change",
    [
        *({"max_cost_usd": usd} for usd in (0, -0.5, 1.1e6, "1")),
        *({"max_concurrency": number} for number in (0, 10_001, 1.5, "1")),
        {"priority": "highest"},
    ],
    ids=str,
)
def test_a_change_beyond_what_is_allowed_is_refused(stack: Deployed, change: dict[str, Any]) -> None:
    simulation = stack.accepted(ANNA, options={"max_cost_usd": 1.0})
    status, answer = ask(stack, "PATCH", f"/api/simulation/{simulation}/", change)
    assert (status, [each["where"] for each in answer["errors"]]) == (422, [f"body.{name}" for name in change])


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
