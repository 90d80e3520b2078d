"""A study's way through the deployed stack when workers are killed and AWS refuses, throttles, repeats or forgets.

Whatever happens: the study ends in a named state, nothing that succeeded is lost, nothing is counted twice, and the
reason can be read through the API and the command. What a single variant can come to is in test_pipeline.py and
test_worker_faults.py.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from epsm.store import keys
from epsm.study.records import StudyRecord, StudyStatus
from epsm_local.product import STACK_NAME
from epsm_local.running import announced, claimed
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.moto_fixtures import unique
from tests.stack import faults
from tests.stack.clients import LAYERS, Client, submit
from tests.support import (
    object_names,
    records_of,
    results_table,
    run_study,
    submits,
    upload_study,
    wait_for,
    wait_for_end,
    wait_for_execution,
)

EPSM = Path(sys.executable).with_name("epsm")
THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException")


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


def kill_workers(stack: LocalStack, function: str) -> None:
    """kill -9 of the workers of a function that are at work: the held one, and any that an earlier test left."""
    workers = stack.workers.busy(f"{STACK_NAME}-{function}")
    assert workers
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)


def executions(stack: LocalStack, simulation: str) -> list[str]:
    listed = stack.client("stepfunctions").list_executions(stateMachineArn=stack.outputs.state_machine_arn)
    return [each["name"] for each in listed["executions"] if each["name"].startswith(simulation)]


def assert_whole(stack: LocalStack, record: StudyRecord) -> None:
    """Completed, by one execution, with each of the three variants once in records and table."""
    assert (record.status, record.error) == (StudyStatus.COMPLETED, "")
    assert (record.succeeded, record.failed, record.attempt) == (3, 0, 1)
    assert [each.index for each in records_of(stack).variants(record.simulation_id)] == [0, 1, 2]
    table = results_table(stack, record.simulation_id)
    assert list(table["variant_index"]) == [0, 1, 2]
    assert (table["status"] == "succeeded").all()
    assert executions(stack, record.simulation_id) == [record.simulation_id]


def epsm(stack: LocalStack, folder: Path, *arguments: str) -> str:
    """What the command prints when it is used with this stack."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        with claimed(), announced(stack.endpoint):
            environment = {**os.environ, "COLUMNS": "200"}
            done = subprocess.run(
                [EPSM, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60
            )
    return done.stdout + done.stderr


# --- killed


def test_a_killed_aggregate_is_tried_again(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("aggregate")
    with faults.hold("s3", "PutObject", f"runs/{name}", "results.parquet") as held:
        simulation = upload_study(stack, make_study(name))
        held.wait()
        kill_workers(stack, "aggregate")
        held.release()
        record = wait_for_end(stack, simulation)
    assert wait_for_execution(stack, record.execution_arn)["status"] == "SUCCEEDED"
    assert_whole(stack, record)


def test_a_submit_that_is_killed_before_it_starts_the_execution_is_completed(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    name = unique("submit")
    with faults.hold("states", "StartExecution", name) as held:
        simulation = upload_study(stack, make_study(name))
        held.wait()
        recorded = records_of(stack).study(simulation)
        kill_workers(stack, "submit")
        held.release()
        record = wait_for_end(stack, simulation)
    assert recorded is not None
    assert (recorded.status, recorded.variants) == (StudyStatus.PENDING, 3)
    assert_whole(stack, record)


# --- events that come twice or late


def test_one_event_many_times_at_once_starts_one_execution(stack: LocalStack, make_study: StudyMaker) -> None:
    folder = make_study(unique("at-once"))
    simulation = upload_study(stack, folder)
    version = newest_version(stack, f"{folder.name}/study.json")
    for _ in range(5):
        tell_of_upload(stack, f"{folder.name}/study.json", version)
    record = wait_for_end(stack, simulation)
    wait_for(lambda: len(submits(stack, simulation)) == 6, "six submits")
    assert_whole(stack, record)


def test_an_event_after_the_end_changes_nothing_at_all(stack: LocalStack, make_study: StudyMaker) -> None:
    folder = make_study(unique("late"))
    record = run_study(stack, folder)
    before = versions_of_results(stack, record.simulation_id)
    tell_of_upload(stack, f"{folder.name}/study.json", record.source["version_id"])
    wait_for(lambda: len(submits(stack, record.simulation_id)) == 2, "the second submit")
    assert records_of(stack).study(record.simulation_id) == record
    assert versions_of_results(stack, record.simulation_id) == before
    assert_whole(stack, record)


def newest_version(stack: LocalStack, key: str) -> str:
    return str(stack.client("s3").head_object(Bucket=stack.outputs.inputs_bucket, Key=key)["VersionId"])


def tell_of_upload(stack: LocalStack, key: str, version: str) -> None:
    """The event of an upload once more, as EventBridge hands it to submit."""
    uploaded = {"key": key, "version-id": version, "size": 1, "etag": "0" * 32, "sequencer": "0"}
    detail = {"version": "0", "bucket": {"name": stack.outputs.inputs_bucket}, "object": uploaded}
    event = {"version": "0", "id": unique("event"), "detail-type": "Object Created", "source": "aws.s3"}
    payload = json.dumps({**event, "resources": [], "detail": {**detail, "reason": "PutObject"}})
    stack.client("lambda").invoke(FunctionName=f"{STACK_NAME}-submit", InvocationType="Event", Payload=payload)


def versions_of_results(stack: LocalStack, simulation: str) -> dict[str, Any]:
    """When each file of a run was written."""
    pages = stack.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=stack.outputs.results_bucket, Prefix=keys.run_key(simulation))
    return {each["Key"]: (each["LastModified"], each["ETag"]) for page in found for each in page["Contents"]}


# --- throttled


def test_a_throttling_s3_is_waited_out(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("slow-down")
    with ExitStack() as throttles:
        met = [
            throttles.enter_context(faults.answer("s3", operation, 503, "SlowDown", *about, every=2))
            for operation, *about in (
                ("GetObject", f"/{name}/"),  # inputs
                ("GetObject", f"runs/{name}", "manifest.json"),
                ("PutObject", f"runs/{name}", "variants/"),
                ("PutObject", f"runs/{name}", "results."),
            )
        ]
        record = wait_for_end(stack, upload_study(stack, make_study(name)))
    assert all(each.met for each in met)
    assert_whole(stack, record)


@pytest.mark.parametrize("code", THROTTLES)
def test_a_throttling_table_is_waited_out(stack: LocalStack, make_study: StudyMaker, code: str) -> None:
    name = unique("table")
    with (
        faults.answer("dynamodb", "PutItem", 400, code, name, every=3) as puts,
        faults.answer("dynamodb", "UpdateItem", 400, code, name, every=2) as updates,
        faults.answer("dynamodb", "Query", 400, code, name, every=2) as queries,
    ):
        # The first update is submit's, the second is the state machine's: "Mark study as running".
        record = wait_for_end(stack, upload_study(stack, make_study(name)))
        assert_whole(stack, record)
    assert min(puts.met, updates.met, queries.met) > 0


def test_items_that_cannot_be_read_at_once_are_read_again(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("items")
    with faults.answer("s3", "GetObject", 404, "NoSuchKey", f"runs/{name}", "items.json", times=2) as fault:
        record = wait_for_end(stack, upload_study(stack, make_study(name)))
    assert fault.met == 2
    assert_whole(stack, record)


@pytest.mark.parametrize("function", ["run-variant", "aggregate"])
def test_a_throttling_lambda_is_waited_out(stack: LocalStack, make_study: StudyMaker, function: str) -> None:
    name = unique("throttled")
    with faults.throttled_invocations(function, name, times=4) as throttle:
        record = wait_for_end(stack, upload_study(stack, make_study(name)))
    assert throttle.met == 4
    assert_whole(stack, record)


@pytest.mark.parametrize(
    ("service", "operation", "which"),
    [
        ("states", "StartExecution", ""),
        ("dynamodb", "UpdateItem", "started_at = :now"),
        ("dynamodb", "UpdateItem", "#ended_at"),
        ("dynamodb", "PutItem", "VARIANT#"),
    ],
    ids=["start of the execution", "mark as running", "end of the study", "a variant"],
)
def test_what_was_done_but_not_heard_of_is_not_done_twice(
    stack: LocalStack, make_study: StudyMaker, service: str, operation: str, which: str
) -> None:
    name = unique("unheard")
    with faults.lost_answer(service, operation, name, which, times=1) as lost:
        record = wait_for_end(stack, upload_study(stack, make_study(name)))
    assert lost.met == 1
    assert wait_for_execution(stack, record.execution_arn)["status"] == "SUCCEEDED"
    assert_whole(stack, record)


# --- denied


def test_variants_that_may_not_store_their_results_say_so(
    stack: LocalStack, anna: Client, room: dict[str, bytes], tmp_path: Path
) -> None:
    name = unique("denied")
    with faults.answer("s3", "PutObject", 403, "AccessDenied", f"runs/{name}", "variants/"):
        simulation = submit(anna, room, name=name)
        record = wait_for_end(stack, simulation)
    wait_for_execution(stack, record.execution_arn)
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.FAILED, 0, 3)
    assert anna.get(f"/api/simulation/{simulation}/status/")["error_message"] == "No variant succeeded."
    rows = anna.get(f"/api/simulation/{simulation}/results/")["rows"]
    assert [(row["status"], row["error_stage"]) for row in rows] == [("failed", "worker")] * 3
    assert all("AccessDenied" in row["error"] for row in rows)
    assert results_table(stack, simulation)["error"].str.contains("AccessDenied").all()
    assert "No variant succeeded." in epsm(stack, tmp_path, "status", simulation)
    assert "AccessDenied" in epsm(stack, tmp_path, "results", simulation)


@pytest.fixture
def uncollected(stack: LocalStack, anna: Client, room: dict[str, bytes]) -> str:
    """A study whose variants have succeeded, but whose table could not be written; the cause is gone."""
    name = unique("uncollected")
    with faults.answer("s3", "PutObject", 403, "AccessDenied", f"runs/{name}", "results.parquet"):
        simulation = submit(anna, room, name=name)
        record = wait_for_end(stack, simulation)
        wait_for_execution(stack, record.execution_arn)
    return simulation


def test_a_study_that_cannot_be_collected_says_why(
    stack: LocalStack, anna: Client, uncollected: str, tmp_path: Path
) -> None:
    record = records_of(stack).study(uncollected)
    assert record is not None
    assert record.status is StudyStatus.FAILED
    assert wait_for_execution(stack, record.execution_arn)["status"] == "FAILED"
    state = anna.get(f"/api/simulation/{uncollected}/status/")
    why = state["error_message"]
    assert state["succeeded"] == 3
    assert why.startswith("The results could not be collected: AccessDenied: An error occurred")
    assert "AccessDenied" in epsm(stack, tmp_path, "status", uncollected)
    rows = anna.get(f"/api/simulation/{uncollected}/results/")["rows"]
    assert [row["status"] for row in rows] == ["succeeded"] * 3
    assert all(row["site_eui_kwh_m2"] > 0 for row in rows)


def test_a_study_that_was_not_collected_is_collected_by_running_again_what_failed(
    stack: LocalStack, anna: Client, uncollected: str
) -> None:
    before = list(records_of(stack).variants(uncollected))
    answer = anna.post(f"/api/simulation/{uncollected}/rerun/", {"which": "failed"})
    assert answer.status_code == 202, answer.text
    record = wait_for_end(stack, uncollected)
    assert (record.status, record.error) == (StudyStatus.COMPLETED, "")
    assert (record.succeeded, record.attempt) == (3, 2)
    assert list(records_of(stack).variants(uncollected)) == before
    assert list(results_table(stack, uncollected)["status"]) == ["succeeded"] * 3
    assert {"results.csv", "report.html"} <= object_names(stack, uncollected)
    assert anna.post(f"/api/simulation/{uncollected}/rerun/", {"which": "failed"}).status_code == 409


# --- given up


def test_the_reason_of_a_study_that_was_given_up_can_be_read(
    stack: LocalStack, anna: Client, room: dict[str, bytes], tmp_path: Path
) -> None:
    options = {"tolerated_failure_percentage": 10, "max_concurrency": 1}
    simulation = submit(anna, room, name=unique("given-up"), parameters=[LAYERS], options=options)
    record = wait_for_end(stack, simulation)
    wait_for_execution(stack, record.execution_arn)
    why = "The study was given up: more variants failed than it allows (States.ExceedToleratedFailureThreshold)"
    state = anna.get(f"/api/simulation/{simulation}/status/")
    assert (state["status"], state["succeeded"], state["failed"]) == ("failed", 2, 1)
    assert state["error_message"].startswith(why)
    assert anna.get(f"/api/simulation/task/{simulation}/status/")["error"].startswith(why)
    assert why in epsm(stack, tmp_path, "status", simulation)
