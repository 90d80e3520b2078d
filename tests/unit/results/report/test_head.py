"""The head of the report, and its statements about periods."""

from typing import Any

import pytest

from epsm.study.records import StudyStatus, VariantRecord
from tests.unit.results.report.pages import Writer, lost, study, succeeded


# -- the head ----------------------------------------------------------------------------------------------------
def test_the_name_of_the_study_is_the_title(report: Writer) -> None:
    page = report(study(), [succeeded(0)])

    assert (page.text_of("title"), page.text_of("h1")) == (["Retrofit"], ["Retrofit"])


def test_the_head_says_how_the_study_ended(report: Writer) -> None:
    page = report(study(), [], StudyStatus.FAILED, "No variant succeeded.")

    assert "failed - No variant succeeded." in page.text_of("p")


def test_the_head_counts_the_variants(report: Writer) -> None:
    page = report(study((1, 2, 3, 4)), [succeeded(0), succeeded(1), lost(2)], StudyStatus.PARTIAL)

    assert "5 variants: 2 succeeded, 1 failed, 2 not run" in page.html


def test_the_head_says_what_the_run_was_made_with(report: Writer) -> None:
    html = report(study(), [succeeded(0)]).html

    facts = ("EnergyPlus 25.2.0", "2026-11-23 09:30 UTC", "retrofit-0123456789abcdef")
    assert all(fact in html for fact in facts)


def test_the_page_needs_nothing_else(report: Writer) -> None:
    page = report(study(), [succeeded(0), succeeded(1)])

    assert [attributes for _, attributes in page.elements if {"src", "href"} & set(attributes)] == []


# -- periods -----------------------------------------------------------------------------------------------------
JANUARY: dict[str, Any] = {"period": "31 days (01/01-01/31)", "period_days": 31}


def test_whole_years_are_said_to_be_whole(report: Writer) -> None:
    page = report(study(), [succeeded(0), succeeded(1)])

    assert "All energy numbers cover one whole year." in page.text_of("p")


@pytest.mark.parametrize("records", [[succeeded(0, **JANUARY)], [succeeded(0), succeeded(1, **JANUARY)]])
def test_parts_of_a_year_are_warned_of(report: Writer, records: list[VariantRecord]) -> None:
    page = report(study(), records)

    (warning,) = [text for text in page.text_of("p") if text.startswith("The energy numbers do not all cover one year")]
    assert "31 days (01/01-01/31)" in warning


def test_nothing_is_said_of_periods_where_none_was_simulated(report: Writer) -> None:
    page = report(study(), [lost(0)], StudyStatus.FAILED)

    assert "cover" not in " ".join(page.text_of("p"))
