"""Samples on submission: lists in a CSV, and levels that no sample may have."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.sample_list import read_sample_list
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder

WALL = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
LIGHTS = {"name": "lights", "class": "Lights", "field": "Watts per Floor Area", "apply": "multiply"}
RANDOM = {"method": "random", "samples": 3, "seed": 1}


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    return {"room.idf": one_zone.encode(), "chicago.epw": DAY_OF_WEATHER.encode()}


def accept(files: dict[str, bytes], sampling: dict[str, Any], *parameters: dict[str, Any]) -> CheckedStudy:
    document = study_document(parameters=list(parameters), sampling=sampling)
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], sampling: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, sampling, *parameters)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def test_a_csv_beside_the_study_gives_the_samples_and_belongs_to_the_inputs(files: dict[str, bytes]) -> None:
    table = b"\xef\xbb\xbflights;wall\r\n0.5;0.1\r\n1;0.2\r\n\r\n"
    accepted = accept(files | {"designs/a.csv": table}, {"method": "list", "file": "designs/a.csv"}, WALL, LIGHTS)
    assert [each.values for each in expand(accepted.study)] == [
        {},
        {"wall": 0.1, "lights": 0.5},
        {"wall": 0.2, "lights": 1.0},
    ]
    assert accepted.study.variant_count == 3
    assert "designs/a.csv" in accepted.inputs


def test_a_missing_csv_is_refused_where_it_is_named(files: dict[str, bytes]) -> None:
    found = faults(files, {"method": "list", "file": "a.csv"}, WALL)
    assert list(found) == ["sampling.file"]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("wal\n0.1\n", "a.csv: row 0", "'wall'"),
        ("wall,wall\n0.1,0.2\n", "a.csv: row 0", "twice"),
        ("wall\n", "a.csv", "no samples"),
        ("", "a.csv: row 0", "no column 'wall'"),
        ("wall\n0.1\n0.2,0.3\n", "a.csv: row 2", "2 values"),
        ("wall;x\n0,1;2\n", "a.csv: row 0", "'x'"),
        ('wall\n"0,1"\n', "a.csv: row 1, column wall", "write 0.1"),
        ("wall\nnan\n", "a.csv: row 1, column wall", "finite"),
        ("wall\n0.1\n-5\n", "a.csv: row 2, column wall", "-5 does not fit Material, Thickness"),
        ("wall\nRough\n", "a.csv: row 1, column wall", "'Rough' does not fit"),
    ],
)
def test_a_fault_in_a_csv_is_reported_with_row_and_column(
    files: dict[str, bytes], text: str, place: str, said: str
) -> None:
    found = faults(files | {"a.csv": text.encode()}, {"method": "list", "file": "a.csv"}, WALL)
    assert place in found
    assert said in found[place]


def test_text_that_is_not_utf8_is_refused() -> None:
    rows, problems = read_sample_list("wall\n0.1\nä\n".encode("latin-1"), "a.csv", ["wall"])
    assert (rows, [each.what for each in problems]) == ((), ["is not UTF-8 text (byte 9)"])


@pytest.mark.parametrize(
    ("levels", "place", "said"),
    [
        ({"range": {"from": -0.1, "to": 0.2}}, "parameters[0].range", "-0.1 does not fit"),
        ({"range": {"from": 0.1, "to": -0.2, "steps": 4}}, "parameters[0].range", "does not fit"),
        ({"distribution": {"kind": "normal", "mean": 0.1, "sd": 0.05}}, "parameters[0].distribution", "does not fit"),
        ({"distribution": {"kind": "discrete", "values": [0.1, -1]}}, "parameters[0].distribution.values[1]", "-1"),
    ],
)
def test_levels_out_of_the_fields_bounds_are_refused_whether_or_not_they_are_drawn(
    files: dict[str, bytes], levels: dict[str, Any], place: str, said: str
) -> None:
    found = faults(files, RANDOM, WALL | levels)
    assert list(found) == [place]
    assert said in found[place]


def test_factors_are_checked_on_each_object(files: dict[str, bytes]) -> None:
    found = faults(files, RANDOM, LIGHTS | {"range": {"from": -1, "to": 1}})
    assert list(found) == ["parameters[0].range"]
    assert "would get -" in found["parameters[0].range"]


def test_a_row_of_a_list_that_does_not_fit_is_named(files: dict[str, bytes]) -> None:
    rows = [{"wall": 0.1}, {"wall": -1}, {"wall": -2}]
    found = faults(files, {"method": "list", "rows": rows}, WALL)
    assert list(found) == ["sampling.rows[1].wall", "sampling.rows[2].wall"]


def test_a_field_of_whole_numbers_takes_a_distribution_of_them(files: dict[str, bytes]) -> None:
    steps = {"name": "steps", "class": "Timestep", "field": "Number of Timesteps per Hour"}
    found = faults(files, RANDOM, steps | {"distribution": {"kind": "uniform", "low": 4, "high": 6}})
    assert "'integer'" in found["parameters[0].distribution"]
    allowed = {"kind": "discrete", "values": [4, 6]}
    assert accept(files, RANDOM, steps | {"distribution": allowed}).study.variant_count == 4


def test_the_baseline_has_the_models_own_value_beside_samples(files: dict[str, bytes]) -> None:
    drawn = accept(
        files, RANDOM, WALL | {"range": {"from": 0.1, "to": 0.2}}, LIGHTS | {"range": {"from": 0.5, "to": 1}}
    )
    assert drawn.baseline_values["room.idf"]["lights"] == 1.0
    assert isinstance(drawn.baseline_values["room.idf"]["wall"], float)


def test_more_samples_than_the_stack_takes_are_refused_without_making_them(files: dict[str, bytes]) -> None:
    wall = WALL | {"range": {"from": 0.1, "to": 0.2}}
    found = faults(files, {"method": "sobol", "samples": 131072, "seed": 1}, wall)
    assert "393,217 variants | at most 1,000" in "".join(found.values())
