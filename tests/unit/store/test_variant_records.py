"""Records of variants, and those that the state machine writes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import VariantStatus
from tests.unit.store.study_items import FOREVER, SOURCE, ended


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
