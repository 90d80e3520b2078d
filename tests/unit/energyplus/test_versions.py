"""The EnergyPlus version of a study, determined on submission."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus import dictionary
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.versions import DEFAULT, RELEASES, RUNS_AS_25_2, runs_as, version_in
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from tests.conftest import ENGINE_FOLDER, study_document


class Folder:
    place = "the folder"

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def sizes(self, needed: object) -> dict[str, int]:
        return {name: len(content) for name, content in self._files.items()}

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)


@pytest.fixture(scope="module")
def weather(golden: Any) -> bytes:
    return bytes(golden.read_bytes())


def accepted(models: dict[str, str], weather: bytes, **changes: Any) -> CheckedStudy:
    document = study_document(models=list(models), **changes)
    files = {name: text.encode() for name, text in models.items()} | {"chicago.epw": weather}
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits()))


def problems(models: dict[str, str], weather: bytes, **changes: Any) -> list[Problem]:
    with pytest.raises(StudyRejected) as refused:
        accepted(models, weather, **changes)
    return list(refused.value.problems)


def of(version: str, model: str) -> str:
    assert "Version,25.2" in model
    return model.replace("Version,25.2", f"Version,{version}")


@pytest.mark.parametrize("version", list(RELEASES))
def test_a_study_runs_with_the_version_of_its_models(version: str, one_zone: str, weather: bytes) -> None:
    assert accepted({"room.idf": of(version, one_zone)}, weather).energyplus == version


@pytest.mark.parametrize("asked", ["23.2", "25.1"])
def test_a_study_that_asks_for_another_version_than_its_models_is_refused(
    asked: str, one_zone: str, weather: bytes
) -> None:
    (found,) = problems({"room.idf": one_zone}, weather, energyplus=asked)
    assert found.where == "room.idf"
    assert found.what == f"is a model for EnergyPlus 25.2, not {asked}, which the study requests"


def test_models_of_different_versions_do_not_share_a_study(one_zone: str, weather: bytes) -> None:
    (found,) = problems({"old.idf": of("23.2", one_zone), "new.idf": of("25.1", one_zone)}, weather)
    assert found.where == "new.idf"
    assert found.what == "is a model for EnergyPlus 25.1, not 23.2, the version of the study's first model"
    assert found.allowed == "models of one version in a study"


def test_a_model_of_26_1_runs_with_25_2_only_where_the_study_says_so(one_zone: str, weather: bytes) -> None:
    models = {"room.idf": of("26.1", one_zone)}
    (found,) = problems(models, weather)
    assert "no Python package has that engine" in found.what
    assert found.allowed.startswith('"energyplus": "25.2" in study.json')
    assert accepted(models, weather, energyplus="25.2").energyplus == "25.2"


def test_a_model_of_26_1_with_a_class_that_means_another_thing_in_25_2_is_refused(
    one_zone: str, weather: bytes
) -> None:
    model = of("26.1", one_zone) + "\nHeatExchanger:FluidToFluid,Exchanger;\n"
    found = problems({"room.idf": model}, weather, energyplus="25.2")
    assert [each.what for each in found] == [
        "HeatExchanger:FluidToFluid is defined differently in EnergyPlus 26.1 and 25.2"
    ]


@pytest.mark.parametrize("version", ["26.1", "22.1", "24.2", "9.6"])
def test_no_study_can_ask_for_a_version_that_does_not_run(version: str) -> None:
    with pytest.raises(StudyRejected) as refused:
        parse_study(json.dumps(study_document(energyplus=version)))
    (found,) = refused.value.problems
    assert found.where == "study.json: energyplus"
    assert "'23.2', '25.1' or '25.2'" in found.allowed


def test_parameters_are_checked_by_the_dictionary_of_the_version(one_zone: str, weather: bytes) -> None:
    def document(class_name: str, field: str) -> dict[str, Any]:
        return {"name": "p", "class": class_name, "field": field, "values": ["No"]}

    parameter = document("OutputControl:Files", "Output Space Sizing")
    (found,) = problems({"room.idf": of("23.2", one_zone)}, weather, parameters=[parameter])
    assert "is not a field of OutputControl:Files" in found.what
    of_this_version = problems({"room.idf": one_zone}, weather, parameters=[parameter])
    assert any("cannot be varied" in each.what for each in of_this_version)


@pytest.mark.parametrize("version", ["23.2", "25.1"])
def test_templates_need_an_engine_that_expands_them(version: str, one_zone: str, weather: bytes) -> None:
    template = "\nHVACTemplate:Thermostat,All Zones,,20,,26;\n"
    (found,) = problems({"room.idf": of(version, one_zone) + template}, weather)
    assert "has no ExpandObjects" in found.what
    assert accepted({"room.idf": one_zone + template}, weather).energyplus == "25.2"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Version,23.2;", "23.2"),
        ("  VERSION ,\r\n   25.1.0;   !- Version Identifier", "25.1"),
        ("Version,   ! a remark\n  ! another\n  23.2;", "23.2"),
        ("!Version,9.6;\nVersion,25.2;", "25.2"),
        ("Building,Version 23.2;", None),
    ],
)
def test_the_version_is_found_without_reading_the_model(text: str, version: str | None) -> None:
    assert version_in(text.encode(), "a.idf") == version


@pytest.mark.parametrize("version", list(RELEASES))
def test_each_version_has_its_dictionary(version: str) -> None:
    with dictionary.of_version(version):
        known = dictionary.load()
        assert (known.version, known.build) == (RELEASES[version].version, RELEASES[version].build)
        assert len(known.class_names) > 800
        surface = known.find_class("BuildingSurface:Detailed")
        assert surface is not None
        assert surface.find_field("Vertex 3 X-coordinate") is not None
    assert dictionary.load().model_version == "25.2"


def test_one_process_edits_models_of_several_versions(one_zone: str) -> None:
    """A warm worker; eppy holds the IDD of one version for the whole process."""
    study = parse_study(json.dumps(study_document()))
    prepared = {}
    for version in ("25.2", "23.2", "25.1"):
        with dictionary.of_version(version):
            model = of(version, one_zone).encode()
            prepared[version] = prepare(model, "room.idf", study, ENGINE_FOLDER / "Energy+.idd")
    for version in ("23.2", "25.2", "25.1"):
        text = "".join(prepared[version].render({"insulation_m": 0.1234}).split())
        assert f"Version,{version};" in text
        assert ",0.1234," in text
        third = ",No" if version == "25.2" else ""
        assert f"SQLite,SimpleAndTabular,JtoKWH{third};" in text
        assert ",0.1234," not in "".join(prepared[version].render({}).split())


def test_a_model_of_26_1_is_written_as_25_2(one_zone: str) -> None:
    study = parse_study(json.dumps(study_document(energyplus="25.2")))
    text = prepare(of("26.1", one_zone).encode(), "room.idf", study, ENGINE_FOLDER / "Energy+.idd").render({})
    assert "Version,25.2;" in "".join(text.split())
    assert "26.1" not in text


def test_a_model_runs_as_another_version_only_with_that_engine_and_if_it_is_requested() -> None:
    assert runs_as(RUNS_AS_25_2, "25.2", "25.2")
    assert not runs_as(RUNS_AS_25_2, "23.2", DEFAULT)
    assert not runs_as(RUNS_AS_25_2, DEFAULT, None)
    assert not runs_as("23.2", DEFAULT, DEFAULT)
