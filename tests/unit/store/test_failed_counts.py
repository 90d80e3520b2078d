"""Counting failed variants of batches, some of which succeed in another worker that runs the same batch."""

import pytest
from botocore.exceptions import ClientError

from epsm.store import attributes, keys
from epsm.store.records import Records
from epsm.study.failures import too_many_failures
from epsm.study.records import StudyRecord, VariantRecord, VariantStatus

LATER = 4_000_000_000
FAILED, SUCCEEDED = VariantStatus.FAILED, VariantStatus.SUCCEEDED


@pytest.fixture
def batched(records: Records) -> Records:
    """With a study in batches that tolerates one failure, in several blocks of the table."""
    records.create_or_get_study("a", "Office", {})
    records.accept_study(
        "a", name="Office", variants=1000, options={"max_failures": 1}, expires_at=LATER, batched=True, engines=6
    )
    return records


def study(records: Records) -> StudyRecord:
    record = records.study("a")
    assert record is not None
    return record


def fail(records: Records, *indices: int, attempt: int = 1) -> None:
    for index in indices:
        assert records.finish_variant("a", VariantRecord(index, FAILED, error="why"), LATER, attempt)


def succeed(records: Records, *indices: int) -> None:
    records.finish_successes("a", [VariantRecord(index, SUCCEEDED) for index in indices], LATER)


def test_more_failures_than_tolerated_are_too_many(batched: Records) -> None:
    fail(batched, 3)
    assert not batched.too_many_failed("a", 1, 1)
    fail(batched, 999)
    assert batched.too_many_failed("a", 1, 1)
    assert not batched.too_many_failed("a", 1, 2)


def test_a_failure_that_another_worker_turned_into_a_success_does_not_end_a_study(batched: Records) -> None:
    fail(batched, 3, 500)
    succeed(batched, 3)

    assert batched.failures("a") == 2
    assert not batched.too_many_failed("a", 1, 1)

    assert batched.failures("a") == study(batched).failures == 1
    fail(batched, 999)
    assert batched.too_many_failed("a", 1, 1)


def test_a_variant_that_failed_and_succeeded_in_two_workers_is_not_counted_again(batched: Records) -> None:
    fail(batched, 3)
    succeed(batched, 3)
    assert batched.recount_failures("a", 1) == 0
    assert not batched.finish_variant("a", VariantRecord(3, FAILED), LATER, 1)
    fail(batched, 4)
    assert batched.failures("a") == 1


def test_a_correction_that_is_late_undoes_no_later_one(batched: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(batched, 1, 2, 3)
    succeed(batched, 1)
    count, late = batched._failed_in, [True]

    def counted(simulation: str, attempt: int) -> int:
        number = count(simulation, attempt)
        if late.pop():  # before it is written, two more fail, another succeeds, and another worker counts
            late.append(False)
            fail(batched, 4, 5)
            succeed(batched, 2)
            assert batched.recount_failures(simulation, attempt) == 3
        else:
            late.append(False)
        return number

    monkeypatch.setattr(batched, "_failed_in", counted)
    batched.recount_failures("a", 1)

    assert batched.failures("a") == 3


def test_one_worker_counts_at_a_time_and_the_others_go_on_meanwhile(
    batched: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(batched, 3, 4)
    others: list[bool] = []
    count = batched._failed_in

    def counted(simulation: str, attempt: int) -> int:
        others.append(batched.too_many_failed("a", 1, 1, clock=lambda: 1010.0))
        return count(simulation, attempt)

    monkeypatch.setattr(batched, "_failed_in", counted)
    assert batched.too_many_failed("a", 1, 1, clock=lambda: 1000.0)
    assert others == [False]
    assert batched.too_many_failed("a", 1, 1, clock=lambda: 1011.0), "known from now on, without counting"
    assert len(others) == 1


def test_a_worker_that_is_lost_while_it_counts_is_replaced(batched: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(batched, 3, 4)

    def lost(simulation: str, attempt: int) -> int:
        raise ClientError({"Error": {"Code": "Lost"}}, "Query")

    with monkeypatch.context() as patched:
        patched.setattr(batched, "_failed_in", lost)
        with pytest.raises(ClientError):
            batched.too_many_failed("a", 1, 1, clock=lambda: 1000.0)

    assert not batched.too_many_failed("a", 1, 1, clock=lambda: 1001.0)
    assert batched.too_many_failed("a", 1, 1, clock=lambda: 1100.0)


def test_a_study_is_given_up_for_the_failures_that_its_records_state(batched: Records) -> None:
    fail(batched, 3, 4)
    succeed(batched, 4)
    assert too_many_failures(study(batched), batched.recount_failures) == ""
    fail(batched, 5)
    message = too_many_failures(study(batched), batched.recount_failures)
    assert message == "2 of its variants have failed; it allows 1."


def test_an_earlier_attempt_neither_corrects_nor_ends_a_later_one(batched: Records) -> None:
    fail(batched, 3, 4)
    succeed(batched, 3)
    assert not batched.too_many_failed("a", 1, 1)
    batched.cancel_study("a", "why")
    batched.reopen_study("a", 2, succeeded=1, batched=True)
    fail(batched, 4, 5, attempt=2)

    assert not batched.too_many_failed("a", 1, 1)
    batched.recount_failures("a", 1)
    assert batched.failures("a") == 2
    assert batched.too_many_failed("a", 2, 1)


def test_workers_of_batches_are_counted_in_their_attempt(batched: Records) -> None:
    assert [batched.start_worker("a", 1), batched.start_worker("a", 1), batched.workers("a")] == [True, True, 2]
    assert batched.end_worker("a", 1)
    assert batched.workers("a") == 1

    batched.cancel_study("a", "why")
    batched.reopen_study("a", 2, succeeded=0, batched=True)
    assert (batched.workers("a"), batched.end_worker("a", 1), batched.start_worker("a", 1)) == (0, False, False)
    assert batched.start_worker("a", 2)
    assert batched.workers("a") == 1


def test_workers_of_a_removed_study_are_not_counted(batched: Records) -> None:
    batched.remove_study("a")
    assert not batched.start_worker("a", 1)
    assert batched.workers("a") == 0


def test_failures_of_a_study_of_an_earlier_release_are_corrected_in_its_item(batched: Records) -> None:
    batched._table.update_item(
        Key=keys.study_key("a"),
        UpdateExpression=f"REMOVE {attributes.BLOCK_SIZE}",
    )
    batched._block_sizes.clear()
    fail(batched, 3, 4)
    succeed(batched, 3)

    assert not batched.too_many_failed("a", 1, 1)

    assert study(batched).failures == batched.failures("a") == 1
