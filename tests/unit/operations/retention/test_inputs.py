"""Inputs: which versions go with a study, and which stay for another."""

import pytest

from epsm.study.records import StudyStatus
from tests.unit.operations.retention.worlds import World

OWNER_FILE = f"uploads/{'0' * 24}/{'a' * 64}"


def test_the_pinned_inputs_go(world: World) -> None:
    world.study("old", age=40)
    world.remover.remove_expired()
    assert not world.has_input("old/room.idf", "old")


def test_the_study_json_goes(world: World) -> None:
    world.study("old", age=40)
    world.remover.remove_expired()
    assert not world.has_input("old/study.json", "old")


def test_a_version_that_was_not_pinned_stays(world: World) -> None:
    world.study("old", age=40)
    world.s3.objects["inputs", "old/room.idf", "newer"] = b"model"
    world.remover.remove_expired()
    assert world.has_input("old/room.idf", "newer")


def test_inputs_stay_while_a_younger_study_of_the_folder_is_kept(world: World) -> None:
    world.study("old", age=40, folder="office")
    world.study("young", age=1, folder="office", inputs={})
    world.remover.remove_expired()
    assert world.has_input("office/room.idf", "old")


def test_results_go_even_while_a_younger_study_of_the_folder_is_kept(world: World) -> None:
    world.study("old", age=40, folder="office")
    world.study("young", age=1, folder="office")
    world.remover.remove_expired()
    assert world.of_run("old") == []


def test_inputs_go_if_the_younger_study_of_the_folder_goes_too(world: World) -> None:
    world.study("old", age=50, folder="office")
    world.study("young", age=40, folder="office")
    world.remover.remove_expired()
    assert not [key for bucket, key, _ in world.s3.objects if bucket == "inputs"]


def test_a_version_that_an_older_study_keeps_longer_stays(world: World) -> None:
    shared = {"office/room.idf": "shared"}
    world.study("old", age=50, folder="office", keep=365, inputs=shared)
    world.study("young", age=40, folder="office", inputs={**shared, "office/wall.idf": "own"})
    world.remover.remove_expired()
    assert world.has_input("office/room.idf", "shared")
    assert not world.has_input("office/wall.idf", "own")


@pytest.mark.parametrize(("folder", "other"), [("office", "office/south"), ("office/south", "office"), ("a", "")])
def test_a_version_that_a_study_of_a_nested_folder_has_pinned_stays(world: World, folder: str, other: str) -> None:
    shared = {"office/south/room.idf": "shared"}
    world.study("old", age=50, folder=folder, inputs=shared)
    world.study("kept", age=1, folder=other, inputs=shared)
    world.remover.remove_expired()
    assert world.has_input("office/south/room.idf", "shared")


def test_a_study_of_another_folder_keeps_nothing(world: World) -> None:
    world.study("old", age=40, folder="office")
    world.study("young", age=1, folder="office-2")
    world.remover.remove_expired()
    assert not world.has_input("office/room.idf", "old")


def test_a_file_that_a_caller_uploaded_is_left_to_the_bucket(world: World) -> None:
    world.study("old", age=40, inputs={OWNER_FILE: "v"})
    world.remover.remove_expired()
    assert world.has_input(OWNER_FILE, "v")


def test_a_rejected_study_takes_its_study_json_along(world: World) -> None:
    world.study("rejected", age=40, status=StudyStatus.REJECTED)
    world.remover.remove_expired()
    assert not world.has_input("rejected/study.json", "rejected")
