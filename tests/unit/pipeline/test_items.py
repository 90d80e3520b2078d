"""Which variants are not tried in a function."""

from collections.abc import Mapping

import pytest

from epsm.pipeline.items import models_for_containers
from epsm.store.records import Records
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.schema import Study
from tests.unit.fakes import fake
from tests.unit.manifests import manifest_of


class RunTimes(Records):
    """Records that know run times alone."""

    def __init__(self, by_hash: Mapping[str, float]) -> None:
        super().__init__(table=fake(None))
        self._by_hash = by_hash

    def run_time(self, sha256: str) -> float | None:
        return self._by_hash.get(sha256)


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
    assert set(models_for_containers(manifest(timeout_s=3_600), records)) == chosen


def test_a_model_that_has_never_run_is_tried_in_a_function() -> None:
    assert not models_for_containers(manifest(timeout_s=3_600), RunTimes({}))


def test_a_study_that_gives_its_runs_no_more_than_a_function_has_stays_in_functions() -> None:
    assert not models_for_containers(manifest(timeout_s=840), RunTimes({"hash of tower.idf": 3_000.0}))
