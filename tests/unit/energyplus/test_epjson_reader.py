"""Reading epJSON, and values of both forms."""

import json
from typing import Any

import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.model_reader import ModelObject, read_outline
from epsm.problems import Problem
from tests.unit.energyplus.model_texts import ROOM, SMALL, epjson, faults, idf


def place(class_name: str, field: str) -> FieldPlace:
    rule = dictionary.load().find_class(class_name)
    found = rule.find_field(field) if rule else None
    assert found is not None
    return found


def test_epjson_objects_are_found_with_their_fields() -> None:
    outline = epjson(ROOM)
    assert not outline.problems
    assert outline.of_class("MATERIAL") == [
        ModelObject("Material", "Brick", {"roughness": "Rough", "thickness": 0.12}, key="Brick")
    ]
    assert outline.version == "25.2"


@pytest.mark.parametrize("source", ["room.epJSON", "room.epjson", "a.idf/ROOM.EPJSON"])
def test_the_ending_tells_epjson_from_idf(source: str) -> None:
    assert read_outline(json.dumps(ROOM).encode(), source).version == "25.2"


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"", "line 1, column 1"), (b"Version,25.2;", "line 1, column 1"), (b'{\n "Zone": {}\n 1}', "line 3, column 2")],
)
def test_what_is_not_json_is_refused_with_its_place(content: bytes, place: str) -> None:
    ((where, what),) = faults(epjson(content))
    assert where == place
    assert what.startswith("is not JSON")


@pytest.mark.parametrize("document", [[], None, 3, "Version,25.2;"])
def test_json_that_is_no_object_is_refused(document: Any) -> None:
    assert epjson(document).problems == [
        Problem("room.epJSON", "is not an epJSON object", "classes of named objects"),
    ]


@pytest.mark.parametrize("content", [[], None, "x", {"Room": None}, {"Room": []}, {"Room": {}, "Hall": 3}])
def test_a_class_that_is_no_set_of_objects_is_refused_by_name(content: Any) -> None:
    assert faults(epjson(ROOM | {"Zone": content})) == [("Zone", "is not a set of named objects")]


def test_an_empty_epjson_object_is_refused() -> None:
    assert epjson({}).problems == [Problem("room.epJSON", "contains no EnergyPlus object")]


def test_epjson_in_latin_1_is_read() -> None:
    content = json.dumps({"Zone": {"Büro": {}}}, ensure_ascii=False).encode("latin-1")
    assert [each.name for each in epjson(content).of_class("Zone")] == ["Büro"]


def test_the_order_of_keys_does_not_matter_to_the_version() -> None:
    version = {"Version 1": {"idf_order": 1, "version_identifier": "25.2"}}
    assert epjson(ROOM | {"Version": version}).version == "25.2"


@pytest.mark.parametrize("second", ["Zone", "ZONE"])
def test_a_class_that_is_there_twice_is_not_dropped(second: str) -> None:
    outline = epjson(f'{{"Zone": {{"Room": {{}}}}, "{second}": {{"Hall": {{}}}}}}'.encode())
    assert outline.problems or {each.name for each in outline.of_class("Zone")} == {"Room", "Hall"}


@pytest.mark.parametrize(
    "content",
    [b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b'{"Zone": {"Room": {"multiplier": ' + b"1" * 5_000 + b"}}}"],
    ids=["deep", "long number"],
)
def test_json_made_to_break_the_reader_is_refused(content: bytes) -> None:
    assert epjson(content).problems


# Values by field
@pytest.mark.parametrize(
    ("class_name", "field", "value"),
    [
        ("Material", "Name", "Brick"),
        ("Material", "Roughness", "Rough"),
        ("Material", "Thickness", "0.12"),
        ("Material", "Density", None),
        ("Timestep", "Number of Timesteps per Hour", "4"),
    ],
)
def test_a_value_of_an_idf_is_text(class_name: str, field: str, value: str | None) -> None:
    (each,) = idf(SMALL).of_class(class_name)
    assert each.value(place(class_name, field)) == value


@pytest.mark.parametrize(
    ("class_name", "field", "value"),
    [
        ("Material", "Name", "Brick"),
        ("Material", "Roughness", "Rough"),
        ("Material", "Thickness", 0.12),
        ("Material", "Density", None),
        ("BuildingSurface:Detailed", "Vertex 1 X-coordinate", 1.5),
        ("BuildingSurface:Detailed", "Vertex 2 X-coordinate", 8),
        ("BuildingSurface:Detailed", "Vertex 2 Y-coordinate", None),
        ("BuildingSurface:Detailed", "Vertex 3 X-coordinate", None),
    ],
)
def test_a_value_of_epjson_has_its_type(class_name: str, field: str, value: Any) -> None:
    (each,) = epjson(ROOM).of_class(class_name)
    assert each.value(place(class_name, field)) == value


@pytest.mark.parametrize("group", [None, "x", 3, {"a": 1}, [1], [None], [[]]])
def test_a_repeated_group_of_another_shape_has_no_value(group: Any) -> None:
    each = ModelObject("BuildingSurface:Detailed", "Floor", {"vertices": group})
    assert each.value(place("BuildingSurface:Detailed", "Vertex 1 X-coordinate")) is None
