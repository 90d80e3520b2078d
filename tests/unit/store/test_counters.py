"""Counters of running studies: no index is written for them, and studies of earlier releases keep theirs."""

from typing import Any

import pytest

from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.store.study_items import FOREVER, SOURCE, put, study


def count(records: Records) -> None:
    """Everything that is counted while a study runs."""
    records.spend("a", 0.25)
    records.count_successes("a", 3)
    failed = VariantRecord(3, VariantStatus.FAILED, "2026-01-01", "2026-01-01", "failed", "engine", "why")
    assert records.finish_variant("a", failed, FOREVER, attempt=1)


def counted(records: Records) -> tuple[float, float, int, int]:
    record = study(records)
    return record.spent_usd, record.cost_usd, record.successes, record.failures


def create(records: Records) -> None:
    records.create_or_get_study("a", "Office", SOURCE, owner="anna")
    records.accept_study("a", name="Office", variants=9, options={}, expires_at=FOREVER, batched=True)


def test_counting_does_not_write_the_item_that_the_indexes_contain(table: Any, records: Records) -> None:
    create(records)
    before = table.get_item(Key=keys.study_key("a"))["Item"]

    count(records)

    assert table.get_item(Key=keys.study_key("a"))["Item"] == before
    assert counted(records) == (0.25, 0.25, 3, 1)
    listed = [
        item["pk"] for index in (keys.BY_CREATED_AT, keys.BY_OWNER) for item in table.scan(IndexName=index)["Items"]
    ]
    assert listed == ["SIM#a", "SIM#a"]


def test_a_study_of_a_list_is_given_its_counters(records: Records) -> None:
    create(records)
    count(records)
    (listed,) = records.studies()

    assert (listed.successes, records.with_counters(listed)) == (0, study(records))


def test_counters_expire_with_their_study(table: Any, records: Records) -> None:
    create(records)

    items = table.scan()["Items"]
    assert [item["expires_at"] for item in items] == [FOREVER, FOREVER]


@pytest.mark.parametrize("earlier_release", [False, True])
def test_a_further_attempt_keeps_only_the_cost(table: Any, records: Records, earlier_release: bool) -> None:
    if earlier_release:
        put(table, "a", StudyStatus.RUNNING, variants=9)
    else:
        create(records)
    count(records)
    records.cancel_study("a", "why")

    assert records.reopen_study("a", 2, succeeded=3)
    assert counted(records) == (0, 0.25, 0, 0)

    records.spend("a", 0.5)
    records.count_successes("a", 1)
    # As the state machine counts a variant that is lost.
    table.update_item(
        Key=keys.counters_key("a"),
        UpdateExpression="ADD failures :one",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":one": 1},
    )
    assert counted(records) == (0.5, 0.75, 1, 1)


def test_a_study_that_has_not_ended_keeps_its_counters(records: Records) -> None:
    create(records)
    count(records)

    assert not records.reopen_study("a", 2, succeeded=3)
    assert counted(records) == (0.25, 0.25, 3, 1)
