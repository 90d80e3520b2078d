"""Variants of batches in the table: what a further attempt may write, and how failed ones are counted."""

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.store.conditional import write, write_if, write_together
from epsm.store.records import Records
from epsm.study.records import StudyRecord, VariantRecord, VariantStatus
from tests.unit.fakes import fake

LATER = 4_000_000_000


@pytest.fixture
def batched(records: Records) -> Records:
    """With a study that runs in batches."""
    records.create_or_get_study("a", "Office", {})
    records.accept_study("a", name="Office", variants=9, options={}, expires_at=LATER, batched=True, engines=6)
    return records


def study(records: Records) -> StudyRecord:
    record = records.study("a")
    assert record is not None
    return record


def fail(records: Records, index: int, attempt: int | None) -> bool:
    failed = VariantRecord(index, VariantStatus.FAILED, "2026-01-01", "2026-01-01", "failed", "engine", "why")
    return records.finish_variant("a", failed, LATER, attempt)


def test_an_accepted_study_says_how_it_runs(batched: Records) -> None:
    record = study(batched)
    assert (record.batched, record.engines, record.successes, record.failures) == (True, 6, 0, 0)


def test_a_variant_that_failed_does_not_start_again_in_its_attempt(batched: Records) -> None:
    assert batched.start_variant("a", 3, LATER, attempt=1)
    assert fail(batched, 3, attempt=1)

    assert not batched.start_variant("a", 3, LATER, attempt=1)
    assert batched.start_variant("a", 3, LATER, attempt=2)


def test_a_variant_whose_worker_was_killed_starts_again(batched: Records) -> None:
    assert batched.start_variant("a", 3, LATER, attempt=1)
    assert batched.start_variant("a", 3, LATER, attempt=1)


def test_a_failed_variant_is_counted_once_in_an_attempt(batched: Records) -> None:
    assert fail(batched, 3, attempt=1)
    assert not fail(batched, 3, attempt=1)
    assert fail(batched, 4, attempt=1)

    assert batched.failures("a") == study(batched).failures == 2


def test_a_variant_that_succeeded_is_neither_overwritten_nor_counted(batched: Records) -> None:
    batched.finish_variant("a", VariantRecord(3, VariantStatus.SUCCEEDED), LATER, attempt=1)

    assert not fail(batched, 3, attempt=1)
    assert not batched.start_variant("a", 3, LATER, attempt=2)
    assert batched.failures("a") == 0


def test_variants_outside_of_batches_are_not_counted(batched: Records) -> None:
    assert fail(batched, 3, attempt=None)
    assert fail(batched, 3, attempt=None)
    assert batched.failures("a") == 0


def test_a_removed_study_gets_no_counts(batched: Records) -> None:
    batched.remove_study("a")

    assert not fail(batched, 3, attempt=1)
    batched.count_successes("a", 5)
    assert batched.study_including_removed("a") is None
    assert batched.failures("a") == 0


def test_a_further_attempt_counts_from_zero(batched: Records) -> None:
    batched.count_successes("a", 5)
    fail(batched, 3, attempt=1)
    batched.cancel_study("a", "why")

    assert batched.reopen_study("a", 2, succeeded=0, batched=False, engines=1)

    record = study(batched)
    assert (record.batched, record.engines, record.successes, record.failures) == (False, 1, 0, 0)


def test_a_worker_of_an_earlier_attempt_counts_nothing_and_is_to_stop(batched: Records) -> None:
    batched.cancel_study("a", "reason")
    batched.reopen_study("a", 2, succeeded=0, batched=True)

    assert [batched.stop_requested("a", attempt) for attempt in (1, 2, None)] == [True, False, False]
    assert not fail(batched, 3, attempt=1)
    assert batched.variant("a", 3) is None
    assert fail(batched, 3, attempt=2)
    assert study(batched).failures == 1


def test_a_reaction_to_an_earlier_attempt_neither_cancels_nor_stops_a_later_one(batched: Records) -> None:
    batched.cancel_study("a", "reason")
    batched.reopen_study("a", 2, succeeded=0, batched=True)

    assert not batched.cancel_study("a", "late", 1)
    assert not batched.request_stop("a", "late", 1)

    assert (study(batched).status.final, study(batched).stop_reason) == (False, "")
    assert batched.request_stop("a", "now", 2)
    assert batched.cancel_study("a", "now", 2)


SUCCEEDED = VariantRecord(3, VariantStatus.SUCCEEDED)
FAILED = VariantRecord(3, VariantStatus.FAILED, stage="engine", error="why")


@pytest.mark.parametrize("ends", [False, True])
def test_a_worker_of_an_earlier_attempt_does_not_replace_the_record_of_a_later_one(
    batched: Records, ends: bool
) -> None:
    assert batched.start_variant("a", 3, LATER, 1, again=True)
    assert batched.start_variant("a", 3, LATER, 2, again=True)
    if ends:
        assert batched.finish_variant("a", FAILED, LATER, 2, counted=False)
    before = batched.variant("a", 3)

    assert not batched.start_variant("a", 3, LATER, 1, again=True)
    for record in (FAILED, SUCCEEDED):
        assert not batched.finish_variant("a", record, LATER, 1, counted=False)
    assert not batched.stop_variant("a", FAILED, LATER, 1)

    assert batched.variant("a", 3) == before


def test_a_later_attempt_replaces_what_a_worker_of_an_earlier_one_wrote_last(batched: Records) -> None:
    batched.start_variant("a", 3, LATER, 1)
    assert batched.start_variant("a", 3, LATER, 2)
    assert batched.finish_variant("a", SUCCEEDED, LATER, 2)
    assert not batched.start_variant("a", 3, LATER, 3)


def test_a_variant_that_is_stopped_keeps_the_failure_that_was_counted(batched: Records) -> None:
    fail(batched, 3, attempt=1)
    stopped = VariantRecord(3, VariantStatus.FAILED, stage="cancelled", error="stopped")

    assert not batched.stop_variant("a", stopped, LATER, 1)
    assert batched.stop_variant("a", stopped, LATER, 2)

    record = batched.variant("a", 3)
    assert record is not None
    assert record.error == "stopped"


class Cancelled(ClientError):
    """DynamoDB's cancellation of a transaction, with a reason for each write."""

    def __init__(self, *codes: str) -> None:
        answer: Any = {"Error": {"Code": "TransactionCanceledException"}}
        super().__init__(answer, "TransactWriteItems")
        self.response["CancellationReasons"] = [{"Code": code} for code in codes]


class Transactions:
    """A client whose transactions end as listed."""

    class exceptions:  # noqa: N801 - as boto3 has it
        TransactionCanceledException = Cancelled

    def __init__(self, *ends: Exception | None) -> None:
        self._ends = list(ends)
        self.waits: list[float] = []

    def transact_write_items(self, *, TransactItems: list[Any]) -> None:  # noqa: N803
        if end := self._ends.pop(0):
            raise end

    def write(self) -> bool:
        return write_together(fake(self), [{}], self.waits.append)


CONFLICT = Cancelled("None", "TransactionConflict")


def test_transactions_that_meet_are_repeated() -> None:
    client = Transactions(CONFLICT, CONFLICT, None)
    assert client.write()
    assert len(client.waits) == 2
    assert all(0 <= wait <= 0.1 for wait in client.waits)


def test_a_condition_that_does_not_hold_is_no_conflict() -> None:
    assert not Transactions(Cancelled("ConditionalCheckFailed", "TransactionConflict")).write()


def test_transactions_wait_up_to_two_seconds_and_succeed_at_the_thirtieth_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda shortest, longest: longest)
    client = Transactions(*[CONFLICT] * 29, None)
    assert client.write()
    assert client.waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, *[2.0] * 23]


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_transactions_that_are_throttled_are_repeated(reason: str) -> None:
    assert Transactions(Cancelled("None", reason), None).write()


class Writes:
    """A write that is refused with the codes listed, and then made."""

    def __init__(self, *codes: str) -> None:
        self._codes = list(codes)
        self.waits: list[float] = []

    def __call__(self, **arguments: Any) -> dict[str, Any]:
        if self._codes:
            raise ClientError({"Error": {"Code": self._codes.pop(0)}}, "UpdateItem")
        return arguments


MEETS = "TransactionConflictException"


def test_a_plain_write_that_meets_a_transaction_is_repeated() -> None:
    writes = Writes(MEETS, MEETS)
    assert write(writes, sleep=writes.waits.append, Key={"pk": "a"}) == {"Key": {"pk": "a"}}
    assert len(writes.waits) == 2
    assert write_if(Writes(MEETS), sleep=writes.waits.append)
    assert not write_if(Writes(MEETS, "ConditionalCheckFailedException"), sleep=writes.waits.append)


@pytest.mark.parametrize("codes", [["ValidationException"], [MEETS] * 30])
def test_another_refusal_of_a_plain_write_or_conflicts_without_end_are_raised(codes: list[str]) -> None:
    writes = Writes(*codes)
    with pytest.raises(ClientError):
        write_if(writes, sleep=writes.waits.append)


def test_costs_and_progress_are_written_when_a_failed_variant_is_being_counted(
    batched: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = batched._table.meta.client  # moto has no conflicts
    update, refusals = client.update_item, [MEETS, MEETS]

    def refuse(**arguments: Any) -> Any:
        if refusals:
            raise ClientError({"Error": {"Code": refusals.pop()}}, "UpdateItem")
        refusals.append(MEETS)
        return update(**arguments)

    monkeypatch.setattr(client, "update_item", refuse)

    assert not batched.spend("a", 0.25)
    batched.count_successes("a", 3)
    assert batched.request_stop("a", "why")
    assert (study(batched).spent_usd, study(batched).successes) == (0.25, 3)


@pytest.mark.parametrize("ends", [[Cancelled("ValidationError", "None")], [CONFLICT] * 30])
def test_another_reason_or_conflicts_without_end_are_raised(ends: list[Exception]) -> None:
    with pytest.raises(Cancelled):
        Transactions(*ends).write()
