"""Records of studies: conditional writes, final states, stops, budgets and run times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.problems import Problem
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.store.study_items import ENDED, FOREVER, OPEN, SOURCE, Write, put, study

# --- Claiming and accepting


def test_a_new_study_is_pending_and_knows_where_it_comes_from(records: Records) -> None:
    before = datetime.now(UTC)
    record = records.create_or_get_study("a", "Office", SOURCE, owner="anna")

    assert (record.simulation_id, record.name, record.status) == ("a", "Office", StudyStatus.PENDING)
    assert (record.source, record.owner, record.attempt) == (SOURCE, "anna", 1)
    created_at = datetime.fromisoformat(record.created_at)
    assert before - timedelta(milliseconds=1) <= created_at <= datetime.now(UTC)
    assert record == records.study("a")


def test_a_study_without_further_attributes_has_no_counts_costs_or_ends(table: Any, records: Records) -> None:
    put(table, "a")

    assert study(records) == StudyRecord(
        simulation_id="a",
        name="a",
        status=StudyStatus.PENDING,
        created_at="2026-05-01T12:00:00.000Z",
        started_at="",
        ended_at="",
        variants=0,
        succeeded=0,
        failed=0,
        reused=0,
        execution_arn="",
        error="",
        problems=(),
        source={},
        options={},
        owner="",
        attempt=1,
        reopened_at="",
        removing=False,
        given_up=False,
        collected=False,
        stop_reason="",
        spent_usd=0.0,
        cost_usd=0.0,
        batched=False,
        engines=1,
        successes=0,
        failures=0,
    )


def test_a_new_study_expires_by_itself_long_after_its_retention(table: Any, records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)

    for item in table.scan()["Items"]:
        days = (datetime.fromtimestamp(int(item["expires_at"]), UTC) - datetime.now(UTC)) / timedelta(days=1)
        assert 30 + 40 - 1 < days <= 30 + 40


def test_a_study_that_is_claimed_twice_stays_as_it_was(records: Records) -> None:
    first = records.create_or_get_study("a", "Office", SOURCE, owner="anna")
    records.accept_study("a", name="Office", variants=2, options={}, expires_at=FOREVER)

    again = records.create_or_get_study("a", "Something else", {}, owner="bert")

    assert (again.name, again.owner, again.created_at, again.variants) == ("Office", "anna", first.created_at, 2)


def test_an_accepted_study_knows_what_it_will_run(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)

    assert records.accept_study("a", name="Tower", variants=3, options={"seed": 1}, expires_at=FOREVER)

    record = study(records)
    assert (record.name, record.variants, record.options) == ("Tower", 3, {"seed": 1})
    assert (record.batched, record.engines) == (False, 1)
    assert record.status is StudyStatus.PENDING


def test_a_rejected_study_says_why(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)
    problem = Problem("models", "room.idf is not there")

    assert records.reject_study("a", [problem])

    record = study(records)
    assert (record.status, record.problems) == (StudyStatus.REJECTED, (problem,))
    assert record.ended_at


CLOSING: dict[str, Write] = {
    "finish": lambda records: records.finish_study("a", StudyStatus.COMPLETED, succeeded=9, failed=9),
    "cancel": lambda records: records.cancel_study("a", "late"),
    "stop": lambda records: records.request_stop("a", "late"),
    "options": lambda records: records.change_options("a", {"late": True}),
}
ONLY_PENDING: dict[str, Write] = {
    "accept": lambda records: records.accept_study("a", name="late", variants=9, options={}, expires_at=1),
    "reject": lambda records: records.reject_study("a", [Problem("late", "late")]),
}


@pytest.mark.parametrize("write", [*CLOSING.values(), *ONLY_PENDING.values()], ids=[*CLOSING, *ONLY_PENDING])
@pytest.mark.parametrize("status", ENDED)
def test_a_late_write_leaves_a_study_that_has_ended_as_it_is(
    table: Any, records: Records, status: StudyStatus, write: Write
) -> None:
    put(table, "a", status)
    before = table.scan()["Items"]

    assert not write(records)

    assert table.scan()["Items"] == before


@pytest.mark.parametrize("write", CLOSING.values(), ids=CLOSING)
@pytest.mark.parametrize("status", OPEN)
def test_a_study_that_has_not_ended_can_be_closed_and_changed(
    table: Any, records: Records, status: StudyStatus, write: Write
) -> None:
    put(table, "a", status)

    assert write(records)


@pytest.mark.parametrize("write", ONLY_PENDING.values(), ids=ONLY_PENDING)
def test_a_study_that_runs_is_neither_accepted_nor_rejected_again(table: Any, records: Records, write: Write) -> None:
    put(table, "a", StudyStatus.RUNNING)

    assert not write(records)


@pytest.mark.parametrize("write", [*CLOSING.values(), *ONLY_PENDING.values()], ids=[*CLOSING, *ONLY_PENDING])
def test_a_write_to_a_study_that_is_not_there_makes_none(table: Any, records: Records, write: Write) -> None:
    assert not write(records)

    assert table.scan()["Items"] == []


def test_of_two_ends_the_first_stays(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)

    assert records.finish_study("a", StudyStatus.PARTIAL, succeeded=3, failed=1, error="one failed", given_up=True)
    assert not records.finish_study("a", StudyStatus.FAILED, succeeded=0, failed=4)
    assert not records.cancel_study("a", "too late")

    record = study(records)
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 3, 1)
    assert (record.error, record.given_up) == ("one failed", True)
    assert record.ended_at


def test_a_cancelled_study_says_why_and_is_counted_once_it_is_collected(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)
    assert not records.count_cancelled_study("a", succeeded=1, failed=0)

    assert records.cancel_study("a", "by anna")
    cancelled = study(records)
    assert records.count_cancelled_study("a", succeeded=2, failed=1)

    counted = study(records)
    assert (cancelled.status, cancelled.error, cancelled.collected) == (StudyStatus.CANCELLED, "by anna", False)
    assert (counted.status, counted.succeeded, counted.failed, counted.collected) == (
        StudyStatus.CANCELLED,
        2,
        1,
        True,
    )


@pytest.mark.parametrize("status", [each for each in ENDED if each is not StudyStatus.CANCELLED])
def test_only_a_cancelled_study_is_counted_as_one(table: Any, records: Records, status: StudyStatus) -> None:
    put(table, "a", status)

    assert not records.count_cancelled_study("a", succeeded=1, failed=0)


# --- Again


@pytest.mark.parametrize("status", [StudyStatus.PARTIAL, StudyStatus.FAILED, StudyStatus.CANCELLED])
def test_a_study_that_missed_something_is_pending_again_without_what_its_end_left(
    table: Any, records: Records, status: StudyStatus
) -> None:
    ended = {
        "ended_at": "2026-05-01T13:00:00.000Z",
        "error": "lost",
        "execution_arn": "arn",
        "given_up": True,
        "collected": True,
        "stop_reason": "spent",
        "spent_usd": 2,
        "cost_usd": 2,
        "succeeded": 3,
        "failed": 1,
    }
    put(table, "a", status, **ended)

    assert records.reopen_study("a", 2, succeeded=4)

    record = study(records)
    assert (record.status, record.attempt, bool(record.reopened_at)) == (StudyStatus.PENDING, 2, True)
    assert (record.ended_at, record.error, record.execution_arn, record.stop_reason) == ("", "", "", "")
    assert (record.given_up, record.collected, record.spent_usd) == (False, False, 0)
    assert (record.cost_usd, record.succeeded) == (2, 4)


@pytest.mark.parametrize("status", [*OPEN, StudyStatus.COMPLETED, StudyStatus.REJECTED])
def test_a_study_that_misses_nothing_is_not_opened_again(table: Any, records: Records, status: StudyStatus) -> None:
    put(table, "a", status)

    assert not records.reopen_study("a", 2, succeeded=0)
    assert study(records).status is status


# --- Stopping and spending


def test_a_study_is_stopped_when_it_is_cancelled_given_up_or_removed(table: Any, records: Records) -> None:
    put(table, "goes on", StudyStatus.RUNNING)
    put(table, "cancelled", StudyStatus.CANCELLED)
    put(table, "given up", StudyStatus.RUNNING)
    assert records.request_stop("given up", "its budget is spent")

    put(table, "being removed", StudyStatus.COMPLETED)
    assert records.mark_removing("being removed")

    stopped = {each: records.stop_requested(each) for each in ("cancelled", "given up", "being removed", "not there")}
    assert stopped == dict.fromkeys(stopped, True)
    assert not records.stop_requested("goes on")


def test_a_budget_is_spent_when_what_was_added_reaches_it(table: Any, records: Records) -> None:
    put(table, "a", StudyStatus.RUNNING, options={"max_cost_usd": 1})

    assert [records.spend("a", usd) for usd in (0.5, 0.25, 0.25, 0.1)] == [False, False, True, True]

    record = study(records)
    assert record.spent_usd == record.cost_usd == pytest.approx(1.1)


def test_of_a_budget_that_is_spent_nothing_follows_once_the_study_is_stopped(table: Any, records: Records) -> None:
    put(table, "a", StudyStatus.RUNNING, options={"max_cost_usd": 1}, stop_reason="its budget is spent")

    assert not records.spend("a", 2)


def test_without_a_budget_there_is_nothing_to_reach(table: Any, records: Records) -> None:
    put(table, "a", StudyStatus.RUNNING)

    assert not records.spend("a", 1e6)


def test_what_is_spent_for_a_study_that_was_removed_makes_no_new_record(table: Any, records: Records) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        records.spend("a", 1)

    assert table.scan()["Items"] == []


# --- Run times


def test_a_models_run_time_is_that_of_its_owners_last_runs(records: Records) -> None:
    assert records.run_time("anna", "ab12") is None

    records.note_run_time("anna", "ab12", 3.25)
    records.note_run_time("anna", "ab12", 4.5)

    assert records.run_time("anna", "ab12") == 4.5
    assert records.run_time("anna", "cd34") is None
    assert records.run_time("ben", "ab12") is None


def test_the_weather_that_a_model_has_run_with_is_that_of_its_owners_last_study(records: Records) -> None:
    assert not records.weather_run_with("anna", "ab12")

    records.note_run_time("anna", "ab12", 3.25, ["e1", "e2"])
    records.note_run_time("anna", "ab12", 4.5, ["e3"])

    assert set(records.weather_run_with("anna", "ab12")) == {"e3"}
    assert not records.weather_run_with("ben", "ab12")


def test_an_item_of_a_model_does_not_grow_with_its_weather_files(records: Records) -> None:
    records.note_run_time("anna", "ab12", 3.25, [f"{number:064}" for number in range(1000)])
    assert len(records.weather_run_with("anna", "ab12")) == 50
