"""On the deployed stack: when each study runs, its share of the concurrency, and when it is given up."""

import json
from functools import partial
from typing import Any

from epsm.study.records import StudyRecord, StudyStatus
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import ENGINES, StudyMaker
from tests.moto_fixtures import Aws, unique
from tests.stack import faults
from tests.stack.clients import LAYERS, Client, submit
from tests.support import (
    records_of,
    result_json,
    results_table,
    run_study,
    upload_study,
    wait_for,
    wait_for_end,
)


def record_of(stack: LocalStack, simulation: str) -> StudyRecord | None:
    return records_of(stack).study(simulation)


def accepted(stack: LocalStack, simulation: str) -> StudyRecord | None:
    record = record_of(stack, simulation)
    return record if record is not None and record.variants else None


def levels(number: int) -> list[dict[str, Any]]:
    values = [round(0.05 + step / 1000, 3) for step in range(number)]
    where = {"class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    return [{"name": "insulation_m", **where, "values": values}]


def concurrency(stack: LocalStack, simulation: str) -> int | None:
    """Of the map run of a study, None before there is one."""
    record = record_of(stack, simulation)
    if record is None or not record.execution_arn:
        return None
    sfn = stack.client("stepfunctions")
    runs = sfn.list_map_runs(executionArn=record.execution_arn)["mapRuns"]
    return int(sfn.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["maxConcurrency"]) if runs else None


def has_concurrency(stack: LocalStack, simulation: str, number: int) -> bool:
    return concurrency(stack, simulation) == number


# --- failures


def test_a_study_is_given_up_when_more_fail_than_it_allows(stack: LocalStack, make_study: StudyMaker) -> None:
    options = {"max_failures": 0, "max_concurrency": 1}
    record = run_study(stack, make_study("no-failures", parameters=[LAYERS], options=options))
    assert record.status is StudyStatus.FAILED
    assert "States.ExceedToleratedFailureThreshold" in record.error
    assert list(results_table(stack, record.simulation_id)["status"])[:2] == ["succeeded", "succeeded"]


def test_as_many_failures_as_are_allowed_are_borne(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("one-failure", parameters=[LAYERS], options={"max_failures": 1}))
    assert (record.status, record.failed) == (StudyStatus.PARTIAL, 1)


# --- budgets


def test_a_study_whose_budget_is_spent_is_given_up_and_what_succeeded_is_kept(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    options = {"max_cost_usd": 0.0001, "preflight": False, "max_concurrency": 1}
    unknown = {"room.idf": f"! Never run before, so nobody knows what it costs.\n{one_day}"}
    record = run_study(stack, make_study("poor", files=unknown, parameters=levels(30), options=options))
    assert record.status is StudyStatus.FAILED
    assert "BudgetSpent: Its variants have cost $" in record.error
    table = results_table(stack, record.simulation_id)
    assert 0 < (table["status"] == "succeeded").sum() < 31
    assert set(table["status"]) <= {"succeeded", "not_run"}


def test_a_study_within_its_budget_completes(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("rich", parameters=[], options={"max_cost_usd": 1.0}))
    assert record.status is StudyStatus.COMPLETED
    assert 0 < record.spent_usd < 0.01
    assert record.cost_usd == record.spent_usd


def test_a_study_is_refused_that_is_known_to_cost_more_than_it_may(stack: LocalStack, make_study: StudyMaker) -> None:
    run_study(stack, make_study("measured-before", parameters=[]))
    record = run_study(stack, make_study("too-dear", options={"max_cost_usd": 0.000001}))
    assert record.status is StudyStatus.REJECTED
    (problem,) = result_json(stack, record.simulation_id, "errors.json")["problems"]
    assert problem["where"] == "study.json: options.max_cost_usd"


# --- one after another


def test_a_follower_starts_when_the_first_has_completed(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("first")
    with faults.hold("s3", "PutObject", f"runs/{name}", "results.parquet") as collecting:
        first = upload_study(stack, make_study(name, parameters=[]))
        collecting.wait()
        second = upload_study(stack, make_study("second", parameters=[], options={"after": first}))
        waiting = wait_for(partial(accepted, stack, second), "the second study")
    assert (waiting.status, waiting.execution_arn) == (StudyStatus.PENDING, "")
    ended = wait_for_end(stack, second)
    before = record_of(stack, first)
    assert before is not None
    assert (before.status, ended.status) == (StudyStatus.COMPLETED, StudyStatus.COMPLETED)
    assert ended.started_at > before.ended_at


def test_a_follower_of_a_study_that_failed_is_cancelled_and_says_why(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("bad")
    with faults.hold("s3", "PutObject", f"runs/{name}", "results.parquet") as collecting:
        first = upload_study(stack, make_study(name, parameters=[LAYERS], options={"max_failures": 0}))
        collecting.wait()
        second = upload_study(stack, make_study("second-of-bad", parameters=[], options={"after": first}))
        wait_for(partial(accepted, stack, second), "the second study")
    ended = wait_for_end(stack, second)
    assert (ended.status, ended.error) == (
        StudyStatus.CANCELLED,
        f"Not started: {first}, which it had to wait for, is failed.",
    )


def test_the_api_refuses_a_study_that_is_to_follow_somebody_elses(
    stack: LocalStack, make_study: StudyMaker, anna: Client, room: dict[str, bytes]
) -> None:
    bucket_study = run_study(stack, make_study("not-annas", parameters=[]))
    answer = anna.ask(
        "POST",
        "/api/simulation/run/",
        files=[("idf_files", ("room.idf", room["room.idf"])), ("weather_file", ("chicago.epw", room["chicago.epw"]))],
        data={
            "study": json.dumps(
                {
                    "models": ["room.idf"],
                    "weather": ["chicago.epw"],
                    "options": {"after": bucket_study.simulation_id},
                }
            )
        },
    )
    assert answer.status_code == 422
    assert [each["where"] for each in answer.json()["errors"]] == ["study.json: options.after"]


# --- shares


def test_studies_that_run_together_share_by_priority(stack: LocalStack, make_study: StudyMaker, one_zone: str) -> None:
    files = {"room.idf": one_zone}
    folders = {
        # More variants than run before the other study has tried its model, on a machine however busy.
        name: make_study(name, files=files, parameters=levels(250), options={"priority": name})
        for name in ("low", "high")
    }
    low = upload_study(stack, folders["low"])
    wait_for(partial(concurrency, stack, low), "the first map run")
    high = upload_study(stack, folders["high"])
    try:
        wait_for(partial(has_concurrency, stack, high, ENGINES * 4 // 5), "the larger share")
        wait_for(partial(has_concurrency, stack, low, 1), "the smaller share")
    finally:
        for simulation in (low, high):
            record = record_of(stack, simulation)
            assert record is not None
            stack.client("stepfunctions").stop_execution(executionArn=record.execution_arn)
            wait_for_end(stack, simulation)


def test_priority_and_budget_can_be_changed_while_a_study_runs(
    stack: LocalStack, anna: Client, room: dict[str, bytes], one_zone: str
) -> None:
    files = room | {"room.idf": one_zone.encode()}
    simulation = submit(anna, files, parameters=levels(60), options={"max_cost_usd": 1.0})
    wait_for(partial(accepted, stack, simulation), "the study")
    path = f"/api/simulation/{simulation}/"
    changed = anna.ask("PATCH", path, json={"priority": "low", "max_cost_usd": 2.5}).json()
    anna.post(f"/api/simulation/task/{simulation}/cancel/", {})
    assert (changed["priority"], changed["max_cost_usd"]) == ("low", 2.5)


def test_a_change_of_nothing_is_refused(anna: Client, room: dict[str, bytes]) -> None:
    simulation = submit(anna, room)
    assert anna.ask("PATCH", f"/api/simulation/{simulation}/", json={}).status_code == 422


def test_shares_can_be_dealt_out_on_request(aws: Aws) -> None:
    answer = aws.invoke(f"{STACK_NAME}-cleanup", {"task": "share"})
    assert (answer.error, set(answer.value)) == (None, {"shares"})
