"""Which fields and objects an edit reaches, and which values can be written into them."""

import random
import struct

import pytest
from pydantic import ValidationError

from epsm.energyplus.documents import number_text
from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine
from tests.unit.energyplus.edited_models import INSULATION, object_of, prepared, values_of


def test_a_text_value_is_written_as_it_is(engine: Engine, one_zone: str) -> None:
    outer = {"name": "outer", "class": "Construction", "object": "Roof", "field": "Outside Layer", "values": ["Brick"]}

    text = prepared(engine, one_zone, outer).render({"outer": "Brick"})

    assert object_of(text, "Construction", "Roof") == ("Roof", "Brick", "Wall Insulation")


@pytest.mark.parametrize(
    "value", ["City; Zone, Uninvited", "City, 90", "City ! and no comma behind it", "City\nSuburbs"]
)
def test_a_text_value_cannot_bring_in_a_field_or_an_object(engine: Engine, one_zone: str, value: str) -> None:
    terrain = {"name": "t", "class": "Building", "field": "Terrain", "values": [value]}

    with pytest.raises((ValidationError, CannotEdit)):
        prepared(engine, one_zone, terrain).render({"t": value})


def test_a_word_may_stand_in_a_number_field(engine: Engine, one_zone: str) -> None:
    volume = {"name": "volume", "class": "Zone", "object": "Room", "field": "Volume", "values": ["autocalculate", 140]}

    text = prepared(engine, one_zone, volume).render({"volume": "autocalculate"})

    assert object_of(text, "Zone", "Room")[8] == "autocalculate"


def test_an_extensible_field_is_found_by_its_number(engine: Engine, one_zone: str) -> None:
    hours = {
        "name": "h",
        "class": "Schedule:Compact",
        "object": "Office Hours",
        "field": "Field 6",
        "values": ["0.7"],
    }

    text = prepared(engine, one_zone, hours).render({"h": "0.7"})

    assert object_of(text, "Schedule:Compact", "Office Hours")[6:8] == ("Until: 18:00", "0.7")


def test_a_vertex_is_found_by_its_number(engine: Engine, one_zone: str) -> None:
    height = {
        "name": "h",
        "class": "FenestrationSurface:Detailed",
        "object": "South Window",
        "field": "Vertex 4 Z-coordinate",
        "values": [2.4],
    }

    text = prepared(engine, one_zone, height).render({"h": 2.4})

    assert object_of(text, "FenestrationSurface:Detailed", "South Window")[-1] == "2.4"


def test_a_star_means_every_object_of_the_class(engine: Engine, one_zone: str) -> None:
    thick = {"name": "t", "class": "Material", "object": "*", "field": "Thickness", "values": [0.2]}

    text = prepared(engine, one_zone, thick).render({"t": 0.2})

    assert [values[2] for values in values_of(text, "Material")] == ["0.2", "0.2", "0.2"]


def test_a_star_in_a_name_means_any_characters(engine: Engine, one_zone: str) -> None:
    thick = {"name": "t", "class": "Material", "object": "*c*", "field": "Thickness", "values": [0.2]}

    text = prepared(engine, one_zone, thick).render({"t": 0.2})

    assert [values[2] for values in values_of(text, "Material")] == ["0.2", "0.05", "0.2"]


def test_case_does_not_count_in_names(engine: Engine, one_zone: str) -> None:
    shouted = {"name": "t", "class": "MATERIAL", "object": "WALL insulation", "field": "THICKNESS", "values": [0.2]}

    text = prepared(engine, one_zone, shouted).render({"t": 0.2})

    assert object_of(text, "Material", "Wall Insulation")[2] == "0.2"


def test_only_ascii_letters_lose_their_case_as_in_the_engine(engine: Engine, one_zone: str) -> None:
    two = "Material,Putz Strasse,Rough,0.1,1,1000,900;\nMaterial,Putz Straße,Rough,0.2,1,1000,900;\n"
    strasse = {"name": "t", "class": "Material", "object": "PUTZ STRASSE", "field": "Thickness", "values": [0.3]}

    text = prepared(engine, one_zone + two, strasse).render({"t": 0.3})

    assert object_of(text, "Material", "Putz Strasse")[2] == "0.3"
    assert object_of(text, "Material", "Putz Straße")[2] == "0.2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"object": "No Such"}, "insulation: the model has no Material 'No Such'"),
        ({"field": "No Such"}, "insulation: Material has no field 'No Such'"),
        ({"class": "NoSuch"}, "'NoSuch' is not a class of EnergyPlus"),
    ],
)
def test_a_parameter_that_does_not_fit_says_why(
    engine: Engine, one_zone: str, change: dict[str, str], message: str
) -> None:
    model = prepared(engine, one_zone, INSULATION | change)

    with pytest.raises(CannotEdit) as refused:
        model.render({"insulation": 0.3})

    assert str(refused.value) == message


def test_a_value_that_cannot_be_multiplied_is_named(engine: Engine, one_zone: str) -> None:
    blank = {"name": "lights", "class": "Lights", "field": "Lighting Level", "multiply": [2]}

    with pytest.raises(CannotEdit, match="lights: '' cannot be multiplied"):
        prepared(engine, one_zone, blank).render({"lights": 2.0})


# -- numbers -----------------------------------------------------------------------------------------------------
def test_any_number_is_read_back_exactly() -> None:
    source = random.Random(25_2)
    every_bit_pattern = (struct.unpack("<d", source.randbytes(8))[0] for _ in range(20_000))
    everyday = (round(source.uniform(-1e6, 1e6), source.randint(0, 9)) for _ in range(20_000))

    wrong = [
        value
        for value in (*every_bit_pattern, *everyday, 0.0, -0.0, 1e15, 1e15 + 1, 5e-324, 1.7976931348623157e308)
        if value == value and abs(value) != float("inf") and float(number_text(value)) != value
    ]

    assert wrong == []


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (-2.0, "-2"), (0.1, "0.1"), (1e-7, "1e-07"), (4, "4")])
def test_a_number_is_written_short(value: float, text: str) -> None:
    assert number_text(value) == text
