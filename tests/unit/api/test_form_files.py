"""Files of a form: their names, and a study made of them."""

import unicodedata

import pytest

from epsm.api.incoming import (
    study_of_files,
    with_unique_names,
)
from epsm.study.parsing import parse_study


def test_files_without_a_study_are_every_model_with_every_weather() -> None:
    study = parse_study(study_of_files({"a.idf": b"", "b.idf": b""}, {"c.epw": b"", "d.epw": b""}, "Büro"))
    assert (study.name, study.variant_count) == ("Büro", 4)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("office.idf", "office.idf"),
        ("C:\\models\\office.idf", "office.idf"),
        ("../../etc/office.idf", "office.idf"),
        ("/office.idf", "office.idf"),
        ("folder/", "unnamed"),
        ("", "unnamed"),
        (".", "unnamed"),
        ("..", "unnamed"),
        ("a/..", "unnamed"),
        (unicodedata.normalize("NFD", "Büro.idf"), "Büro.idf"),
    ],
)
def test_of_a_files_name_the_last_part_counts(given: str, name: str) -> None:
    assert with_unique_names([(given, b"x")]) == {name: b"x"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["a.idf", "a.idf", "a.idf"], ["a.idf", "a-2.idf", "a-3.idf"]),
        (["a.idf", "A.IDF"], ["a.idf", "A-2.IDF"]),
        (["a-2.idf", "a.idf", "a.idf"], ["a-2.idf", "a.idf", "a-3.idf"]),
        (["Büro.idf", unicodedata.normalize("NFD", "Büro.idf")], ["Büro.idf", "Büro-2.idf"]),
        (["", ""], ["unnamed", "unnamed-2"]),
        (["x/a.tar.gz", "y/a.tar.gz"], ["a.tar.gz", "a.tar-2.gz"]),
    ],
)
def test_files_of_one_name_get_names_of_their_own(given: list[str], named: list[str]) -> None:
    assert list(with_unique_names((name, b"") for name in given)) == named


@pytest.mark.timeout(10)
def test_very_many_files_of_one_name_are_named_soon() -> None:
    assert len(with_unique_names(("a.idf", b"") for _ in range(20_000))) == 20_000
