"""The key of a run's content: everything that changes a result is in it, and nothing else."""

from typing import Any

import pytest

from epsm.pipeline.run_content import content_key, library_hash
from epsm.study.manifest import RunManifest
from epsm.study.variants import Variant
from tests.conftest import study_document

REF = {"bucket": "inputs", "key": "k", "version_id": "v", "bytes": 1}
MANIFEST = RunManifest.model_validate(
    {
        "simulation_id": "office-1",
        "created_at": "2026-05-01T00:00:00Z",
        "study": study_document(parameters=[], models=["models/room.idf"]),
        "source": {"bucket": "inputs", "key": "study.json", "version_id": "v"},
        "inputs": {
            "models/room.idf": {**REF, "sha256": "a" * 64},
            "chicago.epw": {**REF, "sha256": "b" * 64},
            "chicago.stat": {**REF, "sha256": "c" * 64},
            "models/occ.csv": {**REF, "sha256": "d" * 64},
        },
        "external_files": {"models/room.idf": ["models/occ.csv"]},
        "variants": 1,
        "engine_version": "25.2.0",
        "image_id": "",
        "code_version": "",
        "extraction_version": 1,
    }
)
VARIANT = Variant(0, "models/room.idf", "chicago.epw")


def key(manifest: RunManifest = MANIFEST, /, expected: Any = None, **changes: str) -> str:
    given = {"model": "Version,25.2;", "file_name": "in.idf", "engine_build": "25.2.0-1", "library": "1"} | changes
    return content_key(manifest, VARIANT, expected=expected or {}, **given)


def test_the_key_of_a_content_is_that_of_earlier_versions() -> None:
    # Another form finds nothing of before again, and may find something wrong: `run_content.FORM` goes with it.
    assert key() == "94fa7cfdd045099f40b7916eb1c5ee9b2d6a893c2ada2e6e40e497d77ba9fc38"


@pytest.mark.parametrize(
    "changes", [{"model": "Version,25.1;"}, {"file_name": "in.epJSON"}, {"engine_build": "2"}, {"library": "2"}]
)
def test_every_part_of_the_content_is_in_the_key(changes: dict[str, str]) -> None:
    assert key(**changes) != key()


def test_what_a_measure_asks_for_is_in_the_key() -> None:
    assert key(expected={"walls": ["0.2 W/m2K"]}) != key() == key(expected={"walls": []})


@pytest.mark.parametrize("name", ["chicago.epw", "chicago.stat", "models/occ.csv"])
def test_every_file_that_a_run_reads_is_in_the_key(name: str) -> None:
    changed = MANIFEST.inputs[name].model_copy(update={"sha256": "e" * 64})

    assert key(MANIFEST.model_copy(update={"inputs": MANIFEST.inputs | {name: changed}})) != key()


@pytest.mark.parametrize(
    "changes", [{"run_period": "annual"}, {"keep": ("err",)}, {"meters": ("Electricity:Facility",)}], ids=str
)
def test_what_the_study_asks_for_is_in_the_key(changes: dict[str, Any]) -> None:
    study = MANIFEST.study
    part = "options" if "run_period" in changes else "outputs"
    asked = study.model_copy(update={part: getattr(study, part).model_copy(update=changes)})

    assert key(MANIFEST.model_copy(update={"study": asked})) != key()


def test_what_does_not_change_a_result_is_not_in_the_key() -> None:
    study = MANIFEST.study
    options = study.options.model_copy(update={"timeout_s": 60, "priority": "high", "cache": False})
    other = {"simulation_id": "office-2", "study": study.model_copy(update={"name": "other", "options": options})}

    assert key(MANIFEST.model_copy(update=other)) == key()


def test_the_hash_of_the_library_is_one() -> None:
    assert len(library_hash()) == 64
