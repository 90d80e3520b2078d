"""Whether EnergyPlus can run a model: version, classes, objects and syntax, and damage of any kind."""

import json
import random
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.checks.models import CheckedModel, check_model
from epsm.problems import Problem
from tests.unit.checks.checked_models import as_epjson, check, fault, study, vary, without

REAL_MODELS = sorted((Path(pyenergyplus.__file__).parent / "data" / "model").glob("*.idf"))


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
