"""Faults of a study, its models and its weather, all at once."""

from epsm.problems import Problem
from tests.conftest import study_document
from tests.unit.checks.study.folders import Folder, refuse


# Refusals
def test_missing_files_are_all_named_with_the_place_that_names_them() -> None:
    problems = refuse({"rooms.idf": b""}, models=["room.idf", "hall.idf"], weather=["chicago.epw"])
    assert [(each.where, each.what) for each in problems] == [
        ("study.json: models[0]", "'room.idf' is not in the folder"),
        ("study.json: models[1]", "'hall.idf' is not in the folder"),
        ("study.json: weather[0]", "'chicago.epw' is not in the folder"),
    ]


def test_the_nearest_file_is_suggested_for_a_missing_one(files: dict[str, bytes]) -> None:
    (problem,) = refuse(files, weather=["Chicago.epw"])
    assert problem.allowed == "'chicago.epw'"


def test_faults_of_the_study_its_models_and_its_weather_are_named_together(files: dict[str, bytes]) -> None:
    broken = {
        "room.idf": files["room.idf"].replace(b"25.2", b"9.2", 1),
        "chicago.epw": files["chicago.epw"][:-100],
    }
    parameter = study_document()["parameters"][0] | {"field": "Thikness"}
    problems = refuse(broken, models=["room.idf", "hall.idf"], parameters=[parameter])
    assert {each.where.split(":")[0] for each in problems} == {"study.json", "room.idf", "chicago.epw"}
    assert {"study.json: parameters[0].field", "study.json: models[1]", "room.idf"} <= {each.where for each in problems}


def test_a_study_json_of_a_wrong_shape_does_not_hide_what_is_wrong_with_the_rest(files: dict[str, bytes]) -> None:
    sound = study_document()["parameters"][0]
    parameters = [sound | {"values": "0.1"}, sound | {"name": "other", "field": "Thikness"}]
    options = {"max_concurrency": 0, "color": "red"}
    problems = refuse(files, models=["room.txt", "hall.idf"], parameters=parameters, options=options, outputs=[])
    assert {each.where for each in problems} == {
        "study.json: models[0]",
        "study.json: models[1]",
        "study.json: parameters[0].values",
        "study.json: parameters[1].field",
        "study.json: options.max_concurrency",
        "study.json: options.color",
        "study.json: outputs",
    }


def test_a_fault_is_not_followed_by_those_that_it_causes(files: dict[str, bytes]) -> None:
    model = {"room.idf": files["room.idf"].replace(b"RunPeriod,", b"!", 1)}
    for changes in ({"options": {"run_period": "anual"}}, {"models": ["room.txt"]}, {"options": 3}):
        assert len(refuse(files | model, **changes)) == 1, changes


def test_a_fault_in_one_of_two_models_refuses_the_study(files: dict[str, bytes]) -> None:
    (problem,) = refuse(files | {"hall.idf": b""}, models=["room.idf", "hall.idf"])
    assert problem == Problem("hall.idf", "contains no EnergyPlus object")


def test_an_object_that_only_one_of_two_models_has_refuses_the_study(files: dict[str, bytes]) -> None:
    hall = files["room.idf"].replace(b"Wall Insulation", b"Cork")
    (problem,) = refuse(files | {"hall.idf": hall}, models=["room.idf", "hall.idf"])
    assert problem.where == "study.json: parameters[0].object"
    assert "hall.idf has no Material object called 'Wall Insulation'" in problem.what


def test_a_study_json_with_faults_is_refused_before_anything_is_read(files: dict[str, bytes]) -> None:
    folder = Folder(files)
    assert [each.where for each in refuse(folder, models=[])] == ["study.json: models"]
    assert (folder.looked_for, folder.read_names) == ([], [])


def test_a_parameter_that_is_refused_anyway_is_refused_once(files: dict[str, bytes]) -> None:
    parameter = study_document()["parameters"][0] | {"values": [-1, 0.1]}
    assert [each.where for each in refuse(files, parameters=[parameter])] == ["study.json: parameters[0].values[0]"]
