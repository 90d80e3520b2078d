"""Reading the results of a variant of a batch while the next one runs."""

import time
from pathlib import Path
from typing import Any

import pytest

from epsm.pipeline import variant_steps, workspace
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.task_errors import StudyCancelled
from epsm.pipeline.variant_results import read_run
from epsm.pipeline.workspace import RunFolder, Workspace
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of
from tests.unit.pipeline.batch_case import FAILED, SUCCEEDED, Case


def runs_when_results_are_read(case: Case, monkeypatch: pytest.MonkeyPatch, waits_for_the_next: bool) -> list[int]:
    """The number of runs that have started when the results of each variant have been read."""
    runs: list[int] = []

    def read(*arguments: Any) -> Any:
        finished = read_run(*arguments)
        deadline = time.monotonic() + 60
        while waits_for_the_next and case.engine.runs == min(len(runs) + 1, 4) and time.monotonic() < deadline:
            time.sleep(0.01)
        runs.append(case.engine.runs)
        return finished

    monkeypatch.setattr(variant_steps, "read_run", read)
    return runs


def test_the_results_of_a_variant_are_read_while_the_next_one_runs(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = runs_when_results_are_read(case, monkeypatch, waits_for_the_next=True)

    outcome = case.run(indices=(0, 1, 2, 3))

    assert runs == [2, 3, 4, 4]
    assert [variant.status for variant in outcome.variants] == ["succeeded"] * 4
    assert not list((case.folder / "runs").iterdir())


@pytest.mark.parametrize("lacking", ["memory", "disk"])
def test_results_that_leave_no_room_for_the_next_run_are_read_first(
    case: Case, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    runs = runs_when_results_are_read(case, monkeypatch, waits_for_the_next=False)
    monkeypatch.setattr(LoadedStudy, "reads_series", lacking == "memory")
    monkeypatch.setattr(Workspace, "has_room_for_another", lambda *_: lacking != "disk")

    case.run()

    assert runs == [1, 2, 3, 4, 5]


def test_of_an_engine_no_more_than_two_variants_have_a_folder(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[int] = []

    def read(*arguments: Any) -> Any:
        time.sleep(0.3)  # longer than a run
        folders.append(sum(1 for _ in (case.folder / "runs").iterdir()))
        return read_run(*arguments)

    monkeypatch.setattr(variant_steps, "read_run", read)

    case.run()

    assert max(folders) == 2


def test_impossible_results_are_counted_although_the_next_variant_has_started(case: Case) -> None:
    case.engine.mode("impossible")

    with pytest.raises(StudyCancelled):
        case.run(max_failures=0)

    assert case.engine.runs <= 2
    assert case.statuses()[0] == FAILED
    assert SUCCEEDED not in case.statuses()
    assert case.too_many == ["a"]


@pytest.mark.parametrize(("free_mb", "expected"), [(119.9, False), (120.1, True)])
def test_a_disk_has_room_for_another_run_if_it_holds_twice_its_files(
    free_mb: float, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "eplusout.sql").write_bytes(bytes(10 * 2**20))
    monkeypatch.setattr(workspace, "free_disk_mb", lambda folder: free_mb)
    files = RunFolder(tmp_path / "in.idf", tmp_path / "in.epw", tmp_path / "out")

    assert Workspace(tmp_path, files=None).has_room_for_another(files) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"cells": [{"name": "a", "report": "EnvelopeSummary", "row": "r", "column": "c"}]}, False),
        ({"meters": ["Electricity:Facility"]}, True),
        ({"variables": ["Zone Mean Air Temperature"]}, True),
        ({"reduced": [{"name": "peak", "meter": "Electricity:Facility", "reduce": "max"}]}, True),
    ],
)
def test_which_studies_read_series(more: dict[str, Any], expected: bool) -> None:
    study = Study.model_validate(study_document(outputs=more))

    assert LoadedStudy(manifest_of(study), "", None, None).reads_series is expected  # type: ignore[arg-type]
