"""Partitions of the table: the variants of a study in blocks, and all in one for studies of earlier releases."""

from typing import Any

import pytest

from epsm.store import attributes, keys
from epsm.store.records import Records
from epsm.store.removal import OutOfTime
from epsm.study.records import StudyStatus, VariantStatus
from tests.unit.store.study_items import FOREVER, SOURCE, ended, put

INDICES = [900, 0, 399, 400, 799, 800]


def large(records: Records) -> None:
    """A study of 901 variants, of which some have ended."""
    records.create_or_get_study("a", "Office", SOURCE)
    records.accept_study("a", name="Office", variants=901, options={}, expires_at=FOREVER)
    for index in INDICES:
        records.start_variant("a", index, FOREVER)
        records.finish_variant("a", ended(index), FOREVER)


def of_an_earlier_release(table: Any) -> None:
    put(table, "a", StudyStatus.PARTIAL, variants=901)
    for index in INDICES:
        key = {keys.PARTITION_KEY: "SIM#a", keys.SORT_KEY: keys.variant_sort_key(index)}
        table.put_item(Item={**key, attributes.STATUS: "failed" if index == 799 else "succeeded"})


def partitions(table: Any) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for item in table.scan()["Items"]:
        if item[keys.SORT_KEY].startswith(keys.VARIANT_SORT_PREFIX):
            found.setdefault(item[keys.PARTITION_KEY], []).append(keys.index_of(item[keys.SORT_KEY]))
    return {partition: sorted(indices) for partition, indices in found.items()}


def test_variants_are_spread_over_partitions(table: Any, records: Records) -> None:
    large(records)

    assert partitions(table) == {"SIM#a": [0, 399], "SIM#a#1": [400, 799], "SIM#a#2": [800, 900]}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (0, sorted(INDICES)),
        (1, [399, 400, 799, 800, 900]),
        (400, [400, 799, 800, 900]),
        (798, [799, 800, 900]),
        (801, [900]),
        (901, []),
        (5_000, []),
    ],
)
@pytest.mark.parametrize("earlier_release", [False, True])
def test_variants_are_listed_in_order_from_any_index(
    table: Any, records: Records, first: int, expected: list[int], earlier_release: bool
) -> None:
    if earlier_release:
        of_an_earlier_release(table)
    else:
        large(records)

    assert [variant.index for variant in records.variants("a", first)] == expected


def test_variants_of_every_block_are_found(records: Records) -> None:
    large(records)

    assert records.succeeded_indices("a") == set(INDICES)
    assert all(records.variant("a", index) for index in INDICES)
    assert records.variant("a", 401) is None
    assert not records.start_variant("a", 800, FOREVER)


def test_a_page_reads_no_further_block(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    large(records)
    whole, asked = records._table.query, []

    def query(**arguments: Any) -> Any:
        asked.append(arguments["ExpressionAttributeValues"][":pk"])
        return whole(**arguments)

    monkeypatch.setattr(records._table, "query", query)
    assert next(records.variants("a", 410)).index == 799
    assert asked == ["SIM#a#1"]


def test_nothing_is_left_of_a_removed_study(table: Any, records: Records) -> None:
    large(records)

    assert records.remove_study("a") == len(INDICES) + 2
    assert table.scan()["Items"] == []


def test_a_study_of_an_earlier_release_keeps_its_partition(table: Any, records: Records) -> None:
    of_an_earlier_release(table)

    assert records.succeeded_indices("a") == {0, 399, 400, 800, 900}
    assert records.start_variant("a", 799, FOREVER)
    assert records.finish_variant("a", ended(799), FOREVER)

    assert partitions(table) == {"SIM#a": sorted(INDICES)}
    assert {variant.status for variant in records.variants("a")} == {VariantStatus.SUCCEEDED}
    assert records.remove_study("a") == len(INDICES) + 1
    assert table.scan()["Items"] == []


def test_a_process_reads_the_block_size_of_a_study_once(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    records.create_or_get_study("a", "Office", SOURCE)
    whole, reads = records._table.get_item, []

    def get_item(**arguments: Any) -> Any:
        reads.append(arguments)
        return whole(**arguments)

    monkeypatch.setattr(records._table, "get_item", get_item)
    for index in range(3):
        records.start_variant("a", index, FOREVER)
        records.finish_variant("a", ended(index), FOREVER)
    assert len(reads) == 1


def test_successes_are_found_in_blocks_of_any_state(records: Records) -> None:
    """All succeeded, none started, none succeeded, and some of each."""
    records.create_or_get_study("a", "Office", SOURCE)
    records.accept_study("a", name="Office", variants=1_605, options={}, expires_at=FOREVER)
    failed = VariantStatus.FAILED
    for index in range(400):
        records.finish_variant("a", ended(index), FOREVER)
    for index in (800, 801):
        records.finish_variant("a", ended(index, failed), FOREVER)
    records.finish_variant("a", ended(1_200), FOREVER)
    records.finish_variant("a", ended(1_201, failed), FOREVER)
    records.start_variant("a", 1_203, FOREVER)
    for index in range(1_600, 1_605):
        records.finish_variant("a", ended(index, failed if index == 1_602 else VariantStatus.SUCCEEDED), FOREVER)

    assert records.succeeded_indices("a") == {*range(400), 1_200, 1_600, 1_601, 1_603, 1_604}
    assert set(records.running_since("a")) == {1_203}


def test_a_removal_that_runs_out_of_time_keeps_the_study(table: Any, records: Records) -> None:
    large(records)
    checks = iter([None, None, None])

    def check_time() -> None:
        if next(checks, OutOfTime) is OutOfTime:
            raise OutOfTime

    with pytest.raises(OutOfTime):
        records.remove_study("a", check_time)
    assert records.study_including_removed("a") is not None

    records.remove_study("a")
    assert table.scan()["Items"] == []
