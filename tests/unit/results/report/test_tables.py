"""Tables of failures, severe errors and variants."""

from typing import Any

import pytest

from epsm.study.records import StudyStatus
from tests.unit.results.report.pages import Page, Writer, failed, failures, lost, study, succeeded, variants


def test_a_study_without_a_failure_lists_none(report: Writer) -> None:
    assert "<h2>Failed" not in report(study(), [succeeded(0), succeeded(1), succeeded(2)]).html


def test_failures_are_counted_by_reason_the_most_frequent_first(report: Writer) -> None:
    records = [succeeded(0), failed(1, "No window."), failed(2, "No roof."), failed(3, "No roof.")]

    page = report(study((1, 2, 3)), records, StudyStatus.PARTIAL)

    assert failures(page) == [["2", "2", "No roof."], ["1", "1", "No window."]]


def test_variants_that_were_not_run_are_reported(report: Writer) -> None:
    page = report(study(), [succeeded(0)], StudyStatus.FAILED, "The study was given up: States.Timeout")

    assert failures(page) == [["2", "1", "The variant was not started."]]
    assert "Failed or not run" in page.html


def test_a_thousand_different_reasons_are_cut(report: Writer) -> None:
    records = [failed(index, f"Reason {index}.") for index in range(1000)]

    page = report(study(list(range(999))), records, StudyStatus.FAILED)

    assert len(failures(page)) == 20


# -- what EnergyPlus reported ------------------------------------------------------------------------------------
UNCONVERGED: dict[str, Any] = {"severe_errors": 6, "warnings": 1_200, "note": "CheckWarmupConvergence: not converged"}


def reported(page: Page) -> list[list[str]]:
    """The rows under "EnergyPlus messages"."""
    head = ["variants", "first variant", "verdict", "severe errors", "warnings", "note"]
    if head not in page.rows:
        return []
    start = page.rows.index(head) + 1
    return [row for row in page.rows[start:] if len(row) == len(head)]


def test_severe_errors_are_summed_and_grouped_by_note(report: Writer) -> None:
    page = report(study(), [succeeded(0, warnings=3), succeeded(1, **UNCONVERGED), succeeded(2, **UNCONVERGED)])

    assert "EnergyPlus messages: 12 severe errors, 2,403 warnings" in page.text_of("h2")
    assert reported(page) == [
        ["2", "1", "ok with severe", "12", "2,400", "CheckWarmupConvergence: not converged"],
        ["1", "0", "ok", "0", "3", ""],
    ]


def test_a_study_with_severe_errors_is_not_green(report: Writer) -> None:
    page = report(study(), [succeeded(0), succeeded(1, 90.0, **UNCONVERGED), succeeded(2, 80.0)])

    (status,) = [each for each in page.all("p") if (each.get("class") or "").startswith("status")]
    assert status["class"] == "status partial"
    assert "completed, 1 of 3 variants with severe errors" in page.text_of("p")


def test_a_study_without_errors_is_green(report: Writer) -> None:
    page = report(study(), [succeeded(0), succeeded(1, 90.0), succeeded(2, 80.0)])

    assert [each["class"] for each in page.all("p") if (each.get("class") or "").startswith("status")] == [
        "status completed"
    ]
    assert reported(page) == []


def test_every_variant_shows_its_own_errors_and_note(report: Writer) -> None:
    page = report(study(), [succeeded(0), succeeded(1, **UNCONVERGED), succeeded(2)])

    told = ("Verdict", "Severe errors", "Warnings", "Note")
    assert [variants(page)[1][name] for name in told] == ["ok with severe", "6", "1200", UNCONVERGED["note"]]


def test_a_variant_is_a_row(report: Writer) -> None:
    page = report(study(), [succeeded(0, 100.0), succeeded(1, 1234.56), succeeded(2, 50.0)])

    assert variants(page)[1] == {
        "Variant": "1",
        "insulation_m": "0.1",
        "Site EUI [kWh/m2]": "1,234.6",
        "Site EUI saved [%]": "-1,134.6",
        "Unmet heating [h]": "0.0",
        "Unmet cooling [h]": "0.0",
        "Period": "annual",
        "Status": "succeeded",
        "Verdict": "ok",
        "Severe errors": "0",
        "Warnings": "0",
    }


def test_what_is_not_there_is_a_dash(report: Writer) -> None:
    page = report(study(), [succeeded(0), lost(1)], StudyStatus.PARTIAL)

    assert {name: variants(page)[1][name] for name in ("Site EUI [kWh/m2]", "Period", "Status")} == {
        "Site EUI [kWh/m2]": "–",
        "Period": "–",
        "Status": "failed",
    }


def test_models_and_weather_are_columns_where_there_are_several(report: Writer) -> None:
    page = report(study(models=["a.idf", "b.idf"]), [succeeded(index) for index in range(6)])

    assert ("Model" in variants(page)[0], "Weather" in variants(page)[0]) == (True, False)


@pytest.mark.parametrize(("count", "shown", "more"), [(1, 1, ""), (500, 500, ""), (1000, 500, "500 further variants")])
def test_a_long_table_is_cut(report: Writer, count: int, shown: int, more: str) -> None:
    of = study(list(range(count - 1))) if count > 1 else study(parameters=[])

    page = report(of, [succeeded(index) for index in range(count)])

    assert len(variants(page)) == shown
    assert [text for text in page.text_of("p") if "further variants" in text] == (
        [f"{more} are in results.csv."] if more else []
    )
