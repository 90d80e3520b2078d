"""Series of variants that run in batches: a part for each, in one dataset, however the batches were grouped."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.schema import Outputs
from tests.unit.conftest import RESULTS
from tests.unit.pipeline.batch_case import SUCCEEDED, Case
from tests.unit.pipeline.fake_engine import FakeEngine


@pytest.fixture
def batch(files: Files, records: Records, s3: Any, tmp_path: Path, fake_engine: FakeEngine, one_day: str) -> Case:
    """A study in one batch, with a series."""
    fake_engine.mode("ok")
    case = Case(files, records, s3, tmp_path / "runs", fake_engine)
    case.accept(one_day.encode())
    manifest = files.read_manifest("a")
    study = manifest.study.model_copy(update={"outputs": Outputs(meters=("Electricity:Facility",), keep=())})
    files.put_text("runs/a/manifest.json", manifest.model_copy(update={"study": study}).to_json(), "application/json")
    return case


def dataset(case: Case) -> dict[str, list[int]]:
    """Distinct indices in each part."""
    listed = case.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/series/")["Contents"]
    parts = {each["Key"]: io.BytesIO(case.files.open_result(each["Key"]).read()) for each in listed}
    return {
        key.rpartition("/")[2]: pd.read_parquet(part)["variant_index"].unique().tolist() for key, part in parts.items()
    }


def test_each_variant_of_a_batch_has_a_part_of_its_own(batch: Case) -> None:
    batch.run(engines=2)

    assert batch.statuses() == [SUCCEEDED] * 5
    assert dataset(batch) == {f"part-000000{index}.parquet": [index] for index in range(5)}


def test_a_variant_whose_worker_was_killed_after_its_part_was_stored_is_in_the_dataset_once(batch: Case) -> None:
    batch.run(indices=(0, 1))
    batch.files.put_bytes(keys.variant_key("a", 2, keys.SERIES), b"of a worker that was killed")

    batch.run(indices=(2, 3))

    assert batch.statuses()[:4] == [SUCCEEDED] * 4
    assert dataset(batch) == {f"part-000000{index}.parquet": [index] for index in range(4)}
