"""Checking a study against the data dictionary and its models: what cannot run is refused, what can run is not."""

import contextlib
import json
import random
import re
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.checks.models import CheckedModel, check_model
from epsm.checks.parameters import check_parameters
from epsm.energyplus import dictionary
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from epsm.energyplus.model_reader import read_outline
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.results.metrics import METRICS
from epsm.results.table import table_schema
from epsm.study.parameters import Parameter
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document

REAL_MODELS = sorted((Path(pyenergyplus.__file__).parent / "data" / "model").glob("*.idf"))


def vary(class_name: str, object_name: str, field: str, *values: float | str, **changes: Any) -> dict[str, Any]:
    """A parameter of study.json; without values it must get `multiply`."""
    names = {"name": "varied", "class": class_name, "object": object_name, "field": field}
    return names | ({"values": values} if values else {}) | changes


def study(*parameters: dict[str, Any], run_period: str = "as_in_model") -> Study:
    renamed = [each | {"name": f"{each['name']}_{index}"} for index, each in enumerate(parameters)]
    return Study.model_validate(study_document(parameters=renamed, options={"run_period": run_period}))


def faults(found: list[Problem] | CheckedModel) -> list[tuple[str, str, str]]:
    problems = found.problems if isinstance(found, CheckedModel) else found
    return [(each.where.removeprefix("study.json: "), each.what, each.allowed) for each in problems]


def fault_of_parameter(**changes: Any) -> Problem:
    """The one fault that shows without a model."""
    (found,) = check_parameters(study(vary("Material", "Brick", "Thickness") | changes))
    return found


def check(model: str | bytes, *parameters: dict[str, Any], source: str = "room.idf", **options: str) -> CheckedModel:
    content = model if isinstance(model, bytes) else model.encode()
    return check_model(content, source, study(*parameters, **options))


def fault(model: str | bytes, *parameters: dict[str, Any], **options: str) -> Problem:
    """The one fault of a model."""
    (found,) = check(model, *parameters, **options).problems
    return found


def without(model: str, class_name: str) -> str:
    """The model without the objects of a class."""
    return re.sub(rf"(?ms)^{class_name},.*?;[^\n]*\n", "", model)


def as_epjson(model: str) -> dict[str, Any]:
    """An IDF as epJSON."""
    document: dict[str, Any] = {}
    for group in read_outline(model.encode(), "room.idf").objects.values():
        rule = dictionary.load().find_class(group[0].class_name)
        assert rule is not None
        objects = document.setdefault(rule.name, {})
        for each in group:
            fields: dict[str, Any] = {}
            values = [number_or_text(str(value)) for value in each.values]
            for field, value in zip(rule.fields, values, strict=False):
                if field.key != "name" and value != "":
                    fields[field.key] = value
            width = len(rule.repeats)
            rest = values[len(rule.fields) :]
            for start in range(0, len(rest), width or 1):
                items = zip(rule.repeats, rest[start : start + width], strict=False)
                fields.setdefault(rule.repeats[0].repeat_key or "", []).append(
                    {item.key: value for item, value in items}
                )
            objects[each.name if rule.named else f"{rule.name} {len(objects) + 1}"] = fields
    version = document.get("Version", {}).get("Version 1")
    if version is not None:
        version["version_identifier"] = str(version["version_identifier"])
    return document


def number_or_text(value: str) -> float | str:
    """As the engine's own conversion does: a number without a point is a whole one."""
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(value)
    return value


# Names of objects


def matches(pattern: str, name: str) -> bool:
    parameter = {"name": "x", "class": "Zone", "object": pattern, "field": "Volume", "values": [1]}
    return Parameter.model_validate(parameter).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("Brick", "Brick"),
        ("brick", "BRICK"),
        (" Brick ", "Brick"),
        ("Brick", "  Brick "),
        ("*", "Brick"),
        ("*", ""),
        ("Br*", "Brick"),
        ("*ick", "Brick"),
        ("B*k", "Brick"),
        ("*ric*", "Brick"),
        ("Brick*", "Brick"),
        ("* wall *", "North WALL 3"),
        ("wand süd", "WAND SüD"),
        ("a.b", "a.b"),
        ("a[1]+(b)", "A[1]+(B)"),
    ],
)
def test_a_name_fits(pattern: str, name: str) -> None:
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("Brick", "Bricks"),
        ("rick", "Brick"),
        ("B*x", "Brick"),
        ("a.b", "axb"),
        ("Br?ck", "Brick"),
        ("wand süd", "WAND SÜD"),
        ("Gerät Strasse", "Gerät Straße"),
        ("Gerät S*e", "GERÄT STRAßE"),
        ("a", "a\u00a0"),
    ],
)
def test_a_name_does_not_fit(pattern: str, name: str) -> None:
    assert not matches(pattern, name)


# Parameters alone


@pytest.mark.parametrize(
    "parameter",
    [
        vary("Material", "*", "Thickness", 0.1, 0.2),
        vary("MATERIAL", "*", "thickness", 0.1, unit="m"),
        vary("lights", "*", "watts_per_floor_area", multiply=[0.5, 1], unit="W/m2"),
        vary("Material", "*", "Roughness", "rough", "Smooth"),
        vary("Construction", "Wall", "Layer 2", "Concrete"),
        vary("ZoneHVAC:IdealLoadsAirSystem", "*", "Maximum Heating Air Flow Rate", 0.1, "AutoSize"),
        vary("BuildingSurface:Detailed", "*", "Vertex 2 X-coordinate", 3.5),
        vary("Schedule:Compact", "*", "Field 4", 0.5, "Until: 09:00"),
        vary("Curve:Linear", "*", "Minimum Value of x", 1.0, unit="whatever"),
        vary("Zone", "*", "Multiplier", 2.0),
    ],
)
def test_a_sound_parameter_passes(parameter: dict[str, Any]) -> None:
    assert check_parameters(study(parameter)) == []


@pytest.mark.parametrize(
    ("changes", "place", "allowed"),
    [
        ({"class": "Materials"}, "class", "'Material'"),
        ({"class": "material:nomas"}, "class", "'Material:NoMass'"),
        ({"field": "Thicknes"}, "field", "'Thickness'"),
        ({"field": "Conductivity of it"}, "field", "'Conductivity'"),
        ({"class": "Lights", "field": "Watts per Zone Floor Area"}, "field", "'Watts per Floor Area'"),
        ({"class": "BuildingSurface:Detailed", "field": "Vertex X-coordinate"}, "field", "'Vertex # X-coordinate'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(changes: dict[str, Any], place: str, allowed: str) -> None:
    found = fault_of_parameter(values=[0.1], **changes)
    assert found.where == f"study.json: parameters[0].{place}"
    assert found.allowed.startswith(allowed)


def test_a_field_that_is_like_no_other_is_refused_with_all_fields() -> None:
    assert "'Roughness', 'Thickness'" in fault_of_parameter(values=[0.1], field="qqq").allowed


def test_a_class_that_is_like_no_other_is_refused() -> None:
    assert "is not a class of EnergyPlus 25.2" in fault_of_parameter(values=[0.1], **{"class": "zzzz"}).what


def test_the_name_cannot_be_varied() -> None:
    assert fault_of_parameter(values=["a"], field="Name").where == "study.json: parameters[0].field"


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"unit": "mm"}, "'m'"),
        ({"unit": "M"}, "'m'"),
        ({"unit": ""}, "'m'"),
        ({"field": "Conductivity", "unit": "W/mK"}, "'W/m-K'"),
        ({"field": "Roughness", "values": ["Rough"], "unit": "m"}, "no unit"),
    ],
)
def test_a_wrong_unit_is_refused_with_the_right_one(changes: dict[str, Any], allowed: str) -> None:
    found = fault_of_parameter(**({"values": [0.1]} | changes))
    assert (found.where, found.allowed) == ("study.json: parameters[0].unit", allowed)


@pytest.mark.parametrize(
    ("class_name", "field", "value", "allowed"),
    [
        ("Material", "Thickness", 0, "a number > 0 [m]"),
        ("Material", "Thickness", -0.1, "a number > 0 [m]"),
        ("Material", "Thickness", "0.1", "a number > 0 [m]"),
        ("Material", "Thickness", "thin", "a number > 0 [m]"),
        ("Material", "Thickness", "autosize", "a number > 0 [m]"),
        ("Material", "Roughness", "Roughish", "'Rough'"),
        ("Material", "Roughness", 3, "'Rough'"),
        ("Lights", "Fraction Radiant", 1.5, "a number >= 0 and <= 1"),
        ("Timestep", "Number of Timesteps per Hour", 4.5, "a whole number >= 1 and <= 60"),
        ("Timestep", "Number of Timesteps per Hour", 61, "a whole number >= 1 and <= 60"),
        ("ZoneHVAC:IdealLoadsAirSystem", "Maximum Heating Air Flow Rate", "NoLimit", "or 'Autosize'"),
        ("Construction", "Layer 2", 3, "text"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(class_name: str, field: str, value: float | str, allowed: str) -> None:
    (found,) = check_parameters(study(vary(class_name, "*", field, value)))
    assert found.where == "study.json: parameters[0].values[0]"
    assert allowed in found.allowed


def test_each_value_that_does_not_fit_is_named() -> None:
    found = check_parameters(study(vary("Material", "*", "Thickness", 0, 0.1, "thin")))
    assert [where for where, _, _ in faults(found)] == ["parameters[0].values[0]", "parameters[0].values[2]"]


@pytest.mark.parametrize(("class_name", "field"), [("Material", "Roughness"), ("Construction", "Layer 2")])
def test_what_is_no_number_cannot_be_multiplied(class_name: str, field: str) -> None:
    (found,) = check_parameters(study(vary(class_name, "*", field, multiply=[2])))
    assert found.where == "study.json: parameters[0].multiply"


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Variant_Index", "STATUS"])
def test_the_name_of_a_column_of_every_table_is_refused(name: str) -> None:
    parameter = vary("Material", "*", "Thickness", 0.1, name=name)
    (found,) = check_parameters(Study.model_validate(study_document(parameters=[parameter])))
    assert found.where == "study.json: parameters[0].name"


def test_every_column_of_every_table_is_reserved() -> None:
    every = table_schema(Study(models=("a.idf",), weather=("a.epw",)), ["interior_lighting_electricity_kwh"])
    assert {*every, *METRICS, "end_uses"} <= RESERVED


def test_faults_of_all_parameters_are_named() -> None:
    found = check_parameters(
        study(
            vary("Materials", "*", "Thickness", 0.1),
            vary("Material", "*", "Thickness", 0.1),
            vary("Material", "*", "Thikness", 0.1),
            vary("Material", "*", "Thickness", 0, unit="mm"),
        )
    )
    assert [where for where, _, _ in faults(found)] == [
        "parameters[0].class",
        "parameters[2].field",
        "parameters[3].unit",
        "parameters[3].values[0]",
    ]


def test_a_field_with_an_endless_number_is_refused() -> None:
    assert fault_of_parameter(field="Vertex " + "9" * 190, values=[1.0])


@pytest.mark.parametrize("value", ["0.1 ! x", "0.1;", "0.1, 0.2", "0.1\nZone", "0.1;\nZone,Second;"])
def test_a_value_that_is_more_than_one_value_is_refused(value: str) -> None:
    parameter = vary("Schedule:Compact", "Office Hours", "Field 4", value)
    try:
        found = check_parameters(parse_study(json.dumps(study_document(parameters=[parameter]))))
    except StudyRejected as rejection:
        found = list(rejection.problems)
    assert found


# Models that can run


@pytest.mark.parametrize("path", REAL_MODELS, ids=lambda path: path.stem)
def test_real_models_can_run_for_a_year(path: Path) -> None:
    assert check_model(path.read_bytes(), path.name, study(run_period="annual")) == CheckedModel((), ())


def test_all_real_models_are_there_to_be_checked() -> None:
    assert len(REAL_MODELS) == 32


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_model_can_run_whatever_its_encoding(encoding: str, one_zone: str) -> None:
    model = one_zone.replace("One Room", "Büro").encode(encoding)
    assert not check(model, vary("Building", "büro", "North Axis", 90.0)).problems


def test_a_model_can_run_as_epjson(one_zone: str) -> None:
    assert not check(json.dumps(as_epjson(one_zone)), source="room.epJSON").problems


@pytest.mark.parametrize(
    "extra",
    [
        "Output:Variable,*,Zone Mean Air Temperature,hourly;",
        "HVACTemplate:Thermostat,All Zones,,20,,26;",
        "! Lights,Other,Hall;\n",
        "OUTPUT:METER,Electricity:Facility;",
        "RunPeriod,Second,2,1,,2,28;",
        "Output:Diagnostics,DisplayExtraWarnings,DisplayUnusedSchedules;",
    ],
)
def test_a_model_with_more_in_it_can_run(extra: str, one_zone: str) -> None:
    assert not check(f"{one_zone}\n{extra}\n").problems


# Models that cannot


@pytest.mark.parametrize("version", ["9.2", "22.2.0", "24.2", "23.1", "26.2", "8.9.0.1", "25"])
def test_a_model_for_another_version_is_refused_with_what_to_do(version: str, one_zone: str) -> None:
    found = fault(one_zone.replace("25.2", version))
    assert f"is a model for EnergyPlus {version};" in found.what
    assert "IDFVersionUpdater" in found.what
    assert found.allowed == "version 23.2, 25.1, 25.2"


@pytest.mark.parametrize("version", ["25.2", "25.2.0", " 25.2 "])
def test_a_model_for_this_version_is_accepted(version: str, one_zone: str) -> None:
    assert not check(one_zone.replace("25.2", version, 1)).problems


def test_a_model_without_a_version_is_refused(one_zone: str) -> None:
    found = fault(without(one_zone, "Version"))
    assert "has no Version object" in found.what
    assert found.allowed == "Version,25.2;"


def test_a_model_for_another_version_gets_no_fault_of_unknown_classes(one_zone: str) -> None:
    assert len(check(one_zone.replace("25.2", "9.2") + "\nOld:Class,a;").problems) == 1


@pytest.mark.parametrize("missing", ["Building", "GlobalGeometryRules"])
def test_a_model_without_what_the_engine_needs_is_refused(missing: str, one_zone: str) -> None:
    assert fault(without(one_zone, missing)) == Problem("room.idf", f"has no {missing} object")


def test_an_unknown_class_is_refused_with_its_line_and_the_nearest(one_zone: str) -> None:
    line = one_zone.count("\n") + 1
    found = fault(one_zone + "Materials,Wood,Rough;\n")
    assert found.where == f"room.idf: line {line}"
    assert found.allowed.startswith("'Material'")


@pytest.mark.parametrize(
    "class_name",
    ["PythonPlugin:Instance", "ExternalInterface", "ExternalInterface:Schedule", "GroundHeatTransfer:Slab:Materials"],
)
def test_a_class_that_the_package_cannot_simulate_is_refused_with_the_reason(class_name: str, one_zone: str) -> None:
    found = fault(f"{one_zone}\n{class_name},a;\n")
    assert f"{class_name} cannot be simulated: " in found.what


def test_a_second_unique_object_is_refused_with_its_line(one_zone: str) -> None:
    line = one_zone.count("\n") + 1
    assert fault(one_zone + "Timestep,6;\n") == Problem(f"room.idf: line {line}", "there are 2 Timestep objects", "one")


def test_an_object_with_too_many_fields_is_refused_with_its_line(one_zone: str) -> None:
    found = fault(one_zone.replace("Timestep,4;", "Timestep,4,6;"))
    assert found.where == "room.idf: line 6"
    assert found.allowed == "at most 1"


def test_a_missing_semicolon_shows_as_too_many_fields(one_zone: str) -> None:
    found = fault(one_zone.replace("  840;  ", "  840,  "))
    assert "Material 'Brick' has 13 fields; a ';' may be missing" in found.what


@pytest.mark.parametrize("fields", ["4,;", "4,,;", "4, , ,;"])
def test_blank_fields_behind_the_last_are_passed_over_as_by_the_engine(one_zone: str, fields: str) -> None:
    assert not check(one_zone.replace("Timestep,4;", f"Timestep,{fields}")).problems


def test_a_faulty_value_before_blank_fields_too_many_is_found(one_zone: str) -> None:
    assert "Number of Timesteps" in fault(one_zone.replace("Timestep,4;", "Timestep,four,,;")).what


def test_faults_of_syntax_are_all_named(one_zone: str) -> None:
    broken = one_zone.replace("Suburbs,", "Suburbs ").replace("  840;  ", "  840   ")
    assert [each.where for each in check(broken).problems] == ["room.idf: line 18", "room.idf: line 84"]


def test_faults_of_objects_are_all_named(one_zone: str) -> None:
    broken = (
        without(one_zone, "Building").replace("Timestep,4;", "Timestep,4,6;") + "\nFoo,a;\nPythonPlugin:Variables,b;"
    )
    assert len(check(broken).problems) == 4


def test_templates_in_epjson_are_refused(one_zone: str) -> None:
    document = as_epjson(one_zone) | {"HVACTemplate:Thermostat": {"All Zones": {}}}
    found = fault(json.dumps(document), source="room.epJSON")
    assert (found.where, found.allowed) == ("room.epJSON: HVACTemplate:Thermostat", "the model as IDF")


@pytest.mark.parametrize(
    ("version", "what"), [({}, "has no Version object"), ({"V": {"version_identifier": "9.2"}}, "for EnergyPlus 9.2;")]
)
def test_the_version_is_checked_in_epjson_too(version: dict[str, Any], what: str, one_zone: str) -> None:
    document = as_epjson(one_zone) | {"Version": version}
    assert any(what in each.what for each in check(json.dumps(document), source="room.epJSON").problems)


@pytest.mark.parametrize("version", ["", None, 25.2])
def test_a_version_that_says_nothing_is_refused_as_such(version: Any, one_zone: str) -> None:
    document = as_epjson(one_zone) | {"Version": {"V": {"version_identifier": version}}}
    assert "is a model for" not in fault(json.dumps(document), source="room.epJSON").what


@pytest.mark.parametrize("class_name", ["Chiller:Electric", "Foo"])
def test_a_class_without_objects_is_read(class_name: str, one_zone: str) -> None:
    check(json.dumps(as_epjson(one_zone) | {class_name: {}}), source="room.epJSON")


# Run periods


NO_WEATHER_RUN = ("Yes;                     !- Run Simulation for Weather", "No;  !- Run Simulation for Weather")
DESIGN_DAY = """
SizingPeriod:DesignDay,Winter,1,21,WinterDesignDay,-20,0,,,Wetbulb,-20,,,,,80000,2,180,No,No,No,ASHRAEClearSky,,,,,0;
"""


PERIOD = "RunPeriod,Spell,{},Sunday,No,No;\n"


@pytest.mark.parametrize("days", ["2,28,,2,29,", "1,1,,2,29,", "3,1,,2,29,", "2,28,2019,2,29,", "3,1,2020,2,29,"])
def test_a_run_period_to_a_leap_day_of_no_year_is_refused(days: str, one_zone: str) -> None:
    """EnergyPlus 25.2 runs the first 1,097 days, or 367 or 732 if it is given another weekday."""
    problem = fault(without(one_zone, "RunPeriod") + PERIOD.format(days))
    assert problem.what == (
        "RunPeriod 'Spell' ends on 29 February without a year: EnergyPlus would run it to the next leap year"
    )
    assert problem.allowed == "a Begin Year and an End Year"


@pytest.mark.parametrize("days", ["2,28,2020,2,29,", "2,28,2019,2,29,2020", "12,1,,2,28,", "1,1,,12,31,"])
def test_other_run_periods_about_leap_days_pass(days: str, one_zone: str) -> None:
    assert not check(without(one_zone, "RunPeriod") + PERIOD.format(days)).problems


def test_a_run_period_that_is_stretched_to_the_year_may_end_on_any_day(one_zone: str) -> None:
    assert not check(without(one_zone, "RunPeriod") + PERIOD.format("2,28,,2,29,"), run_period="annual").problems


@pytest.mark.parametrize("run_period", ["as_in_model", "annual"])
def test_a_model_with_a_run_period_can_run(run_period: str, one_zone: str) -> None:
    assert not check(one_zone, run_period=run_period).problems


def test_a_model_that_runs_only_design_days_as_it_is_is_refused(one_zone: str) -> None:
    found = fault(one_zone.replace(*NO_WEATHER_RUN) + DESIGN_DAY)
    assert "SimulationControl disables weather-file run periods" in found.what
    assert "'annual'" in found.allowed


def test_a_model_that_runs_only_design_days_can_run_for_a_year(one_zone: str) -> None:
    assert not check(one_zone.replace(*NO_WEATHER_RUN) + DESIGN_DAY, run_period="annual").problems


@pytest.mark.parametrize("answer", ["No", "NO", "no", " no "])
def test_the_answer_of_simulation_control_is_read_in_any_case(answer: str, one_zone: str) -> None:
    assert check(one_zone.replace(NO_WEATHER_RUN[0], f"{answer};  !- ")).problems


@pytest.mark.parametrize("control", ["", "SimulationControl,No,No,No,No;\n", "SimulationControl,No,No,No,No,;\n"])
def test_without_an_answer_the_engine_runs_the_run_periods(control: str, one_zone: str) -> None:
    assert not check(without(one_zone, "SimulationControl") + control).problems


@pytest.mark.parametrize(
    ("run_period", "what"),
    [
        ("as_in_model", "would have no energy use: it has no RunPeriod"),
        ("annual", "has no RunPeriod"),
        ("design_days", "has no SizingPeriod:DesignDay"),
    ],
)
def test_a_model_without_a_period_is_refused(run_period: str, what: str, one_zone: str) -> None:
    found = fault(without(one_zone, "RunPeriod"), run_period=run_period)
    assert what in found.what
    assert "annual" not in found.allowed


@pytest.mark.parametrize("class_name", ["SizingPeriod:DesignDay", "SIZINGPERIOD:DESIGNDAY"])
def test_a_model_with_a_design_day_can_run_it(class_name: str, one_zone: str) -> None:
    model = without(one_zone, "RunPeriod") + DESIGN_DAY.replace("SizingPeriod:DesignDay", class_name)
    assert not check(model, run_period="design_days").problems


def test_other_sizing_periods_are_no_design_days(one_zone: str) -> None:
    model = without(one_zone, "RunPeriod") + "\nSizingPeriod:WeatherFileDays,Winter,1,21,1,22;\n"
    assert "has no SizingPeriod:DesignDay" in fault(model, run_period="design_days").what


# Parameters on a model


@pytest.mark.parametrize(
    "parameter",
    [
        vary("Material", "Brick", "Thickness", 0.1),
        vary("MATERIAL", "  BRICK ", "thickness", 0.1),
        vary("Material", "*", "Thickness", 0.1),
        vary("Material", "wall*", "Thickness", 0.1),
        vary("Lights", "*", "Watts per Floor Area", multiply=[0.5, 2]),
        vary("BuildingSurface:Detailed", "*wall", "Vertex 2 X-coordinate", multiply=[1, 2]),
        vary("Schedule:Compact", "Office Hours", "Field 4", 0.5, "0.25"),
        vary("Schedule:Compact", "Office Hours", "Field 4", multiply=[2.0]),
        vary("Construction", "Wall", "Layer 2", "concrete", "BRICK"),
        vary("SimulationControl", "*", "Do Zone Sizing Calculation", "Yes"),
        vary("Timestep", "*", "Number of Timesteps per Hour", 6.0),
    ],
)
@pytest.mark.parametrize("form", ["idf", "epJSON"])
def test_a_parameter_that_fits_the_model_passes(parameter: dict[str, Any], form: str, one_zone: str) -> None:
    model = one_zone if form == "idf" else json.dumps(as_epjson(one_zone))
    assert check_parameters(study(parameter)) == []
    assert not check(model, parameter, source=f"room.{form}").problems


@pytest.mark.parametrize(("name", "allowed"), [("Bricks", "'Brick'"), ("Z*", "'Brick', 'Wall Insulation', 'Concrete'")])
def test_an_object_that_is_not_there_is_refused_with_those_that_are(name: str, allowed: str, one_zone: str) -> None:
    found = fault(one_zone, vary("Material", name, "Thickness", 0.1))
    assert found.where == "study.json: parameters[0].object"
    assert (f"room.idf has no Material object called '{name}'", allowed) == (found.what, found.allowed)


def test_a_class_of_which_the_model_has_none_is_refused(one_zone: str) -> None:
    found = fault(one_zone, vary("Chiller:Electric", "*", "Nominal Capacity", 1.0))
    assert found == Problem("study.json: parameters[0].class", "room.idf has no Chiller:Electric object")


@pytest.mark.parametrize(
    "others",
    [
        ("Material", "Brick", "Thickness"),
        ("MATERIAL", "brick", "thickness"),
        ("Material", "B*", "Thickness {m}"),
        ("Material", "*", "Thickness"),
    ],
)
def test_two_parameters_for_one_field_are_refused(others: tuple[str, str, str], one_zone: str) -> None:
    found = fault(one_zone, vary("Material", "Brick", "Thickness", 0.1), vary(*others, 0.2))
    assert found.where == "study.json: parameters[1]"
    assert "'varied_0' and 'varied_1' both set Material 'Brick', Thickness in room.idf" in found.what


def test_two_parameters_for_one_vertex_are_refused(one_zone: str) -> None:
    walls = ("BuildingSurface:Detailed", "*wall", "Vertex 1 X-coordinate")
    assert "both set" in fault(one_zone, vary(*walls, 1.0), vary(*walls, 2.0)).what


@pytest.mark.parametrize(
    "other",
    [
        vary("Material", "Concrete", "Thickness", 0.1),
        vary("Material", "Brick", "Density", 1000.0),
        vary("Zone", "*", "Multiplier", 2.0),
    ],
)
def test_parameters_for_different_fields_pass(other: dict[str, Any], one_zone: str) -> None:
    assert not check(one_zone, vary("Material", "Brick", "Thickness", 0.1), other).problems


@pytest.mark.parametrize("field", ["Lighting Level", "Watts per Person"])
@pytest.mark.parametrize("form", ["idf", "epJSON"])
def test_nothing_cannot_be_multiplied(field: str, form: str, one_zone: str) -> None:
    model = one_zone if form == "idf" else json.dumps(as_epjson(one_zone))
    found = fault(model, vary("Lights", "*", field, multiply=[2]), source=f"room.{form}")
    assert found.where == "study.json: parameters[0].multiply"
    assert f"Lights 'Room Lights' has nothing in {field}, which cannot be multiplied" in found.what


def test_autosize_cannot_be_multiplied(one_zone: str) -> None:
    sized = one_zone.replace(
        "  Room Inlet;              !- Zone Supply", "  Room Inlet,,,,,,,LimitFlowRate,autosize;  !- "
    )
    parameter = vary("ZoneHVAC:IdealLoadsAirSystem", "*", "Maximum Heating Air Flow Rate", multiply=[2])
    assert "has 'autosize' in Maximum Heating Air Flow Rate" in fault(sized, parameter).what


def test_each_product_out_of_bounds_is_named(one_zone: str) -> None:
    checked = check(one_zone, vary("Lights", "*", "Fraction Radiant", multiply=[2, 3, -1]))
    assert [(where, allowed) for where, _, allowed in faults(checked)] == [
        ("parameters[0].multiply[1]", "a number >= 0 and <= 1"),
        ("parameters[0].multiply[2]", "a number >= 0 and <= 1"),
    ]


def test_a_product_that_is_no_whole_number_is_refused(one_zone: str) -> None:
    found = fault(one_zone, vary("Timestep", "*", "Number of Timesteps per Hour", multiply=[0.7]))
    assert found.allowed == "a whole number >= 1 and <= 60"


@pytest.mark.parametrize("stands", ["1e300", "inf", "nan"])
def test_a_product_that_is_not_finite_is_refused(stands: str, one_zone: str) -> None:
    model = one_zone.replace("0.12, ", f"{stands}, ")
    assert check(model, vary("Material", "Brick", "Thickness", multiply=[1e308])).problems


@pytest.mark.parametrize(("value", "allowed"), [("Bricks", "'Brick'"), ("qqqqq", "")])
def test_a_reference_to_an_object_that_is_not_there_is_refused(value: str, allowed: str, one_zone: str) -> None:
    found = fault(one_zone, vary("Construction", "Wall", "Layer 2", "Brick", value))
    assert found == Problem("study.json: parameters[0].values[1]", f"room.idf has no object called '{value}'", allowed)


def test_faults_of_all_parameters_on_a_model_are_named(one_zone: str) -> None:
    checked = check(
        one_zone,
        vary("Material", "Bricks", "Thickness", 0.1),
        vary("Lights", "*", "Lighting Level", multiply=[2]),
        vary("Chiller:Electric", "*", "Nominal Capacity", 1.0),
        vary("Construction", "Wall", "Layer 2", "Timber"),
    )
    assert [where for where, _, _ in faults(checked)] == [
        "parameters[0].object",
        "parameters[1].multiply",
        "parameters[2].class",
        "parameters[3].values[0]",
    ]


def test_a_parameter_that_is_unknown_anyway_is_not_looked_for_in_the_model(one_zone: str) -> None:
    assert not check(one_zone, vary("Materials", "*", "Thickness", 0.1), vary("Material", "*", "Thik", 0.1)).problems


def test_a_parameter_that_cannot_be_multiplied_anyway_is_not_looked_for_in_the_model(one_zone: str) -> None:
    assert not check(one_zone, vary("Material", "*", "Roughness", multiply=[2])).problems


@pytest.mark.parametrize("number", [5, 9, 10**12])
def test_a_vertex_that_the_surface_does_not_have_is_refused(number: int, one_zone: str) -> None:
    parameter = vary("BuildingSurface:Detailed", "Floor", f"Vertex {number} X-coordinate", 1.0)
    assert [*check_parameters(study(parameter)), *check(one_zone, parameter).problems]


@pytest.mark.parametrize(
    ("class_name", "field"),
    [
        ("Branch", "Component 1 Object Type"),
        ("PlantEquipmentList", "Equipment 1 Object Type"),
        ("AirLoopHVAC:OutdoorAirSystem:EquipmentList", "Component 1 Object Type"),
    ],
)
def test_a_class_is_accepted_where_a_class_is_named(class_name: str, field: str, one_zone: str) -> None:
    parameter = vary(class_name, "*", field, "Boiler:HotWater")
    assert not check(
        f"{one_zone}\n{class_name},List,{'' if class_name != 'Branch' else ','}Boiler:HotWater,Boiler,In,Out;\n",
        parameter,
    ).problems


def test_the_file_that_a_model_reads_cannot_be_varied_unnoticed(one_zone: str) -> None:
    parameter = vary("Schedule:File", "*", "File Name", "other.csv")
    checked = check(one_zone + "\nSchedule:File,Use,,use.csv,1,0;\n", parameter)
    assert [*check_parameters(study(parameter)), *checked.problems] or "other.csv" in checked.external_files


# External files


def with_file(model: str, name: str) -> str:
    return f"{model}\nSchedule:File,Use,,{name},1,0;\n"


@pytest.mark.parametrize(
    ("source", "name", "path"),
    [
        ("room.idf", "use.csv", "use.csv"),
        ("room.idf", "data/use.csv", "data/use.csv"),
        ("room.idf", "data\\use.csv", "data/use.csv"),
        ("room.idf", "./data//use.csv", "data/use.csv"),
        ("models/room.idf", "use.csv", "models/use.csv"),
        ("models/room.idf", "../data/use.csv", "data/use.csv"),
        ("models/room.idf", "..\\data\\use.csv", "data/use.csv"),
        ("room.idf", "Büro Süd.csv", "Büro Süd.csv"),
    ],
)
def test_a_file_that_a_model_reads_is_found_from_the_model(source: str, name: str, path: str, one_zone: str) -> None:
    assert check(with_file(one_zone, name), source=source) == CheckedModel((), (path,))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("room.idf", "../use.csv"),
        ("room.idf", "data/../../use.csv"),
        ("models/room.idf", "../../use.csv"),
        ("room.idf", "/etc/passwd"),
        ("room.idf", "//server/use.csv"),
        ("room.idf", "\\\\server\\use.csv"),
        ("room.idf", "C:\\data\\use.csv"),
        ("room.idf", "C:use.csv"),
        ("room.idf", "file:///use.csv"),
        ("room.idf", "..\\use.csv"),
    ],
)
def test_a_file_outside_the_study_is_refused_with_the_line(source: str, name: str, one_zone: str) -> None:
    checked = check(with_file(one_zone, name), source=source)
    (found,) = checked.problems
    assert found.where == f"{source}: line {one_zone.count(chr(10)) + 2}"
    assert f"Schedule:File 'Use' reads '{name}', which is outside the study" in found.what
    assert checked.external_files == ()


@pytest.mark.parametrize(
    "name",
    [
        "in.idf",
        "in.epJSON",
        "IN.EPW",
        "./in.stat",
        "expanded.idf",
        "Expanded.IDF",
        "expanded.idf/hours.csv",
        "expandedidf.err",
        "Energy+.ini",
        "energy+.idd",
        "Energy+.schema.epJSON",
        "EnergyPlus.ini",
        "eplusout.sql",
        "eplusout",
        "eplusout_perflog.csv",
        "eplusADS.inp",
        "eplustbl.htm",
        "epluszsz.csv",
        "sqlite.err",
        "audit.out",
        "out.idf",
        "BasementGHTIn.idf",
        "fort.6",
    ],
)
@pytest.mark.parametrize("source", ["room.idf", "models/room.idf"])
def test_a_name_that_the_engine_uses_is_refused_though_the_object_is_not_used(
    name: str, source: str, one_zone: str
) -> None:
    unused = f"\nCoil:DX:ASHRAE205:Performance,Unused,{name},Linear;\n"
    checked = check(one_zone + unused, source=source)
    (found,) = checked.problems
    assert f"reads '{name}', a name that EnergyPlus uses" in found.what
    assert checked.external_files == ()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("room.idf", "data/in.csv"),
        ("models/room.idf", "../data/expanded.idf"),
        ("room.idf", "eplusshading.csv"),
        ("room.idf", "eplus_hours.csv"),
        ("room.idf", "in_use.csv"),
        ("room.idf", "expanded.csv"),
    ],
)
def test_a_name_like_one_of_the_engines_is_taken(source: str, name: str, one_zone: str) -> None:
    assert check(with_file(one_zone, name), source=source).problems == ()


def test_a_model_that_reads_a_study_json_is_refused(one_zone: str) -> None:
    (found,) = check(with_file(one_zone, "data/study.json")).problems
    assert "study.json is what a study is called" in found.what


@pytest.mark.parametrize("name", ["x" * 256, "é" * 90 + ".csv", "x" * 256 + "/hours.csv"])
def test_a_name_that_no_disk_can_hold_is_refused(name: str, one_zone: str) -> None:
    (found,) = check(with_file(one_zone, name)).problems
    assert "a name of more than 255 bytes" in found.what


def test_a_file_where_another_needs_a_folder_is_refused(one_zone: str) -> None:
    model = with_file(with_file(one_zone, "data").replace("Use,", "Other use,"), "data/hours.csv")
    (found,) = check(model).problems
    assert found.what == "reads 'data/hours.csv', but 'data' is a file, not a folder"


def test_a_blank_file_name_is_refused(one_zone: str) -> None:
    checked = check(with_file(one_zone, ""))
    assert [each.what for each in checked.problems] == ["Schedule:File 'Use': blank is not allowed in File Name"]
    assert checked.external_files == ()


def test_a_file_read_twice_is_named_once(one_zone: str) -> None:
    assert check(with_file(with_file(one_zone, "use.csv"), "./use.csv")).external_files == ("use.csv",)


def test_a_file_that_an_epjson_model_reads_is_found(one_zone: str) -> None:
    document = as_epjson(one_zone) | {"Schedule:File": {"Use": {"file_name": "use.csv"}}}
    assert check(json.dumps(document), source="room.epJSON").external_files == ("use.csv",)


def test_every_field_that_names_a_file_is_known() -> None:
    names_a_file = {
        (rule.name.casefold(), field.name)
        for rule in map(dictionary.load().find_class, dictionary.load().class_names)
        if rule is not None and not rule.name.startswith("ExternalInterface")
        for field in (*rule.fields, *rule.repeats)
        if field.type == "text" and field.name.endswith("File Name")
    }
    assert names_a_file == set(EXTERNAL_FILE_FIELDS.items())


# Damage

PARAMETERS = (
    vary("Material", "*", "Thickness", multiply=[2, 0.5]),
    vary("BuildingSurface:Detailed", "*", "Vertex 2 X-coordinate", multiply=[1]),
    vary("Construction", "Wall", "Layer 2", "Brick", "Timber"),
    vary("Zone", "r*m", "Multiplier", multiply=[2]),
)
PIECES = (b",", b";", b"!", b"\n", b"\x00", b"\xff", b"##", b"*", b"1e999", b"nan", b"-", b"Version,9.2;", b"Zone,")
JUNK: tuple[Any, ...] = (None, True, 0, -1, 10**400, "", "x", "\ud800", [], {}, [1], [[]], [None], {"a": 1}, {"a": {}})


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_idf_is_checked_without_an_exception(seed: int, one_zone: str) -> None:
    chance = random.Random(seed)
    for _ in range(15):
        content = bytearray(one_zone.encode())
        for _ in range(chance.randint(1, 5)):
            start = chance.randrange(len(content))
            content[start : start + chance.choice((0, 1, 4, 300))] = chance.choice((b"", *PIECES, chance.randbytes(4)))
        check(bytes(content), *PARAMETERS)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a JSON document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path] * bool(path) + [each for key, value in inner for each in places(value, (*path, key))]


def test_epjson_of_any_shape_is_checked_without_an_exception(one_zone: str) -> None:
    document = as_epjson(one_zone)
    every, raised, chance = places(document), set(), random.Random(0)
    for _ in range(200):
        changed = json.loads(json.dumps(document))
        target, path = changed, chance.choice(every)
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = chance.choice(JUNK)
        try:
            for each in check(json.dumps(changed), *PARAMETERS, source="room.epJSON").problems:
                str(each).encode()
        except Exception as error:
            raised.add(repr(error))
    assert not raised


@pytest.mark.parametrize(
    ("class_name", "field", "value"),
    [
        ("Output:Table:SummaryReports", "Report 1 Name", "ZoneComponentLoadSummary"),
        ("output:diagnostics", "Key 1", "ReportDuringWarmup"),
        ("Output:Variable", "Reporting Frequency", "Monthly"),
    ],
)
def test_what_a_model_reports_cannot_be_varied(class_name: str, field: str, value: str) -> None:
    """With another summary report the variant was ok and had no number."""
    changes = {"class": class_name, "object": "*", "field": field, "values": [value]}
    assert fault_of_parameter(**changes).what.endswith("is set for every run and cannot be varied")
