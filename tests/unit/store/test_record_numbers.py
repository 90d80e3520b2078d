"""Numbers in the table: each is read back unchanged, or refused before it is written."""

import json
from decimal import Decimal
from typing import Any

import pytest

from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import VariantRecord, VariantStatus

FOREVER = 4_000_000_000


def finished(number: float) -> VariantRecord:
    return VariantRecord(index=0, status=VariantStatus.SUCCEEDED, summary={"metrics": {"site_energy_kwh": number}})


@pytest.mark.parametrize("number", [1e15, -4.5e-7, 0.1, 1.2345678901234567e37, 2.0**53 + 2, 1e-129])
def test_a_number_comes_back_as_it_was(records: Records, number: float) -> None:
    records.finish_variant("study", finished(number), FOREVER)

    found = records.variant("study", 0)
    assert found is not None
    assert found.summary["metrics"]["site_energy_kwh"] == number


def test_a_record_of_an_earlier_release_has_its_numbers_in_a_map(table: Any, records: Records) -> None:
    key = {keys.PARTITION_KEY: "SIM#a", keys.SORT_KEY: keys.variant_sort_key(0)}
    summary = {"metrics": {"site_eui_kwh_m2": Decimal("112.5"), "zone_count": Decimal(5)}, "period": ["a", "b"]}
    table.put_item(Item={**key, "status": "succeeded", "summary": summary})

    found = records.variant("a", 0)
    assert found is not None
    assert found.summary == {"metrics": {"site_eui_kwh_m2": 112.5, "zone_count": 5}, "period": ["a", "b"]}


def test_a_summary_takes_little_room(table: Any, records: Records) -> None:
    """Writes are counted in KB."""
    metrics = {f"a_metric_of_the_building_{number}": number / 7 for number in range(100)}
    records.finish_variant("a", VariantRecord(0, VariantStatus.SUCCEEDED, summary={"metrics": metrics}), FOREVER)

    (item,) = table.scan()["Items"]
    assert len(bytes(item["packed_summary"])) < 2000 < len(json.dumps(metrics)) / 2


@pytest.mark.parametrize(
    ("number", "kind"), [(2.0**53 - 1, int), (-(2.0**53) + 1, int), (2.0**53, float), (0.5, float)]
)
def test_whole_numbers_are_integers_as_long_as_a_float_counts_them(
    records: Records, number: float, kind: type[float]
) -> None:
    records.finish_variant("study", finished(number), FOREVER)
    found = records.variant("study", 0)
    assert found is not None
    assert type(found.summary["metrics"]["site_energy_kwh"]) is kind


def test_a_study_that_has_cost_nothing_yet_has_cost_nothing(records: Records) -> None:
    record = records.create_or_get_study("study", "Study", {})
    assert (record.spent_usd, record.cost_usd, record.succeeded, record.failed, record.attempt) == (0.0, 0.0, 0, 0, 1)


@pytest.mark.parametrize("number", [1e38, 1e125, -1e126, 4.9e274, float("inf"), float("nan")])
def test_a_number_that_cannot_be_read_again_is_not_written(table: Any, records: Records, number: float) -> None:
    with pytest.raises(ValueError, match="cannot be stored in the table"):
        records.finish_variant("study", finished(number), FOREVER)

    assert table.scan()["Items"] == []


def test_a_number_too_small_for_the_table_is_zero(records: Records) -> None:
    records.finish_variant("study", finished(-1e-130), FOREVER)

    found = records.variant("study", 0)
    assert found is not None
    assert found.summary["metrics"]["site_energy_kwh"] == 0
