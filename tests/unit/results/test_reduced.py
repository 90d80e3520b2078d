"""Meters and variables reduced to one number, worked out by hand and against the series of a run."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from epsm.checks.analysis import check_analysis
from epsm.checks.cells import check_cells
from epsm.checks.models import check_model
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.errors import StudyRejected
from epsm.results.reader import ImpossibleResult
from epsm.results.reduced import read_reduced
from epsm.results.requested import RequestedValues
from epsm.results.series import read_series
from epsm.results.table import table_schema
from epsm.study.parsing import parse_study
from epsm.study.reduced import ReducedSeries
from epsm.study.schema import Outputs, Study
from tests.conftest import study_document

TEMPERATURE = "Zone Operative Temperature"
METER = {"name": "peak_kw", "meter": "Electricity:Facility", "reduce": "max"}
HOT = {"name": "hot_h", "variable": TEMPERATURE, "key": "Room A", "reduce": "hours_above", "threshold": 26}
# Design day, two hours of the run period, and one of its warm-up: index, minutes, environment, warm-up.
TIMES = ((1, 60, 1, None), (2, 60, 2, None), (3, 60, 2, 0), (4, 60, 2, 1))
SERIES = (
    (10, "", "Electricity:Facility", "J", 1, "Sum", "Hourly", ""),
    (11, "Cumulative ", "Electricity:Facility", "J", 1, "Sum", "Hourly", ""),
    (12, "ROOM A", TEMPERATURE, "C", 0, "Avg", "Hourly", ""),
    (13, "ROOM B", TEMPERATURE, "C", 0, "Avg", "Hourly", ""),
    (14, "ROOM B", TEMPERATURE, "C", 0, "Avg", "Hourly", ""),
    (15, "ROOM A", TEMPERATURE, "C", 0, "Avg", "Hourly", "OCCUPIED"),
    (16, "ROOM A", TEMPERATURE, "C", 0, "Avg", "Zone Timestep", ""),
    (17, "TANK", "Water Use Equipment Total Volume", "m3", 0, "Sum", "Hourly", ""),
    (18, "BROKEN", "Water Use Equipment Total Volume", "m3", 0, "Sum", "Hourly", ""),
)
VALUES = {
    10: (9e9, 3.6e6, 7.2e6, 9e9),
    11: (9e9, 3.6e6, 10.8e6, 9e9),
    12: (40.0, 25.0, 27.0, 40.0),
    13: (40.0, 26.0, 28.0, 40.0),
    14: (40.0, 26.0, 28.0, 40.0),
    15: (40.0, None, 27.0, None),
    17: (9.0, 0.5, 0.25, 9.0),
    18: (0.0, float("inf"), 0.0, 0.0),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reduced") / "eplusout.sql"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE EnvironmentPeriods (EnvironmentPeriodIndex, EnvironmentType);"
            "INSERT INTO EnvironmentPeriods VALUES (1, 1), (2, 3);"
            "CREATE TABLE Time (TimeIndex, Interval, EnvironmentPeriodIndex, WarmupFlag);"
            "CREATE TABLE ReportDataDictionary (ReportDataDictionaryIndex, KeyValue, Name, Units, IsMeter, Type, "
            "ReportingFrequency, ScheduleName);"
            "CREATE TABLE ReportData (ReportDataDictionaryIndex, TimeIndex, Value);"
        )
        connection.executemany("INSERT INTO Time VALUES (?, ?, ?, ?)", TIMES)
        connection.executemany("INSERT INTO ReportDataDictionary VALUES (?, ?, ?, ?, ?, ?, ?, ?)", SERIES)
        points = [
            (index, time, value)
            for index, values in VALUES.items()
            for time, value in zip((1, 2, 3, 4), values, strict=True)
            if value is not None
        ]
        connection.executemany("INSERT INTO ReportData VALUES (?, ?, ?)", points)
        connection.commit()
    return path


def read(database: Path, of: dict[str, Any], **changes: Any) -> RequestedValues:
    return read_reduced(database, [ReducedSeries.model_validate({**of, "name": "x", **changes})])


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({**METER, "reduce": "sum", "unit": "kWh"}, 3.0),
        ({**METER, "unit": "kW"}, 2.0),  # 7.2 MJ in an hour
        ({**METER, "reduce": "mean"}, 1.5),
        ({**METER, "reduce": "min", "meter": "electricity:facility"}, 1.0),
        ({**METER, "reduce": "hours_above", "threshold": 1, "unit": "h"}, 1.0),  # 1 kW is not above 1 kW
        (HOT, 1.0),
        ({**HOT, "reduce": "hours_below", "threshold": 27.5}, 2.0),
        ({**HOT, "key": "*", "across": "max"}, 1.0),
        ({**HOT, "key": "room*", "threshold": 25.5, "across": "sum"}, 3.0),
        ({**HOT, "key": "*", "threshold": None, "reduce": "mean", "across": "mean", "unit": "C"}, 26.5),
        ({**HOT, "threshold": None, "reduce": "mean", "schedule": "Occupied"}, 27.0),
        ({"variable": "Water Use Equipment Total Volume", "key": "Tank", "reduce": "sum", "unit": "m3"}, 0.75),
    ],
)
def test_numbers_by_hand(database: Path, of: dict[str, Any], expected: float) -> None:
    found = read(database, of)
    assert found.missing == {}
    assert found.numbers == pytest.approx({"x": expected}, rel=1e-12)


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        ({**METER, "meter": "NaturalGas:Facility"}, "x: the model has no meter 'NaturalGas:Facility'"),
        ({**METER, "frequency": "Daily"}, "has no meter"),
        ({**HOT, "key": "ROOM C"}, "has no key 'ROOM C'; it has 'ROOM B', 'ROOM A'"),
        ({**HOT, "key": "*"}, "2 keys match '*'; give 'across', or one of them: 'ROOM A', 'ROOM B'"),
        ({**HOT, "reduce": "sum", "threshold": None}, "is an average over each interval, which cannot be summed"),
        ({**METER, "unit": "kWh"}, "the number is in 'kW', not in 'kWh'"),
        ({**HOT, "frequency": "Timestep"}, f"{TEMPERATURE} of 'ROOM A' has no value in the run periods"),
        ({**HOT, "schedule": "NIGHT"}, "has no variable"),
    ],
)
def test_what_cannot_be_reduced_is_none_with_the_reason(database: Path, of: dict[str, Any], reason: str) -> None:
    found = read(database, of)
    assert found.numbers == {"x": None}
    assert reason in found.missing["x"]


def test_an_infinite_number_is_impossible(database: Path) -> None:
    with pytest.raises(ImpossibleResult):
        read(database, {"variable": "Water Use Equipment Total Volume", "key": "Broken", "reduce": "sum"})


def test_nothing_is_read_where_nothing_is_asked_for(tmp_path: Path) -> None:
    assert read_reduced(tmp_path / "none.sql", []) == RequestedValues()


def study(*reduced: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(outputs={"reduced": reduced}, **changes))


def test_reduced_series_are_columns_of_the_table_and_can_be_analysed() -> None:
    of = study(METER, HOT, analysis={"metrics": ["hot_h"]})
    types = table_schema(of, [])
    assert (str(types["peak_kw"]), str(types["hot_h"])) == ("double", "double")
    assert list(check_analysis(of)) == []


@pytest.mark.parametrize("name", ["heating_kwh", "insulation_m", "a_cell"])
def test_a_name_that_another_column_has_is_refused(name: str) -> None:
    cell = {"name": "a_cell", "report": "EnvelopeSummary", "row": "Total", "column": "Area"}
    of = Study.model_validate(study_document(outputs={"reduced": [METER, {**HOT, "name": name}], "cells": [cell]}))
    (problem,) = check_cells(of)
    assert problem.where == "study.json: outputs.reduced[1].name"


@pytest.mark.parametrize(
    ("of", "what"),
    [
        ({**METER, "meter": None}, "has neither 'meter' nor 'variable'"),
        ({**METER, "variable": TEMPERATURE}, "has both 'meter' and 'variable'"),
        ({**METER, "key": "ROOM"}, "which only a 'variable' has"),
        ({**METER, "threshold": 1}, "has a 'threshold', which it does not use"),
        ({**METER, "reduce": "hours_above"}, "needs a 'threshold'"),
        ({**METER, "reduce": "hours_above", "threshold": 1, "frequency": "Monthly"}, "frequency 'Monthly' has none"),
        ({**METER, "reduce": "median"}, '"median" is not known'),
        ({**METER, "treshold": 1}, "is not a key that a study knows"),
    ],
)
def test_what_does_not_fit_together_is_refused(of: dict[str, Any], what: str) -> None:
    with pytest.raises(StudyRejected) as caught:
        parse_study(json.dumps(study_document(outputs={"reduced": [of]})))
    (problem,) = caught.value.problems
    assert problem.where.startswith("study.json: outputs.reduced[0]")
    assert what in problem.what


def test_a_schedule_that_a_model_does_not_have_is_refused(one_zone: str) -> None:
    of = study({**HOT, "schedule": "Office Hour"}, {**HOT, "name": "other_h", "schedule": "office hours"})
    (problem,) = check_model(one_zone.encode(), "room.idf", of).problems
    assert problem.where == "study.json: outputs.reduced[0].schedule"
    assert problem.allowed == "'Office Hours'"


def test_the_engine_is_asked_for_the_series(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    """The same numbers as from the kept series; without these there are no series to keep."""
    air = {"name": "air_c", "variable": "Zone Mean Air Temperature", "reduce": "mean"}
    reduced = [
        {**METER, "frequency": "Timestep"},
        air,
        {**air, "name": "room_c", "key": "room", "reduce": "max"},
        {**air, "name": "lit_c", "schedule": "Office Hours", "reduce": "min"},
    ]
    outputs = {"reduced": reduced, "variables": ["Zone Mean Air Temperature"]}
    of = Study.model_validate(study_document(parameters=[], outputs=outputs))
    text = prepare(one_day.encode(), "room.idf", of, engine.idd).render({})
    (tmp_path / "in.idf").write_text(text, encoding="utf-8")
    assert run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=60).exit_code == 0
    database = tmp_path / "eplusout.sql"

    found = read_reduced(database, of.outputs.reduced)

    series = read_series(database, of.outputs)
    assert series is not None
    assert [str(column) for column in series if str(column).endswith("]")] == ["ROOM: Zone Mean Air Temperature [C]"]
    hours = series["ROOM: Zone Mean Air Temperature [C]"]
    assert found.missing == {}
    assert found.numbers["peak_kw"] == pytest.approx(0.088)  # lights and equipment, all Sunday alike
    assert found.numbers["air_c"] == pytest.approx(hours.mean())
    assert found.numbers["room_c"] == pytest.approx(hours.max())
    assert (found.numbers["lit_c"] or 0) >= hours.min()
    assert read_series(database, Outputs()) is None
