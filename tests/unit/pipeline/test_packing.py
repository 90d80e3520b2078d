"""Storing the variants of a batch together: when, in which order, and where the store refuses."""

import json
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.pipeline import packing
from epsm.pipeline.batch import BatchedVariant
from epsm.store.packs import Pack
from tests.unit.pipeline.batch_case import SUCCEEDED, Case


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


@pytest.mark.parametrize(
    ("limit", "value", "packs"),
    [
        ("PACK_SECONDS", 0.0, [[0], [1], [2]]),
        ("PACK_VARIANTS", 2, [[0, 1], [2]]),
        ("PACK_BYTES", 1, [[0], [1], [2]]),
        ("PACK_SECONDS", 1e6, [[0, 1, 2]]),
    ],
)
def test_variants_are_stored_from_time_to_time_and_at_the_end(
    case: Case, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, packs: list[list[int]]
) -> None:
    monkeypatch.setattr(packing, limit, value)
    seen: list[int] = []
    case.on_end = lambda variant: seen.append(case.study.successes)

    case.run(indices=(0, 1, 2))

    assert case.packs() == packs
    assert seen == [sum(map(len, packs[: number + 1])) for number, pack in enumerate(packs) for _ in pack]
    assert case.study.successes == 3


def test_an_error_of_the_infrastructure_is_raised_after_the_other_variants_have_ended(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = case.files.put_bytes

    def refuse(key: str, content: bytes, content_type: str) -> str:
        if 2 in Pack(BytesIO(content)).variants:
            raise refusal("SlowDown", 503)
        return store(key, content, content_type)

    monkeypatch.setattr(case.files, "put_bytes", refuse)

    with pytest.raises(ClientError):
        case.run()

    assert case.statuses() == [SUCCEEDED, SUCCEEDED, None, SUCCEEDED, SUCCEEDED]


def test_a_store_that_refuses_everything_is_not_asked_for_each_variant(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(key: str, content: bytes, content_type: str) -> str:
        asked.append(key)
        raise refusal("SlowDown", 503)

    monkeypatch.setattr(case.files, "put_bytes", refuse)

    with pytest.raises(ClientError):
        case.run()

    assert len(asked) == 3
    assert case.statuses() == [None] * 5


def test_variants_without_room_on_the_disk_of_a_local_store_have_failed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = case.files.put_bytes

    def refuse_databases(key: str, content: bytes, content_type: str) -> str:
        if "eplusout.sql.gz" in Pack(BytesIO(content)).names(1):
            raise refusal("InsufficientStorage", 507)
        return store(key, content, content_type)

    monkeypatch.setattr(case.files, "put_bytes", refuse_databases)

    outcome = case.run(indices=(1, 2))

    assert [each.verdict for each in outcome.variants] == ["disk full", "disk full"]
    assert json.loads(case.file(1, "result.json"))["verdict"] == "disk full"
    assert case.study.failures == 2


def test_variants_whose_end_cannot_be_reported_are_not_stored_and_counted_again(case: Case) -> None:
    def refuse(variant: BatchedVariant) -> None:
        if variant.index == 1:
            raise refusal("InternalFailure", 500)

    case.on_end = refuse

    with pytest.raises(ClientError):
        case.run(indices=(0, 1, 2))

    assert case.statuses()[:3] == [SUCCEEDED] * 3
    assert case.study.successes == 3
    assert [variant.index for variant in case.ended] == [0, 1, 2]
    assert sorted(index for pack in case.packs() for index in pack) == [0, 1, 2]


def test_progress_that_cannot_be_written_costs_no_variant(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise refusal("ThrottlingException", 400)

    monkeypatch.setattr(case.records, "count_successes", refuse)

    assert case.run().left == 0
    assert case.statuses() == [SUCCEEDED] * 5


def test_nothing_is_stored_for_a_study_that_is_removed_while_its_worker_runs(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PACK_VARIANTS", 1)

    def remove(variant: BatchedVariant) -> None:
        case.records.remove_study("a")

    case.on_end = remove

    case.run(indices=(0, 1, 2))

    assert case.packs() == [[0]]
    assert case.statuses() == [None] * 5
