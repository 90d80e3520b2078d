"""Records on the table: conditional writes, lists in pages, removal, spend, run times."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.problems import Problem
from epsm.store import attributes, keys, study_lists
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus

SOURCE = {"bucket": "inputs", "key": "office/study.json", "version_id": "v1"}
FOREVER = 4_000_000_000
ENDED = [status for status in StudyStatus if status.final]
OPEN = [StudyStatus.PENDING, StudyStatus.RUNNING]


def put(table: Any, simulation: str, status: StudyStatus = StudyStatus.PENDING, **more: Any) -> None:
    """A study as the table has it, in any state."""
    item = {
        keys.PARTITION_KEY: keys.partition(simulation),
        keys.SORT_KEY: keys.STUDY_SORT_KEY,
        attributes.RECORD_TYPE: keys.STUDY_SORT_KEY,
        "simulation_id": simulation,
        "name": simulation,
        "status": status.value,
        "created_at": "2026-05-01T12:00:00.000Z",
        **more,
    }
    table.put_item(Item=item)


def study(records: Records, simulation: str = "a") -> StudyRecord:
    record = records.study_including_removed(simulation)
    assert record is not None
    return record


# --- Claiming and accepting


def test_a_new_study_is_pending_and_knows_where_it_comes_from(records: Records) -> None:
    before = datetime.now(UTC)
    record = records.create_or_get_study("a", "Office", SOURCE, owner="anna")

    assert (record.simulation_id, record.name, record.status) == ("a", "Office", StudyStatus.PENDING)
    assert (record.source, record.owner, record.attempt) == (SOURCE, "anna", 1)
    created_at = datetime.fromisoformat(record.created_at)
    assert before - timedelta(milliseconds=1) <= created_at <= datetime.now(UTC)
    assert record == records.study("a")


def test_a_new_study_expires_by_itself_long_after_its_retention(table: Any, records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)

    (item,) = table.scan()["Items"]
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
    assert record.status is StudyStatus.PENDING


def test_a_rejected_study_says_why(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE)
    problem = Problem("models", "room.idf is not there")

    assert records.reject_study("a", [problem])

    record = study(records)
    assert (record.status, record.problems) == (StudyStatus.REJECTED, (problem,))
    assert record.ended_at


# --- A final state is final


Write = Callable[[Records], bool]

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

    assert records.reopen_study("a", 2)

    record = study(records)
    assert (record.status, record.attempt, bool(record.reopened_at)) == (StudyStatus.PENDING, 2, True)
    assert (record.ended_at, record.error, record.execution_arn, record.stop_reason) == ("", "", "", "")
    assert (record.given_up, record.collected, record.spent_usd) == (False, False, 0)
    assert (record.cost_usd, record.succeeded) == (2, 3)


@pytest.mark.parametrize("status", [*OPEN, StudyStatus.COMPLETED, StudyStatus.REJECTED])
def test_a_study_that_misses_nothing_is_not_opened_again(table: Any, records: Records, status: StudyStatus) -> None:
    put(table, "a", status)

    assert not records.reopen_study("a", 2)
    assert study(records).status is status


# --- Removal


@pytest.mark.parametrize("status", ENDED)
def test_a_study_that_is_being_removed_is_gone_for_those_who_ask(
    table: Any, records: Records, status: StudyStatus
) -> None:
    put(table, "a", status)

    assert records.mark_removing("a")

    assert records.study("a") is None
    assert study(records).removing
    assert records.studies() == []
    assert [each.simulation_id for each in records.every_study()] == ["a"]  # the cleanup goes on with it


@pytest.mark.parametrize("status", OPEN)
def test_a_study_that_has_not_ended_is_not_hidden(table: Any, records: Records, status: StudyStatus) -> None:
    put(table, "a", status)

    assert not records.mark_removing("a")
    assert not study(records).removing


@pytest.mark.parametrize(
    "write",
    [
        lambda records: records.reopen_study("a", 2),
        lambda records: records.count_cancelled_study("a", succeeded=1, failed=0),
        lambda records: records.mark_removing("a"),
    ],
    ids=["reopen", "count", "hide"],
)
def test_nothing_is_written_to_a_study_that_is_being_removed(table: Any, records: Records, write: Write) -> None:
    put(table, "a", StudyStatus.CANCELLED, removing=True)

    assert not write(records)


def test_a_study_is_removed_with_all_its_variants_and_no_other(table: Any, records: Records) -> None:
    put(table, "a", StudyStatus.COMPLETED)
    put(table, "ab", StudyStatus.COMPLETED)
    for index in range(60):  # more than a batch of 25
        records.start_variant("a", index, FOREVER)
    records.start_variant("ab", 0, FOREVER)

    assert records.remove_study("a") == 61

    assert {item["pk"] for item in table.scan()["Items"]} == {keys.partition("ab")}
    assert records.remove_study("a") == 0


def test_the_study_itself_is_removed_last(table: Any, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal that dies half-way leaves the record, by which the next one goes on."""
    put(table, "a", StudyStatus.COMPLETED)
    records.start_variant("a", 0, FOREVER)
    seen: list[str] = []

    class Batch:
        def __enter__(self) -> "Batch":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def delete_item(self, Key: dict[str, str]) -> None:  # noqa: N803 - boto3's name
            seen.append(Key["sk"])
            table.delete_item(Key=Key)

    monkeypatch.setattr(records._table, "batch_writer", Batch)

    records.remove_study("a")

    assert seen == [keys.variant_sort_key(0), keys.STUDY_SORT_KEY]


# --- Lists


def many(table: Any, number: int, **more: Any) -> None:
    for index in range(number):
        put(table, f"s{index}", created_at=f"2026-05-01T12:00:{index:02d}.000Z", **more)


def names(studies: Any) -> list[str]:
    return [each.simulation_id for each in studies]


def test_the_newest_study_comes_first(table: Any, records: Records) -> None:
    many(table, 3)

    assert names(records.studies()) == ["s2", "s1", "s0"]
    assert names(records.studies(limit=2)) == ["s2", "s1"]


def test_pages_follow_on_each_other_until_the_last(table: Any, records: Records) -> None:
    many(table, 5)
    pages, start = [], None
    while True:
        page = records.study_page(limit=2, start=start)
        pages.append(names(page.studies))
        start = page.next_page
        if start is None:
            break

    assert pages[:3] == [["s4", "s3"], ["s2", "s1"], ["s0"]]
    assert not any(pages[3:])


def test_every_study_is_read_over_all_pages(table: Any, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    many(table, 5)
    monkeypatch.setattr(study_lists, "_PAGE", 2)

    assert names(records.every_study()) == ["s4", "s3", "s2", "s1", "s0"]


def test_a_list_of_an_owner_holds_no_one_elses(table: Any, records: Records) -> None:
    put(table, "hers", owner="anna", created_at="2026-05-01T12:00:01.000Z")
    put(table, "hers-too", owner="anna", created_at="2026-05-01T12:00:02.000Z")
    put(table, "his", owner="bert")
    put(table, "nobodys")

    assert names(records.study_page(owner="anna").studies) == ["hers-too", "hers"]
    assert names(records.study_page(owner="ann").studies) == []
    assert sorted(names(records.study_page().studies)) == ["hers", "hers-too", "his", "nobodys"]


def test_a_list_of_a_state_holds_that_alone_and_may_be_short_of_its_limit(table: Any, records: Records) -> None:
    many(table, 4, status=StudyStatus.RUNNING)
    put(table, "s9", StudyStatus.COMPLETED, owner="anna", created_at="2026-05-01T12:01:00.000Z")

    page = records.study_page(status=StudyStatus.RUNNING, limit=2)

    assert (names(page.studies), page.next_page is not None) == (["s3"], True)
    assert names(records.study_page(owner="anna", status=StudyStatus.RUNNING).studies) == []
    assert names(records.study_page(owner="anna", status=StudyStatus.COMPLETED).studies) == ["s9"]


# --- Stopping and spending


def test_a_study_is_stopped_when_it_is_cancelled_or_given_up(table: Any, records: Records) -> None:
    put(table, "goes on", StudyStatus.RUNNING)
    put(table, "cancelled", StudyStatus.CANCELLED)
    put(table, "given up", StudyStatus.RUNNING)
    assert records.request_stop("given up", "its budget is spent")

    assert [records.stop_requested(each) for each in ("goes on", "cancelled", "given up", "not there")] == [
        False,
        True,
        True,
        False,
    ]


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


def test_a_models_run_time_is_that_of_its_last_runs(records: Records) -> None:
    assert records.run_time("ab12") is None

    records.note_run_time("ab12", 3.25)
    records.note_run_time("ab12", 4.5)

    assert records.run_time("ab12") == 4.5
    assert records.run_time("cd34") is None


# --- Variants


def ended(index: int, status: VariantStatus = VariantStatus.SUCCEEDED, **changes: Any) -> VariantRecord:
    return VariantRecord(index, status, started_at="2026-05-01T12:00:00.000Z", **changes)


def test_a_variant_that_runs_is_noted_again_when_it_is_repeated(records: Records) -> None:
    assert records.variant("a", 3) is None
    assert records.start_variant("a", 3, FOREVER)
    assert records.start_variant("a", 3, FOREVER)

    record = records.variant("a", 3)
    assert record is not None
    assert (record.index, record.status, bool(record.started_at)) == (3, VariantStatus.RUNNING, True)


def test_a_variant_comes_back_as_it_was_written(records: Records) -> None:
    failed = ended(
        0,
        VariantStatus.FAILED,
        ended_at="2026-05-01T12:00:09.000Z",
        verdict="fatal",
        stage="engine",
        error="no zone",
        summary={"measures": {"engine_s": 0.25, "files": 3}, "period": ["a", "b"]},
    )

    assert records.finish_variant("a", failed, FOREVER)

    assert records.variant("a", 0) == failed


def test_a_variant_without_an_end_has_ended_now(records: Records) -> None:
    records.finish_variant("a", ended(0), FOREVER)

    record = records.variant("a", 0)
    assert record is not None
    assert datetime.now(UTC) - datetime.fromisoformat(record.ended_at) < timedelta(minutes=1)


def test_a_success_is_never_overwritten(records: Records) -> None:
    assert records.finish_variant("a", ended(0, verdict="clean"), FOREVER)

    assert not records.start_variant("a", 0, FOREVER)
    assert not records.finish_variant("a", ended(0, VariantStatus.FAILED, error="late"), FOREVER)

    record = records.variant("a", 0)
    assert record is not None
    assert (record.status, record.verdict, record.error) == (VariantStatus.SUCCEEDED, "clean", "")


@pytest.mark.parametrize("status", [VariantStatus.FAILED, VariantStatus.SUCCEEDED])
def test_a_failure_may_be_followed_by_anything(records: Records, status: VariantStatus) -> None:
    records.finish_variant("a", ended(0, VariantStatus.FAILED), FOREVER)

    assert records.start_variant("a", 0, FOREVER)
    assert records.finish_variant("a", ended(0, status), FOREVER)


def test_variants_come_in_the_order_of_their_index(records: Records) -> None:
    for index in (10, 2, 100, 0):
        records.start_variant("a", index, FOREVER)
    records.create_or_get_study("a", "Office", SOURCE)
    records.start_variant("b", 1, FOREVER)

    assert [each.index for each in records.variants("a")] == [0, 2, 10, 100]
    assert [each.index for each in records.variants("a", first=3)] == [10, 100]


def test_variants_are_read_over_all_pages(table: Any, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(5):
        records.finish_variant("a", ended(index, VariantStatus.FAILED if index == 3 else VariantStatus.SUCCEEDED), 1)
    whole = records._table.query
    calls: list[dict[str, Any]] = []

    def two_at_a_time(**query: Any) -> Any:
        calls.append(query)
        return whole(**query, Limit=2)

    monkeypatch.setattr(records._table, "query", two_at_a_time)

    assert [each.index for each in records.variants("a")] == [0, 1, 2, 3, 4]
    assert records.succeeded_indices("a") == {0, 1, 2, 4}
    assert len(calls) >= 6


def test_which_have_succeeded_is_asked_without_what_they_came_to(records: Records) -> None:
    records.finish_variant("a", ended(0, summary={"metrics": {"eui": 1.5}}), FOREVER)
    records.finish_variant("a", ended(1, VariantStatus.FAILED), FOREVER)
    records.start_variant("a", 2, FOREVER)

    assert records.succeeded_indices("a") == {0}
    assert records.succeeded_indices("b") == set()


# --- What the state machine writes


def test_a_lost_variant_says_what_lambda_said(table: Any, records: Records) -> None:
    cause = json.dumps({"errorType": "MemoryError", "errorMessage": "no memory"})
    for index, message in enumerate([cause, "not JSON", ""]):
        error = {"stage": "worker", "error": "Lambda.Unknown", "message": message}
        key = {keys.PARTITION_KEY: keys.partition("a"), keys.SORT_KEY: keys.variant_sort_key(index)}
        table.put_item(Item={**key, "status": "failed", "error": error})

    assert [each.error for each in records.variants("a")] == [
        "Lambda.Unknown: no memory",
        "Lambda.Unknown: not JSON",
        "Lambda.Unknown",
    ]


def test_a_fault_that_is_no_condition_is_not_swallowed(aws: Any, table: Any, records: Records) -> None:
    table.delete()

    with pytest.raises(ClientError, match="ResourceNotFound"):
        records.start_variant("a", 0, FOREVER)
