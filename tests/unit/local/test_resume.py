"""What the next local stack does about studies that the one before it had begun."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.stack import Stack
from epsm.study.records import CANCELLED_STAGE, StudyRecord, StudyStatus, VariantRecord, VariantStatus
from epsm_local import resume
from epsm_local.aws.journal import Journal
from epsm_local.moto_patches import PROMISES
from epsm_local.resume import INTERRUPTED, run_on, submit_promised
from tests.unit.fakes import MemoryRecords, MemoryStack, study_record

SOURCE = {"bucket": "inputs", "key": "office/study.json", "version_id": "v1"}
UPLOADED = keys.simulation_id(**SOURCE)
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:epsm-local-submit"
EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "inputs"}, "object": {"key": "office/study.json", "version-id": "v1"}},
}


def study(name: str, status: StudyStatus, **changes: Any) -> StudyRecord:
    return study_record(name, status, datetime.now(UTC), source=SOURCE, **changes)


class Start:
    """A start of the stack after some studies were interrupted.

    Attributes:
        attempts: Studies that were run again.
        submitted: Events that submit was given.
        dies: Called before an attempt is started.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *studies: StudyRecord) -> None:
        self.records = MemoryRecords(*studies)
        self.attempts: list[str] = []
        self.submitted: list[dict[str, Any]] = []
        self.dies: Callable[[], None] = lambda: None
        monkeypatch.setattr(resume, "rerun_missing", self._rerun)

    def _rerun(self, stack: Stack, record: StudyRecord) -> int:
        self.dies()
        again = replace(record, status=StudyStatus.PENDING, attempt=record.attempt + 1, error="")
        self.records.by_name[record.simulation_id] = again
        self.attempts.append(record.simulation_id)
        return 3

    def run_on(self) -> list[str]:
        return list(run_on(MemoryStack(records=self.records), self.submitted.append))


@pytest.mark.parametrize(
    ("status", "attempt"), [(StudyStatus.RUNNING, 1), (StudyStatus.RUNNING, 2), (StudyStatus.PENDING, 2)]
)
def test_an_open_study_is_run_on(monkeypatch: pytest.MonkeyPatch, status: StudyStatus, attempt: int) -> None:
    start = Start(monkeypatch, study("a", status, attempt=attempt))
    assert start.run_on() == ["a was interrupted: 0 variants had succeeded; 3 are run now"]
    assert start.attempts == ["a"]
    assert not start.submitted


def test_what_had_succeeded_before_is_counted_while_the_rest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, study("a", StudyStatus.RUNNING))
    before = [VariantStatus.SUCCEEDED, VariantStatus.SUCCEEDED, VariantStatus.RUNNING, VariantStatus.FAILED]
    monkeypatch.setattr(start.records, "variants", lambda _: [VariantRecord(0, each) for each in before])
    assert start.run_on() == ["a was interrupted: 2 variants had succeeded; 3 are run now"]
    again = start.records.by_name["a"]
    assert (again.succeeded, again.failed) == (2, 1)


def test_a_variant_that_was_stopped_with_its_study_is_not_counted_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, study("a", StudyStatus.RUNNING))
    before = [VariantRecord(0, VariantStatus.FAILED), VariantRecord(1, VariantStatus.FAILED, stage=CANCELLED_STAGE)]
    monkeypatch.setattr(start.records, "variants", lambda _: before)
    start.run_on()
    assert start.records.by_name["a"].failed == 1


def test_a_study_that_had_not_begun_is_submitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, study("a", StudyStatus.PENDING))
    start.run_on()
    assert start.submitted == [EVENT]
    assert not start.attempts


@pytest.mark.parametrize("status", [each for each in StudyStatus if each.final])
def test_a_study_that_has_ended_is_left_alone(monkeypatch: pytest.MonkeyPatch, status: StudyStatus) -> None:
    start = Start(monkeypatch, study("a", status, error="Cancelled by command."))
    assert start.run_on() == []
    assert start.records.by_name["a"].status is status


def test_open_studies_behind_many_newer_ones_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = [study(f"ended-{number}", StudyStatus.COMPLETED) for number in range(5)]
    start = Start(monkeypatch, replace(study("a", StudyStatus.RUNNING), created_at="2020-01-01T00:00:00.000Z"), *ended)
    start.run_on()
    assert start.attempts == ["a"]


def test_killed_again_while_it_carries_on(monkeypatch: pytest.MonkeyPatch) -> None:
    start = Start(monkeypatch, study("a", StudyStatus.RUNNING), study("b", StudyStatus.RUNNING))

    def killed() -> None:
        raise KeyboardInterrupt

    start.dies = killed
    with pytest.raises(KeyboardInterrupt):
        start.run_on()
    start.dies = lambda: None
    start.run_on()
    assert sorted(start.attempts) == ["a", "b"]


def test_what_cannot_be_resumed_says_so_stops_no_other_and_is_tried_at_the_next_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = Start(monkeypatch, study("a", StudyStatus.RUNNING), study("b", StudyStatus.RUNNING))
    faults = iter([True, False])

    def fails_once() -> None:
        if next(faults):
            raise NotFound("manifest.json")

    start.dies = fails_once
    lines = start.run_on()
    assert sum("could not be resumed; the next start retries: manifest.json" in each for each in lines) == 1
    (other,) = {"a", "b"} - set(start.attempts)
    assert start.records.by_name[other].error == INTERRUPTED
    start.records.by_name = {other: start.records.by_name[other]}
    start.dies = lambda: None
    start.run_on()
    assert start.attempts[-1] == other


def promised(tmp_path: Path, *functions: str) -> Journal:
    journal = Journal(tmp_path, "moto 1")
    for number, function in enumerate(functions):
        journal.write(PROMISES, str(number), (function, json.dumps(EVENT)))
    return journal


def test_an_upload_that_nobody_has_seen_is_submitted_once(tmp_path: Path) -> None:
    journal = promised(tmp_path, FUNCTION, "epsm-local-submit")
    submitted: list[dict[str, Any]] = []
    assert list(submit_promised(journal, MemoryRecords(), submitted.append)) == [
        "office had not been processed; it is submitted"
    ]
    assert submitted == [EVENT]
    assert list(journal.read(PROMISES)) == []


def test_an_upload_with_a_record_is_not_submitted_again(tmp_path: Path) -> None:
    journal = promised(tmp_path, FUNCTION)
    submitted: list[dict[str, Any]] = []
    list(submit_promised(journal, MemoryRecords(study(UPLOADED, StudyStatus.RUNNING)), submitted.append))
    assert not submitted
    assert list(journal.read(PROMISES)) == []


def test_events_for_other_functions_are_dropped(tmp_path: Path) -> None:
    journal = promised(tmp_path, "epsm-local-cleanup")
    submitted: list[dict[str, Any]] = []
    assert not list(submit_promised(journal, MemoryRecords(), submitted.append))
    assert not submitted
    assert list(journal.read(PROMISES)) == []
