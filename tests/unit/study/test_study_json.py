"""Invalid study.json files: syntax, keys, types, depth."""

import json
from typing import Any

import pytest

from epsm.problems import Problem
from tests.conftest import study_document
from tests.unit.study.documents import faults, faults_of, parameter, parse


# What is refused: the document
@pytest.mark.parametrize(
    ("document", "place"),
    [
        (b"", "line 1, column 1"),
        (b"models: [room.idf]", "line 1, column 1"),
        (b'{"models": ["room.idf"]', "line 1, column 24"),
        (b'{\n "models": ["room.idf"]\n "weather"}', "line 3, column 2"),
        (b"<html></html>", "line 1, column 1"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(document: bytes, place: str) -> None:
    (fault,) = faults_of(document).values()
    assert fault.where == f"study.json: {place}"
    assert fault.what.startswith("is not JSON")


def test_a_comma_too_many_is_refused_near_its_place() -> None:
    (fault,) = faults_of(b'{\n "models": ["room.idf"],\n}').values()
    # Python 3.13 names the comma, earlier versions what follows it.
    assert fault.where in ("study.json: line 2, column 24", "study.json: line 3, column 1")
    assert fault.what.startswith("is not JSON")


@pytest.mark.parametrize("document", ['{"models": "Büro"}'.encode("latin-1"), "{}".encode("utf-16")])
def test_another_encoding_than_utf_8_is_refused(document: bytes) -> None:
    assert "UTF-8" in faults_of(document)[""].what


@pytest.mark.parametrize("document", ["null", "[]", '"study"', "3", "true"])
def test_json_that_is_no_object_is_refused(document: str) -> None:
    assert faults_of(document)[""] == Problem("study.json", f"{document} is not an object", "an object in { }")


def test_models_and_weather_are_needed() -> None:
    found = faults_of("{}")
    assert {path: fault.what for path, fault in found.items()} == {"models": "is missing", "weather": "is missing"}


@pytest.mark.parametrize(
    "document", ['{"models": ["a.idf"], "models": ["b.idf"]}', '{"options": {"timeout_s": 1, "timeout_s": 2}}']
)
def test_a_repeated_key_is_refused_at_any_depth(document: str) -> None:
    (fault,) = faults_of(document).values()
    assert "occurs twice" in fault.what


def test_every_fault_is_named_at_once_with_its_place() -> None:
    document = study_document(
        schema=3,
        name=5,
        models=["../room.idf", "room.txt"],
        weather=[],
        parameters=[{}, parameter(name="2nd"), parameter(multiply=[2]), parameter(values=[0.1, None]), "x"],
        sampling={"method": "lhs"},
        outputs={"frequency": "hourly", "keep": ["err", "xml"], "meters": [""]},
        options={"timeout_s": 0, "max_concurrency": 1e9, "retention_days": "long"},
        webhook="https://example.org",
    )
    assert set(faults_of(json.dumps(document))) == {
        "schema",
        "name",
        "models[0]",
        "models[1]",
        "weather",
        "parameters[0].name",
        "parameters[0].class",
        "parameters[0].field",
        "parameters[1].name",
        "parameters[2]",
        "parameters[3].values[1]",
        "parameters[4]",
        "sampling.method",
        "outputs.frequency",
        "outputs.keep[1]",
        "outputs.meters[0]",
        "options.timeout_s",
        "options.max_concurrency",
        "options.retention_days",
        "webhook",
    }


def test_the_known_key_is_suggested_for_one_like_it() -> None:
    document = study_document(options={"timout_s": 60}, paramters=[])
    faults = faults_of(json.dumps(document))
    assert "'timeout_s'" in faults["options.timout_s"].allowed
    assert "'parameters'" in faults["paramters"].allowed


def test_where_an_editor_finds_the_schema_may_be_said_and_is_not_kept() -> None:
    read = parse(study_document() | {"$schema": "study.schema.json"})
    assert read.model_dump(by_alias=True).keys() & {"$schema"} == set()


@pytest.mark.parametrize("place", ["", "parameters[0]", "sampling", "outputs", "options"])
def test_an_unknown_key_is_refused_at_any_depth(place: str) -> None:
    document = study_document(sampling={}, outputs={}, options={})
    target: Any = document["parameters"][0] if place == "parameters[0]" else document[place] if place else document
    target["colour"] = "red"
    (path, fault), *others = faults_of(json.dumps(document)).items()
    assert path == f"{place}.colour".removeprefix(".")
    assert fault.what == "is not a key that a study knows"
    assert not others


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("models", "room.idf", "a list in [ ]"),
        ("weather", {"a": 1}, "a list in [ ]"),
        ("parameters", None, "a list in [ ]"),
        ("name", ["x"], "text"),
        ("outputs", [], "an object in { }"),
        ("options", 3, "an object in { }"),
        ("sampling", "grid", "an object in { }"),
    ],
)
def test_a_wrong_type_is_refused_with_the_right_one(key: str, value: Any, allowed: str) -> None:
    assert faults(**{key: value})[key].allowed == allowed


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_of_the_schema_is_refused(version: Any) -> None:
    assert faults(schema=version)["schema"].allowed == "1"


def test_a_long_wrong_value_is_not_repeated_in_full() -> None:
    assert len(faults(name="x" * 100_000)["name"].what) < 100


# Documents made to break the reader
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(opening: str, closing: str) -> None:
    # Python 3.13 reads 2,000 levels and more, which then are not a study; none reads 100,000.
    assert faults_of(opening * 2_000 + "1" + closing * 2_000)
    assert faults_of(opening * 100_000 + "1" + closing * 100_000)[""].what == "is nested too deeply"


def test_nesting_of_any_depth_is_refused() -> None:
    for depth in range(850, 1_000):
        faults_of("[" * depth + "1" + "]" * depth)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    faults_of('{"name": ' + "1" * 5_000 + "}")


@pytest.mark.parametrize("document", ['{"name": "\\ud800"}', '{"\\ud800": 1}', '{"\\ud800": 1, "\\ud800": 2}'])
def test_a_refusal_can_be_written_as_utf_8(document: str) -> None:
    for fault in faults_of(document).values():
        str(fault).encode()
