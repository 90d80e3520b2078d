"""Closing and removing studies on the deployed stack."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from epsm.operations.close import STOPPED
from epsm.operations.reconcile import NEVER_STARTED
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus, VariantStatus, timestamp
from epsm_local.aws.session import session
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.moto_fixtures import Aws, unique
from tests.support import (
    object_names,
    records_of,
    results_table,
    run_study,
    upload_study,
    wait_for,
    wait_for_execution,
)

CLEANUP = f"{STACK_NAME}-cleanup"


def has_success(records: Records, simulation: str) -> bool:
    return any(each.status is VariantStatus.SUCCEEDED for each in records.variants(simulation))


def scheduled(aws: Aws, rule: str) -> Any:
    """What the function answers to the rule's input."""
    events = aws.client("events")
    (name,) = [each["Name"] for each in events.list_rules()["Rules"] if f"Cleanup{rule}" in each["Name"]]
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    return invoked(aws, json.loads(target["Input"]))


def invoked(aws: Aws, event: Any) -> Any:
    answer = aws.invoke(CLEANUP, event)
    assert answer.error is None, answer.value
    return answer.value


def make_older(stack: LocalStack, simulation: str, days: int) -> None:
    """Let a study have ended that many days ago."""
    table(stack).update_item(
        Key={"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY},
        UpdateExpression="SET ended_at = :then",
        ExpressionAttributeValues={":then": timestamp(datetime.now(UTC) - timedelta(days=days))},
    )


def table(stack: LocalStack) -> Any:
    return session().resource("dynamodb", endpoint_url=stack.endpoint).Table(stack.outputs.table_name)


def versions(stack: LocalStack, prefix: str) -> list[str]:
    """Keys of all versions of all inputs below a folder."""
    listed = stack.client("s3").list_object_versions(Bucket=stack.outputs.inputs_bucket, Prefix=prefix)
    return [each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]


def reports(stack: LocalStack, aws: Aws) -> list[Any]:
    bucket = stack.outputs.results_bucket
    listed = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=keys.CLEANUP).get("Contents", [])
    return [aws.json_object(bucket, each["Key"]) for each in listed]


@pytest.fixture(scope="module")
def stopped(stack: LocalStack, make_shared_study: StudyMaker, one_zone: str) -> str:
    """A study whose execution was stopped when its first variant had succeeded and its second ran; it is closed."""
    slow = one_zone.replace("Timestep,4;", "Timestep,60;")
    files = {"slow.idf": slow}
    folder = make_shared_study(unique("stop"), files=files, models=["room.idf", "slow.idf"], parameters=[])
    simulation = upload_study(stack, folder)
    wait_for(partial(has_success, records_of(stack), simulation), "the first success")
    record = records_of(stack).study(simulation)
    assert record is not None
    stack.client("stepfunctions").stop_execution(executionArn=record.execution_arn)
    wait_for(lambda: "results.parquet" in object_names(stack, simulation), "the results")
    return simulation


@pytest.fixture
def expired(stack: LocalStack, make_study: StudyMaker) -> StudyRecord:
    """A study that ended 31 days ago, of a folder of its own."""
    record = run_study(stack, make_study(unique("expired"), parameters=[]))
    make_older(stack, record.simulation_id, days=31)
    return record


# --- executions that ended badly


def test_a_study_whose_execution_is_stopped_is_cancelled(stack: LocalStack, stopped: str) -> None:
    record = records_of(stack).study(stopped)
    assert record is not None
    assert (record.status, record.error) == (StudyStatus.CANCELLED, STOPPED)


def test_what_succeeded_before_the_stop_is_in_the_table_and_counted(stack: LocalStack, stopped: str) -> None:
    table = results_table(stack, stopped).set_index("variant_index")
    assert list(table["status"]) == ["succeeded", "not_run"]
    assert table["site_eui_kwh_m2"][0] > 0

    def counted() -> int:
        record = records_of(stack).study(stopped)
        return record.succeeded if record else 0

    assert wait_for(counted, "the count") == 1


def test_a_failed_study_is_not_closed_twice(stack: LocalStack, make_study: StudyMaker, one_day: str, aws: Aws) -> None:
    broken = one_day + "\nZone,Without Surfaces;\n"
    record = run_study(stack, make_study(unique("fail"), files={"room.idf": broken}, parameters=[]))
    assert wait_for_execution(stack, record.execution_arn)["status"] == "FAILED"
    event = {
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "detail": {"executionArn": record.execution_arn, "status": "FAILED"},
    }
    assert invoked(aws, event).items() >= {"simulation_id": record.simulation_id, "closed": False}.items()
    assert records_of(stack).study(record.simulation_id) == record


# --- records that were left open


def test_a_record_without_an_execution_is_closed(stack: LocalStack, aws: Aws) -> None:
    simulation = unique("never")
    records_of(stack).create_or_get_study(simulation, "never", {})
    table(stack).update_item(
        Key={"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY},
        UpdateExpression="SET created_at = :then",
        ExpressionAttributeValues={":then": timestamp(datetime.now(UTC) - timedelta(hours=2))},
    )
    scheduled(aws, "Reconcile")
    record = records_of(stack).study(simulation)
    assert record is not None
    assert (record.status, record.error) == (StudyStatus.FAILED, NEVER_STARTED)


# --- retention


def test_an_expired_study_is_removed_whole_and_reported(stack: LocalStack, aws: Aws, expired: StudyRecord) -> None:
    simulation = expired.simulation_id
    before = object_names(stack, simulation)
    dry = invoked(aws, {"task": "retention", "dry_run": True})
    assert (dry["removed"], dry["due"] >= 1) == (0, True)
    assert object_names(stack, simulation) == before
    assert records_of(stack).study(simulation) is not None

    scheduled(aws, "Retention")

    assert object_names(stack, simulation) == set()
    assert versions(stack, keys.study_prefix(expired.source["key"])) == []
    assert records_of(stack).study(simulation) is None
    assert list(records_of(stack).variants(simulation)) == []
    removed = [each["simulation_id"] for report in reports(stack, aws) for each in report["studies"] if each["removed"]]
    assert simulation in removed


def test_a_study_that_is_not_expired_stays_whole(stack: LocalStack, make_study: StudyMaker, aws: Aws) -> None:
    record = run_study(stack, make_study(unique("young"), parameters=[]))
    make_older(stack, record.simulation_id, days=29)
    before = object_names(stack, record.simulation_id), versions(stack, keys.study_prefix(record.source["key"]))
    scheduled(aws, "Retention")
    assert records_of(stack).study(record.simulation_id) is not None
    after = object_names(stack, record.simulation_id), versions(stack, keys.study_prefix(record.source["key"]))
    assert after == before


# --- on request


def test_a_study_is_removed_on_request(stack: LocalStack, make_study: StudyMaker, aws: Aws) -> None:
    record = run_study(stack, make_study(unique("unwanted"), parameters=[]))
    assert invoked(aws, {"task": "remove", "simulation_id": record.simulation_id})["removed"]
    assert object_names(stack, record.simulation_id) == set()
    assert records_of(stack).study(record.simulation_id) is None


def test_a_study_that_has_not_ended_is_not_removed(stack: LocalStack, aws: Aws) -> None:
    simulation = unique("open")
    records_of(stack).create_or_get_study(simulation, "open", {})
    answer = aws.invoke(CLEANUP, {"task": "remove", "simulation_id": simulation})
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "StillRuns")


def test_an_unknown_task_is_an_error(aws: Aws) -> None:
    assert aws.invoke(CLEANUP, {"task": "tidy"}).value["errorType"] == "ValueError"
