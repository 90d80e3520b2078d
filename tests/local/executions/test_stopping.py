"""Stopping executions and their maps."""

import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.executions.machines import PAUSE, entered, history, start_waiting, started, stop
from tests.moto_fixtures import Aws
from tests.support import wait_for


def start_map(aws: Aws, machine: str, folder: Path, number: int = 3) -> str:
    """A map of which one child waits in the folder."""
    execution = aws.start(machine, {"items": [{"folder": str(folder)}] * number})
    wait_for(lambda: entered(folder), "the first child")
    return execution


# --- stopping


def test_a_stopped_execution_is_aborted_at_once(aws: Aws, waits: str, tmp_path: Path) -> None:
    execution = start_waiting(aws, waits, tmp_path)
    stop(aws, execution)
    status = aws.describe(execution)["status"]
    (tmp_path / "go").touch()
    assert status == "ABORTED"


def test_a_stopped_execution_stays_aborted_when_its_task_ends(aws: Aws, waits: str, tmp_path: Path) -> None:
    execution = start_waiting(aws, waits, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    wait_for(lambda: history(aws, execution)[-1]["type"] == "ExecutionAborted", "the end of the task")
    described = aws.describe(execution)
    assert (described["status"], "output" in described) == ("ABORTED", False)


def test_a_stopped_execution_tells_why_and_when(aws: Aws) -> None:
    execution = started(aws, aws.machine(PAUSE))
    answer = stop(aws, execution, error="Cancelled", cause="by its user")
    described = aws.describe(execution)
    assert (described["error"], described["cause"]) == ("Cancelled", "by its user")
    assert described["stopDate"] == answer["stopDate"] >= described["startDate"]


def test_stopping_twice_changes_nothing(aws: Aws) -> None:
    execution = started(aws, aws.machine(PAUSE))
    first = stop(aws, execution, error="First")
    second = stop(aws, execution, error="Second")
    assert (aws.describe(execution)["error"], second["stopDate"]) == ("First", first["stopDate"])


def test_what_has_ended_cannot_be_stopped(aws: Aws, passes: str) -> None:
    execution = aws.run(passes)["executionArn"]
    stop(aws, execution)
    assert aws.describe(execution)["status"] == "SUCCEEDED"


def test_what_is_not_there_cannot_be_stopped(aws: Aws, passes: str) -> None:
    execution = aws.run(passes)["executionArn"]
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        stop(aws, execution + "0")


def test_a_stopped_execution_enters_no_further_state(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    states = {"Work": {**work, "Next": "Then"}, "Then": {"Type": "Pass", "End": True}}
    del states["Work"]["End"]
    execution = start_waiting(aws, aws.machine({"StartAt": "Work", "States": states}), tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    wait_for(lambda: history(aws, execution)[-1]["type"] == "ExecutionAborted", "the end of the task")
    assert not any(event["type"] == "PassStateEntered" for event in history(aws, execution))


def test_an_execution_that_is_stopped_at_once_does_nothing(aws: Aws, passes: str, held: threading.Event) -> None:
    execution = aws.start(passes)
    stop(aws, execution)
    held.set()
    wait_for(lambda: history(aws, execution), "the interpreter")
    wait_for(lambda: history(aws, execution)[-1]["type"].startswith("Execution"), "its end")
    assert not any(event["type"] == "PassStateEntered" for event in history(aws, execution))


@pytest.mark.usefixtures("held")
def test_an_execution_that_is_stopped_at_once_is_aborted(aws: Aws, passes: str) -> None:
    execution = aws.start(passes)
    stop(aws, execution)
    assert aws.describe(execution)["status"] == "ABORTED"


# --- stopping a map


def test_the_map_run_of_a_stopped_execution_is_aborted(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    wait_for(lambda: aws.map_run(execution)["status"] == "ABORTED", "the end of the map run")
    (tmp_path / "go").touch()


def test_a_stopped_map_starts_no_more_children(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts_at_rest(aws, execution)
    assert entered(tmp_path) == 1


def counts_at_rest(aws: Aws, execution: str) -> dict[str, int]:
    """The item counts of a map run, once nothing of it runs."""

    def look() -> dict[str, int] | None:
        described = aws.map_run(execution)
        counts: dict[str, int] = described["itemCounts"]
        return counts if described["status"] != "RUNNING" and not counts["running"] else None

    return wait_for(look, "the end of the children")


def test_the_counts_of_a_stopped_map_add_up(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts = counts_at_rest(aws, execution)
    assert [counts[name] for name in ("total", "aborted", "pending", "succeeded", "failed")] == [3, 3, 0, 0, 0]


def test_the_running_child_of_a_stopped_map_is_aborted(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts_at_rest(aws, execution)
    (map_run,) = aws.map_runs(execution)
    assert [child["status"] for child in aws.children(map_run)] == ["ABORTED"]


def test_a_stopped_map_leaves_its_place_to_others(aws: Aws, maps: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    execution = start_map(aws, maps, tmp_path / "a")
    stop(aws, execution)
    (tmp_path / "a" / "go").touch()
    (tmp_path / "b" / "go").touch()
    assert aws.run(maps, {"items": [{"folder": str(tmp_path / "b")}] * 6})["status"] == "SUCCEEDED"


def test_children_of_a_map_that_timed_out_have_not_succeeded(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": work},
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "TimeoutSeconds": 1, "ItemProcessor": processor, "End": True}
    machine = aws.machine({"StartAt": "Map", "States": {"Map": state}})
    execution = aws.run(machine, {"items": [{"folder": str(tmp_path)}]})["executionArn"]
    (tmp_path / "go").touch()
    assert counts_at_rest(aws, execution)["succeeded"] == 0
