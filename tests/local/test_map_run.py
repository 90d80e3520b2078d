"""Distributed Map: children, concurrency, tolerated failures. The completion is stepfunctions/map_run.py."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm_local.stack import LocalStack
from tests.conftest import ENGINES
from tests.moto_fixtures import Aws
from tests.stack import faults
from tests.support import wait_for

HANDLER = """
import os, time
from pathlib import Path

class Unlucky(Exception):
    pass

def handler(event, context):
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event

def fail(event, context):
    raise Unlucky("it rains")

def nap(event, context):
    started = time.monotonic()
    time.sleep(event["seconds"])
    return [started, time.monotonic()]

def wait(event, context):
    folder, started = Path(event["folder"]), time.monotonic()
    (folder / context.aws_request_id).touch()
    while not (folder / "go").exists() and time.monotonic() < started + 20:
        time.sleep(0.01)
    return [started, time.monotonic()]

def improve(event, context):
    # Fails until it was called often enough.
    with Path(event["file"]).open("a") as file:
        file.write("x")
    if len(Path(event["file"]).read_text()) >= event["succeeds_at"]:
        return "at last"
    if event.get("dies"):
        os._exit(1)
    raise Unlucky("again")
"""
TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"
ECHO = {"do": "echo"}
FAIL = {"do": "fail"}


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture(scope="module")
def function(aws: Aws) -> str:
    """A function that does what its event says."""
    return aws.function(HANDLER)


@pytest.fixture(scope="module")
def work(function: str) -> dict[str, Any]:
    """A state that hands its input to that function."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }


PASS = {"Type": "Pass", "End": True}


def map_of(state: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """A machine of one Distributed Map over `$.items`; each child runs one state."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": state},
    }
    source = {} if "ItemReader" in options else {"ItemsPath": "$.items"}
    state = {"Type": "Map", "Label": "work", "ItemProcessor": processor, "End": True, **source, **options}
    return {"StartAt": "Map", "States": {"Map": state}}


def run_map(aws: Aws, state: Mapping[str, Any], given: Any, **options: Any) -> dict[str, Any]:
    """Run a map to its end; a list is the items."""
    return aws.run(aws.machine(map_of(state, **options)), {"items": given} if isinstance(given, list) else given)


def outputs(described: Mapping[str, Any]) -> Any:
    assert described["status"] == "SUCCEEDED", described
    return json.loads(described["output"])


def waiting(folder: Path) -> int:
    """How many invocations wait in a folder."""
    return sum(path.name != "go" for path in folder.iterdir())


def most_at_a_time(spans: Sequence[Sequence[float]]) -> int:
    """How many of the spans overlap at most."""
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


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


def child_of(aws: Aws, map_run: str, status: str) -> dict[str, Any]:
    return aws.describe(aws.children(map_run, statusFilter=status)[0]["executionArn"])


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


# --- concurrency


def naps(number: int, seconds: float = 0.05) -> list[Any]:
    return [{"do": "nap", "seconds": seconds}] * number


@pytest.mark.parametrize("options", [{"MaxConcurrency": 2}, {"MaxConcurrencyPath": "$.most"}])
def test_no_more_children_run_than_the_map_or_its_input_allows(
    aws: Aws, work: dict[str, Any], tmp_path: Path, options: dict[str, Any]
) -> None:
    given = {"items": [{"do": "wait", "folder": str(tmp_path)}] * 5, "most": 2}
    execution = aws.start(aws.machine(map_of(work, **options)), given)
    wait_for(lambda: waiting(tmp_path) == 2, "two children")
    (tmp_path / "go").touch()
    assert most_at_a_time(outputs(aws.ended(execution))) == 2


@pytest.mark.parametrize("options", [{}, {"MaxConcurrency": 0}, {"MaxConcurrency": 1_000}])
def test_no_more_children_run_than_there_are_engines(
    aws: Aws, work: dict[str, Any], tmp_path: Path, options: dict[str, int]
) -> None:
    items = [{"do": "wait", "folder": str(tmp_path)}] * (ENGINES + 2)
    execution = aws.start(aws.machine(map_of(work, **options)), {"items": items})
    wait_for(lambda: waiting(tmp_path) == ENGINES, "as many children as engines")
    (tmp_path / "go").touch()
    assert most_at_a_time(outputs(aws.ended(execution))) == ENGINES


def test_two_maps_share_the_engines_and_both_end(aws: Aws, work: dict[str, Any]) -> None:
    machine = aws.machine(map_of(work))
    executions = [aws.start(machine, {"items": naps(12)}) for _ in range(2)]
    spans = [span for execution in executions for span in outputs(aws.ended(execution))]
    assert len(spans) == 24
    assert most_at_a_time(spans) <= ENGINES


def test_a_second_map_waits_for_a_place_and_then_runs(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    machine = aws.machine(map_of(work))
    first = aws.start(machine, {"items": [{"do": "wait", "folder": str(tmp_path)}] * ENGINES})
    wait_for(lambda: waiting(tmp_path) == ENGINES, "the first map's children")
    second = aws.start(machine, {"items": [ECHO]})
    assert aws.map_run(second)["itemCounts"]["succeeded"] == 0
    (tmp_path / "go").touch()
    assert (aws.ended(first)["status"], aws.ended(second)["status"]) == ("SUCCEEDED", "SUCCEEDED")


def update(aws: Aws, execution: str, **changes: Any) -> None:
    (map_run,) = aws.map_runs(execution)
    aws.client("stepfunctions").update_map_run(mapRunArn=map_run, **changes)


def test_the_concurrency_can_be_raised_while_the_map_runs(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    items = [{"do": "wait", "folder": str(tmp_path)}] * 6
    execution = aws.start(aws.machine(map_of(work, MaxConcurrency=1)), {"items": items})
    wait_for(lambda: waiting(tmp_path) == 1, "the first child")
    update(aws, execution, maxConcurrency=3)
    wait_for(lambda: waiting(tmp_path) == 3, "three children at a time")
    (tmp_path / "go").touch()
    assert most_at_a_time(outputs(aws.ended(execution))) == 3


def test_the_changed_concurrency_is_described(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    items = [{"do": "wait", "folder": str(tmp_path)}]
    execution = aws.start(aws.machine(map_of(work, MaxConcurrency=1)), {"items": items})
    update(aws, execution, maxConcurrency=3)
    assert aws.map_run(execution)["maxConcurrency"] == 3
    (tmp_path / "go").touch()
    aws.ended(execution)


# --- tolerated failures

FOUR_ONE_FAILS = [ECHO, ECHO, ECHO, FAIL]
FOUR_TWO_FAIL = [ECHO, ECHO, FAIL, FAIL]


def test_one_failure_fails_a_map_that_tolerates_none(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, FOUR_ONE_FAILS)
    assert (described["status"], described["error"]) == ("FAILED", TOO_MANY_FAILED)


@pytest.mark.parametrize(
    "tolerance",
    [
        {"ToleratedFailureCount": 0},
        {"ToleratedFailureCount": 1},
        {"ToleratedFailurePercentage": 0.0},
        {"ToleratedFailurePercentage": 49.9},
        {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100.0},
        {"ToleratedFailureCount": 4, "ToleratedFailurePercentage": 49.9},
    ],
)
def test_more_failures_than_tolerated_fail_the_map(aws: Aws, work: dict[str, Any], tolerance: dict[str, float]) -> None:
    described = run_map(aws, work, FOUR_TWO_FAIL, **tolerance)
    assert (described["status"], described["error"]) == ("FAILED", TOO_MANY_FAILED)


@pytest.mark.parametrize(
    "tolerance",
    [
        {"ToleratedFailureCount": 2},
        {"ToleratedFailurePercentage": 50.0},
        {"ToleratedFailurePercentage": 100.0},
        {"ToleratedFailureCount": 2, "ToleratedFailurePercentage": 50.0},
    ],
)
def test_no_more_failures_than_tolerated_let_the_map_succeed(
    aws: Aws, work: dict[str, Any], tolerance: dict[str, float]
) -> None:
    assert outputs(run_map(aws, work, FOUR_TWO_FAIL, **tolerance)) == [ECHO, ECHO]


@pytest.mark.parametrize("percentage", [50, 50.5, "fifty"])
def test_the_tolerated_percentage_can_come_from_the_input(aws: Aws, work: dict[str, Any], percentage: Any) -> None:
    given = {"items": FOUR_TWO_FAIL, "tolerated": percentage}
    described = run_map(aws, work, given, ToleratedFailurePercentagePath="$.tolerated")
    assert described["status"] == ("FAILED" if percentage == "fifty" else "SUCCEEDED")


def test_the_tolerated_count_can_come_from_the_input(aws: Aws, work: dict[str, Any]) -> None:
    given = {"items": FOUR_TWO_FAIL, "tolerated": 2}
    assert outputs(run_map(aws, work, given, ToleratedFailureCountPath="$.tolerated")) == [ECHO, ECHO]


def test_a_map_of_failures_alone_succeeds_if_they_are_tolerated(aws: Aws, work: dict[str, Any]) -> None:
    assert outputs(run_map(aws, work, [FAIL, FAIL], ToleratedFailurePercentage=100.0)) == []


def test_a_catch_is_reached_when_too_many_failed(aws: Aws, work: dict[str, Any]) -> None:
    catch = [{"ErrorEquals": [TOO_MANY_FAILED], "ResultPath": "$.why", "Next": "Caught"}]
    definition = map_of(work, Catch=catch)
    definition["States"]["Caught"] = PASS
    described = aws.run(aws.machine(definition), {"items": [FAIL], "kept": 1})
    assert outputs(described)["why"]["Error"] == TOO_MANY_FAILED
    assert outputs(described)["kept"] == 1


def test_states_all_catches_too_many_failures(aws: Aws, work: dict[str, Any]) -> None:
    definition = map_of(work, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}])
    definition["States"]["Caught"] = PASS
    assert outputs(aws.run(aws.machine(definition), {"items": [FAIL]}))["Error"] == TOO_MANY_FAILED


def test_the_map_run_failed_when_too_many_failed(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, [FAIL])
    assert aws.map_run(described["executionArn"])["status"] == "FAILED"


def test_no_children_start_once_too_many_have_failed(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, [FAIL, *[ECHO] * 50], MaxConcurrency=1)
    counts = aws.map_run(described["executionArn"])["itemCounts"]
    assert (counts["failed"], counts["succeeded"]) == (1, 0)


def test_the_tolerance_can_be_raised_while_the_map_runs(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    items = [{"do": "wait", "folder": str(tmp_path)}, FAIL]
    execution = aws.start(aws.machine(map_of(work, MaxConcurrency=1)), {"items": items})
    update(aws, execution, toleratedFailurePercentage=50)
    (tmp_path / "go").touch()
    assert aws.ended(execution)["status"] == "SUCCEEDED"


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


# --- retries inside a child


def improving(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"do": "improve", "file": str(tmp_path / "calls"), "succeeds_at": 3, **more}


def retried(work: dict[str, Any], *errors: str) -> dict[str, Any]:
    retry = {"ErrorEquals": list(errors), "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 2}
    return work | {"Retry": [retry | {"MaxDelaySeconds": 2}]}


@pytest.mark.parametrize("error", ["Unlucky", "States.TaskFailed", "States.ALL"])
def test_a_task_is_retried_by_the_name_of_its_error(aws: Aws, work: dict[str, Any], tmp_path: Path, error: str) -> None:
    assert outputs(run_map(aws, retried(work, error), [improving(tmp_path)])) == ["at last"]


def test_a_task_whose_worker_died_is_retried(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    state = retried(work, "Runtime.ExitError")
    assert outputs(run_map(aws, state, [improving(tmp_path, dies=True)])) == ["at last"]


def test_a_task_is_not_retried_for_another_error(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    described = run_map(aws, retried(work, "SomethingElse"), [improving(tmp_path)])
    assert described["status"] == "FAILED"
    assert (tmp_path / "calls").read_text() == "x"


def test_a_first_retrier_with_no_attempts_keeps_the_next_from_trying(
    aws: Aws, work: dict[str, Any], tmp_path: Path
) -> None:
    state = retried(work, "States.TaskFailed")
    state["Retry"].insert(0, {"ErrorEquals": ["Unlucky"], "MaxAttempts": 0})
    assert run_map(aws, state, [improving(tmp_path)])["status"] == "FAILED"
    assert (tmp_path / "calls").read_text() == "x"


def test_a_task_that_takes_too_long_is_timed_out(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    state = work | {"TimeoutSeconds": 1}
    described = run_map(aws, state, [{"do": "wait", "folder": str(tmp_path)}], ToleratedFailureCount=1)
    (tmp_path / "go").touch()
    (map_run,) = aws.map_runs(described["executionArn"])
    assert child_of(aws, map_run, "FAILED")["error"] == "States.Timeout"


def test_an_error_can_be_caught_inside_a_child(aws: Aws, work: dict[str, Any]) -> None:
    definition = map_of(work | {"Catch": [{"ErrorEquals": ["Unlucky"], "Next": "Caught"}]})
    definition["States"]["Map"]["ItemProcessor"]["States"]["Caught"] = PASS | {"Result": "caught"}
    assert outputs(aws.run(aws.machine(definition), {"items": [FAIL]})) == ["caught"]
