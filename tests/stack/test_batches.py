"""Batches on the deployed stack: a variant behaves as it does alone, even if the batch's function is killed."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from epsm.study.records import StudyStatus, VariantStatus
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.moto_fixtures import unique
from tests.stack import faults
from tests.stack.clients import LAYERS, Client, submit
from tests.support import records_of, results_table, upload_study, wait_for_end, wait_for_execution

FIVE = {
    "name": "insulation_m",
    "class": "Material",
    "object": "Wall Insulation",
    "field": "Thickness",
    "values": [0.1, 0.15, 0.2, 0.25],
}


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


def children(stack: LocalStack, execution_arn: str) -> list[dict[str, Any]]:
    """The child executions of a study, the first first."""
    client = stack.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=execution_arn)["mapRuns"]
    listed = client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    found = [client.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return sorted(found, key=lambda each: json.loads(each["input"])["variant"]["batch"][0]["index"])


def test_a_failed_variant_makes_its_child_fail_and_leaves_the_others(
    stack: LocalStack, anna: Client, room: dict[str, bytes]
) -> None:
    simulation = submit(anna, room, name=unique("batch"), parameters=[LAYERS], options={"batch": 2})
    record = wait_for_end(stack, simulation)

    assert (record.status, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 2, 1)
    assert (record.successes, record.failures) == (2, 1)
    assert list(results_table(stack, simulation)["status"]) == ["succeeded", "succeeded", "failed"]
    first, second = children(stack, record.execution_arn)
    assert [first["status"], second["status"]] == ["SUCCEEDED", "FAILED"]
    outcome = json.loads(first["output"])
    assert [(each["index"], each["verdict"]) for each in outcome["variants"]] == [(0, "ok"), (1, "ok")]
    assert second["error"] == "SimulationFailed"
    assert [(each["index"], each["verdict"]) for each in json.loads(second["cause"])] == [(2, "bad input")]


def test_failures_are_counted_by_variant_when_a_study_is_given_up(
    stack: LocalStack, anna: Client, room: dict[str, bytes]
) -> None:
    options = {"batch": 3, "max_failures": 0, "max_concurrency": 1}
    layers = LAYERS | {"values": ["Room", "Concrete"]}
    simulation = submit(anna, room, name=unique("batch-limit"), parameters=[layers], options=options)
    record = wait_for_end(stack, simulation)

    assert (record.status, record.failed, record.given_up) == (StudyStatus.FAILED, 1, True)
    assert "TooManyFailures: 1 of its variants have failed; it allows 0." in record.error


def test_a_batch_whose_function_is_killed_repeats_only_what_had_not_ended(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    name = unique("batch-killed")
    # Variants 1 and 2 fail: they are stored at once, with those before them.
    parameters = [LAYERS | {"values": ["Room", "Concrete"]}, FIVE | {"values": [0.1, 0.15]}]
    with faults.hold("s3", "PutObject", f"runs/{name}", "packs/0000003-") as held:
        simulation = upload_study(stack, make_study(name, parameters=parameters, options={"batch": 5}))
        held.wait()
        before = list(records_of(stack).variants(simulation))
        for worker in stack.workers.busy(f"{STACK_NAME}-run-variant"):
            os.kill(worker.pid, signal.SIGKILL)
        held.release()
        record = wait_for_end(stack, simulation)

    succeeded, failed = VariantStatus.SUCCEEDED, VariantStatus.FAILED
    assert [each.status for each in before] == [succeeded, failed, failed]
    assert (record.status, record.succeeded, record.failures) == (StudyStatus.PARTIAL, 3, 2)
    assert list(records_of(stack).variants(simulation))[:3] == before


def test_a_variant_that_ends_its_function_every_time_is_lost_alone(stack: LocalStack, make_study: StudyMaker) -> None:
    name = unique("batch-lost")
    with faults.answer("dynamodb", "BatchWriteItem", 403, "AccessDenied", f"SIM#{name}", "VARIANT#0000002"):
        record = wait_for_end(stack, upload_study(stack, make_study(name, parameters=[FIVE], options={"batch": 5})))
    wait_for_execution(stack, record.execution_arn)

    assert (record.status, record.succeeded, record.failed, record.failures) == (StudyStatus.PARTIAL, 4, 1, 1)
    lost = records_of(stack).variant(record.simulation_id, 2)
    assert lost is not None
    assert (lost.stage, "AccessDenied" in lost.error) == ("worker", True)
    (child,) = children(stack, record.execution_arn)
    assert (child["status"], child["error"]) == ("FAILED", "SimulationFailed")
    verdicts = [each.get("verdict") for each in json.loads(child["cause"])]
    assert verdicts == ["ok", "ok", "ClientError", "ok", "ok"]
