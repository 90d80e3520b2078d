"""What the command shows on terminals of all widths: epsm_cli.show and epsm_cli.show_results."""

import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from epsm.problems import Problem
from epsm.results.overview import overview, write_overview
from epsm.store.executions import RunCounts
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import Study
from epsm.text import counted
from epsm_cli.show import show_problems, show_studies, show_study
from epsm_cli.show_results import show_results
from tests.conftest import study_document

STATION = "USA_FL_Tampa.Intl.AP.722110_TMY"
PARAMETER = {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": [0.1]}
DOCUMENT = study_document(parameters=[PARAMETER], weather=[f"{STATION}3.epw"])


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """Two weather files, a baseline and one variant for each, one of them failed."""
    rows = [
        {
            "variant_index": index,
            "model": "office.idf",
            "weather": f"{STATION}{'3' if index < 2 else 'x'}.epw",
            "baseline": index % 2 == 0,
            "insulation_m": None if index % 2 == 0 else 0.1,
            "status": "failed" if index == 3 else "succeeded",
            "verdict": "out of memory" if index == 3 else "ok",
            "error": "It needed more." if index == 3 else None,
            "period": "7 days (01/01-01/07)",
            "site_eui_kwh_m2": None if index == 3 else 123.4,
            "site_eui_saved_percent": 1.5,
            "heating_kwh_m2": 41.1,
            "cooling_kwh_m2": 8.2,
            "unmet_heating_hours": 7.0,
            "unmet_cooling_hours": 0.0,
            "severe_errors": 6 if index in (1, 3) else 0,
            "warnings": 3,
        }
        for index in range(4)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "results.parquet")
    return tmp_path / "results.parquet"


def shown(parquet: Path, width: int, monkeypatch: pytest.MonkeyPatch, energyplus: str = "25.2") -> str:
    monkeypatch.setattr("epsm.results.remarks.remarks", lambda table, study: [])
    console = Console(width=width, record=True, file=io.StringIO())
    show_results(console, parquet, Study.model_validate(DOCUMENT), energyplus)
    return console.export_text()


def test_a_wide_terminal_shows_every_column(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(parquet, 140, monkeypatch)
    assert all(value in text for value in ("123.4", "1.5", "41.1", "8.2", "7 days (01/01-01/07)", "out of memory"))
    assert "Not shown" not in text


def test_a_narrow_terminal_cuts_no_result_and_says_what_it_leaves_out(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(parquet, 80, monkeypatch)
    assert all(value in text for value in ("123.4", "1.5", "out of memory"))
    assert "Not shown (terminal too narrow): heating, cooling, unmet hours" in text


def test_cost_payback_and_rank_of_measures_are_shown(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.read_parquet(parquet)
    frame["measure_cost_currency"] = [0.0, 6864.0, 0.0, None]
    frame["simple_payback_years"] = [None, 12.34, None, None]
    frame["pareto_rank"] = pd.array([1, 2, 1, None], dtype="Int64")
    frame.to_parquet(parquet)

    text = shown(parquet, 200, monkeypatch)

    assert all(value in text for value in ("cost", "payback", "Pareto", "6,864", "12.3"))
    assert "nan" not in text
    assert "<NA>" not in text


def test_names_that_differ_at_their_ends_stay_different(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(parquet, 80, monkeypatch)
    assert ("_TMY3 " in text, "_TMYx " in text) == (True, True)


def test_files_of_one_name_are_distinguished_by_their_folders(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.read_parquet(parquet)
    frame["model"] = ["v1/office.idf", "v1/office.idf", "v2/office.idf", "v2/office.idf"]
    frame.to_parquet(parquet)
    text = shown(parquet, 160, monkeypatch)
    assert ("v1/office " in text, "v2/office " in text) == (True, True)


def test_severe_errors_of_successful_variants_are_summed(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(shown(parquet, 140, monkeypatch).split())
    assert "severe errors in 1 of 3 successful variants: 6 severe errors, 9 warnings" in text


@pytest.mark.parametrize(
    ("status", "words"), [(StudyStatus.RUNNING, "3 not started"), (StudyStatus.CANCELLED, "3 not run")]
)
def test_variants_that_did_not_run_are_counted(status: StudyStatus, words: str) -> None:
    record = StudyRecord("office-1", "Office", status, "2026-05-01T00:00:00.000Z", variants=4)
    console = Console(width=200, record=True, file=io.StringIO())
    show_study(console, record, RunCounts(succeeded=1, total=4))
    assert f"1 of 4 variants succeeded, 0 failed, 0 running, {words}" in console.export_text()


def test_what_was_not_run_is_not_said_to_have_failed(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did not run" not in shown(parquet, 140, monkeypatch)
    frame = pd.read_parquet(parquet)
    frame.loc[3, ["status", "error"]] = ["not_run", "The study was cancelled."]
    frame.to_parquet(parquet)
    assert "Failed or not run" in shown(parquet, 140, monkeypatch)


def test_a_number_has_a_noun_that_fits() -> None:
    assert [counted(number, "variant") for number in (0, 1, 100000)] == ["0 variants", "1 variant", "100,000 variants"]
    screen = io.StringIO()
    show_problems(Console(file=screen, width=100), [Problem("study.json", "is missing", "")])
    assert "This study cannot run: 1 problem" in screen.getvalue()
    assert "(s)" not in screen.getvalue()


def test_an_empty_list_of_studies_says_so() -> None:
    screen = io.StringIO()
    show_studies(Console(file=screen, width=100), [])
    assert screen.getvalue() == "No studies yet.\n"


@pytest.mark.parametrize(("version", "said"), [("23.2", True), ("25.2", False)])
def test_the_engines_version_is_named_where_it_is_not_the_usual_one(
    version: str, said: bool, parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (f"EnergyPlus {version}" in shown(parquet, 120, monkeypatch, version)) is said


@pytest.mark.parametrize("reused", [0, 2])
def test_results_of_earlier_runs_are_counted(reused: int) -> None:
    console = Console(file=io.StringIO(), width=120)
    record = StudyRecord("a", "Office", StudyStatus.COMPLETED, "", variants=4, succeeded=4, reused=reused)

    show_study(console, record, RunCounts(succeeded=4, total=4))

    assert isinstance(console.file, io.StringIO)
    assert ("2 of them reused results of earlier runs" in console.file.getvalue()) == bool(reused)


@pytest.mark.parametrize("interruptions", [0, 2])
def test_interruptions_by_fargate_spot_are_counted(interruptions: int) -> None:
    console = Console(file=io.StringIO(), width=120)
    record = StudyRecord("a", "Office", StudyStatus.RUNNING, "", variants=4, interruptions=interruptions)

    show_study(console, record, RunCounts(running=4, total=4))

    assert isinstance(console.file, io.StringIO)
    assert ("2 interruptions by Fargate Spot" in console.file.getvalue()) == bool(interruptions)


def test_results_with_an_overview_are_shown_as_those_of_releases_without_one(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = shown(parquet, 140, monkeypatch)
    content = overview(pd.read_parquet(parquet), Study.model_validate(DOCUMENT), [])
    write_overview(parquet.with_name("overview.json"), content)
    parquet.unlink()
    assert shown(parquet, 140, monkeypatch) == expected


def test_an_overview_has_the_baselines_and_the_best_variants_of_a_large_study(parquet: Path) -> None:
    row = pd.read_parquet(parquet).iloc[[1]]
    table = pd.concat([row] * 100, ignore_index=True)
    table["variant_index"], table["baseline"] = range(100), [index < 30 for index in range(100)]
    table["site_eui_kwh_m2"] = [float(100 - index) for index in range(100)]
    content = overview(table, Study.model_validate(DOCUMENT), ["a remark"])
    assert content["variants"] == 100
    assert [row["variant_index"] for row in content["rows"]] == [*range(20), *range(80, 100)]
    assert content["remarks"] == ["a remark"]


def test_results_with_an_overview_are_shown_without_pandas(parquet: Path) -> None:
    content = overview(pd.read_parquet(parquet), Study.model_validate(DOCUMENT), [])
    write_overview(parquet.with_name("overview.json"), content)
    code = (
        "import sys; from rich.console import Console; from pathlib import Path\n"
        "from epsm.study.schema import Study; from epsm_cli.show_results import show_results\n"
        f"show_results(Console(), Path({str(parquet)!r}), Study.model_validate({DOCUMENT!r}))\n"
        "print(sorted({'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
