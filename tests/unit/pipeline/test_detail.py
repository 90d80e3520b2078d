"""The tables of zones and months of a whole study: epsm.pipeline.detail."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from epsm.pipeline.detail import write_detail
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.pack_index import PackIndex
from epsm.store.packs import pack
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.fakes import MemoryS3, fake


def test_every_variant_of_a_large_study_is_in_the_table_in_its_order(tmp_path: Path) -> None:
    tables = Study.model_validate(study_document(outputs={"tables": ["zones"]})).outputs.tables
    s3, variants = MemoryS3(), list(range(3, 603, 3))
    for index in variants:
        own = {"variant_index": index, "model": "a.idf", "weather": "b.epw", "zones": [{"name": "R", "area_m2": index}]}
        s3.put_object(
            Bucket="results", Key=keys.variant_key("x-1", index, "result.json"), Body=json.dumps(own).encode()
        )
    assert write_detail(Files(fake(s3), "results"), "x-1", variants, PackIndex(), tables, tmp_path) == []
    rows = pq.read_table(tmp_path / "zones.parquet").to_pylist()
    assert [(row["variant_index"], row["area_m2"]) for row in rows] == [(index, index) for index in variants]


def test_a_study_with_too_many_variants_to_read_in_time_has_a_reason_instead_of_the_table(tmp_path: Path) -> None:
    tables = Study.model_validate(study_document(outputs={"tables": ["zones"]})).outputs.tables
    (section,) = write_detail(Files(fake(MemoryS3()), "results"), "x-1", range(300_000), PackIndex(), tables, tmp_path)
    assert "zones.parquet could not be written" in section
    assert "300,000 variants succeeded; at most 250,000 can be read in time" in section
    assert not (tmp_path / "zones.parquet").exists()


def test_results_in_packs_are_in_the_table_in_the_order_of_the_variants(files: Files, tmp_path: Path) -> None:
    def content(index: int, area_m2: float) -> dict[str, bytes]:
        zones = [{"name": "R", "area_m2": area_m2}]
        own = {"variant_index": index, "model": "a.idf", "weather": "b.epw", "zones": zones}
        return {"result.json": json.dumps(own).encode(), "in.idf": bytes(300_000)}

    tables = Study.model_validate(study_document(outputs={"tables": ["zones"]})).outputs.tables
    packs = PackIndex()
    for name, variants in {"packs/a.zip": (0, 2, 70), "packs/b.zip": (3, 69)}.items():
        files.put_bytes(f"runs/x-1/{name}", pack({index: content(index, index) for index in variants}, {}), "")
        for index in variants:
            packs.add(index, name)
    files.put_bytes("runs/x-1/variants/1/result.json", content(1, 1)["result.json"], "")
    packs.add(2, "packs/c.zip")  # it was repeated
    files.put_bytes("runs/x-1/packs/c.zip", pack({2: content(2, 22)}, {}), "")

    assert write_detail(files, "x-1", [0, 1, 2, 3, 69, 70], packs, tables, tmp_path) == []
    rows = pq.read_table(tmp_path / "zones.parquet").to_pylist()
    assert [(row["variant_index"], row["area_m2"]) for row in rows] == [
        (0, 0),
        (1, 1),
        (2, 22),
        (3, 3),
        (69, 69),
        (70, 70),
    ]
