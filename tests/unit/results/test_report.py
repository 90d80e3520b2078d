"""The report: one HTML file that says how the study ended and shows its variants."""

from collections.abc import Callable, Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from epsm.results.metrics import METRICS
from epsm.results.report import report_columns, write_report
from epsm.results.table import read_columns, write_table
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of

VOID = {"meta", "br", "img", "input", "link", "hr"}


def study(values: Sequence[float | str] = (0.1, 0.2), **changes: Any) -> Study:
    parameter = {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": values}
    return Study.model_validate(study_document(**({"parameters": [parameter], "name": "Retrofit"} | changes)))


def succeeded(index: int, eui: float = 100.0, metrics: dict[str, float] | None = None, **summary: Any) -> VariantRecord:
    values = dict.fromkeys(METRICS, 0.0) | {"site_eui_kwh_m2": eui} | (metrics or {})
    counts = {"warnings": 0, "severe_errors": 0}
    given = {"period": "annual", "period_days": 365, "zone_count": 1, "metrics": values} | counts | summary
    verdict = "ok with severe" if given["severe_errors"] else "ok"
    return VariantRecord(index, VariantStatus.SUCCEEDED, verdict=verdict, summary=given)


def failed(index: int, error: str) -> VariantRecord:
    return VariantRecord(index, VariantStatus.FAILED, verdict="failed", stage="engine", error=error)


def lost(index: int) -> VariantRecord:
    return VariantRecord(index, VariantStatus.RUNNING)


class Page(HTMLParser):
    """What a browser makes of a page: its texts by element, its rows, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"{self.open} are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        within = self.open[-1] if self.open else ""
        self.texts.append((within, data))
        if within in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


Writer = Callable[..., Page]


@pytest.fixture
def report(tmp_path: Path) -> Writer:
    """Writes the table of a study and its report, and reads the page."""

    def report(
        of: Study,
        records: Iterable[VariantRecord],
        status: StudyStatus = StudyStatus.COMPLETED,
        error: str = "",
        **manifest: Any,
    ) -> Page:
        parquet = tmp_path / "results.parquet"
        described = manifest_of(of, **manifest)
        counts = write_table(described, records, parquet, tmp_path / "results.csv")
        path = tmp_path / "report.html"
        table = read_columns(parquet, report_columns(of))
        write_report(path, described, table, counts, status, error)
        return Page(path.read_text(encoding="utf-8"))

    return report


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


# -- the chart ---------------------------------------------------------------------------------------------------


def labels(page: Page) -> list[str]:
    """The names of the bars."""
    texts = iter(page.text_of("text"))
    return list(texts)[::2]


def test_a_study_without_a_success_has_no_chart(report: Writer) -> None:
    page = report(study(), [lost(0), lost(1), lost(2)], StudyStatus.FAILED, "No variant succeeded.")

    assert page.all("svg") == []


def test_one_success_is_one_bar(report: Writer) -> None:
    page = report(study(parameters=[]), [succeeded(0, 123.45)])

    assert page.text_of("text") == ["0: baseline", "123.5"]


def test_a_bar_is_named_after_what_was_varied(report: Writer) -> None:
    two = study(models=["old/office.idf", "new/school.idf"])

    page = report(two, [succeeded(index) for index in range(6)])

    assert labels(page)[3:5] == ["3: school, baseline", "4: school, insulation_m 0.1"]


def test_one_at_a_time_a_bar_is_named_after_the_one_parameter_that_differs(report: Writer) -> None:
    parameters = [
        {"name": "wall", "class": "Material", "field": "Thickness", "values": [0.1]},
        {"name": "lighting", "class": "Lights", "field": "Watts per Floor Area", "multiply": [0.5, 0.7]},
    ]
    page = report(
        study(parameters=parameters, sampling={"method": "one_at_a_time"}), [succeeded(index) for index in range(4)]
    )

    assert labels(page) == ["0: baseline", "1: wall 0.1", "2: lighting x0.5", "3: lighting x0.7"]


def test_the_head_says_how_samples_were_drawn(report: Writer) -> None:
    sampling = {"method": "random", "samples": 2, "seed": 7}

    assert "sampled by random, seed 7" in report(study(sampling=sampling), [succeeded(0)]).html
    assert "sampled by" not in report(study(), [succeeded(0)]).html


def test_files_of_one_name_are_distinguished_by_their_folders(report: Writer) -> None:
    two = study(models=["v1/office.idf", "v2/office.idf"])

    page = report(two, [succeeded(index) for index in range(6)])

    assert [labels(page)[0], labels(page)[3]] == ["0: v1/office, baseline", "3: v2/office, baseline"]


def two_parameters(single: str) -> list[dict[str, Any]]:
    return [
        {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": [0.1, 0.2]},
        {"name": single, "class": "Lights", "field": "Watts per Floor Area", "values": [5]},
    ]


def test_a_parameter_with_one_value_is_in_the_label_for_the_baseline_differs_in_it(report: Writer) -> None:
    page = report(study(parameters=two_parameters("lighting")), [succeeded(index) for index in range(3)])

    assert labels(page)[1] == "1: insulation_m 0.1, lighting 5"


def test_where_labels_have_no_room_a_single_value_is_said_above_the_chart(report: Writer) -> None:
    single = "lighting_power_density_of_all_rooms_of_the_building_w_m2"
    page = report(study(parameters=two_parameters(single)), [succeeded(index) for index in range(3)])

    assert labels(page)[1] == "1: insulation_m 0.1"
    assert f"In every variant but the baselines: {single} 5." in page.text_of("p")
    assert f"1: insulation_m 0.1, {single} 5" in page.text_of("title")


def test_of_a_long_name_the_middle_goes_and_never_what_was_varied(report: Writer) -> None:
    station = "USA_FL_Tampa.Intl.AP.722110_TMY"
    two = study(weather=[f"{station}3.epw", f"{station}x.epw"])

    names = labels(report(two, [succeeded(index) for index in range(6)]))

    assert all(name.endswith(("baseline", "insulation_m 0.1", "insulation_m 0.2")) for name in names)
    assert all(len(name) <= 60 for name in names)
    assert len({name.split(": ")[1] for name in names}) == 6


def test_the_pieces_of_a_bar_are_as_long_as_the_end_uses(report: Writer) -> None:
    metrics = {"heating_kwh_m2": 25.0, "fans_kwh_m2": 50.0}

    page = report(study(parameters=[]), [succeeded(0, 100.0, metrics)])

    widths = [float(str(each["width"])) for each in page.all("rect")]
    assert widths == [0.25 * sum(widths), 0.5 * sum(widths), 0.25 * sum(widths)]


def test_the_best_of_many_variants_are_shown(report: Writer) -> None:
    records = [succeeded(0, 2000.0), *(succeeded(index, 2000.0 - index) for index in range(1, 1000))]

    page = report(study(list(range(999))), records)

    assert labels(page)[0] == "0: baseline"
    assert [label.split(":")[0] for label in labels(page)[-2:]] == ["998", "999"]
    assert len(labels(page)) == 40


def test_the_heading_counts_the_bars_that_are_shown(report: Writer) -> None:
    page = report(study(list(range(99))), [succeeded(index, 200.0 - index) for index in range(100)])

    assert page.text_of("h2")[0].endswith("; the baselines and the 39 variants with the lowest")


def test_a_bar_whose_end_uses_are_not_known_is_drawn_whole(report: Writer) -> None:
    record = succeeded(0)
    del record.summary["metrics"]["heating_kwh_m2"]

    page = report(study(parameters=[]), [record])

    assert "nan" not in page.html


# -- failures ----------------------------------------------------------------------------------------------------


def failures(page: Page) -> list[list[str]]:
    """The rows under "Failed"."""
    head = ["variants", "first variant", "reason"]
    if head not in page.rows:
        return []
    start = page.rows.index(head) + 1
    return [row for row in page.rows[start:] if len(row) == 3]


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


# -- the variants ------------------------------------------------------------------------------------------------


def variants(page: Page) -> list[dict[str, str]]:
    """The rows under "Variants", by column."""
    start = next(number for number, row in enumerate(page.rows) if row and row[0] == "Variant")
    head, *body = page.rows[start:]
    return [dict(zip(head, row, strict=True)) for row in body]


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


# -- names are not HTML ------------------------------------------------------------------------------------------

HOSTILE = "<script>alert('x')</script> & \"Büro\""


def test_a_study_name_is_shown_as_it_is(report: Writer) -> None:
    page = report(study(name=HOSTILE), [succeeded(0)])

    assert (page.text_of("h1"), page.all("script")) == ([HOSTILE], [])


def test_the_reason_of_a_failed_study_is_shown_as_it_is(report: Writer) -> None:
    page = report(study(), [], StudyStatus.FAILED, HOSTILE)

    assert f"failed - {HOSTILE}" in page.text_of("p")


def test_the_reason_of_a_failed_variant_is_shown_as_it_is(report: Writer) -> None:
    page = report(study(parameters=[]), [failed(0, HOSTILE)], StudyStatus.FAILED)

    assert failures(page)[0][2] == HOSTILE


def test_model_names_are_shown_as_they_are(report: Writer) -> None:
    page = report(study(models=["<b>&amp;.idf", "b.idf"]), [succeeded(index) for index in range(6)])

    assert (variants(page)[0]["Model"], labels(page)[0], page.all("b")) == ("<b>&amp;.idf", "0: <b>&amp;, baseline", [])


def test_text_levels_are_shown_as_they_are_in_the_table(report: Writer) -> None:
    page = report(study(["<i>R&D</i>"]), [succeeded(0), succeeded(1)])

    assert variants(page)[1]["insulation_m"] == "<i>R&D</i>"


def test_text_levels_are_shown_as_they_are_in_the_chart(report: Writer) -> None:
    page = report(study(["R&D"]), [succeeded(0), succeeded(1)])

    assert labels(page)[1] == "1: insulation_m R&D"


def test_no_level_of_a_chart_is_html(report: Writer) -> None:
    page = report(study(["<i>x</i>"]), [succeeded(0), succeeded(1)])

    assert all("style" in attributes for attributes in page.all("i"))


def test_remarks_about_the_inputs_stand_in_the_report(report: Writer) -> None:
    remark = "chicago.epw: dry bulb (column 7) is missing in 2 of 8,760 records <first on line 21>."
    page = report(study(), [succeeded(0)], remarks=(remark,))

    assert remark in page.text_of("p")
