"""The files that belong to a study, and when they are read."""

from pathlib import Path

from epsm.problems import Problem
from tests.unit.checks.study.folders import A_YEAR, WITH_FILE, Folder, accept, refuse


def test_a_sound_study_is_accepted_with_what_it_reads(files: dict[str, bytes]) -> None:
    accepted = accept(files)
    assert accepted.study.models == ("room.idf",)
    assert accepted.inputs == ("room.idf", "chicago.epw")
    assert accepted.external_files == {"room.idf": ()}


def test_a_study_with_a_real_year_is_accepted(files: dict[str, bytes], chicago: Path) -> None:
    assert accept(files | {"chicago.epw": chicago.read_bytes()}).study.weather == ("chicago.epw",)


def test_only_what_the_study_names_is_read(files: dict[str, bytes]) -> None:
    folder = Folder(files | {"notes.txt": b"", "other.idf": b"", "study.json": b"{}"})
    accept(folder)
    assert folder.read_names == ["room.idf", "chicago.epw"]


def test_the_statistics_beside_the_weather_belong_to_the_inputs(files: dict[str, bytes]) -> None:
    assert accept(files | {"chicago.stat": b"", "golden.stat": b""}).inputs == (
        "room.idf",
        "chicago.epw",
        "chicago.stat",
    )


def test_files_in_folders_are_found(files: dict[str, bytes]) -> None:
    moved = {"models/Büro 1.idf": files["room.idf"], "weather/a+b.epw": files["chicago.epw"]}
    assert accept(moved, models=["models/Büro 1.idf"], weather=["weather/a+b.epw"]).inputs == tuple(moved)


def test_several_models_and_weather_files_are_read_in_their_order(files: dict[str, bytes]) -> None:
    more = files | {"a.idf": files["room.idf"], "z.epw": files["chicago.epw"]}
    accepted = accept(more, models=["room.idf", "a.idf"], weather=["z.epw", "chicago.epw"])
    assert accepted.inputs == ("room.idf", "a.idf", "z.epw", "chicago.epw")


# Files that models read
def test_files_that_a_model_reads_belong_to_the_inputs(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("data/use.csv").encode()
    accepted = accept(files | {"room.idf": model, "data/use.csv": A_YEAR})
    assert accepted.inputs == ("room.idf", "chicago.epw", "data/use.csv")
    assert accepted.external_files == {"room.idf": ("data/use.csv",)}


def test_a_file_that_two_models_read_is_read_once(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("use.csv").encode()
    folder = Folder(files | {"a.idf": model, "b.idf": model, "use.csv": A_YEAR})
    accepted = accept(folder, models=["a.idf", "b.idf"])
    assert folder.read_names.count("use.csv") == 1
    assert accepted.external_files == {"a.idf": ("use.csv",), "b.idf": ("use.csv",)}


def test_a_missing_file_that_a_model_reads_is_refused_at_the_model(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("usage.csv").encode()
    (problem,) = refuse(files | {"room.idf": model, "usages.csv": b"1"})
    assert problem == Problem("room.idf", "'usage.csv' is not in the folder", "'usages.csv'")


def test_a_file_outside_the_study_is_never_asked_for(files: dict[str, bytes]) -> None:
    folder = Folder(files | {"room.idf": files["room.idf"] + WITH_FILE.format("../other/use.csv").encode()})
    (problem,) = refuse(folder)
    assert "is outside the study" in problem.what
    assert not any("other" in name for names in folder.looked_for for name in names)


def test_a_file_that_a_model_names_in_the_form_of_macos_is_found(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("Bu\u0308ro.csv").encode()
    assert "B\u00fcro.csv" in accept(files | {"room.idf": model, "B\u00fcro.csv": A_YEAR}).inputs


# Waiting is for the files' owner
def test_what_the_study_names_is_asked_for_at_once(files: dict[str, bytes]) -> None:
    folder = Folder(files)
    accept(folder)
    assert folder.looked_for == [{"room.idf", "chicago.epw"}]


def test_what_the_models_name_is_asked_for_when_it_is_not_there(files: dict[str, bytes]) -> None:
    model = files["room.idf"] + WITH_FILE.format("use.csv").encode()
    folder = Folder(files | {"room.idf": model}, late={"use.csv": A_YEAR})
    assert "use.csv" in accept(folder).inputs
    assert folder.looked_for == [{"room.idf", "chicago.epw"}, {"use.csv"}]


def test_a_missing_file_is_looked_for_once_and_not_waited_for() -> None:
    folder = Folder({})
    refuse(folder)
    assert len(folder.looked_for) == 1
