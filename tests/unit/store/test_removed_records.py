"""Records of studies that are being removed."""

from typing import Any

import pytest

from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus
from tests.unit.store.study_items import ENDED, FOREVER, OPEN, Write, put, study


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
        lambda records: records.reopen_study("a", 2, succeeded=0),
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
