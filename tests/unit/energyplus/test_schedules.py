"""Schedules of every kind edited as schedules: what EnergyPlus reads of them before and after, step by step."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.schedules import CannotRead, find_schedule, read_schedule
from epsm.study.day_types import DAY_TYPES, DESIGN_DAYS
from epsm.study.schema import Study
from tests.conftest import DATA, study_document, with_run_period

EDITED = ("Steady", "Blocks", "Seasons", "Winter First")
SPECIAL = """
RunPeriodControl:SpecialDays, Feast, February 25, 1, Holiday;
RunPeriodControl:SpecialDays, First, February 27, 1, CustomDay1;
RunPeriodControl:SpecialDays, Second, March 3, 1, CustomDay2;
SizingPeriod:DesignDay, Cold, 1, 21, WinterDesignDay, -20, 0, , , Wetbulb, -20, , , , , 99063, 4.9, 270, No, No, No,
  ASHRAEClearSky, , , , , 0;
SizingPeriod:DesignDay, Hot, 7, 21, SummerDesignDay, 33, 10, , , Wetbulb, 23, , , , , 99063, 4.9, 230, No, No, No,
  ASHRAEClearSky, , , , , 1;
Output:Variable, *, Schedule Value, Timestep;
"""
ORDINARY = frozenset(DAY_TYPES) - DESIGN_DAYS


@pytest.fixture(scope="module")
def many(one_zone: str) -> str:
    """one_zone.idf with schedules of every kind, special days, and a run over the end of February."""
    model = with_run_period(one_zone, end=(3, 8)) + (DATA / "schedules.idf").read_text(encoding="utf-8") + SPECIAL
    begin = "  1,                       !- Begin Month\n  1,"
    assert begin in model
    model = model.replace(begin, "  2,\n  20,", 1)
    return model.replace("  No,                      !- Run Simulation for Sizing Periods", "  Yes,", 1)


def prepared(content: str, name: str, engine: Engine, *parameters: dict[str, Any], **more: Any) -> PreparedModel:
    study = Study.model_validate(study_document(models=[name], parameters=list(parameters), **more))
    return prepare(content.encode(), name, study, engine.idd)


def read_back(text: str, name: str, engine: Engine, weather: Path, folder: Path) -> dict[Any, tuple[str, float]]:
    """Schedule, environment, and time step -> day type and value, as EnergyPlus has them."""
    folder.mkdir(parents=True)
    (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*engine.start, "-w", str(weather), "-d", str(folder), str(folder / name)], check=False, capture_output=True
    )
    assert done.returncode == 0, (folder / "eplusout.err").read_text(encoding="utf-8")
    with sqlite3.connect(folder / "eplusout.sql") as database:
        rows = database.execute(
            "SELECT KeyValue, EnvironmentPeriodIndex, Month, Day, Hour, Minute, DayType, Value FROM ReportData "
            "JOIN ReportDataDictionary USING (ReportDataDictionaryIndex) JOIN Time USING (TimeIndex) "
            "WHERE Name = 'Schedule Value' AND IFNULL(WarmupFlag, 0) = 0"
        ).fetchall()
    return {tuple(row[:6]): (row[6], row[7]) for row in rows}


def as_epjson(idf: str, engine: Engine, folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "many.idf").write_text(idf, encoding="utf-8")
    subprocess.run(
        [str(engine.executable), "-c", "-d", str(folder), str(folder / "many.idf")], check=False, capture_output=True
    )
    return next(folder.glob("*.epJSON")).read_text(encoding="utf-8")


@pytest.mark.parametrize("syntax", ["idf", "epJSON"])
def test_engine_reads_the_edited_values_and_only_these(
    many: str, syntax: str, engine: Engine, chicago: Path, tmp_path: Path
) -> None:
    """Two parameters at once, which edit other days of the same schedules, against EnergyPlus's own day types."""
    name = f"many.{syntax}"
    content = many if syntax == "idf" else as_epjson(many, engine, tmp_path / "converted")
    parameters: list[dict[str, Any]] = [
        {"name": "usual", "schedule": list(EDITED), "days": ["Weekdays"], "apply": "multiply", "values": [0.5, 2]},
        {"name": "rest", "schedule": list(EDITED), "days": ["Saturday", "Holidays", "SummerDesignDay", "CustomDay1"]}
        | {"apply": "linear", "scale": -1, "offset": 50, "range": {"from": 0, "to": 10, "steps": 2}},
    ]
    model = prepared(content, name, engine, *parameters)
    baseline = model.render({})
    edited = model.render({"usual": 0.5, "rest": 10.0})
    assert model.render({}) == baseline, "the model's own schedules are put back"
    assert edited == prepared(content, name, engine, *parameters).render({"usual": 0.5, "rest": 10.0})
    before = read_back(baseline, name, engine, chicago, tmp_path / "before")
    after = read_back(edited, name, engine, chicago, tmp_path / "after")
    new: dict[str, Callable[[float], float]] = dict.fromkeys(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"), lambda own: own * 0.5
    )
    new |= dict.fromkeys(("Saturday", "Holiday", "SummerDesignDay", "CustomDay1"), lambda own: 40.0)
    schedules = {each.upper() for each in EDITED}
    expected = {
        key: new[day](value) if key[0] in schedules and day in new else value for key, (day, value) in before.items()
    }
    assert {key: value for key, (_, value) in after.items()} == pytest.approx(expected)
    assert {day for day, _ in after.values()} == set(DAY_TYPES)


@pytest.fixture
def outline(one_zone: str) -> ModelOutline:
    text = one_zone + (DATA / "schedules.idf").read_text(encoding="utf-8")
    return read_outline(text.encode(), "many.idf")


def schedule_in(text: str, name: str) -> tuple[str, ...]:
    outline = read_outline(text.encode(), "in.idf")
    each = find_schedule(outline, name)
    assert each is not None
    assert isinstance(each.values, tuple)
    return (each.class_name, *each.values[2:])


def test_block_that_joins_chosen_days_and_others_is_split(one_zone: str, engine: Engine) -> None:
    text = one_zone.replace("For: AllOtherDays,\n  Until: 24:00, 0.1", "For: AllOtherDays,\n  Until: 24:00, 0.3")
    more = {"name": "x", "schedule": "office hours", "values": [0.5, 0.6], "days": ["AllOtherDays"]}
    edited = prepared(text, "room.idf", engine, more).render({"x": 0.5})
    assert schedule_in(edited, "Office Hours") == (
        *("Schedule:Compact", "Through: 12/31"),
        *("For: Weekdays", "Interpolate: No", "Until: 08:00", "0.1", "Until: 18:00", "1", "Until: 24:00", "0.1"),
        *("For: SummerDesignDay WinterDesignDay CustomDay1 CustomDay2", "Interpolate: No", "Until: 24:00", "0.3"),
        *("For: Weekends Holidays", "Interpolate: No", "Until: 24:00", "0.5"),
    )


def test_constant_schedule_stays_one_where_all_its_days_are_edited(one_zone: str, engine: Engine) -> None:
    shift = {"name": "x", "schedule": "Heating Setpoint", "apply": "add", "values": [1, 2]}
    whole = prepared(one_zone, "room.idf", engine, {**shift, "days": ["AllDays"]}).render({"x": 2.0})
    assert schedule_in(whole, "Heating Setpoint") == ("Schedule:Constant", "22")
    part = prepared(one_zone, "room.idf", engine, shift).render({"x": 2.0})
    assert schedule_in(part, "Heating Setpoint") == (
        *("Schedule:Compact", "Through: 12/31"),
        *("For: SummerDesignDay WinterDesignDay CustomDay1 CustomDay2", "Interpolate: No", "Until: 24:00", "20"),
        *("For: Weekdays Weekends Holidays", "Interpolate: No", "Until: 24:00", "22"),
    )


def test_hours_before_and_after_midnight(one_zone: str, engine: Engine) -> None:
    night = {"name": "x", "schedule": "Heating Setpoint", "days": ["AllDays"], "from": "22:00", "until": "6:30"}
    edited = prepared(one_zone, "room.idf", engine, {**night, "apply": "add", "values": [-4, -2]}).render({"x": -4.0})
    assert schedule_in(edited, "Heating Setpoint")[1:] == (
        *("Through: 12/31", "For: AllDays", "Interpolate: No"),
        *("Until: 06:30", "16", "Until: 22:00", "20", "Until: 24:00", "16"),
    )


def test_days_of_other_schedules_stay_as_they_are(outline: ModelOutline, one_zone: str, engine: Engine) -> None:
    """A Schedule:Year has weeks and days in common with others."""
    text = one_zone + (DATA / "schedules.idf").read_text(encoding="utf-8")
    shift = {"name": "x", "schedule": "Seasons", "apply": "add", "values": [1, 2]}
    edited = read_outline(prepared(text, "many.idf", engine, shift).render({"x": 1.0}).encode(), "in.idf")
    for name in ("Winter First", "Not Edited"):
        one, other = (find_schedule(each, name) for each in (outline, edited))
        assert one is not None
        assert other is not None
        assert read_schedule(outline, one) == read_schedule(edited, other)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ("Through: 12/31, For: AllDays, Until: 24:00, x", "has no number after 'Until: 24:00'"),
        ("Through: 12/31, For: AllDays, Until: 23:00, 1", "has a day whose hours do not follow each other up to 24:00"),
        ("Through: 6/30, For: AllDays, Until: 24:00, 1", "does not go through 12/31"),
        ("Through: Easter, For: AllDays, Until: 24:00, 1", "has 'Through: Easter' where 'Through:' and a date are"),
        ("Through: 12/31, For: Feasts, Until: 24:00, 1", "has 'For: Feasts' where day types are expected"),
        ("Through: 12/31, For: Monday Weekdays, Until: 24:00, 1, For: Friday, Until: 24:00, 1", "has Friday twice"),
    ],
)
def test_schedule_that_the_engine_does_not_read_either(one_zone: str, fields: str, what: str) -> None:
    outline = read_outline(f"{one_zone}\nSchedule:Compact, Odd, Any Number, {fields};".encode(), "room.idf")
    each = find_schedule(outline, "Odd")
    assert each is not None
    with pytest.raises(CannotRead, match=what):
        read_schedule(outline, each)


TWO_ROOMS = """
Zone, Attic;
ThermostatSetpoint:DualSetpoint, Attic Setpoints, Heating Setpoint, Attic Cooling;
Schedule:Constant, Attic Cooling, Any Number, 30;
ZoneControl:Thermostat, Attic Thermostat, Attic, Dual Setpoint, ThermostatSetpoint:DualSetpoint, Attic Setpoints;
"""


def shifted(content: str, name: str, engine: Engine, **edit: Any) -> ModelOutline:
    measure = {"name": "setback", "variants": [{"name": "on", "setpoints": [edit]}]}
    model = prepared(content, name, engine, {"name": "setback", "measure": "setback"}, measures=[measure])
    before = model.render({})
    text = model.render({"setback": "on"})
    assert model.render({}) == before
    return read_outline(text.encode(), name)


def of(outline: ModelOutline, name: str) -> tuple[str, ...]:
    each = next(each for each in outline.all() if each.name == name)
    assert isinstance(each.values, tuple)
    return each.values[1:]


def constant_of(outline: ModelOutline, name: str) -> set[float]:
    each = find_schedule(outline, name)
    assert each is not None
    return {value for block in read_schedule(outline, each).blocks for value in block.profile.values}


def test_setpoints_are_shifted_in_the_schedules_themselves_where_nothing_else_uses_them(
    one_zone: str, engine: Engine
) -> None:
    outline = shifted(one_zone, "room.idf", engine, heating_shift_k=-1, cooling_shift_k=2, days=["AllDays"])
    assert of(outline, "Heating Setpoint") == ("Any Number", "19")
    assert of(outline, "Cooling Setpoint") == ("Any Number", "28")
    assert of(outline, "Room Setpoints") == ("Heating Setpoint", "Cooling Setpoint")


def test_schedule_that_something_else_uses_is_copied(one_zone: str, engine: Engine) -> None:
    heater = "\nZoneHVAC:Baseboard:Convective:Electric, Heater, Heating Setpoint, HeatingDesignCapacity, 0;\n"
    outline = shifted(one_zone + heater, "room.idf", engine, heating_shift_k=-1, days=["AllDays"])
    assert of(outline, "Room Setpoints") == ("Heating Setpoint setback on 1", "Cooling Setpoint")
    assert constant_of(outline, "Heating Setpoint setback on 1") == {19}
    assert constant_of(outline, "Heating Setpoint") == {20}


def test_thermostats_of_other_zones_keep_their_setpoints(one_zone: str, engine: Engine) -> None:
    outline = shifted(
        one_zone + TWO_ROOMS, "room.idf", engine, heating_shift_k=-1, cooling_shift_k=1, zones="Attic", days=["AllDays"]
    )
    assert of(outline, "Room Setpoints") == ("Heating Setpoint", "Cooling Setpoint")
    assert of(outline, "Attic Setpoints") == ("Heating Setpoint setback on 1", "Attic Cooling")
    assert (constant_of(outline, "Heating Setpoint setback on 1"), constant_of(outline, "Attic Cooling")) == (
        {19},
        {31},
    )


def test_thermostat_that_several_zones_share_is_copied(one_zone: str, engine: Engine) -> None:
    shared = TWO_ROOMS.replace("DualSetpoint, Attic Setpoints;", "DualSetpoint, Room Setpoints;")
    outline = shifted(one_zone + shared, "room.idf", engine, heating_shift_k=-1, zones="Attic", days=["AllDays"])
    assert of(outline, "Attic Thermostat")[-1] == "Room Setpoints setback on 1"
    assert of(outline, "Room Thermostat")[-1] == "Room Setpoints"
    assert of(outline, "Room Setpoints") == ("Heating Setpoint", "Cooling Setpoint")
    assert of(outline, "Room Setpoints setback on 1") == ("Heating Setpoint setback on 1", "Cooling Setpoint")


def test_constant_setpoints_of_a_template(one_zone: str, engine: Engine) -> None:
    templates = """
    HVACTemplate:Thermostat, Template, , 20, Cooling Setpoint, ;
    HVACTemplate:Zone:IdealLoadsAirSystem, Attic, Template;
    """
    outline = shifted(one_zone + templates, "room.idf", engine, heating_shift_k=1, zones="Attic", days=["AllDays"])
    assert of(outline, "Template")[:2] == ("Template heating setback on 1", "")
    assert constant_of(outline, "Template heating setback on 1") == {21}


def test_setpoints_in_epjson(one_zone: str, engine: Engine, tmp_path: Path) -> None:
    content = as_epjson(one_zone + TWO_ROOMS, engine, tmp_path / "converted")
    measure = {"name": "m", "variants": [{"name": "on", "setpoints": [{"heating_shift_k": 1, "zones": "Attic"}]}]}
    model = prepared(content, "room.epJSON", engine, {"name": "m", "measure": "m"}, measures=[measure])
    before = model.render({})
    after = json.loads(model.render({"m": "on"}))
    assert model.render({}) == before
    field = "heating_setpoint_temperature_schedule_name"
    assert after["ThermostatSetpoint:DualSetpoint"]["Attic Setpoints"][field] == "Heating Setpoint m on 1"
    assert after["Schedule:Compact"]["Heating Setpoint m on 1"]["data"][-1] == {"field": 21.0}


def test_level_that_shifts_setpoints_of_a_zone(one_zone: str, engine: Engine) -> None:
    shift = {"name": "x", "setpoints": "heating", "zones": "Attic", "days": ["AllDays"], "values": [-1, 1]}
    model = prepared(one_zone + TWO_ROOMS, "room.idf", engine, shift)
    outline = read_outline(model.render({"x": -1.0}).encode(), "room.idf")
    assert of(outline, "Attic Setpoints") == ("Heating Setpoint x 1", "Attic Cooling")
    assert (constant_of(outline, "Heating Setpoint x 1"), constant_of(outline, "Heating Setpoint")) == ({19}, {20})
