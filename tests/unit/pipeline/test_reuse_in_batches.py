"""Batches that take the results of earlier runs: with few requests, complete, and never of another owner."""

import io
import json
import weakref
import zipfile
from collections import Counter
from typing import Any

import pytest

from epsm.pipeline import packing, reuse
from epsm.store.kept_results import KeptResults
from epsm.store.packs import Pack
from epsm.study.records import VariantRecord
from tests.unit.conftest import RESULTS
from tests.unit.pipeline.batch_case import SUCCEEDED, Case

FIVE = tuple(range(5))


@pytest.fixture
def kept(table: Any) -> KeptResults:
    return KeptResults(table)


def run(case: Case, kept: KeptResults, name: str, model: str, **study: Any) -> list[VariantRecord]:
    """Accept a study, and run it in one batch."""
    options: dict[str, Any] = {"cache": True, "owner": "anna"} | study
    case.accept(model.encode(), name=name, **options)
    case.run(name=name, kept_results=kept)
    return [record for index in FIVE if (record := case.records.variant(name, index))]


def sources(records: list[VariantRecord]) -> list[str | None]:
    return [record.summary.get("cached_from") for record in records]


def test_a_batch_takes_the_results_of_an_earlier_study(case: Case, kept: KeptResults, one_day: str) -> None:
    first = run(case, kept, "first", one_day)

    second = run(case, kept, "second", one_day)

    assert case.engine.runs == 5
    assert sources(second) == [f"first/{index}" for index in FIVE]
    assert [each.summary["metrics"] for each in second] == [each.summary["metrics"] for each in first]
    assert [each.summary["engine_seconds"] for each in second] == [0] * 5
    own = {"simulation_id", "cached_from", "seconds", "engine_seconds", "engine_cpu_seconds", "peak_memory_mb"}
    for index in FIVE:
        for file in ("in.idf", "eplusout.err", "eplusout.sql.gz"):
            assert case.file(index, file, "second") == case.file(index, file, "first")
        one, other = (json.loads(case.file(index, "result.json", name)) for name in ("first", "second"))
        assert {key: one[key] for key in one.keys() - own} == {key: other[key] for key in other.keys() - own}
        assert other["simulation_id"] == "second"


def test_taking_the_results_of_a_batch_takes_few_requests(case: Case, kept: KeptResults, one_day: str) -> None:
    run(case, kept, "first", one_day)
    requests: Counter[str] = Counter()
    for client in (case.s3, case.records._table.meta.client):
        client.meta.events.register("before-call", lambda model, **_: requests.update([model.name]))

    run(case, kept, "second", one_day)

    # The study is created, accepted and stored here, too.
    assert requests["GetObject"] == 2, "manifest and pack"
    assert requests["BatchGetItem"] == 2, "records and kept results"
    assert requests["BatchWriteItem"] == 2
    assert requests["CopyObject"] == requests["HeadObject"] == 0
    assert sum(requests.values()) < 30


def test_packs_of_earlier_runs_are_not_all_in_memory(
    case: Case, kept: KeptResults, one_day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PACK_VARIANTS", 1)
    run(case, kept, "first", one_day)
    alive: weakref.WeakSet[Pack] = weakref.WeakSet()
    most: list[int] = []

    class Watched(Pack):
        def __init__(self, file: Any) -> None:
            super().__init__(file)
            alive.add(self)
            most.append(len(alive))

    monkeypatch.setattr(reuse, "Pack", Watched)

    assert sources(run(case, kept, "second", one_day)) == [f"first/{index}" for index in FIVE]
    assert (len(most), max(most) <= 2) == (5, True)


def test_a_copy_of_a_copy_names_the_run_that_was_computed(case: Case, kept: KeptResults, one_day: str) -> None:
    for name in ("first", "second"):
        run(case, kept, name, one_day)
    for entry in case.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/first/")["Contents"]:
        case.s3.delete_object(Bucket=RESULTS, Key=entry["Key"])

    assert sources(run(case, kept, "third", one_day)) == [f"first/{index}" for index in FIVE]
    assert case.engine.runs == 5


def test_results_of_variants_that_ran_alone_are_taken_by_a_batch_and_the_other_way(
    case: Case, kept: KeptResults, one_day: str
) -> None:
    case.accept(one_day.encode(), name="alone", owner="anna", cache=True)
    case.run_alone("alone", 1, kept)
    batch = run(case, kept, "batch", one_day)
    case.accept(one_day.encode(), name="alone again", owner="anna", cache=True)
    case.run_alone("alone again", 2, kept)

    assert case.engine.runs == 5
    assert sources(batch) == [None, "alone/1", None, None, None]
    record = case.records.variant("alone again", 2)
    assert record is not None
    assert (record.summary["cached_from"], record.pack) == ("batch/2", "")
    stored = case.files.open_result("runs/alone again/variants/2/in.idf").read()
    assert stored == case.file(2, "in.idf", "batch")
    assert case.files.open_result("runs/batch/variants/1/in.idf").read()


@pytest.mark.parametrize("change", [{"owner": "ben"}, {"cache": False}, {"run_period": "design_days"}])
def test_nothing_else_is_taken(case: Case, kept: KeptResults, one_day: str, change: dict[str, Any]) -> None:
    run(case, kept, "first", one_day)

    assert sources(run(case, kept, "second", one_day, **change)) == [None] * 5


def test_a_pack_that_was_changed_is_a_miss(case: Case, kept: KeptResults, one_day: str) -> None:
    first = run(case, kept, "first", one_day)
    case.s3.put_object(Bucket=RESULTS, Key=f"runs/first/{first[0].pack}", Body=b"other")

    assert sources(run(case, kept, "second", one_day)) == [None] * 5


@pytest.mark.parametrize("part", ["in.idf", "result.json"])
def test_a_file_of_a_pack_that_is_damaged_is_a_miss_of_its_variant(
    case: Case, kept: KeptResults, one_day: str, part: str
) -> None:
    record = run(case, kept, "first", one_day)[3]
    key = f"runs/first/{record.pack}"
    content = bytearray(case.files.open_result(key).read())
    name = f"variants/3/{part}".encode()
    content[content.index(name) + len(name) + 20] ^= 1
    etag = case.files.put_bytes(key, bytes(content), "")
    for item in case.records._table.scan()["Items"]:
        if item["sk"] == "RESULT":
            case.records._table.put_item(Item=item | {"pack_etag": etag})

    assert sources(run(case, kept, "second", one_day)) == ["first/0", "first/1", "first/2", None, "first/4"]


@pytest.mark.parametrize(
    ("entry", "content", "damaged"),
    [
        ("variants/3/result.json", b"{", {3}),
        ("variants/3/result.json", b"[]", {3}),
        ("variants/3/result.json", b'{"simulation_id": "first", "variant_index": 2}', {3}),
        ("records.json", b'{"3": {"verdict": "ok", "summary": {}}}', {0, 1, 2, 3, 4}),
        ("records.json", b"{", {0, 1, 2, 3, 4}),
    ],
)
def test_a_file_of_a_pack_that_no_worker_has_written_is_a_miss(
    case: Case, kept: KeptResults, one_day: str, entry: str, content: bytes, damaged: set[int]
) -> None:
    key = f"runs/first/{run(case, kept, 'first', one_day)[3].pack}"
    with zipfile.ZipFile(io.BytesIO(case.files.open_result(key).read())) as pack:
        entries = {name: pack.read(name) for name in pack.namelist()}
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as pack:
        for name, data in (entries | {entry: content}).items():
            pack.writestr(name, data)
    etag = case.files.put_bytes(key, changed.getvalue(), "")
    for item in case.records._table.scan()["Items"]:
        if item["sk"] == "RESULT":
            case.records._table.put_item(Item=item | {"pack_etag": etag})

    reused = sources(run(case, kept, "second", one_day))

    assert reused == [None if index in damaged else f"first/{index}" for index in FIVE]


def test_variants_with_the_same_content_run_once_in_a_batch(case: Case, kept: KeptResults, one_day: str) -> None:
    rows = [{"d": 0.1}, {"d": 0.2}, {"d": 0.1}, {"d": 0.1}]

    records = run(case, kept, "first", one_day, rows=rows)

    assert case.engine.runs == 3
    assert sources(records) == [None, None, None, "first/1", "first/1"]
    assert [record.status for record in records] == [SUCCEEDED] * 5


def test_variants_whose_content_failed_all_run(case: Case, kept: KeptResults, one_day: str) -> None:
    case.engine.mode_of_models_with("0.1999", "fatal")

    records = run(case, kept, "first", one_day, rows=[{"d": 0.1999}] * 4)

    assert case.engine.runs == 5
    assert [record.status.value for record in records] == ["succeeded", *["failed"] * 4]
