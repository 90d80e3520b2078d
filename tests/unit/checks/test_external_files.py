"""Files that models read: found from the model, and refused where no disk or study can hold them."""

import json

import pytest

from epsm.checks.models import CheckedModel
from epsm.energyplus import dictionary
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from tests.unit.checks.checked_models import as_epjson, check


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
    assert "study.json is the name of the study's own file" in found.what


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
