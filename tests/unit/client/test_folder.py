"""A study's folder on disk: the files that are read and uploaded."""

import json
from pathlib import Path

import pytest

from epsm.checks.study import CheckedStudy
from epsm.client.folder import check_folder
from epsm.errors import StudyRejected
from tests.conftest import study_document
from tests.unit.checks.study.folders import A_YEAR, DAY_OF_WEATHER, WITH_FILE


@pytest.fixture
def folder(tmp_path: Path, one_zone: str) -> Path:
    """A study whose model reads use.csv, which is not there yet."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "room.idf").write_text(one_zone + WITH_FILE.format("use.csv"))
    (folder / "chicago.epw").write_text(DAY_OF_WEATHER)
    (folder / "study.json").write_text(json.dumps(study_document()))
    return folder


def check(folder: Path) -> CheckedStudy:
    return check_folder(folder, 100)


def problems(folder: Path) -> list[str]:
    with pytest.raises(StudyRejected) as refusal:
        check(folder)
    return list(map(str, refusal.value.problems))


def test_a_link_out_of_the_folder_is_refused_with_its_target(folder: Path, tmp_path: Path) -> None:
    """Otherwise a study from somebody else uploads any file of this machine that its model names."""
    (tmp_path / "id_rsa").write_bytes(A_YEAR)
    (folder / "use.csv").symlink_to("../id_rsa")
    (only,) = problems(folder)
    assert only == (
        "use.csv: is a link out of the study's folder, to ../id_rsa (allowed: the file itself, in the study's folder)"
    )


def test_all_links_out_of_the_folder_are_named_at_once(folder: Path, tmp_path: Path) -> None:
    for name in ("room.idf", "chicago.epw"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    (tmp_path / "golden.stat").write_bytes(b"")
    (folder / "chicago.stat").symlink_to(tmp_path / "golden.stat")
    assert [each.split(":")[0] for each in problems(folder)] == ["room.idf", "chicago.epw", "chicago.stat"]


def test_a_link_by_way_of_another_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_bytes(A_YEAR)
    (folder / "inside.csv").symlink_to(tmp_path / "id_rsa")
    (folder / "use.csv").symlink_to("inside.csv")
    assert "use.csv: is a link out of the study's folder" in problems(folder)[0]


def test_a_folder_that_is_a_link_out_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "weather").mkdir()
    (folder / "chicago.epw").rename(tmp_path / "weather/chicago.epw")
    (folder / "weather").symlink_to(tmp_path / "weather")
    (folder / "use.csv").write_bytes(A_YEAR)
    (folder / "study.json").write_text(json.dumps(study_document(weather=["weather/chicago.epw"])))
    (only,) = problems(folder)
    assert only.startswith("weather/chicago.epw: 'weather', a folder of its path, is a link out of the study's folder")


def test_the_manifest_is_no_link_out(folder: Path, tmp_path: Path) -> None:
    (folder / "study.json").rename(tmp_path / "secret.json")
    (folder / "study.json").symlink_to("../secret.json")
    assert problems(folder)[0].startswith("study.json: is a link out of the study's folder, to ../secret.json")


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/use.csv").write_bytes(A_YEAR)
    (folder / "use.csv").symlink_to("data/use.csv")
    (folder / "weather").symlink_to("data")
    (folder / "chicago.epw").rename(folder / "data/chicago.epw")
    (folder / "data/up").symlink_to("..")  # one that leads round and round
    (folder / "study.json").write_text(json.dumps(study_document(weather=["weather/chicago.epw"])))
    assert check(folder).inputs == ("room.idf", "weather/chicago.epw", "use.csv")


def test_a_folder_that_is_itself_reached_by_a_link_is_a_study(folder: Path, tmp_path: Path) -> None:
    (folder / "use.csv").write_bytes(A_YEAR)
    (tmp_path / "today").symlink_to("study")
    assert check(tmp_path / "today").inputs == ("room.idf", "chicago.epw", "use.csv")


def test_a_link_that_the_study_does_not_read_does_not_matter(folder: Path) -> None:
    (folder / "use.csv").write_bytes(A_YEAR)
    (folder / "passwd").symlink_to("/etc/passwd")
    assert "passwd" not in check(folder).hashes


@pytest.mark.parametrize("target", ["gone.csv", "use.csv"])
def test_a_link_to_nothing_says_so(folder: Path, target: str) -> None:
    (folder / "use.csv").symlink_to(target)
    assert problems(folder)[0].startswith(f"use.csv: is a link to {target}, which does not exist")


def test_a_folder_with_the_name_of_a_file_is_called_one(folder: Path) -> None:
    (folder / "room.idf").unlink()
    (folder / "room.idf").mkdir()
    (only,) = problems(folder)
    assert only.startswith("room.idf: is a folder")
