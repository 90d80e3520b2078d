"""Items and children of a Distributed Map: order, selectors, readers, lists and counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.map_run.machines import ECHO, FAIL, PASS, child_of, map_of, outputs, run_map, waiting
from tests.moto_fixtures import Aws
from tests.support import wait_for


def sum_of(counts: Mapping[str, int]) -> int:
    return sum(counts[name] for name in ("pending", "running", "succeeded", "failed", "timedOut", "aborted"))


# --- items


@dataclass(frozen=True, slots=True)
class Ended:
    """A map that has ended: its execution, its items."""

    execution: dict[str, Any]
    items: list[Any]


@pytest.fixture(scope="module")
def large(aws: Aws) -> Ended:
    """A map over 2,000 items. Plain moto stops at 900."""
    items = [{"number": number} for number in range(2_000)]
    return Ended(run_map(aws, PASS, items), items)


def test_two_thousand_items_are_no_problem(large: Ended) -> None:
    assert large.execution["status"] == "SUCCEEDED"


def test_outputs_are_complete(large: Ended) -> None:
    assert sorted(each["number"] for each in outputs(large.execution)) == list(range(2_000))


def test_every_item_of_many_is_counted(aws: Aws, large: Ended) -> None:
    counts = aws.map_run(large.execution["executionArn"])["itemCounts"]
    assert (counts["total"], counts["succeeded"], sum_of(counts)) == (2_000, 2_000, 2_000)


def test_every_child_of_many_is_listed_once(aws: Aws, large: Ended) -> None:
    (map_run,) = aws.map_runs(large.execution["executionArn"])
    assert len({child["name"] for child in aws.children(map_run, maxResults=1_000)}) == 2_000


def test_outputs_are_in_the_order_of_the_items(aws: Aws, work: dict[str, Any]) -> None:
    items = [{"do": "echo", "number": number} for number in range(20)]
    assert outputs(run_map(aws, work, items, MaxConcurrency=1)) == items


def test_a_large_item_keeps_its_place(aws: Aws) -> None:
    items = [list(range(30_000)), "a", "b", "c"]
    selector = {"value.$": "$$.Map.Item.Value"}
    lengths = [len(each["value"]) for each in outputs(run_map(aws, PASS, items, ItemSelector=selector))]
    assert lengths == [30_000, 1, 1, 1]


def test_no_items_are_no_outputs(aws: Aws) -> None:
    assert outputs(run_map(aws, PASS, [])) == []


def test_a_selector_sees_the_item_its_index_and_the_maps_input(aws: Aws) -> None:
    selector = {
        "study.$": "$.study.name",
        "value.$": "$$.Map.Item.Value.v",
        "index.$": "$$.Map.Item.Index",
        "text.$": "States.Format('{}-{}', $.study.name, $$.Map.Item.Index)",
        "fixed": "f",
    }
    given = {"study": {"name": "office"}, "items": [{"v": "a"}, {"v": "b"}]}
    expected = [
        {"study": "office", "value": "a", "index": 0, "text": "office-0", "fixed": "f"},
        {"study": "office", "value": "b", "index": 1, "text": "office-1", "fixed": "f"},
    ]
    found = outputs(run_map(aws, PASS, given, ItemSelector=selector))
    assert sorted(found, key=lambda each: str(each["index"])) == expected


def test_an_item_without_a_selector_is_the_childs_input(aws: Aws) -> None:
    assert outputs(run_map(aws, PASS, [{"a": 1}])) == [{"a": 1}]


def test_a_selector_that_finds_nothing_fails_the_map(aws: Aws) -> None:
    assert run_map(aws, PASS, [1, 2], ItemSelector={"value.$": "$.not_there"})["status"] == "FAILED"


def reader(**parameters: str) -> dict[str, Any]:
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": parameters,
    }


def test_items_are_read_from_the_object_that_the_input_names(aws: Aws) -> None:
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="runs/1/items.json", Body=b'[{"n": 1}, {"n": 2}]')
    options = {"ItemReader": reader(**{"Bucket": bucket, "Key.$": "$.items_key"}), "MaxConcurrency": 1}
    assert outputs(run_map(aws, PASS, {"items_key": "runs/1/items.json"}, **options)) == [{"n": 1}, {"n": 2}]


def test_items_that_are_not_there_fail_the_map(aws: Aws) -> None:
    options = {"ItemReader": reader(Bucket=aws.bucket(), Key="not-there.json")}
    assert run_map(aws, PASS, {}, **options)["status"] == "FAILED"


def test_the_output_of_a_map_can_be_put_beside_its_input(aws: Aws) -> None:
    given = {"items": [1], "name": "kept"}
    assert outputs(run_map(aws, PASS, given, ResultPath="$.map")) == {**given, "map": [1]}


# --- the children


@pytest.fixture(scope="module")
def mixed(aws: Aws, work: dict[str, Any]) -> str:
    """ARN of a map run of five children, of which two failed."""
    items = [ECHO | {"number": 0}, FAIL, ECHO | {"number": 2}, FAIL, ECHO | {"number": 4}]
    described = run_map(aws, work, items, ToleratedFailureCount=2)
    (map_run,) = aws.map_runs(described["executionArn"])
    return map_run


def test_children_are_listed(aws: Aws, mixed: str) -> None:
    assert sorted(child["status"] for child in aws.children(mixed)) == ["FAILED"] * 2 + ["SUCCEEDED"] * 3


@pytest.mark.parametrize(("status", "number"), [("FAILED", 2), ("SUCCEEDED", 3), ("RUNNING", 0)])
def test_children_are_listed_by_status(aws: Aws, mixed: str, status: str, number: int) -> None:
    assert [child["status"] for child in aws.children(mixed, statusFilter=status)] == [status] * number


def test_the_pages_of_the_list_hold_every_child_once(aws: Aws, mixed: str) -> None:
    names = [child["name"] for child in aws.children(mixed, maxResults=2)]
    assert len(names) == len(set(names)) == 5


def test_a_page_holds_no_more_than_was_asked_for(aws: Aws, mixed: str) -> None:
    page = aws.client("stepfunctions").list_executions(mapRunArn=mixed, maxResults=2)
    assert len(page["executions"]) == 2


def test_the_list_begins_with_the_latest(aws: Aws, mixed: str) -> None:
    starts = [child["startDate"] for child in aws.children(mixed)]
    assert all(later >= earlier for later, earlier in pairwise(starts))


def test_a_listed_child_names_its_map_run(aws: Aws, mixed: str) -> None:
    assert {child["mapRunArn"] for child in aws.children(mixed)} == {mixed}


def test_the_arn_of_a_child_is_that_of_its_map(aws: Aws, mixed: str) -> None:
    machine = mixed.split(":")[6].split("/")[0]
    arns = {child["executionArn"].rpartition(":")[0].partition(":execution:")[2] for child in aws.children(mixed)}
    assert arns == {f"{machine}/work"}


def test_a_child_that_succeeded_is_described(aws: Aws, mixed: str) -> None:
    child = child_of(aws, mixed, "SUCCEEDED")
    assert json.loads(child["output"]) == json.loads(child["input"])
    assert child["startDate"] <= child["stopDate"]


def test_a_child_that_failed_is_described(aws: Aws, mixed: str) -> None:
    child = child_of(aws, mixed, "FAILED")
    assert (child["error"], json.loads(child["cause"])["errorMessage"]) == ("Unlucky", "it rains")
    assert json.loads(child["input"]) == FAIL
    assert "output" not in child


def test_a_described_child_names_its_map_run(aws: Aws, mixed: str) -> None:
    assert child_of(aws, mixed, "SUCCEEDED")["mapRunArn"] == mixed


def test_the_history_of_a_child_that_failed_says_what_happened(aws: Aws, mixed: str) -> None:
    arn = child_of(aws, mixed, "FAILED")["executionArn"]
    events = aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    (failed,) = (event["taskFailedEventDetails"] for event in events if event["type"] == "TaskFailed")
    assert failed["error"] == "Unlucky"
    assert events[-1]["type"] == "ExecutionFailed"


def test_a_child_that_is_not_there_cannot_be_described(aws: Aws, mixed: str) -> None:
    arn = child_of(aws, mixed, "FAILED")["executionArn"]
    with pytest.raises(ClientError, match="DoesNotExist"):
        aws.describe(arn[:-4] + "0000")


def test_a_running_child_is_listed_and_described(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    execution = aws.start(aws.machine(map_of(work)), {"items": [{"do": "wait", "folder": str(tmp_path)}]})
    wait_for(lambda: waiting(tmp_path) == 1, "the child")
    (map_run,) = aws.map_runs(execution)
    (child,) = aws.children(map_run, statusFilter="RUNNING")
    assert aws.describe(child["executionArn"])["status"] == "RUNNING"
    (tmp_path / "go").touch()
    aws.ended(execution)


def test_a_child_sees_itself_in_the_context(aws: Aws) -> None:
    state = PASS | {"Parameters": {"arn.$": "$$.Execution.Id", "input.$": "$$.Execution.Input"}}
    described = run_map(aws, state, ["a"])
    (map_run,) = aws.map_runs(described["executionArn"])
    (child,) = aws.children(map_run)
    assert outputs(described) == [{"arn": child["executionArn"], "input": "a"}]


def test_a_child_may_have_several_states(aws: Aws) -> None:
    definition = map_of(PASS | {"Result": 1, "ResultPath": "$.first"})
    states = definition["States"]["Map"]["ItemProcessor"]["States"]
    del states["Work"]["End"]
    states["Work"]["Next"] = "Then"
    states["Then"] = PASS | {"Result": 2, "ResultPath": "$.second"}
    assert outputs(aws.run(aws.machine(definition), {"items": [{}]})) == [{"first": 1, "second": 2}]


# --- counts


def test_the_counts_of_a_running_map_add_up(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    items = [ECHO, FAIL, *[{"do": "wait", "folder": str(tmp_path)}] * 4]
    execution = aws.start(aws.machine(map_of(work, MaxConcurrency=2, ToleratedFailureCount=1)), {"items": items})
    wait_for(lambda: waiting(tmp_path) == 2, "two waiting children")
    counts = wait_for(
        lambda: (found := aws.map_run(execution)["itemCounts"])["succeeded"] and found["failed"] and found,
        "the counts of the first two",
    )
    (tmp_path / "go").touch()
    aws.ended(execution)
    names = ("total", "succeeded", "failed", "running", "pending", "aborted", "timedOut")
    assert [counts[name] for name in names] == [6, 1, 1, 2, 2, 0, 0]


def test_the_counts_of_a_map_that_ended_add_up(aws: Aws, mixed: str) -> None:
    described = aws.client("stepfunctions").describe_map_run(mapRunArn=mixed)
    names = ("total", "succeeded", "failed", "running", "pending", "aborted", "timedOut")
    assert [described["itemCounts"][name] for name in names] == [5, 3, 2, 0, 0, 0, 0]


def test_executions_are_counted_as_items_are(aws: Aws, mixed: str) -> None:
    described = aws.client("stepfunctions").describe_map_run(mapRunArn=mixed)
    assert described["executionCounts"] == described["itemCounts"]


def test_the_counts_of_a_map_that_gave_up_add_up(aws: Aws, work: dict[str, Any]) -> None:
    execution = run_map(aws, work, [FAIL, *[ECHO] * 9], MaxConcurrency=1)["executionArn"]
    counts = wait_for(
        lambda: not (found := aws.map_run(execution)["itemCounts"])["running"] and found, "the end of the children"
    )
    assert (counts["total"], counts["pending"], sum_of(counts)) == (10, 0, 10)
