"""Reading IDF files: objects, values, lines and faults."""

from pathlib import Path

import pyenergyplus
import pytest

from epsm.energyplus.idf_text import decode
from epsm.energyplus.model_reader import ModelObject, ModelOutline, read_outline
from epsm.problems import Problem
from tests.unit.energyplus.model_texts import SMALL, faults, idf

REAL_MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"


def values(outline: ModelOutline, class_name: str) -> list[tuple[str, ...]]:
    return [tuple(each.values) for each in outline.of_class(class_name)]


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
