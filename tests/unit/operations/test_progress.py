"""How far a study is and what is left: epsm.operations.progress."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest

from epsm.operations import progress
from epsm.operations.progress import seconds_left
from epsm.store.executions import RunCounts
from epsm.study.records import StudyRecord, StudyStatus, timestamp
from tests.unit.fakes import study_record


def running(seconds: float = 60, **changes: Any) -> StudyRecord:
    """A study that started some seconds ago."""
    now = datetime.now(UTC)
    record = study_record("study-1", StudyStatus.RUNNING, now, variants=100, execution_arn="arn:execution")
    return replace(record, **{"started_at": timestamp(now - timedelta(seconds=seconds)), **changes})


def test_the_rest_is_expected_to_go_as_what_has_ended() -> None:
    assert seconds_left(running(60), RunCounts(succeeded=20, failed=5, total=100)) == pytest.approx(180, abs=1)


def test_the_rest_is_given_to_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 5, 1, 12, 1, tzinfo=tz)

    monkeypatch.setattr(progress, "datetime", Clock)
    # 60 s for 7 variants, of which 9 are left: 77.142... s
    assert seconds_left(running(started_at="2026-05-01T12:00:00.000Z"), RunCounts(succeeded=7, total=16)) == 77.1


def test_of_a_study_whose_variants_have_all_ended_nothing_is_left() -> None:
    assert seconds_left(running(), RunCounts(succeeded=100, total=100)) == 0


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (running(), RunCounts(running=100, total=100)),
        (running(), RunCounts()),
        (running(started_at=""), RunCounts(succeeded=1, total=100)),
        (running(status=StudyStatus.CANCELLED), RunCounts(succeeded=1, total=100)),
        (running(status=StudyStatus.COMPLETED), RunCounts(succeeded=100, total=100)),
    ],
    ids=["none has ended", "nothing is known", "not started", "cancelled", "completed"],
)
def test_where_nothing_can_be_said_nothing_is(record: StudyRecord, counts: RunCounts) -> None:
    assert seconds_left(record, counts) is None


def test_a_clock_that_is_ahead_leaves_no_negative_time() -> None:
    assert seconds_left(running(-5), RunCounts(succeeded=1, total=100)) == 0


def test_what_an_earlier_attempt_has_done_makes_the_next_one_no_faster() -> None:
    again = running(60, attempt=2, succeeded=90)
    assert seconds_left(again, RunCounts(succeeded=95, total=100)) == pytest.approx(60, abs=1)
