"""Cells of tabular reports that a study names, and the times of peaks."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from epsm.checks.analysis import check_analysis
from epsm.checks.cells import check_cells
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Environment, judge
from epsm.errors import StudyRejected
from epsm.results.cells import read_cells
from epsm.results.reader import Results, read_results
from epsm.results.requested import RequestedValues
from epsm.results.table import table_schema
from epsm.study.cells import ReportCell
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.results.reader import databases

STORED = (
    ("EnvelopeSummary", "Entire Facility", "Exterior Fenestration", "SOUTH WINDOW", "Glass U-Factor", "W/m2-K", "2.7"),
    ("EnvelopeSummary", "Entire Facility", "Exterior Fenestration", "SOUTH WINDOW", "Construction", "", "WINDOW"),
    ("EnvelopeSummary", "Entire Facility", "Interior Fenestration", "SOUTH WINDOW", "Construction", "", "GLASS"),
    ("EnvelopeSummary", "Entire Facility", "Exterior Fenestration", "Total", "Glass U-Factor", "W/m2-K", ""),
    ("PEAKS", "ROOM A", "Custom Monthly Report", "January", "HEAT {Maximum}", "W", "100"),
    ("PEAKS", "ROOM B", "Custom Monthly Report", "January", "HEAT {Maximum}", "W", "200"),
    ("AnnualHeatEmissionsReport", "Entire Facility", "Annual Heat Emissions Summary", "Heat", "Total", "GJ", "1e16"),
    ("Twins", "Entire Facility", "Table", "Same", "Value", "", "1"),
    ("Twins", "Entire Facility", "Table", "same", "Value", "", "2"),
)
U_FACTOR = {
    "name": "window_u",
    "report": "envelopesummary",
    "row": "South Window",
    "column": "glass u-factor",
    "table": "Exterior Fenestration",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "eplusout.sql"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE TabularDataWithStrings (ReportName TEXT, ReportForString TEXT, TableName TEXT, RowName TEXT, "
            "ColumnName TEXT, Units TEXT, Value TEXT)"
        )
        connection.executemany("INSERT INTO TabularDataWithStrings VALUES (?, ?, ?, ?, ?, ?, ?)", STORED)
        connection.commit()
    return path


def read(database: Path, **cell: Any) -> RequestedValues:
    return read_cells(database, [ReportCell.model_validate({**U_FACTOR, **cell})])


def test_a_number_is_found_in_any_case(database: Path) -> None:
    found = read(database, unit="W/m2-K")
    assert (found.numbers, found.texts, found.missing) == ({"window_u": 2.7}, {}, {})


def test_a_text_is_given_as_it_is_printed(database: Path) -> None:
    assert read(database, column="Construction", kind="text").texts == {"window_u": "WINDOW"}


def test_a_report_is_found_by_the_name_that_requests_it(database: Path) -> None:
    found = read(database, report="HeatEmissionsSummary", table=None, row="Heat", column="Total")
    assert found.missing == {
        "window_u": "window_u: the cell holds '1e16', which is beyond what is physically possible (1e15)"
    }


def test_for_chooses_among_the_reports_of_several(database: Path) -> None:
    peak = {"report": "Peaks", "table": None, "row": "January", "column": "HEAT {Maximum}"}
    assert read(database, **peak, **{"for": "room b"}).numbers == {"window_u": 200.0}
    assert (
        "give 'for' and 'table': 'ROOM A, Custom Monthly Report', 'ROOM B" in read(database, **peak).missing["window_u"]
    )


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"report": "EnvelopSummary"}, "the run has no report 'EnvelopSummary'; it has 'EnvelopeSummary'"),
        ({"table": "Exterior Fenestrations"}, "has no table 'Exterior Fenestrations'; it has 'Exterior Fenestration'"),
        ({"row": "NORTH WINDOW"}, "has no row 'NORTH WINDOW'; it has 'SOUTH WINDOW'"),
        ({"column": "Glass U"}, "has no column 'Glass U'; it has 'Glass U-Factor'"),
        ({"for": "ROOM"}, "has no for 'ROOM'; it has 'Entire Facility'"),
        ({"row": "Total"}, "the cell is empty"),
        ({"unit": "Btu/h-ft2-F"}, "the cell is in 'W/m2-K', not in 'Btu/h-ft2-F'"),
        ({"column": "Construction"}, "the cell holds 'WINDOW', which is not a number"),
        ({"table": None, "column": "Construction"}, "2 tables of 'envelopesummary' have this cell"),
        (
            {"report": "Twins", "table": "Table", "row": "Same", "column": "Value"},
            "2 cells of 'Twins' have this row and column",
        ),
    ],
)
def test_what_cannot_be_found_is_none_with_the_reason(database: Path, cell: dict[str, Any], reason: str) -> None:
    found = read(database, **cell)
    assert found.numbers == {"window_u": None}
    assert reason in found.missing["window_u"]


def test_nothing_is_read_where_nothing_is_asked_for(tmp_path: Path) -> None:
    assert read_cells(tmp_path / "none.sql", []) == RequestedValues()


def study(*cells: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(outputs={"cells": cells}, **changes))


def test_cells_are_columns_of_the_table_and_can_be_analysed() -> None:
    of = study(U_FACTOR, {**U_FACTOR, "name": "glazing", "kind": "text"}, analysis={"metrics": ["window_u"]})

    types = {name: str(kind) for name, kind in table_schema(of, []).items()}

    assert (types["window_u"], types["glazing"]) == ("double", "string")
    assert list(check_analysis(of)) == []


def test_a_text_cannot_be_analysed() -> None:
    of = study({**U_FACTOR, "kind": "text"}, analysis={"metrics": ["window_u"]})
    assert [problem.where for problem in check_analysis(of)] == ["study.json: analysis.metrics[0]"]


@pytest.mark.parametrize("name", ["heating_kwh", "insulation_m", "electricity_peak_time", "status"])
def test_a_name_that_another_column_has_is_refused(name: str) -> None:
    (problem,) = check_cells(study(U_FACTOR, {**U_FACTOR, "name": name}))
    assert problem.where == "study.json: outputs.cells[1].name"


def test_a_name_is_given_once() -> None:
    with pytest.raises(StudyRejected) as caught:
        parse_study(json.dumps(study_document(outputs={"cells": [U_FACTOR, U_FACTOR]})))
    assert "window_u" in caught.value.problems[0].what


# -- times of peaks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("02-JAN-08:30", "01-02 08:15"),
        ("07-JAN-06:15", "01-07 07:00"),
        ("19-JUL-14:14", "07-19 15:00"),
        ("31-DEC-23:15", "12-31 24:00"),
        ("-", None),
        ("", None),
        ("02-XXX-08:30", None),
    ],
)
def test_the_time_of_a_peak(tmp_path: Path, printed: str, expected: str | None) -> None:
    place = (databases.DEMAND, "End Uses", "Time of Peak", "Electricity")
    cells = databases.building() | {place: ("W", printed)}
    cells[databases.ELECTRICITY_PEAK] = ("W", "5")
    databases.write_database(tmp_path / "eplusout.sql", cells)

    def peak(*environments: Environment) -> str | None:
        return read_results(tmp_path / "eplusout.sql", environments).texts["electricity_peak_time"]

    assert peak(databases.YEAR) == expected
    assert peak(databases.WINTER_DAY) is None


# -- with the engine ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_cells(
    engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Results, RequestedValues]:
    """A room on 1 January, a Sunday, with a cell of a report that neither the model nor the metrics ask for."""
    folder = tmp_path_factory.mktemp("with-cells")
    lights = {"table": None, "row": "January", "column": "INTERIORLIGHTS:ELECTRICITY {Maximum}", "unit": "W"}
    of = study(
        {**U_FACTOR, "column": "Glass Area"},
        {**lights, "name": "lights_peak_w", "report": "PeakEnergyEndUseElectricityPart1Monthly"},
        parameters=[],
    )
    text = prepare(
        one_day.replace("  AllSummary; ", "  EnvelopeSummary; ").encode(), "room.idf", of, engine.idd
    ).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, folder / "in.idf", chicago, folder), folder, timeout_s=60)
    database = folder / "eplusout.sql"
    return read_results(database, judge(ended, folder).environments), read_cells(database, of.outputs.cells)


def test_the_engine_is_asked_for_the_reports(with_cells: tuple[Results, RequestedValues]) -> None:
    # A window of 5.6 m2; lights of 10 W/m2 on 48 m2 at a tenth, as on every Sunday.
    _, cells = with_cells
    assert cells.missing == {}
    assert cells.numbers == pytest.approx({"window_u": 5.6, "lights_peak_w": 48.0})


def test_the_engine_gives_the_time_of_the_peak(with_cells: tuple[Results, RequestedValues]) -> None:
    results, _ = with_cells
    assert results.metrics["electricity_peak_w"] == pytest.approx(48 + 40)  # lights and equipment, all day alike
    time = results.texts["electricity_peak_time"]
    assert time is not None
    assert time.startswith("01-01 ")
    assert results.texts["natural_gas_peak_time"] is None
