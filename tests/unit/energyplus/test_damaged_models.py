"""Models that are damaged, cut off or something else."""

import json
import random

import pytest

from epsm.energyplus.idf_text import decode
from epsm.energyplus.model_reader import read_outline
from tests.unit.energyplus.model_texts import ROOM, epjson, idf

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
