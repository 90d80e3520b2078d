"""The same edits on epJSON."""

import json
from pathlib import Path

import pytest

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.output_requests import REPORTS
from epsm.energyplus.verdict import judge
from epsm.results.reader import read_results
from tests.unit.energyplus.edited_models import INSULATION, REWRITTEN, Epjson, prepared_epjson, study


def small_epjson() -> Epjson:
    return {
        "Version": {"Version 1": {"version_identifier": "25.2"}},
        "timestep": {"Timestep 1": {"number_of_timesteps_per_hour": 4}},
        "Material": {
            "Brick": {"roughness": "Rough", "thickness": 0.12, "conductivity": 0.9},
            "墙体保温": {"roughness": "Rough", "thickness": 0.05, "conductivity": 0.035},
        },
        "Construction": {"Wall": {"outside_layer": "Brick", "layer_2": "墙体保温"}},
        "Schedule:Compact": {"Hours": {"data": [{"field": "Through: 12/31"}, {"field": "For: AllDays"}]}},
        "RunPeriod": {"Winter": {"begin_month": 1}, "Summer": {"begin_month": 7}},
        "Output:SQLite": {"Output:SQLite 1": {"option_type": "Simple"}},
        "Output:Table:SummaryReports": {"Reports": {"reports": [{"report_name": "ClimaticDataSummary"}]}},
        "OutputControl:Files": {"Files": {"output_end": "No", "output_sqlite": "No"}},
    }


def classes_of(text: str) -> Epjson:
    classes: Epjson = json.loads(text)
    return classes


def test_epjson_is_written_under_its_own_ending(engine: Engine) -> None:
    assert prepared_epjson(engine, small_epjson()).file_name == "in.epJSON"


def test_an_epjson_baseline_keeps_every_value(engine: Engine) -> None:
    before = small_epjson()

    after = classes_of(prepared_epjson(engine, before).render({}))

    assert {n: g for n, g in after.items() if n.casefold() not in REWRITTEN} == {
        n: g for n, g in before.items() if n.casefold() not in REWRITTEN
    }


def test_an_epjson_edit_shows_and_is_undone(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "object": "墙体*", "field": "Thickness", "values": [0.2]}
    model = prepared_epjson(engine, small_epjson(), thick)
    baseline = model.render({})

    edited = classes_of(model.render({"t": 0.2}))

    assert (edited["Material"]["墙体保温"]["thickness"], model.render({})) == (0.2, baseline)


def test_an_epjson_factor_multiplies_every_object(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "field": "Thickness", "multiply": [2]}

    edited = classes_of(prepared_epjson(engine, small_epjson(), thick).render({"t": 2.0}))

    assert [each["thickness"] for each in edited["Material"].values()] == [0.24, 0.1]


def test_an_epjson_value_is_undone_after_an_error_in_between(engine: Engine) -> None:
    thick = {"name": "t", "class": "Material", "field": "Thickness", "values": [0.2]}
    missing = {"name": "d", "class": "Material", "field": "Density", "multiply": [2]}
    model = prepared_epjson(engine, small_epjson(), thick, missing)
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"t": 0.2, "d": 2.0})

    assert model.render({}) == baseline


def test_an_epjson_extensible_field_is_found_by_its_number(engine: Engine) -> None:
    day = {"name": "d", "class": "Schedule:Compact", "field": "Field 2", "values": ["For: Weekdays"]}

    edited = classes_of(prepared_epjson(engine, small_epjson(), day).render({"d": "For: Weekdays"}))

    assert edited["Schedule:Compact"]["Hours"]["data"] == [{"field": "Through: 12/31"}, {"field": "For: Weekdays"}]


def test_an_epjson_field_behind_the_last_one_is_undone_too(engine: Engine) -> None:
    day = {"name": "d", "class": "Schedule:Compact", "field": "Field 3", "values": ["Until: 24:00"]}
    model = prepared_epjson(engine, small_epjson(), day)
    baseline = model.render({})

    model.render({"d": "Until: 24:00"})

    assert model.render({}) == baseline


def test_an_epjson_integer_stays_an_integer(engine: Engine) -> None:
    steps = {"name": "s", "class": "Timestep", "field": "Number of Timesteps per Hour", "values": [6]}

    assert '"number_of_timesteps_per_hour": 6\n' in prepared_epjson(engine, small_epjson(), steps).render({"s": 6.0})


def test_an_epjson_integer_field_takes_its_word(engine: Engine) -> None:
    rule = "AirTerminal:SingleDuct:ConstantVolume:CooledBeam"
    beams = {"name": "b", "class": rule, "field": "Number of Beams", "values": ["Autosize"]}

    text = prepared_epjson(engine, {rule: {"Terminal": {"number_of_beams": 3}}}, beams).render({"b": "Autosize"})

    assert classes_of(text)[rule]["Terminal"]["number_of_beams"] == "Autosize"


def test_an_epjson_gets_what_every_run_needs(engine: Engine) -> None:
    classes = classes_of(prepared_epjson(engine, small_epjson(), outputs={"keep": ["htm"]}).render({}))

    (sqlite,) = classes["Output:SQLite"].values()
    (reports,) = classes["Output:Table:SummaryReports"].values()
    (files,) = classes["OutputControl:Files"].values()
    assert sqlite == {
        "option_type": "SimpleAndTabular",
        "unit_conversion_for_tabular_data": "JtoKWH",
        "format_numeric_values_for_tabular_data": "No",
    }
    assert [each["report_name"] for each in reports["reports"]] == ["ClimaticDataSummary", *REPORTS]
    assert {name for name, value in files.items() if value == "Yes"} == {
        "output_eio",
        "output_sqlite",
        "output_end",
        "output_tabular",
        "output_delightin",
        "output_delighteldmp",
        "output_delightdfdmp",
    }


def test_an_epjson_gets_every_meter_and_variable(engine: Engine) -> None:
    outputs = {"meters": ["Electricity:Facility", "Water:Facility"], "variables": ["Zone Mean Air Temperature"]}

    classes = classes_of(prepared_epjson(engine, small_epjson(), outputs=outputs).render({}))

    assert [each["key_name"] for each in classes["Output:Meter"].values()] == ["Electricity:Facility", "Water:Facility"]
    assert list(classes["Output:Variable"].values()) == [
        {"key_value": "*", "variable_name": "Zone Mean Air Temperature", "reporting_frequency": "Hourly"}
    ]


def test_an_epjson_request_replaces_none_of_the_model(engine: Engine) -> None:
    own = {"Output:Meter 2": {"key_name": "Electricity:Building", "reporting_frequency": "Monthly"}}
    outputs = {"meters": ["Electricity:Facility", "Water:Facility"]}

    classes = classes_of(prepared_epjson(engine, small_epjson() | {"Output:Meter": own}, outputs=outputs).render({}))

    assert [each["key_name"] for each in classes["Output:Meter"].values()] == [
        "Electricity:Building",
        "Electricity:Facility",
        "Water:Facility",
    ]


def test_an_epjson_whole_year_drops_further_run_periods(engine: Engine) -> None:
    text = prepared_epjson(engine, small_epjson(), options={"run_period": "annual"}).render({})

    assert list(classes_of(text)["RunPeriod"]) == ["Winter"]


def test_an_epjson_gives_what_its_idf_gives(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    (tmp_path / "room.idf").write_text(one_day, encoding="utf-8")
    convert = [str(engine.executable), "--convert-only", "--output-directory", str(tmp_path), "room.idf"]
    run(convert, tmp_path, timeout_s=60)
    content = {source: (tmp_path / source).read_bytes() for source in ("room.idf", "room.epJSON")}

    def heating(source: str) -> float | None:
        folder = tmp_path / source.replace(".", "-")
        folder.mkdir()
        model = prepare(content[source], source, study(INSULATION), engine.idd)
        path = folder / model.file_name
        path.write_text(model.render({"insulation": 0.3}), encoding="utf-8")
        ended = run(command(engine, path, chicago, folder / "out"), folder, timeout_s=60)
        diagnosis = judge(ended, folder / "out")
        return read_results(folder / "out" / "eplusout.sql", diagnosis.environments).metrics["heating_kwh"]

    assert heating("room.epJSON") == pytest.approx(heating("room.idf"), rel=1e-6)
