"""Items of the map: which variants are not tried in a function, and in which order they come."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.pipeline.items import Attempt, models_for_containers, write_items
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.batches import Batching
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.fakes import fake
from tests.unit.manifests import manifest_of

ANNA = "anna"
SINGLE = Batching(False, None, 1, 1, True, lambda model: 1.0)


class RunTimes(Records):
    """Records that know run times of Anna's models alone."""

    def __init__(self, by_hash: Mapping[str, float]) -> None:
        super().__init__(table=fake(None))
        self._by_hash = by_hash

    def run_time(self, owner: str, sha256: str) -> float | None:
        return self._by_hash.get(sha256) if owner == ANNA else None


def manifest(timeout_s: int) -> RunManifest:
    document = {"models": ["tower.idf", "hut.idf"], "weather": ["w.epw"], "options": {"timeout_s": timeout_s}}
    files = {
        name: ObjectRef(bucket="b", key=name, version_id="1", sha256=f"hash of {name}", bytes=1)
        for name in ("tower.idf", "hut.idf", "w.epw")
    }
    return manifest_of(Study.model_validate(document), inputs=files)


@pytest.mark.parametrize(("seconds", "chosen"), [(671.9, set()), (672.0, {"tower.idf"}), (3_000.0, {"tower.idf"})])
def test_a_model_that_ran_nearly_as_long_as_a_function_may_goes_to_containers(seconds: float, chosen: set[str]) -> None:
    records = RunTimes({"hash of tower.idf": seconds, "hash of hut.idf": 2.0})
    assert set(models_for_containers(manifest(timeout_s=3_600), ANNA, records)) == chosen


def test_a_model_that_has_never_run_is_tried_in_a_function() -> None:
    assert not models_for_containers(manifest(timeout_s=3_600), ANNA, RunTimes({}))


def test_a_model_that_only_another_owner_has_run_is_tried_in_a_function() -> None:
    assert not models_for_containers(manifest(timeout_s=3_600), "ben", RunTimes({"hash of tower.idf": 3_000.0}))


def test_a_study_that_gives_its_runs_no_more_than_a_function_has_stays_in_functions() -> None:
    assert not models_for_containers(manifest(timeout_s=840), ANNA, RunTimes({"hash of tower.idf": 3_000.0}))


def attempt(variants: int, batching: Batching = SINGLE, in_containers: tuple[str, ...] = ()) -> Attempt:
    return Attempt(1, variants, in_containers, batching, variants)


def items(document: dict[str, Any], files: Files) -> list[dict[str, Any]]:
    study = Study.model_validate(study_document(**document))
    write_items(files, "runs/a/items.json", expand(study), attempt(study.variant_count))
    found: list[dict[str, Any]] = json.load(files.open_result("runs/a/items.json"))
    return found


def test_samples_that_repeat_earlier_ones_come_last(files: Files) -> None:
    field = {"class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    rows = [{"d": 0.1}, {"d": 0.1}, {"d": 0.2}]
    sampling = {"method": "list", "rows": rows}
    document = {"parameters": [{"name": "d", **field}], "weather": ["a.epw", "b.epw"], "sampling": sampling}

    found = items(document, files)

    assert [each["index"] for each in found] == [0, 1, 3, 4, 5, 7, 2, 6]
    assert [each.get("repeats") for each in found] == [None] * 6 + [1, 5]


def test_points_of_a_few_levels_repeat_those_before_them(files: Files) -> None:
    parameter = {"name": "d", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [1, 2]}
    sampling = {"method": "random", "samples": 9, "seed": 1}

    found = items({"parameters": [parameter], "sampling": sampling}, files)

    first = {item["index"]: item["values"] for item in found if "repeats" not in item}
    assert len(first) == 3
    assert all(item["values"] == first[item["repeats"]] for item in found if "repeats" in item)
