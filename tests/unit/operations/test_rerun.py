"""Rerunning variants that have not succeeded: which ones, in which attempt, and how often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.errors import NotFound
from epsm.operations.rerun import rerun_missing
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus
from tests.unit.deployed import Deployed

ALL = 3
"""Variants of `study_document`."""


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records)


def ended(stack: Deployed, *succeeded: int, status: StudyStatus = StudyStatus.PARTIAL) -> StudyRecord:
    """A study that has ended, some of whose variants succeeded."""
    simulation = stack.accepted("anna")
    succeed(stack, simulation, *succeeded)
    stack.records.finish_study(simulation, status, succeeded=len(succeeded), failed=ALL - len(succeeded))
    return stack.record(simulation)


def succeed(stack: Deployed, simulation: str, *indices: int) -> None:
    for index in indices:
        stack.records.finish_variant(simulation, VariantRecord(index, VariantStatus.SUCCEEDED), 0)


def items(stack: Deployed, simulation: str, attempt: int) -> list[int]:
    return [item["index"] for item in stack.json_of(simulation, f"items-{attempt}.json")]


@pytest.mark.parametrize(
    ("succeeded", "missing"),
    [((), [0, 1, 2]), ((1,), [0, 2]), ((0, 2), [1]), ((0, 1, 2), [0])],
    ids=["none", "one", "two", "all, but they were not collected"],
)
def test_what_has_not_succeeded_runs_again(stack: Deployed, succeeded: tuple[int, ...], missing: list[int]) -> None:
    record = ended(stack, *succeeded)
    assert rerun_missing(stack, record) == len(missing)
    assert items(stack, record.simulation_id, 2) == missing
    assert stack.machine.started == [f"{record.simulation_id}-2"]


def test_each_rerun_is_an_attempt_of_its_own(stack: Deployed) -> None:
    first = ended(stack, 0)
    simulation = first.simulation_id
    for attempt, missing in ((2, [1, 2]), (3, [2]), (4, [2])):
        assert rerun_missing(stack, stack.record(simulation)) == len(missing)
        assert (stack.record(simulation).attempt, items(stack, simulation, attempt)) == (attempt, missing)
        succeed(stack, simulation, 1)
        stack.records.finish_study(simulation, StudyStatus.PARTIAL, succeeded=2, failed=1)
    assert stack.machine.started == [f"{simulation}-{attempt}" for attempt in (2, 3, 4)]


def test_a_completed_study_is_not_run_again(stack: Deployed) -> None:
    record = ended(stack, 0, 1, 2, status=StudyStatus.COMPLETED)
    assert (rerun_missing(stack, record), stack.machine.started) == (0, [])


def test_of_two_reruns_at_once_one_starts(stack: Deployed) -> None:
    record = ended(stack, 0)
    assert (rerun_missing(stack, record), rerun_missing(stack, record)) == (2, 0)
    assert stack.machine.started == [f"{record.simulation_id}-2"]


def test_records_of_a_rerun_expire_with_those_of_its_study(stack: Deployed) -> None:
    record = ended(stack, 0)
    rerun_missing(stack, record)
    (given,) = stack.machine.inputs
    kept = datetime.fromtimestamp(int(given["expires_at"]), UTC) - datetime.fromisoformat(record.created_at)
    assert timedelta(days=30 + 40) - timedelta(seconds=1) <= kept <= timedelta(days=30 + 40)


def test_a_study_without_a_manifest_is_not_run_again(stack: Deployed) -> None:
    record = ended(stack, 0)
    stack.s3.delete_object(Bucket="results", Key=keys.run_key(record.simulation_id, "manifest.json"))
    with pytest.raises(NotFound):
        rerun_missing(stack, record)
    assert stack.record(record.simulation_id).status is StudyStatus.PARTIAL
