"""Cancelling, changing, removing and running again through the deployed API."""

from pathlib import Path

import pytest

from epsm.study.records import StudyStatus, VariantStatus
from epsm_local.stack import LocalStack
from tests.stack import faults
from tests.stack.clients import LAYERS, Client, submit
from tests.support import (
    object_names,
    records_of,
    results_table,
    submits,
    wait_for,
    wait_for_end,
    wait_for_execution,
)


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
    simulation = submit(anna, room, parameters=[LAYERS], name="Again")
    wait_for_execution(stack, wait_for_end(stack, simulation).execution_arn)
    before = {each.index: each.ended_at for each in records_of(stack).variants(simulation)}
    answer = anna.post(f"/api/simulation/{simulation}/rerun/", {"which": "failed"})
    assert (answer.status_code, answer.json()["variants"]) == (202, 1)
    record = wait_for_end(stack, simulation)
    after = {each.index: each.ended_at for each in records_of(stack).variants(simulation)}
    assert (record.status, record.attempt, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 2, 2, 1)
    assert [index for index in before if after[index] != before[index]] == [2]


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
