"""Names and texts are shown as they are, and never run."""

from epsm.study.records import StudyStatus
from tests.unit.results.report.pages import Writer, failed, failures, labels, study, succeeded, variants

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
