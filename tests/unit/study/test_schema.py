"""Valid studies as they are read; their options and outputs."""

import json
from typing import Any

import pytest

from epsm.errors import StudyRejected
from epsm.study.parsing import parse_study
from epsm.study.schema import Options, Outputs, Study
from tests.conftest import study_document
from tests.unit.study.documents import faults, faults_of, parameter, parse


# What is accepted
def test_a_model_and_a_weather_file_are_enough() -> None:
    study = parse({"models": ["room.idf"], "weather": ["chicago.epw"]})
    assert study == Study(models=("room.idf",), weather=("chicago.epw",))
    assert study.schema_version == 1
    assert (study.name, study.parameters, study.sampling.method) == ("", (), "grid")
    assert study.outputs == Outputs(meters=(), variables=(), frequency="Hourly", keep=("err", "sql"))
    assert study.options == Options(
        run_period="as_in_model",
        max_concurrency=100,
        tolerated_failure_percentage=100,
        timeout_s=840,
        retention_days=30,
    )


def test_a_whole_study_is_read_as_it_is_written() -> None:
    document = {
        "schema": 1,
        "name": "Büro – Sanierung",
        "models": ["room.idf", "models/office.epJSON"],
        "weather": ["chicago.epw", "weather/golden.EPW"],
        "parameters": [
            parameter(name="insulation", unit="m", values=[0.05, 0.1]),
            parameter(name="lighting", **{"class": "Lights"}, object="*", values=None, multiply=[1.0, 0.7]),
        ],
        "sampling": {"method": "grid"},
        "outputs": {
            "meters": ["Electricity:Facility"],
            "variables": ["Zone Mean Air Temperature"],
            "frequency": "Daily",
            "keep": ["err", "htm"],
        },
        "options": {
            "run_period": "annual",
            "max_concurrency": 7,
            "tolerated_failure_percentage": 12.5,
            "timeout_s": 60,
            "retention_days": 1,
            "notify": False,
        },
    }
    written = json.loads(parse(document).model_dump_json(by_alias=True, exclude_unset=True))
    assert written == document


def test_a_study_survives_being_stored() -> None:
    study = parse(study_document(parameters=[parameter(values=[0.1, "autosize"])]))
    assert Study.model_validate_json(study.model_dump_json(by_alias=True)) == study


def test_a_parameter_without_an_object_means_every_object() -> None:
    (read,) = parse(study_document(parameters=[parameter(object=None)])).parameters
    assert [target.object_name for target in read.all_targets] == ["*"]


def test_whole_numbers_are_numbers() -> None:
    (read,) = parse(study_document(parameters=[parameter(values=[1, 2])])).parameters
    assert read.levels == (1.0, 2.0)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_study(b"\xef\xbb\xbf" + json.dumps(study_document()).encode()) == parse(study_document())


@pytest.mark.parametrize(
    "path",
    [
        "room.idf",
        "ROOM.IDF",
        "models/deep/room.idf",
        "office block 3.idf",
        "Büro Süd.idf",
        "事務所.idf",
        "50%+10%25.idf",
        "%2e%2e/room.idf",
        "a&b=c#d?.idf",
        "..room.idf",
        "...../room.idf",
        "room.v2.idf",
        "~/room.idf",
        "a/b:c.idf",
    ],
)
def test_unusual_names_are_accepted(path: str) -> None:
    assert parse(study_document(models=[path])).models == (path,)


@pytest.mark.parametrize("path", ["./a/room.idf", "a//room.idf", "a/./room.idf"])
def test_paths_are_brought_into_their_plain_form(path: str) -> None:
    assert parse(study_document(models=[path])).models == ("a/room.idf",)


def test_names_in_the_form_of_macos_are_brought_into_that_of_everyone_else() -> None:
    assert parse(study_document(models=["Bu\u0308ro.idf"])).models == ("B\u00fcro.idf",)


# What is refused: options and outputs
@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("timeout_s", 0, ">= 1"),
        ("timeout_s", 86_401, "<= 86400"),
        ("timeout_s", 1.5, "a whole number"),
        ("timeout_s", None, "a whole number"),
        ("max_concurrency", 0, ">= 1"),
        ("max_concurrency", 10_001, "<= 10000"),
        ("retention_days", 0, ">= 1"),
        ("retention_days", 10**30, "<= 3650"),
        ("notify", "no", "true or false"),
        ("notify", 0, "true or false"),
        ("tolerated_failure_percentage", -1, ">= 0"),
        ("tolerated_failure_percentage", 100.1, "<= 100"),
        ("tolerated_failure_percentage", "all", "a number"),
        ("run_period", "Annual", "'as_in_model', 'annual' or 'design_days'"),
    ],
)
def test_an_option_out_of_its_bounds_is_refused_with_them(option: str, value: Any, allowed: str) -> None:
    assert faults(options={option: value})[f"options.{option}"].allowed == allowed


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
@pytest.mark.parametrize("option", ["timeout_s", "tolerated_failure_percentage"])
def test_an_option_that_is_not_finite_is_refused(option: str, value: str) -> None:
    document = json.dumps(study_document(options={option: "@"})).replace('"@"', value)
    assert set(faults_of(document)) == {f"options.{option}"}


@pytest.mark.parametrize(
    ("outputs", "place"),
    [
        ({"frequency": "hourly"}, "outputs.frequency"),
        ({"keep": ["pdf"]}, "outputs.keep[0]"),
        ({"meters": [3]}, "outputs.meters[0]"),
        ({"variables": [""]}, "outputs.variables[0]"),
        ({"meters": "Electricity:Facility"}, "outputs.meters"),
    ],
)
def test_outputs_that_do_not_exist_are_refused(outputs: dict[str, Any], place: str) -> None:
    assert set(faults(outputs=outputs)) == {place}


def test_only_the_documented_keys_are_known() -> None:
    renamed = parameter(**{"class": None, "object": None}, class_name="Material", object_name="Brick")
    found = faults(schema_version=1, parameters=[renamed])
    assert {"schema_version", "parameters[0].class_name", "parameters[0].object_name"} <= set(found)


@pytest.mark.parametrize("value", ["100", True])
def test_an_option_of_the_wrong_type_is_refused(value: Any) -> None:
    assert set(faults(options={"max_concurrency": value})) == {"options.max_concurrency"}


def test_an_unknown_key_is_named_whatever_it_is_called() -> None:
    assert set(faults(str=1)) == {"str"}


@pytest.mark.parametrize("name", ["meters", "variables"])
def test_the_blank_name_of_an_output_is_refused(name: str) -> None:
    """Every run of such a study would end with a message of EnergyPlus that names no study.json."""
    with pytest.raises(StudyRejected) as refusal:
        parse_study(json.dumps(study_document(outputs={name: [" "]})))
    assert [str(each) for each in refusal.value.problems] == [f"study.json: outputs.{name}[0]: is blank"]
