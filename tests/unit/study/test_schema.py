"""study.json: what is accepted, what is refused, and that a refusal names every fault and its place."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.parsing import parse_study
from epsm.study.schema import Options, Outputs, Study
from tests.conftest import study_document

THICKNESS = {"class": "Material", "object": "Wall Insulation", "field": "Thickness"}


def parse(document: Mapping[str, Any]) -> Study:
    return parse_study(json.dumps(document, ensure_ascii=False).encode())


def faults_of(document: bytes | str) -> dict[str, Problem]:
    """The problems that a document is refused for, by their place behind `study.json: `."""
    with pytest.raises(StudyRejected) as refusal:
        parse_study(document)
    problems = {each.where.removeprefix("study.json").removeprefix(": "): each for each in refusal.value.problems}
    assert len(problems) == len(refusal.value.problems), "one problem a place"
    return problems


def faults(**changes: Any) -> dict[str, Problem]:
    return faults_of(json.dumps(study_document(**changes)))


def parameter(**changes: Any) -> dict[str, Any]:
    """A parameter; None removes a key."""
    whole: dict[str, Any] = {"name": "insulation", **THICKNESS, "values": [0.1, 0.2]} | changes
    return {key: value for key, value in whole.items() if value is not None}


def fault_of_parameter(**changes: Any) -> Problem:
    (fault,) = faults(parameters=[parameter(**changes)]).values()
    return fault


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
    assert "is there twice" in fault.what


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


# What is refused: parameters


@pytest.mark.parametrize("name", ["2nd", "_x", "wall-u", "wall u", "Dämmung", "a.b", "x\n", "a,b", "=1+1", ""])
def test_a_name_that_is_no_column_name_is_refused(name: str) -> None:
    assert fault_of_parameter(name=name).where == "study.json: parameters[0].name"


@pytest.mark.parametrize("names", [("insulation", "insulation"), ("insulation", "Insulation")])
def test_two_parameters_of_one_name_are_refused(names: tuple[str, str]) -> None:
    (fault,) = faults(parameters=[parameter(name=name) for name in names]).values()
    assert "more than once" in fault.what


def test_a_parameter_without_levels_needs_a_list_of_samples() -> None:
    fault = fault_of_parameter(values=None)
    assert fault == Problem(
        "study.json: parameters[0]", "has no levels", "'values', 'multiply', 'range' or 'distribution'"
    )


@pytest.mark.parametrize(
    "other",
    [{"multiply": [2]}, {"range": {"from": 0, "to": 1}}, {"distribution": {"kind": "uniform", "low": 0, "high": 1}}],
)
def test_a_parameter_gives_one_kind_of_levels(other: dict[str, Any]) -> None:
    fault = fault_of_parameter(values=[1], **other)
    assert (fault.where, fault.what.split(";")[0]) == (
        "study.json: parameters[0]",
        f"has values and {next(iter(other))}",
    )


@pytest.mark.parametrize("changes", [{"values": []}, {"values": None, "multiply": []}])
def test_a_parameter_without_levels_is_refused(changes: dict[str, Any]) -> None:
    assert fault_of_parameter(**changes).what == "is empty"


@pytest.mark.parametrize(
    "changes",
    [
        {"values": [1, 2, 1.0]},
        {"values": [0, -0.0]},
        {"values": ["Rough", "Rough"]},
        {"values": None, "multiply": [0.5, 0.5]},
    ],
)
def test_a_level_listed_twice_is_refused(changes: dict[str, Any]) -> None:
    assert fault_of_parameter(**changes).what == "the same value is listed twice"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400])
@pytest.mark.parametrize("key", ["values", "multiply"])
def test_a_number_that_is_not_finite_is_refused(key: str, value: str) -> None:
    varied = {"name": "insulation", **THICKNESS, key: ["@"]}
    document = json.dumps(study_document(parameters=[varied])).replace('"@"', value)
    assert set(faults_of(document)) == {f"parameters[0].{key}[0]"}


@pytest.mark.parametrize("value", [True, None, [], {}, [1], "", "x" * 101])
def test_a_value_that_is_neither_number_nor_short_text_is_refused(value: Any) -> None:
    assert fault_of_parameter(values=[0.1, value]).where == "study.json: parameters[0].values[1]"


def test_what_could_stand_in_place_of_a_wrong_value_is_said_once() -> None:
    assert fault_of_parameter(values=[None]).allowed == "a number or text"


@pytest.mark.parametrize("value", ["2", True, None, "autosize"])
def test_a_factor_that_is_no_number_is_refused(value: Any) -> None:
    fault = fault_of_parameter(values=None, multiply=[value])
    assert (fault.where, fault.allowed) == ("study.json: parameters[0].multiply[0]", "a number")


@pytest.mark.parametrize("key", ["class", "object", "field"])
def test_an_empty_name_is_refused(key: str) -> None:
    assert fault_of_parameter(**{key: ""}) == Problem(f"study.json: parameters[0].{key}", "is empty", "some text")


def test_more_parameters_than_a_table_should_have_are_refused() -> None:
    many = [parameter(name=f"p{number}") for number in range(51)]
    assert faults(parameters=many)["parameters"].allowed == "at most 50 entries"


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


@pytest.mark.parametrize("name", ["meters", "variables"])
def test_the_blank_name_of_an_output_is_refused(name: str) -> None:
    """Every run of such a study would end with a message of EnergyPlus that names no study.json."""
    with pytest.raises(StudyRejected) as refusal:
        parse_study(json.dumps(study_document(outputs={name: [" "]})))
    assert [str(each) for each in refusal.value.problems] == [f"study.json: outputs.{name}[0]: is blank"]
