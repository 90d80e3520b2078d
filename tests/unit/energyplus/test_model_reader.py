"""Reading a model file: objects and values with their lines, and what is wrong with the syntax."""

import json
import random
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.idf_text import decode
from epsm.energyplus.model_reader import ModelObject, ModelOutline, read_outline
from epsm.problems import Problem

REAL_MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"
SMALL = """Version,25.2;

Material,
  Brick,      !- Name
  Rough,      !- Roughness
  0.12;       !- Thickness {m}

Timestep,4;
"""


def idf(text: str | bytes) -> ModelOutline:
    return read_outline(text if isinstance(text, bytes) else text.encode(), "room.idf")


def epjson(document: Any) -> ModelOutline:
    return read_outline(document if isinstance(document, bytes) else json.dumps(document).encode(), "room.epJSON")


def faults(outline: ModelOutline) -> list[tuple[str, str]]:
    """Place behind the file's name, and fault."""
    return [(each.where.partition(": ")[2], each.what) for each in outline.problems]


def values(outline: ModelOutline, class_name: str) -> list[tuple[str, ...]]:
    return [tuple(each.values) for each in outline.of_class(class_name)]


def place(class_name: str, field: str) -> FieldPlace:
    rule = dictionary.load().find_class(class_name)
    found = rule.find_field(field) if rule else None
    assert found is not None
    return found


# IDF that is sound


def test_objects_are_found_with_their_values_and_lines() -> None:
    outline = idf(SMALL)
    assert not outline.problems
    assert list(outline.all()) == [
        ModelObject("Version", "25.2", ("25.2",), 1),
        ModelObject("Material", "Brick", ("Brick", "Rough", "0.12"), 3),
        ModelObject("Timestep", "4", ("4",), 8),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Material,Brick,Rough,0.12;",
        "  Material ,\tBrick ,  Rough,0.12  ;  ",
        "Material,\n\n  Brick,\n! between\n  Rough,\n  0.12\t;",
        "Material,Brick,\nRough,0.12;",
        "Material,Brick,Rough,0.12;!no space",
        "Timestep,4; Material,Brick,Rough,0.12; Zone,Room;",
        "Timestep,4;Material,\nBrick,Rough,0.12;Zone,Room;",
    ],
)
def test_the_layout_of_an_object_does_not_matter(text: str) -> None:
    outline = idf(text)
    assert not outline.problems
    assert values(outline, "Material") == [("Brick", "Rough", "0.12")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_is_read(ending: str) -> None:
    outline = idf(SMALL.replace("\n", ending))
    assert not outline.problems
    assert outline.of_class("Timestep")[0].line == 8


@pytest.mark.parametrize("comment", ["!", "! a, b; c", "!- Name {m}", "!!;;,,", "! ## not a macro", "! Grüße"])
def test_what_stands_in_a_comment_is_no_value(comment: str) -> None:
    outline = idf(f"{comment}\nMaterial, {comment}\n  Brick; {comment}\n{comment}")
    assert not outline.problems
    assert values(outline, "Material") == [("Brick",)]


def test_blank_values_are_kept_in_their_place() -> None:
    assert values(idf("Lights,Room Lights,,,\n ,\n 400, ;"), "Lights") == [("Room Lights", "", "", "", "400", "")]


def test_an_object_may_have_no_values() -> None:
    assert values(idf("Output:Diagnostics;"), "Output:Diagnostics") == [()]


@pytest.mark.parametrize("name", ["Material", "MATERIAL", "material"])
def test_classes_are_found_in_any_case(name: str) -> None:
    outline = idf("MATERIAL,a; Material,b; material,c;")
    assert values(outline, name) == [("a",), ("b",), ("c",)]


def test_a_class_that_is_not_there_has_no_objects() -> None:
    assert idf(SMALL).of_class("Zone") == []


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Version,25.2;", "25.2"),
        ("VERSION,\n  9.2;  !- Version Identifier", "9.2"),
        ("Zone,Room; Version, 25.2.0 ;", "25.2.0"),
        ("Version,;", None),
        ("Version;", None),
        ("Zone,Room;", None),
    ],
)
def test_the_version_is_what_the_version_object_says(text: str, version: str | None) -> None:
    assert idf(text).version == version


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_umlauts_are_read_from_any_encoding_in_use(encoding: str) -> None:
    outline = idf("Zone,Büro;".encode(encoding))
    assert not outline.problems
    assert [each.name for each in outline.of_class("Zone")] == ["Büro"]


def test_names_of_any_script_are_read_from_utf_8() -> None:
    assert decode("Zone,事務所;".encode()) == "Zone,事務所;"


@pytest.mark.parametrize("path", sorted(REAL_MODELS.glob("*Small*.idf")), ids=lambda path: path.stem)
def test_real_models_have_no_faults(path: Path) -> None:
    outline = read_outline(path.read_bytes(), path.name)
    assert not outline.problems
    assert outline.version == "25.2"


@pytest.mark.parametrize("separator", [b"\x85", b"\x0b", b"\x0c", b"\x1c", "\u2028".encode(), "\u0085".encode()])
def test_only_line_ends_end_a_comment(separator: bytes) -> None:
    # 0x85 is the ellipsis of Windows' editors; the engine takes all of these for a part of the comment.
    outline = idf(SMALL.encode().replace(b"Name", b"Name " + separator + b" of it"))
    assert not outline.problems


@pytest.mark.parametrize("text", ["Timestep,4;;", "Timestep,4;\n;\n", "Material,\n  Brick\n  ;"])
def test_what_the_engine_reads_is_sound(text: str) -> None:
    outline = idf(text)
    assert not outline.problems
    assert "" not in outline.objects


# IDF with faults


def test_a_missing_comma_is_named_with_its_line() -> None:
    outline = idf(SMALL.replace("Rough,", "Rough "))
    assert faults(outline) == [("line 5", "'Rough' is not followed by ',' or ';'")]


def test_after_a_missing_comma_reading_continues() -> None:
    outline = idf(SMALL.replace("Rough,", "Rough ").replace("Brick,", "Brick "))
    assert [where for where, _ in faults(outline)] == ["line 4", "line 5"]
    assert values(outline, "Material") == [("Brick", "Rough", "0.12")]
    assert values(outline, "Timestep") == [("4",)]


def test_a_missing_semicolon_is_named_with_its_line() -> None:
    outline = idf(SMALL.replace("0.12;", "0.12 "))
    assert faults(outline) == [("line 6", "'0.12' is not followed by ',' or ';'")]


def test_a_long_piece_of_something_else_is_not_repeated_in_full() -> None:
    ((_, what),) = faults(idf("Timestep,4;\n" + "x" * 5_000 + "\nTimestep,4;"))
    assert len(what) <= 300


@pytest.mark.parametrize("ending", ["", ",", ",\n\n! end\n", "\n"])
def test_a_last_object_that_is_not_ended_is_named_with_its_line(ending: str) -> None:
    outline = idf("Timestep,4;\nZone,\n  Room" + ending)
    assert faults(outline) == [("line 2", "the last object, 'Zone', has no ';'")]


@pytest.mark.parametrize("text", ["Timestep,4;\nZone", "Timestep,4;\nZone\n", "Timestep,4;\nZone\n,Room,"])
def test_a_class_name_alone_at_the_end_is_named_with_its_line(text: str) -> None:
    assert {where for where, _ in faults(idf(text))} == {"line 2"}


@pytest.mark.parametrize("command", ["##include walls.imf", "##set1 x[] 3", "   ##if #[x[] EQS 3]", "##"])
def test_a_macro_command_is_refused_with_its_line(command: str) -> None:
    outline = idf(f"Timestep,4;\n{command}\nZone,Room;")
    assert faults(outline) == [("line 2", f"has the macro command '{command.split()[0]}'")]
    assert values(outline, "Zone") == [("Room",)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"! nothing but a comment\n", b"\xef\xbb\xbf", b" \t\r\n"])
def test_a_file_without_objects_is_refused(content: bytes) -> None:
    assert idf(content).problems == [Problem("room.idf", "contains no EnergyPlus object")]


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n",
        b"<html><body><h1>Access Denied</h1></body></html>",
        b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>',
        b"%PDF-1.7\n1 0 obj\n",
        b"PK\x03\x04" + bytes(range(256)),
        b'{"Version": {}}',
        SMALL.encode("utf-16"),
    ],
    ids=["html", "html on one line", "xml", "pdf", "zip", "json", "utf-16"],
)
def test_a_file_of_another_kind_is_refused(content: bytes) -> None:
    assert idf(content).problems


# epJSON


ROOM: dict[str, Any] = {
    "Version": {"Version 1": {"version_identifier": "25.2"}},
    "Material": {"Brick": {"roughness": "Rough", "thickness": 0.12}},
    "BuildingSurface:Detailed": {
        "Floor": {"vertices": [{"vertex_x_coordinate": 1.5, "vertex_y_coordinate": 0}, {"vertex_x_coordinate": 8}]}
    },
    "Lights": {},
}


def test_epjson_objects_are_found_with_their_fields() -> None:
    outline = epjson(ROOM)
    assert not outline.problems
    assert outline.of_class("MATERIAL") == [ModelObject("Material", "Brick", {"roughness": "Rough", "thickness": 0.12})]
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


# Random damage

PIECES = (
    b",",
    b";",
    b"!",
    b"\n",
    b"\r",
    b"##",
    b"\x00",
    b"\xff",
    b"\xc3(",
    b"\xef\xbb\xbf",
    b"Zone,",
    b'"',
    b"{",
    b"]",
)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with a few places cut out, doubled or overwritten."""
    result = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(result) + 1)
        end = start + chance.choice((0, 1, 3, 40))
        filling = chance.choice((b"", chance.choice(PIECES), chance.randbytes(5), bytes(result[start : start + 200])))
        result[start:end] = filling
    return bytes(result)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_idf_is_read_or_refused(seed: int, one_zone: str) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        outline = idf(damaged(one_zone.encode(), chance))
        assert outline.objects or outline.problems


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_epjson_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        outline = epjson(damaged(json.dumps(ROOM).encode(), chance))
        assert outline.objects or outline.problems


@pytest.mark.parametrize("seed", range(10))
def test_a_file_cut_off_anywhere_keeps_the_objects_before_the_cut(seed: int, one_zone: str) -> None:
    content = one_zone.encode()
    whole = list(idf(content).all())
    assert all(each in whole for each in idf(content[: random.Random(seed).randrange(len(content))]).all())


def test_text_of_windows_keeps_its_quotes_and_dashes() -> None:
    name = "Büro \u201cNord\u201d \u2013 alt\u2026"
    assert decode(f"Zone,{name};".encode("cp1252")) == f"Zone,{name};"
    assert decode(b"Zone,B\xfcro \x81;") == "Zone,Büro \x81;"  # means nothing in Windows-1252


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Version,25.2;\n".encode("utf-16"), "room.idf: is text in UTF-16, which EnergyPlus does not read"),
        (b'\n{"Version": {}}', "room.idf: is not IDF but looks like epJSON (allowed: a name that ends in .epJSON)"),
        (b"OS:Version,\n {a}, !- Handle\n 3.9.0;\n", "room.idf: is an OpenStudio model (OSM)"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(content: bytes, said: str) -> None:
    (problem,) = read_outline(content, "room.idf").problems
    assert str(problem).startswith(said)


@pytest.mark.parametrize("line", ["##include a\n", "abc\n"])
def test_a_fault_in_every_line_is_listed_for_some_and_counted_for_the_rest(line: str) -> None:
    """A refusal has to fit into an answer: 775,000 problems did not."""
    problems = read_outline((line * 1_000 + "Version,25.2;").encode(), "room.idf").problems
    assert len(problems) < 30
    assert any("980 further lines have such faults" in each.what for each in problems)


def test_what_was_found_is_shown_with_what_is_wrong_with_it() -> None:
    (problem,) = read_outline(b"x" * 5_000, "room.idf").problems
    assert problem.what.endswith("has no ';'")
