"""Removal of studies that are too large for one invocation of the function."""

import pytest

from epsm.store.removal import OutOfTime
from tests.unit.operations.retention.worlds import World, names


def large(world: World) -> str:
    return world.study("large", age=40, results=2500)


def test_a_study_that_is_not_removed_in_time_is_continued_until_nothing_is_left(world: World) -> None:
    large(world)
    world.requests = 2
    with pytest.raises(OutOfTime):
        world.remover.remove("large")
    assert 0 < len(world.of_run("large")) < 2500
    assert "large" in world.records.by_name

    world.hide("large")  # as the API did before it asked for the removal
    world.requests = 1
    assert world.remover.continue_removals() == 0
    world.requests = 1000
    assert world.remover.continue_removals() == 1
    assert (world.s3.objects, world.records.by_name) == ({}, {})


def test_the_nightly_cleanup_marks_what_it_did_not_finish_and_reports_no_fault(world: World) -> None:
    large(world)
    world.study("next", age=35)
    world.requests = 2

    removals = world.remover.remove_expired()

    assert names(removals) == ["large", "next"]
    assert {(removal.removed, removal.error) for removal in removals} == {(False, "")}
    assert all("to be continued" in removal.reason for removal in removals)
    assert all(study.removing for study in world.records.by_name.values())
    world.requests = 1000
    assert world.remover.continue_removals() == 2


def test_only_studies_that_are_being_removed_are_continued(world: World) -> None:
    world.study("kept", age=40)
    assert world.remover.continue_removals() == 0
    assert world.of_run("kept")
