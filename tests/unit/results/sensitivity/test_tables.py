"""From the results table to sensitivity.json, sensitivity.csv and the report's section."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from epsm.checks.analysis import check_analysis
from epsm.errors import StudyRejected
from epsm.results.metrics import METRICS
from epsm.results.sensitivity.section import failed_section, sensitivity_section
from epsm.results.sensitivity.tables import MetricAnalysis, analyses, analysis_columns, write_csv, write_json
from epsm.results.table import read_columns, write_table
from epsm.study.parsing import parse_study
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from epsm.study.variants import Variant, expand
from tests.conftest import study_document
from tests.unit.manifests import manifest_of
from tests.unit.results.report.pages import Page

LIGHTING, INSULATION = (1.0, 2.0, 3.0, 4.0, 5.0), (0.1, 0.2, 0.3)


def study(**changes: Any) -> Study:
    """Five levels of lighting and three of insulation: 15 samples and the baseline."""
    parameters = [
        {"name": "lighting", "class": "Lights", "field": "Watts per Floor Area", "values": LIGHTING},
        {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": INSULATION},
    ]
    return Study.model_validate(study_document(**({"parameters": parameters} | changes)))


def heating(variant: Variant) -> float:
    """More light, less heating; more insulation, less heating. The baseline is far from all that."""
    if variant.is_baseline:
        return 1e6
    return 100 - 4 * float(variant.values["lighting"]) - 100 * float(variant.values["insulation_m"])


def none(variant: Variant) -> bool:
    return False


def records(
    of: Study, failed: Callable[[Variant], bool], metric: Callable[[Variant], float]
) -> Iterable[VariantRecord]:
    for variant in expand(of):
        if failed(variant):
            yield VariantRecord(variant.index, VariantStatus.FAILED, verdict="crashed", stage="engine", error="No.")
            continue
        metrics = dict.fromkeys(METRICS, 0.0) | {"site_eui_kwh_m2": 120.0, "heating_kwh": metric(variant)}
        summary = {"period": "annual", "period_days": 365, "zone_count": 1, "metrics": metrics}
        yield VariantRecord(variant.index, VariantStatus.SUCCEEDED, verdict="ok", summary=summary)


@pytest.fixture
def analysed(tmp_path: Path) -> Callable[..., list[MetricAnalysis]]:
    """Writes a study's table and analyses it."""

    def analysed(
        of: Study,
        failed: Callable[[Variant], bool] = none,
        metric: Callable[[Variant], float] = heating,
        **limits: float,
    ) -> list[MetricAnalysis]:
        parquet = tmp_path / "results.parquet"
        write_table(manifest_of(of), records(of, failed, metric), parquet, tmp_path / "results.csv")
        return analyses(of, read_columns(parquet, analysis_columns(of)), **limits)  # type: ignore[arg-type]

    return analysed


HEATING = {"analysis": {"metrics": ["heating_kwh"]}}


def coefficients(found: MetricAnalysis) -> dict[str, float | None]:
    return {index.parameter: index.value for index in found.analysis.indices if index.name == "SRC"}


def test_the_baseline_is_no_part_of_the_design(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(study(**HEATING))

    # By hand: standard deviations 4 * sqrt(2) and 100 * 0.1 * sqrt(2 / 3) are 5.657 : 8.165; together 9.933.
    assert coefficients(found) == pytest.approx({"lighting": -0.5695, "insulation_m": -0.8220}, abs=1e-3)
    assert str(found.analysis.indices[0].basis) == "15 of 15 runs"


def test_every_model_and_weather_file_has_its_own(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    of = study(**HEATING, models=["a.idf", "b.idf"], weather=["x.epw", "y.epw"])

    found = analysed(of, lambda variant: (variant.model, variant.weather) == ("b.idf", "x.epw") and variant.index % 2)

    assert [(each.model, each.weather, each.analysis.used) for each in found] == [
        ("a.idf", "x.epw", 15),
        ("a.idf", "y.epw", 15),
        ("b.idf", "x.epw", 7),
        ("b.idf", "y.epw", 15),
    ]


def test_failed_runs_are_left_out_and_reported(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(study(**HEATING), lambda variant: variant.values.get("lighting") == 5)

    assert coefficients(found)["insulation_m"] == pytest.approx(-0.88, abs=0.01)
    assert str(found.analysis.indices[0].basis) == "12 of 15 runs"
    (remark,) = found.analysis.remarks
    assert remark.startswith("Runs without a value depend on lighting: 100 % of them at 5, 0 % at 1.")


def test_by_default_the_eui_is_analysed(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(study())

    assert found.metric == "site_eui_kwh_m2"
    assert {each.reason for each in found.analysis.refusals} == {
        "the metric has the same value in all runs: no parameter changes it"
    }


@pytest.mark.parametrize("changes", [{"analysis": {"metrics": []}}, {"parameters": []}])
def test_nothing_is_analysed_where_nothing_is_asked_for(
    analysed: Callable[..., list[MetricAnalysis]], changes: dict[str, Any]
) -> None:
    assert analysed(study(**changes)) == []


def test_a_metric_that_no_variant_has_is_refused(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(study(analysis={"metrics": ["heating_coal_kwh"]}))
    assert (found.analysis.used, found.analysis.indices) == (0, ())
    assert found.analysis.refusals[0].reason == "0 runs with a result are too few for 0 terms; at least 4 are needed"


def test_what_there_is_no_time_for_has_a_reason(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(study(**HEATING), max_seconds=-1.0)
    (refusal,) = found.analysis.refusals
    assert (found.analysis.indices, str(refusal.basis)) == ((), "15 of 15 runs")
    assert "name fewer metrics" in refusal.reason
    assert "All methods" in sensitivity_section([found], 0.95)


def test_the_json_holds_everything(analysed: Callable[..., list[MetricAnalysis]], tmp_path: Path) -> None:
    of = study(**HEATING)
    found = analysed(of, lambda variant: variant.values.get("lighting") == 5)

    write_json(tmp_path / "sensitivity.json", "office-1", of, found)

    document = json.loads((tmp_path / "sensitivity.json").read_text(encoding="utf-8"))
    assert (document["schema"], document["sampling"], document["confidence"]) == (1, "grid", 0.95)
    (analysis,) = document["analyses"]
    assert (analysis["runs"], analysis["used"]) == (15, 12)
    first = analysis["indices"][0]
    assert (first["method"], first["index"], first["parameter"], first["used"], first["of"]) == (
        "regression",
        "SRC",
        "lighting",
        12,
        15,
    )
    assert first["low"] <= first["value"] <= first["high"]
    assert analysis["refusals"][0]["method"] == "pawn"
    assert analysis["failure_rates"][4] == {
        "parameter": "lighting",
        "part": "5",
        "runs": 3,
        "missing": 3,
        "percent": 100.0,
    }


def test_the_csv_has_a_row_for_each_index_and_each_refusal(
    analysed: Callable[..., list[MetricAnalysis]], tmp_path: Path
) -> None:
    write_csv(tmp_path / "sensitivity.csv", analysed(study(**HEATING)))

    with (tmp_path / "sensitivity.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["index"], row["parameter"]) for row in rows] == [
        ("regression", "SRC", "lighting"),
        ("regression", "SRC", "insulation_m"),
        ("pawn", "", ""),
    ]
    assert float(rows[0]["value"]) == pytest.approx(-0.5695, abs=1e-3)
    assert rows[0]["r2"] == "1.0"
    assert rows[2]["reason"] == "15 runs with a result are too few; at least 30 are needed"


def test_the_section_shows_indices_intervals_and_what_limits_them(
    analysed: Callable[..., list[MetricAnalysis]],
) -> None:
    page = Page(sensitivity_section(analysed(study(**HEATING), lambda variant: variant.index == 1), 0.95))

    assert "heating_kwh" in page.text_of("h3")
    assert "Standardised regression coefficients: 14 of 15 runs, R2 1.000" in page.text_of("h4")
    assert any(
        row[0] == "insulation_m" and row[1].startswith("-0.8") and row[2] == "14 of 15 runs" for row in page.rows
    )
    assert any("PAWN: 14 runs with a result are too few" in text for text in page.text_of("p"))
    assert len(page.all("rect")) == 2
    assert ["lighting", "1", "3", "1", "33.3"] in page.rows


def test_names_cannot_break_the_section(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    of = study(**HEATING, models=["<b>.idf", "a.idf"])
    page = Page(sensitivity_section(analysed(of), 0.95))
    assert page.all("b") == []


def test_a_failed_analysis_has_a_section() -> None:
    assert "no &lt;memory&gt;" in failed_section("no <memory>")


def test_unknown_metrics_are_refused_with_the_nearest() -> None:
    (problem,) = check_analysis(study(analysis={"metrics": ["heating_kwh", "heating_kwh_m"]}))
    assert problem.where == "study.json: analysis.metrics[1]"
    assert problem.what == "'heating_kwh_m' is not a number of the results table"
    assert "'heating_kwh_m2'" in problem.allowed


@pytest.mark.parametrize(
    ("analysis", "where"),
    [
        ({"metrics": ["site_eui_kwh_m2", "site_eui_kwh_m2"]}, "study.json: analysis.metrics"),
        ({"confidence": 1}, "study.json: analysis.confidence"),
        ({"confidence": 0.2}, "study.json: analysis.confidence"),
        ({"metric": "site_eui_kwh_m2"}, "study.json: analysis.metric"),
    ],
)
def test_faults_of_the_analysis_are_reported(analysis: dict[str, Any], where: str) -> None:
    with pytest.raises(StudyRejected) as caught:
        parse_study(json.dumps(study_document(analysis=analysis)))
    assert [problem.where for problem in caught.value.problems] == [where]


# -- by sampling -------------------------------------------------------------------------------------------------


def sampled(**sampling: Any) -> Study:
    """A study of heating by lighting and insulation, both over their ranges."""
    ranges = {
        "lighting": ("Lights", "Watts per Floor Area", 1.0, 5.0),
        "insulation_m": ("Material", "Thickness", 0.1, 0.3),
    }
    parameters = [
        {"name": name, "class": of, "field": field, "range": {"from": low, "to": high}}
        for name, (of, field, low, high) in ranges.items()
    ]
    return study(parameters=parameters, sampling={"seed": 5, **sampling}, **HEATING)


def shares(found: MetricAnalysis, name: str) -> list[float | None]:
    return [index.value for index in found.analysis.indices if index.name == name]


def test_sobol_indices_of_a_sobol_design(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(sampled(method="sobol", samples=256), lambda variant: variant.index in (3, 700))

    # By hand: the metric moves by 16 with lighting and by 20 with insulation; shares 256 and 400 of 656.
    assert shares(found, "S1") == pytest.approx([0.390, 0.610], abs=0.03)
    assert shares(found, "ST") == pytest.approx([0.390, 0.610], abs=0.03)
    assert {str(index.basis) for index in found.analysis.indices} == {"254 of 256 blocks"}


def test_second_order_indices_of_a_sobol_design(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(sampled(method="sobol", samples=256, second_order=True))
    assert shares(found, "S2") == pytest.approx([0], abs=0.05)


def test_elementary_effects_of_a_morris_design(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    (found,) = analysed(sampled(method="morris", trajectories=10), lambda variant: variant.index == 1)

    assert shares(found, "mu") == pytest.approx([-16, -20])
    assert shares(found, "sigma") == pytest.approx([0, 0], abs=1e-9)
    assert {str(index.basis) for index in found.analysis.indices} == {"9 of 10 trajectories"}


@pytest.mark.parametrize("method", ["latin_hypercube", "random"])
def test_regression_and_pawn_of_samples(analysed: Callable[..., list[MetricAnalysis]], method: str) -> None:
    (found,) = analysed(sampled(method=method, samples=200), lambda variant: variant.index % 20 == 0)

    # Variant 0 is the baseline, so ten samples are missing.
    assert shares(found, "SRC") == pytest.approx([-0.62, -0.78], abs=0.08)
    assert len(shares(found, "PAWN")) == 2
    assert str(found.analysis.indices[0].basis) == "190 of 200 runs"


def test_a_list_of_samples(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    rows = [{"lighting": 1.0 + number % 5, "insulation_m": 0.1 + 0.01 * (number % 7)} for number in range(35)]
    names = {"lighting": ("Lights", "Watts per Floor Area"), "insulation_m": ("Material", "Thickness")}
    parameters = [{"name": name, "class": of, "field": field} for name, (of, field) in names.items()]

    (found,) = analysed(study(parameters=parameters, sampling={"method": "list", "rows": rows}, **HEATING))

    assert found.analysis.r2 == pytest.approx(1)
    assert str(found.analysis.indices[0].basis) == "35 of 35 runs"


def test_ranges_of_one_at_a_time(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    def own(variant: Variant) -> float:
        return 50 - 4 * float(variant.values.get("lighting", 0)) - 100 * float(variant.values.get("insulation_m", 0))

    (found,) = analysed(study(sampling={"method": "one_at_a_time"}, **HEATING), metric=own)

    # The baseline has 50: lighting 5 takes 20 from it, insulation 0.3 takes 30.
    assert shares(found, "range") == pytest.approx([20, 30])
    assert [str(index.basis) for index in found.analysis.indices] == ["5 of 5 runs", "3 of 3 runs"]
    page = Page(sensitivity_section([found], 0.95))
    assert ["insulation_m", "30", "3 of 3 runs"] in page.rows


def test_the_analysis_of_correlated_parameters_states_that(analysed: Callable[..., list[MetricAnalysis]]) -> None:
    together = {"parameters": ["lighting", "insulation_m"], "rank_correlation": 0.8}
    sampling = {"method": "latin_hypercube", "samples": 40, "seed": 1}

    (independent,) = analysed(study(**HEATING, sampling=sampling))
    (correlated,) = analysed(study(**HEATING, sampling=sampling | {"correlations": [together]}))

    assert independent.analysis.remarks == ()
    assert [remark[:25] for remark in correlated.analysis.remarks] == ["Parameters are correlated"]
