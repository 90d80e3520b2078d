"""The chart: bars, labels and their order."""

from typing import Any

from epsm.study.records import StudyStatus
from tests.unit.results.report.pages import Writer, labels, lost, study, succeeded


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
