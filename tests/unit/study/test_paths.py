"""Paths of models, weather and lists in a study."""

import pytest

from epsm.problems import Problem
from tests.unit.study.documents import faults, parameter


# What is refused: paths
@pytest.mark.parametrize(
    "path",
    [
        "../room.idf",
        "models/../../room.idf",
        "models/../room.idf",
        "..",
        ".",
        "/room.idf",
        "//server/share/room.idf",
        "C:/room.idf",
        "c:room.idf",
        "C:\\models\\room.idf",
        "..\\room.idf",
        "models\\room.idf",
        "\\\\server\\room.idf",
        "s3://bucket/room.idf",
        "file:///room.idf",
    ],
)
def test_a_file_outside_the_study_is_refused(path: str) -> None:
    (fault,) = faults(models=[path]).values()
    assert fault.where == "study.json: models[0]"
    assert "leaves the study's folder" in fault.what


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x85"])
def test_control_characters_in_a_path_are_refused(character: str) -> None:
    fault = faults(models=[f"ro{character}om.idf"])["models[0]"]
    assert "control characters" in fault.what
    assert character not in fault.what


@pytest.mark.parametrize("path", ["room", "room.txt", ".idf", "room.idf.zip", "room.epw", "room.idf ", "idf"])
def test_a_model_of_another_kind_is_refused(path: str) -> None:
    assert "models end in .idf or .epJSON" in faults(models=[path])["models[0]"].what


@pytest.mark.parametrize("path", ["chicago", "chicago.ddy", "chicago.idf", "chicago.epw.gz"])
def test_weather_of_another_kind_is_refused(path: str) -> None:
    assert "weather files end in .epw" in faults(weather=[path])["weather[0]"].what


@pytest.mark.parametrize("path", ["", "x" * 401 + ".idf"])
def test_the_length_of_a_path_is_bounded(path: str) -> None:
    assert set(faults(models=[path])) == {"models[0]"}


@pytest.mark.parametrize("key", ["models", "weather"])
def test_an_empty_list_is_refused(key: str) -> None:
    assert faults(**{key: []})[key] == Problem(f"study.json: {key}", "is empty", "at least one entry")


def test_a_list_whose_entries_are_wrong_is_not_called_empty_too() -> None:
    assert set(faults(models=["room.txt"])) == {"models[0]"}


@pytest.mark.parametrize(
    "models",
    [
        ["room.idf", "room.idf"],
        ["room.idf", "ROOM.idf"],
        ["room.idf", "./room.idf"],
        ["B\u00fcro.idf", "Bu\u0308ro.idf"],
    ],
)
def test_a_file_named_twice_is_refused(models: list[str]) -> None:
    (fault,) = faults(models=models).values()
    assert "more than once" in fault.what


def test_names_used_twice_are_reported_with_all_other_faults() -> None:
    twice = [parameter(name="a"), parameter(name="A")]
    found = faults(models=["a.idf", "A.idf"], weather=["b.epw", "B.epw"], parameters=twice, options={"timeout_s": 0})
    assert set(found) == {"models", "weather", "parameters", "options.timeout_s"}
