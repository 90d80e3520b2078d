"""The number of children that run at a time, and changing it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ENGINES
from tests.local.map_run.machines import ECHO, map_of, outputs, update, waiting
from tests.moto_fixtures import Aws
from tests.support import wait_for


def most_at_a_time(spans: Sequence[Sequence[float]]) -> int:
    """How many of the spans overlap at most."""
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


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
