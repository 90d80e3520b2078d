"""Constructions and schedules as levels: another object of the model replaces one wherever it is referenced."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.checks.checked_models import as_epjson
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder

MORE = """
Construction,Bare Wall,Brick;
Construction,Wall Inside Out,Wall Insulation,Brick;
Construction:AirBoundary,Opening;
Schedule:Constant,Shop Hours,Any Number,0.4;
Schedule:Day:Hourly,A Day,Any Number;
InternalMass,Furniture,WALL,Room,,10;
Output:Variable,*,Zone Mean Air Temperature,Hourly,Office Hours;
"""
STORE = """
Zone,Store,0,0,0,0,1,1;
BuildingSurface:Detailed,Partition South,Wall,Wall,Room,,Surface,Partition North,NoSun,NoWind,0.5,4,
  8,6,3, 8,6,0, 0,6,0, 0,6,3;
BuildingSurface:Detailed,Partition North,Wall,Wall Inside Out,Store,,Surface,Partition South,NoSun,NoWind,0.5,4,
  0,6,3, 0,6,0, 8,6,0, 8,6,3;
"""
WALL = {"name": "x", "replaces": {"construction": "wall"}, "values": ["Wall", "bare wall"]}
HOURS = {"name": "x", "replaces": {"schedule": "Office Hours"}, "values": ["Shop Hours"]}


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    return {"room.idf": (one_zone + MORE).encode(), "chicago.epw": DAY_OF_WEATHER.encode()}


def accept(files: dict[str, bytes], *parameters: dict[str, Any]) -> CheckedStudy:
    document = study_document(parameters=list(parameters))
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], *parameters: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, *parameters)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def study(*parameters: dict[str, Any], model: str = "room.idf") -> Study:
    return parse_study(json.dumps(study_document(models=[model], parameters=list(parameters))))


def changed(engine: Engine, content: str, parameter: dict[str, Any], level: str, source: str) -> dict[str, Any]:
    """The objects that differ from the baseline's, by name: the values that they had and have."""
    prepared = prepare(content.encode(), source, study(parameter, model=source), engine.idd)
    before = prepared.render({})
    texts = before, prepared.render({"x": level})
    assert prepared.render({}) == before
    old, new = ({each.name: each.values for each in read_outline(text.encode(), source).all()} for text in texts)

    def listed(values: Any) -> list[Any]:
        return list(values.values()) if isinstance(values, dict) else list(values)

    return {
        name: [(a, b) for a, b in zip(listed(old[name]), listed(new[name]), strict=True) if a != b]
        for name in old
        if old[name] != new[name]
    }


@pytest.mark.parametrize("syntax", ["idf", "epJSON"])
def test_every_reference_is_replaced(engine: Engine, one_zone: str, syntax: str) -> None:
    content = one_zone + MORE if syntax == "idf" else json.dumps(as_epjson(one_zone + MORE))
    walls = changed(engine, content, WALL, "bare wall", f"room.{syntax}")
    assert walls == {
        **{f"{side} Wall": [("Wall", "bare wall")] for side in ("South", "East", "North", "West")},
        "Furniture": [("WALL", "bare wall")],
    }
    hours = changed(engine, content, HOURS, "Shop Hours", f"room.{syntax}")
    assert hours == {name: [("Office Hours", "Shop Hours")] for name in ("Room Lights", "Room Equipment")}


def test_the_object_itself_is_the_baseline(engine: Engine, one_zone: str, files: dict[str, bytes]) -> None:
    assert [each.values for each in expand(study(WALL))] == [{}, {"x": "bare wall"}]
    assert changed(engine, one_zone + MORE, WALL, "Wall", "room.idf") == {}
    assert accept(files, WALL).baseline_values == {"room.idf": {"x": "wall"}}


def test_what_is_replaced_is_listed(files: dict[str, bytes]) -> None:
    assert [str(each) for each in accept(files, WALL).targets] == [
        "x: BuildingSurface:Detailed, Construction Name of 4 objects in room.idf: 'wall' -> 'Wall', 'bare wall'",
        "x: InternalMass, Construction Name of 1 object in room.idf: 'wall' -> 'Wall', 'bare wall'",
    ]


@pytest.mark.parametrize(
    ("parameter", "where", "what"),
    [
        (
            WALL | {"values": ["Bear Wall"]},
            "values[0]",
            "room.idf has no construction called 'Bear Wall' | 'Bare Wall'",
        ),
        (
            WALL | {"replaces": {"construction": "Wal"}},
            "replaces.construction",
            "no construction called 'Wal' | 'Wall'",
        ),
        (HOURS | {"values": ["Wall"]}, "values[0]", "room.idf has no schedule called 'Wall'"),
        (HOURS | {"values": ["A Day"]}, "values[0]", "room.idf has no schedule called 'A Day'"),
        (
            WALL | {"replaces": {"construction": "Bare Wall"}, "values": ["Wall"]},
            "replaces.construction",
            "nothing uses",
        ),
        (WALL | {"values": ["Window"]}, "values[0]", "'Window' is glazed, and 'wall' is not"),
        (WALL | {"values": ["Opening"]}, "values[0]", "'Opening' and 'wall' are not both constructions of layers"),
        (WALL | {"values": [1]}, "", "has names of objects as its levels, and 1 is a number"),
        (WALL | {"replaces": {}}, "replaces", "names one thing: give 'construction' or 'schedule'"),
        (WALL | {"replaces": {"zone": "Room"}}, "replaces.zone", "is not a key that a study knows"),
    ],
)
def test_what_cannot_be_replaced_is_refused(
    files: dict[str, bytes], parameter: dict[str, Any], where: str, what: str
) -> None:
    assert what in faults(files, parameter)[f"parameters[0].{where}".rstrip(".")]


def test_both_sides_of_a_wall_stay_mirrored(files: dict[str, bytes]) -> None:
    files["room.idf"] += STORE.encode()
    found = faults(files, WALL)["parameters[0].values[1]"]
    assert (
        "'bare wall' of 'Partition South' would not be the reverse of 'Wall Inside Out' of 'Partition North'" in found
    )


def test_an_object_has_one_parameter(files: dict[str, bytes]) -> None:
    with pytest.raises(StudyRejected, match="'WALL' is varied by 'x' already"):
        accept(files, WALL, WALL | {"name": "y", "replaces": {"construction": "WALL"}})
    lights = {"name": "y", "class": "Lights", "field": "Schedule Name", "values": ["Always On"]}
    assert "'y' and 'x' both set Lights 'Room Lights', Schedule Name" in faults(files, HOURS, lights)["parameters[0]"]


def test_a_field_takes_objects_of_its_kind_only(files: dict[str, bytes]) -> None:
    """There is an object called Wall, so the name alone would pass."""
    lights = {"name": "x", "class": "Lights", "field": "Schedule Name", "values": ["Wall", "Shop Hours"]}
    found = faults(files, lights)
    assert found["parameters[0].values[0]"].startswith("room.idf: 'Wall' is not a schedule | ")
    assert len(found) == 1
    wall = {"name": "x", "class": "BuildingSurface:Detailed", "field": "Construction Name", "values": ["Brick"]}
    assert "'Brick' is not a construction" in faults(files, wall)["parameters[0].values[0]"]
