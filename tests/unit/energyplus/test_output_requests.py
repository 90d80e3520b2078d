"""Outputs that are requested from the engine: tables, meters, variables and files."""

from pathlib import Path

import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.output_requests import REPORTS
from epsm.energyplus.verdict import judge
from tests.unit.energyplus.edited_models import INSULATION, REWRITTEN, object_of, outline_of, prepared, values_of


# -- what every run asks of the engine ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "existing",
    ["", "Output:SQLite,Simple;", "OUTPUT:SQLITE,SimpleAndTabular,InchPound,Yes;"],
    ids=["none", "simple", "ip"],
)
def test_tables_are_asked_for_in_kwh_with_all_digits(engine: Engine, one_zone: str, existing: str) -> None:
    text = prepared(engine, f"{one_zone}\n{existing}\n").render({})

    assert values_of(text, "Output:SQLite") == [("SimpleAndTabular", "JtoKWH", "No")]


def without_reports(model: str) -> str:
    return model.replace("Output:Table:SummaryReports,\n  AllSummary;", "")


def test_the_reports_that_results_are_read_from_are_added(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, without_reports(one_zone)).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [REPORTS]


def test_the_reports_of_the_model_are_kept(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Table:SummaryReports,ClimaticDataSummary,demandEndUseComponentsSummary,ZoneComponentLoadSummary;\n"

    text = prepared(engine, without_reports(one_zone) + own).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [
        (
            "ClimaticDataSummary",
            "demandEndUseComponentsSummary",
            "ZoneComponentLoadSummary",
            "AnnualBuildingUtilityPerformanceSummary",
            "InputVerificationandResultsSummary",
            *REPORTS[3:],
        )
    ]


@pytest.mark.parametrize("everything", ["AllSummary", "AllSummaryAndMonthly", "allsummaryandsizingperiod"])
def test_no_report_is_added_where_all_are_asked_for(engine: Engine, one_zone: str, everything: str) -> None:
    text = prepared(engine, one_zone.replace("AllSummary;", f"{everything};")).render({})

    assert values_of(text, "Output:Table:SummaryReports") == [(everything,)]


def test_a_model_that_asks_for_series_reports_nothing_during_warm_up(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Diagnostics,ReportDuringWarmup,DisplayExtraWarnings;\n"

    text = prepared(engine, one_zone + own, outputs={"meters": ["Electricity:Facility"]}).render({})

    assert values_of(text, "Output:Diagnostics") == [("DisplayExtraWarnings",)]


def test_a_model_without_series_keeps_its_diagnostics(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Diagnostics,ReportDuringWarmup;\n"

    assert values_of(prepared(engine, one_zone + own).render({}), "Output:Diagnostics") == [("ReportDuringWarmup",)]


def test_meters_are_requested_at_the_frequency(engine: Engine, one_zone: str) -> None:
    outputs = {"meters": ["Electricity:Facility", "DistrictCooling:Facility"], "frequency": "Daily"}

    text = prepared(engine, one_zone, outputs=outputs).render({})

    assert values_of(text, "Output:Meter") == [("Electricity:Facility", "Daily"), ("DistrictCooling:Facility", "Daily")]


def test_variables_are_requested_for_all_keys(engine: Engine, one_zone: str) -> None:
    outputs = {"variables": ["Zone Mean Air Temperature"], "frequency": "Timestep"}

    text = prepared(engine, one_zone, outputs=outputs).render({})

    assert values_of(text, "Output:Variable") == [("*", "Zone Mean Air Temperature", "Timestep")]


def test_nothing_is_requested_that_the_study_does_not_ask_for(engine: Engine, one_zone: str) -> None:
    outline = outline_of(prepared(engine, one_zone).render({}))

    assert not {"output:meter", "output:variable"} & set(outline.objects)


def test_requests_of_the_model_stay_beside_those_of_the_study(engine: Engine, one_zone: str) -> None:
    own = "\nOutput:Meter,Electricity:Building,Monthly;\n"

    text = prepared(engine, one_zone + own, outputs={"meters": ["Electricity:Facility"]}).render({})

    assert values_of(text, "Output:Meter") == [("Electricity:Building", "Monthly"), ("Electricity:Facility", "Hourly")]


def files_written(text: str) -> set[str]:
    """The switches of OutputControl:Files that are on."""
    rule = dictionary.load().find_class("OutputControl:Files")
    assert rule is not None
    (values,) = values_of(text, "OutputControl:Files")
    assert set(values) <= {"Yes", "No"}
    return {field.name for field, value in zip(rule.fields, values, strict=True) if value == "Yes"}


READ_BACK_BY_THE_ENGINE = {"Output DelightIn", "Output DelightELdmp", "Output DelightDFdmp"}
NEEDED = {"Output EIO", "Output SQLite", "Output END"} | READ_BACK_BY_THE_ENGINE


@pytest.mark.parametrize(
    ("keep", "more"),
    [
        ([], set()),
        (["err", "sql", "eio"], set()),
        (["htm"], {"Output Tabular"}),
        (["csv"], {"Output CSV"}),
        (["eso"], {"Output ESO"}),
        (["mtr"], {"Output MTR"}),
        (["audit"], {"Output AUDIT"}),
        (["rdd", "mdd"], {"Output RDD", "Output MDD"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_only_files_that_are_read_or_kept_are_written(
    engine: Engine, one_zone: str, keep: list[str], more: set[str]
) -> None:
    text = prepared(engine, one_zone, outputs={"keep": keep}).render({})

    assert files_written(text) == NEEDED | more


def test_files_that_the_model_has_switched_off_are_written_all_the_same(engine: Engine, one_zone: str) -> None:
    off = f"\nOutputControl:Files,{','.join(['No'] * 33)};\n"

    assert files_written(prepared(engine, one_zone + off).render({})) == NEEDED


def test_files_that_the_model_has_switched_on_are_not_written(engine: Engine, one_zone: str) -> None:
    on = f"\nOutputControl:Files,{','.join(['Yes'] * 33)};\n"

    assert files_written(prepared(engine, one_zone + on).render({})) == NEEDED


DELIGHT = """
Daylighting:Controls,Daylight,Room,DELight,,Continuous,0.3,0.2,1,1,Desk,0,20,0.5,Desk,1,500;
Daylighting:ReferencePoint,Desk,Room,4,2,0.8;
"""


def test_daylighting_by_delight_runs(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    """DElight gets its input through a file that OutputControl:Files can switch off."""
    (tmp_path / "in.idf").write_text(prepared(engine, one_day + DELIGHT).render({}), encoding="utf-8")

    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path / "out"), tmp_path, timeout_s=60)

    assert judge(ended, tmp_path / "out").message == ""


def test_empty_fields_behind_the_last_are_left_out(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    """The engine passes over them; eppy cannot read them."""
    changed = one_day.replace("Timestep,4;", "Timestep,4,,;").replace("AllSummary;", "AllSummary,,;")
    model = prepared(engine, changed, INSULATION)

    text = model.render({"insulation": 0.3})

    assert values_of(text, "Timestep") == [("4",)]
    assert object_of(text, "Material", "Wall Insulation")[2] == "0.3"
    assert {key: len(group) for key, group in outline_of(text).objects.items() if key not in REWRITTEN} == {
        key: len(group) for key, group in outline_of(one_day).objects.items() if key not in REWRITTEN
    }
    (tmp_path / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path / "out"), tmp_path, timeout_s=60)
    assert judge(ended, tmp_path / "out").message == ""


def test_a_kept_htm_is_written_as_html(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone, outputs={"keep": ["htm"]}).render({})

    assert values_of(text, "OutputControl:Table:Style") == [("HTML",)]


def test_the_units_of_the_models_own_tables_are_kept(engine: Engine, one_zone: str) -> None:
    own = "\nOutputControl:Table:Style,Comma,InchPound,No;\n"

    text = prepared(engine, one_zone + own, outputs={"keep": ["htm"]}).render({})

    assert values_of(text, "OutputControl:Table:Style") == [("HTML", "InchPound", "No")]


@pytest.fixture(scope="module")
def everything_kept(engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run whose study keeps every kind of file."""
    folder = tmp_path_factory.mktemp("kept")
    kinds = ["err", "sql", "htm", "eio", "eso", "mtr", "csv", "audit", "rdd", "mdd"]
    outputs = {"keep": kinds, "meters": ["Electricity:Facility"]}
    (folder / "in.idf").write_text(prepared(engine, one_day, outputs=outputs).render({}), encoding="utf-8")
    run(command(engine, folder / "in.idf", chicago, folder / "out"), folder, timeout_s=60)
    return folder / "out"


@pytest.mark.parametrize(
    "name",
    [
        "eplusout.err",
        "eplusout.sql",
        "eplustbl.htm",
        "eplusout.eio",
        "eplusout.eso",
        "eplusout.mtr",
        "eplusout.csv",
        "eplusout.audit",
        "eplusout.rdd",
        "eplusout.mdd",
    ],
)
def test_the_engine_writes_what_is_kept(everything_kept: Path, name: str) -> None:
    assert (everything_kept / name).stat().st_size > 0
