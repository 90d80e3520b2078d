"""Reusing results: the same content runs once, and nothing incomplete or of another owner is ever taken."""

import hashlib
import io
import json
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.pipeline.run_variant import VariantRunner
from epsm.pipeline.task_errors import SimulationFailed
from epsm.store.files import Files
from epsm.store.kept_results import KeptResults
from epsm.store.records import Records
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import VariantRecord
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.conftest import RESULTS
from tests.unit.pipeline.fake_engine import FakeEngine

INSULATION = {"name": "d", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
SERIES_OF_BOTH = ("first/series/part-0000000.parquet", "second/series/part-0000001.parquet")
ANNA, BEN = "iam:anna", "iam:ben"


class Bench:
    """Studies of owners, whose variants one worker runs."""

    def __init__(self, files: Files, records: Records, table: Any, s3: Any, folder: Path, engine: FakeEngine) -> None:
        self.files, self.records, self.s3, self.engine = files, records, s3, engine
        self.kept = KeptResults(table)
        engine.mode("ok")
        self.folder = folder
        self.runner = self.worker("one")

    def worker(self, name: str, sleep: Callable[[float], None] = time.sleep) -> VariantRunner:
        return VariantRunner(
            self.files, self.records, self.folder / name, self.engine.engine, kept_results=self.kept, sleep=sleep
        )

    def accept(
        self,
        name: str,
        model: str,
        weather: bytes = b"",
        owner: str = ANNA,
        key: str = "study.json",
        created_at: datetime | None = None,
        **document: Any,
    ) -> None:
        self.records.create_or_get_study(name, name, {}, owner)
        study = Study.model_validate(study_document(**{"parameters": [], **document}))
        manifest = RunManifest(
            simulation_id=name,
            created_at=created_at or datetime.now(UTC),
            study=study,
            source=Source(bucket="inputs", key=key, version_id="null"),
            inputs={"room.idf": self._uploaded(model.encode()), "chicago.epw": self._uploaded(weather)},
            external_files={},
            variants=study.variant_count,
            engine_version="25.2.0",
            image_id="",
            code_version="",
            extraction_version=1,
        )
        self.files.put_text(f"runs/{name}/manifest.json", manifest.to_json(), "application/json")
        self.variants = list(expand(study))

    def _uploaded(self, content: bytes) -> ObjectRef:
        digest = hashlib.sha256(content).hexdigest()
        version = self.s3.put_object(Bucket="inputs", Key=digest, Body=content)["VersionId"]
        return ObjectRef(bucket="inputs", key=digest, version_id=version, sha256=digest, bytes=len(content))

    def run(self, name: str, index: int = 0, **changes: Any) -> VariantRecord:
        self.runner.run(name, self.variants[index], **({"seconds_left": lambda: math.inf} | changes))
        record = self.records.variant(name, index)
        assert record is not None
        return record

    def document(self, name: str, index: int = 0) -> Any:
        return json.load(self.files.open_result(f"runs/{name}/variants/{index}/result.json"))

    def content(self, name: str, file: str) -> bytes:
        return self.files.open_result(f"runs/{name}/variants/0/{file}").read()

    def stored(self, name: str, index: int = 0) -> set[str]:
        listed = self.s3.list_objects_v2(Bucket=RESULTS, Prefix=f"runs/{name}/variants/{index}/").get("Contents", [])
        return {each["Key"].rpartition("/")[2] for each in listed}


@pytest.fixture
def bench(files: Files, records: Records, table: Any, s3: Any, tmp_path: Path, fake_engine: FakeEngine) -> Bench:
    return Bench(files, records, table, s3, tmp_path, fake_engine)


# --- Taken


def test_copied_series_have_the_index_of_their_new_variant(bench: Bench, one_day: str) -> None:
    outputs = {"meters": ["Electricity:Facility"]}
    bench.accept("first", one_day, outputs=outputs)
    first = bench.run("first")
    bench.accept("second", one_day, outputs=outputs, parameters=[INSULATION | {"multiply": [1.0]}])

    second = bench.run("second", 1)

    parts = [bench.files.open_result(f"runs/{name}").read() for name in SERIES_OF_BOTH]
    one, other = (pd.read_parquet(io.BytesIO(part)) for part in parts)
    assert (one.pop("variant_index").unique().tolist(), other.pop("variant_index").unique().tolist()) == ([0], [1])
    pd.testing.assert_frame_equal(one, other)
    assert second.summary["series_columns"] == first.summary["series_columns"]


def test_the_same_run_in_a_second_study_is_copied(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day)
    first = bench.run("first")
    bench.accept("second", one_day)

    second = bench.run("second")

    assert bench.engine.runs == 1
    assert second.summary["cached_from"] == "first/0"
    assert second.summary["metrics"] == first.summary["metrics"]
    assert (second.verdict, second.summary["engine_seconds"]) == ("ok", 0)
    assert bench.stored("second") == bench.stored("first")
    assert bench.content("second", "in.idf") == bench.content("first", "in.idf")
    own = {"simulation_id", "cached_from", "seconds", "engine_seconds", "engine_cpu_seconds", "peak_memory_mb"}
    one, other = (
        {name: value for name, value in bench.document(study).items() if name not in own}
        for study in ("first", "second")
    )
    assert one == other
    assert bench.document("second")["simulation_id"] == "second"


def test_equal_samples_of_a_study_run_once(bench: Bench, one_day: str) -> None:
    rows = [{"d": 0.1}, {"d": 0.2}, {"d": 0.1}]
    bench.accept("first", one_day, parameters=[INSULATION], sampling={"method": "list", "rows": rows})

    records = [bench.run("first", index) for index in range(4)]

    assert bench.engine.runs == 3
    assert [record.summary.get("cached_from") for record in records] == [None, None, None, "first/1"]
    assert bench.document("first", 3)["values"] == {"d": 0.1}


def test_a_factor_of_one_is_the_baseline(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day, parameters=[INSULATION | {"multiply": [1.0, 0.5]}])

    records = [bench.run("first", index) for index in range(3)]

    assert [record.summary.get("cached_from") for record in records] == [None, "first/0", None]


def test_a_copy_of_a_copy_names_the_run_that_was_computed(bench: Bench, one_day: str) -> None:
    for name in ("first", "second", "third"):
        bench.accept(name, one_day)
        bench.run(name)
    bench.records.remove_study("first")
    bench.accept("fourth", one_day)

    assert bench.run("fourth").summary["cached_from"] == "first/0"
    assert bench.engine.runs == 1


def test_what_is_kept_longer_is_found_once_the_first_study_is_removed(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    bench.run("first")
    bench.accept("second", one_day)
    bench.run("second")
    bench.records.remove_study("first")
    bench.accept("third", one_day)

    bench.run("third")

    assert bench.engine.runs == 1


@pytest.mark.parametrize("started", [True, False])
def test_a_sample_that_repeats_one_which_has_not_ended_waits_for_it(bench: Bench, one_day: str, started: bool) -> None:
    bench.accept("first", one_day, parameters=[INSULATION], sampling={"method": "list", "rows": [{"d": 0.1}] * 2})
    if started:  # else it is further back in another worker's batch
        bench.records.start_variant("first", 1, 4_000_000_000)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        bench.worker("other").run("first", bench.variants[1], seconds_left=lambda: math.inf)

    bench.runner = bench.worker("one", sleep)

    assert bench.run("first", 2, repeats=1).summary["cached_from"] == "first/1"
    assert len(waited) == 1
    assert bench.engine.runs == 1


def test_a_sample_does_not_wait_for_one_that_was_lost(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day, parameters=[INSULATION], sampling={"method": "list", "rows": [{"d": 0.1}] * 2})
    bench.records.start_variant("first", 1, 4_000_000_000)

    assert "cached_from" not in bench.run("first", 2, repeats=1, seconds_left=lambda: 2.0).summary


# --- Not taken


@pytest.mark.parametrize(
    "change",
    [
        {"owner": BEN},
        {"weather": b"another year"},
        {"outputs": {"meters": ["Electricity:Facility"]}},
        {"outputs": {"keep": ["err", "sql", "eio"]}},
        {"options": {"cache": False}},
        {"key": "canary/2026-05-01T17-00-09/study.json"},
    ],
    ids=["owner", "weather", "meters", "files", "no cache", "canary"],
)
def test_anything_else_runs(bench: Bench, one_day: str, change: dict[str, Any]) -> None:
    bench.accept("first", one_day)
    bench.run("first")
    bench.accept("second", one_day, **change)

    assert "cached_from" not in bench.run("second").summary
    assert bench.engine.runs == 2


def test_another_model_runs(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day)
    bench.run("first")
    bench.accept("second", one_day.replace("Wall Insulation", "Wall Wool"))

    bench.run("second")

    assert bench.engine.runs == 2


def test_a_failed_run_is_not_taken(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day)
    bench.engine.mode("crash")
    with pytest.raises(SimulationFailed):
        bench.run("first")
    bench.accept("second", one_day)
    bench.engine.mode("ok")

    assert "cached_from" not in bench.run("second").summary
    assert bench.engine.runs == 1


def test_a_failed_run_that_is_repeated_runs(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day)
    bench.engine.mode("crash")
    with pytest.raises(SimulationFailed):
        bench.run("first")
    bench.engine.mode("ok")

    assert bench.run("first").verdict == "ok"
    assert bench.engine.runs == 1


@pytest.mark.parametrize("file", ["result.json", "in.idf", "eplusout.sql.gz"])
@pytest.mark.parametrize("content", [None, b"{}"], ids=["missing", "changed"])
def test_results_that_are_incomplete_are_computed_again(
    bench: Bench, one_day: str, file: str, content: bytes | None
) -> None:
    bench.accept("first", one_day)
    first = bench.run("first")
    key = f"runs/first/variants/0/{file}"
    if content is None:
        bench.s3.delete_object(Bucket=RESULTS, Key=key)
    else:
        bench.s3.put_object(Bucket=RESULTS, Key=key, Body=content)
    bench.accept("second", one_day)

    second = bench.run("second")

    assert bench.engine.runs == 2
    assert second.summary["metrics"] == first.summary["metrics"]
    assert bench.document("second")["simulation_id"] == "second"


def test_a_study_that_was_removed_is_not_taken_from(bench: Bench, one_day: str) -> None:
    bench.accept("first", one_day)
    bench.run("first")
    bench.records.remove_study("first")
    bench.accept("second", one_day)

    bench.run("second")

    assert bench.engine.runs == 2
