"""Files as levels: another file of the study replaces a table that a model reads, or the weather."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.checks.file_levels import weather_levels
from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import read_outline
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder
from tests.unit.manifests import manifest_of

YEAR = b"0.5,1\n" * 8_760
OCCUPANCY = {"name": "occupancy", "file": "data/occ.csv", "values": ["low.csv", "data/occ.csv", "data/high.csv"]}
CLIMATE = {"name": "climate", "weather": ["chicago.epw", "golden.epw"]}
WALL = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [0.1]}
READS = """
Schedule:File,Occupancy,Any Number,../data/occ.csv,1,0;
Schedule:File,Second,Any Number,..\\data\\OTHER\\..\\occ.csv,2,0;
Schedule:File,Other,Any Number,../data/other.csv,1,0;
""".replace("..\\data\\OTHER\\..\\", "..\\data\\")


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    tables = ("data/occ.csv", "low.csv", "data/high.csv", "data/other.csv")
    weather = {name: DAY_OF_WEATHER.encode() for name in ("chicago.epw", "golden.epw", "tampa.epw")}
    return {"models/room.idf": (one_zone + READS).encode(), **weather, **dict.fromkeys(tables, YEAR)}


def accept(files: dict[str, bytes], *parameters: dict[str, Any], **changes: Any) -> CheckedStudy:
    document = study_document(**{"models": ["models/room.idf"], "parameters": list(parameters)} | changes)
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, *parameters, **changes)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def parsed(*parameters: dict[str, Any], **changes: Any) -> Study:
    document = study_document(**{"models": ["models/room.idf"], "parameters": list(parameters)} | changes)
    return parse_study(json.dumps(document))


def values(study: Study) -> list[dict[str, Any]]:
    return [variant.values for variant in expand(study)]


# -- a file that models read ---------------------------------------------------------------------------------------


def names_of_files(prepared: PreparedModel, level: str | None) -> list[str]:
    text = prepared.render({} if level is None else {"occupancy": level})
    found = [each.values for each in read_outline(text.encode(), prepared.file_name).of_class("Schedule:File")]
    return [each[2] if isinstance(each, tuple) else each["file_name"] for each in found]


def test_every_object_that_reads_the_file_reads_the_other(engine: Engine, files: dict[str, bytes]) -> None:
    prepared = prepare(files["models/room.idf"], "models/room.idf", parsed(OCCUPANCY), engine.idd)
    own = ["../data/occ.csv", "..\\data\\occ.csv", "../data/other.csv"]
    assert names_of_files(prepared, "low.csv") == ["../low.csv", "../low.csv", "../data/other.csv"]
    assert names_of_files(prepared, "data/high.csv") == ["../data/high.csv", "../data/high.csv", "../data/other.csv"]
    assert names_of_files(prepared, None) == own, "the old names are put back"
    assert prepared.render({"occupancy": "data/occ.csv"}) == prepared.render({}), "its own file leaves the model as is"


def test_an_epjson_reads_the_other_file_too() -> None:
    schedule = {"file_name": "../data/occ.csv", "column_number": 1, "rows_to_skip_at_top": 0}
    model = {"Version": {"Version 1": {"version_identifier": "25.2"}}, "Schedule:File": {"Occupancy": schedule}}
    of = parsed(OCCUPANCY, models=["models/room.epJSON"])
    prepared = prepare(json.dumps(model).encode(), "models/room.epJSON", of, Path("not read of epJSON"))
    assert names_of_files(prepared, "low.csv") == ["../low.csv"]
    assert names_of_files(prepared, None) == ["../data/occ.csv"]


def test_the_study_has_its_files_and_says_what_they_mean(files: dict[str, bytes]) -> None:
    checked = accept(files, OCCUPANCY)
    assert checked.external_files == {"models/room.idf": ("data/occ.csv", "data/other.csv")}
    assert {"low.csv", "data/high.csv"} <= set(checked.inputs)
    assert checked.baseline_values == {"models/room.idf": {"occupancy": "data/occ.csv"}}
    (told,) = checked.targets
    assert str(told) == (
        "occupancy: Schedule:File, File Name of 2 objects in models/room.idf: 'data/occ.csv' -> 'low.csv', "
        "'data/occ.csv', 'data/high.csv'"
    )


def test_the_file_of_the_model_as_a_level_is_the_baseline() -> None:
    assert values(parsed(OCCUPANCY)) == [{}, {"occupancy": "low.csv"}, {"occupancy": "data/high.csv"}]
    without = OCCUPANCY | {"values": ["low.csv"]}
    assert values(parsed(without)) == [{}, {"occupancy": "low.csv"}]
    one_by_one = parsed(OCCUPANCY, WALL, sampling={"method": "one_at_a_time"})
    assert values(one_by_one)[1:] == [{"occupancy": "low.csv"}, {"occupancy": "data/high.csv"}, {"wall": 0.1}]
    assert parsed(OCCUPANCY, WALL).variant_count == 1 + 3


def test_a_run_gets_the_file_of_its_level_beside_those_of_the_model() -> None:
    study = parsed(OCCUPANCY)
    manifest = manifest_of(study, external_files={"models/room.idf": ("data/occ.csv",)})
    baseline, low, _ = expand(study)
    assert manifest.files_of(baseline) == ("data/occ.csv",)
    assert manifest.files_of(low) == ("data/occ.csv", "low.csv")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"1,1\n" * 100, "has 100 rows after the 0 skipped, and Schedule:File 'Second' needs 8,760"),
        (b"1\n" * 8_760, "has 1 columns, and Schedule:File 'Second' reads column 2"),
        (b"1,1\n" * 8_000 + b"x,1\n" * 760, "column 1, which Schedule:File 'Occupancy' reads, is 'x'"),
        (None, "'data/high.csv' is not in the folder"),
    ],
)
def test_a_level_is_checked_like_the_models_own_file(files: dict[str, bytes], content: bytes | None, what: str) -> None:
    if content is None:
        del files["data/high.csv"]
    else:
        files["data/high.csv"] = content
    found = faults(files, OCCUPANCY)
    assert len(found) == 1
    ((where, fault),) = found.items()
    assert what in fault
    assert where.startswith("data/high.csv" if content else "parameters[0].values[2]")


def test_one_file_in_the_places_of_two_is_read_in_one_way(files: dict[str, bytes]) -> None:
    """EnergyPlus parses a file once, with the separator and the skipped rows of the first object."""
    skips = "Schedule:File,Other,Any Number,../data/other.csv,1,1;"
    files["models/room.idf"] = files["models/room.idf"].replace(
        b"Schedule:File,Other,Any Number,../data/other.csv,1,0;", skips.encode()
    )
    for name in ("data/other.csv", "low.csv"):
        files[name] = b"0.5,1\n" * 8_761
    other = {"name": "other", "file": "data/other.csv", "values": ["low.csv"]}
    own = OCCUPANCY | {"values": ["data/high.csv"]}
    accept(files, own, other)
    found = faults(files, OCCUPANCY, other)
    assert "reads low.csv with another separator or Rows to Skip than 'Occupancy'" in "".join(found.values())


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"file": "occ.csv"}, "parameters[0].file", "models/room.idf does not read 'occ.csv' | 'data/occ.csv'"),
        ({"values": ["in.idf"]}, "parameters[0].values[0]", "'in.idf' is not in the folder"),
        ({"values": ["models/eplusout.csv"]}, "parameters[0].values[0]", "a name that EnergyPlus uses for files"),
        ({"values": ["../low.csv"]}, "parameters[0]", "leaves the study's folder"),
        ({"values": ["./low.csv"]}, "parameters[0]", "has the level './low.csv'; write it 'low.csv'"),
        ({"values": [1]}, "parameters[0]", "has files as its levels, and 1 is a number"),
        ({"values": None, "multiply": [1]}, "parameters[0]", "give 'values' or a discrete distribution"),
        ({"values": None}, "parameters[0]", "has no levels"),
        ({"values": None, "distribution": {"kind": "uniform", "low": 0, "high": 1}}, "parameters[0]", "'uniform'"),
        ({"field": "Thickness"}, "parameters[0].field", "is not a key that a study knows"),
    ],
)
def test_what_is_no_file_of_the_model_is_refused(
    files: dict[str, bytes], changes: dict[str, Any], where: str, what: str
) -> None:
    files["models/eplusout.csv"] = YEAR
    changed = {key: value for key, value in (OCCUPANCY | changes).items() if value is not None}
    assert what in faults(files, changed)[where]


def test_a_file_has_one_parameter(files: dict[str, bytes]) -> None:
    found = faults(files, OCCUPANCY, OCCUPANCY | {"name": "again"})
    assert "'data/occ.csv' is varied by 'occupancy' already" in found["parameters[1]"]


def test_files_are_levels_of_lists_and_samples(files: dict[str, bytes]) -> None:
    named = {"name": "occupancy", "file": "data/occ.csv"}
    rows = [{"occupancy": "low.csv"}, {"occupancy": "data/occ.csv"}]
    listed = accept(files, named, sampling={"method": "list", "rows": rows})
    assert "low.csv" in listed.inputs
    rows = [{"occupancy": "lwo.csv"}]
    found = faults(files, named, sampling={"method": "list", "rows": rows})
    assert "'lwo.csv' is not in the folder | 'low.csv'" in found["sampling.rows[0].occupancy"]
    weighted = {"kind": "discrete", "values": ["low.csv", "data/high.csv"], "weights": [9, 1]}
    study = parsed(named | {"distribution": weighted}, sampling={"method": "random", "samples": 64, "seed": 1})
    count = [each["occupancy"] for each in values(study)[1:]].count("low.csv")
    assert 50 < count < 64


# -- the weather ---------------------------------------------------------------------------------------------------


def test_weather_is_a_dimension_of_the_design() -> None:
    found = [(each.weather, each.values) for each in expand(parsed(CLIMATE, WALL))]
    assert found == [
        ("chicago.epw", {}),
        ("chicago.epw", {"climate": "chicago.epw", "wall": 0.1}),
        ("golden.epw", {"climate": "golden.epw", "wall": 0.1}),
    ]
    one_by_one = parsed(WALL, CLIMATE, sampling={"method": "one_at_a_time"})
    assert [(each.weather, each.values) for each in expand(one_by_one)][1:] == [
        ("chicago.epw", {"wall": 0.1}),
        ("golden.epw", {"climate": "golden.epw"}),
    ]
    sampled = parsed(WALL | {"values": [0.1, 0.2]}, CLIMATE, sampling={"method": "sobol", "samples": 4, "seed": 1})
    samples = [each for each in expand(sampled) if each.values]
    assert len(samples) == 4 * 4
    assert all(each.weather == each.values["climate"] for each in samples)
    assert {each.weather for each in samples} == {"chicago.epw", "golden.epw"}


def test_the_weather_of_the_baselines_and_of_the_levels_is_listed() -> None:
    assert list(weather_levels(parsed(CLIMATE))) == ["climate: weather: 'chicago.epw' -> 'golden.epw'"]
    assert list(weather_levels(parsed())) == []


def test_all_weather_files_are_checked(files: dict[str, bytes]) -> None:
    assert {"chicago.epw", "golden.epw"} <= set(accept(files, CLIMATE, WALL).inputs)
    files["golden.epw"] = b"no weather"
    assert any(where.startswith("golden.epw") for where in faults(files, CLIMATE))
    del files["golden.epw"]
    assert "'golden.epw' is not in the folder" in faults(files, CLIMATE)["parameters[0].weather[1]"]


def test_a_model_is_the_same_with_any_weather(engine: Engine, one_zone: str) -> None:
    prepared = prepare(one_zone.encode(), "room.idf", parsed(CLIMATE), engine.idd)
    assert prepared.render({"climate": "golden.epw"}) == prepared.render({})


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"weather": ["chicago.csv"]}, "parameters[0].weather[0]", "weather files end in .epw"),
        ({"values": ["tampa.epw"]}, "parameters[0].values[0]", "'tampa.epw' is not in the parameter's 'weather'"),
        ({"weather": []}, "parameters[0].weather", "is empty"),
        ({"weather": ["golden.epw", "golden.epw"]}, "parameters[0]", "the same value is listed twice"),
    ],
)
def test_what_is_no_weather_is_refused(files: dict[str, bytes], changes: dict[str, Any], where: str, what: str) -> None:
    assert what in faults(files, CLIMATE | changes)[where]


def test_weather_that_is_a_level_has_one_baseline(files: dict[str, bytes]) -> None:
    found = faults(files, CLIMATE, weather=["chicago.epw", "tampa.epw"])
    assert "the study has 2 weather files for the baselines" in found["parameters[0].weather"]
    assert (
        "the weather is varied by 'climate' already" in faults(files, CLIMATE, CLIMATE | {"name": "b"})["parameters[1]"]
    )


def test_rows_of_a_list_name_weather(files: dict[str, bytes]) -> None:
    rows = [{"climate": "golden.epw"}, {"climate": "tampa.epw"}]
    found = faults(files, CLIMATE, sampling={"method": "list", "rows": rows})
    assert found == {"sampling.rows[1].climate": "'tampa.epw' is not in the parameter's 'weather' | 'chicago.epw'"}
    study = parsed(CLIMATE, sampling={"method": "list", "rows": rows[:1]})
    assert [each.weather for each in expand(study)] == ["chicago.epw", "golden.epw"]
