"""Removal on request."""

import json
from datetime import timedelta

import pytest

from epsm.operations.retention import StillRuns
from epsm.store.files import Files
from epsm.store.removal import NotRemoved
from epsm.study.records import StudyStatus, timestamp
from tests.unit.fakes import fake
from tests.unit.operations.retention.worlds import NOW, World, names, refuse


def test_a_study_with_a_budget_that_is_refused_today_can_be_removed(world: World) -> None:
    name = world.study("old", 40, status=StudyStatus.FAILED)
    key = ("results", f"runs/{name}/manifest.json", "")
    stored = json.loads(world.s3.objects[key])
    stored["study"]["options"]["max_cost_usd"] = 1e300
    world.s3.objects[key] = json.dumps(stored).encode()

    assert Files(fake(world.s3), "results").read_manifest(name).study.options.max_cost_usd == 1e300
    assert names(world.remover.remove_expired()) == [name]
    assert (world.of_run(name), world.has_input(f"{name}/room.idf", name)) == ([], False)


def test_a_removal_on_request_that_did_not_come_through_is_done_at_night(world: World) -> None:
    world.study("unwanted", age=1)
    world.hide("unwanted")
    (removal,) = world.remover.remove_expired()
    assert (removal.reason, removal.removed, world.of_run("unwanted")) == ("on request", True, [])


def test_of_two_studies_that_are_removed_at_once_neither_keeps_the_inputs_for_the_other(world: World) -> None:
    shared = {"office/room.idf": "v1"}
    for name, folder in (("one", "office"), ("other", "office/annex")):
        world.study(name, age=1, folder=folder, inputs=shared)
        world.hide(name)
    world.remover.remove("one")
    world.remover.remove("other")
    assert not world.has_input("office/room.idf", "v1")


def test_a_removed_study_keeps_the_inputs_that_another_one_has_too(world: World) -> None:
    shared = {"office/room.idf": "v1"}
    for name, folder in (("one", "office"), ("other", "office/annex")):
        world.study(name, age=1, folder=folder, inputs=shared)
    world.remover.remove("one")
    assert world.has_input("office/room.idf", "v1")
    world.remover.remove("other")
    assert not world.has_input("office/room.idf", "v1")


def test_a_study_that_has_ended_can_be_removed_at_any_age(world: World) -> None:
    world.study("young", age=1)
    world.remover.remove("young")
    assert not world.s3.objects


def test_only_the_study_that_was_named_is_removed(world: World) -> None:
    world.study("young", age=1)
    world.study("expired", age=50)
    world.remover.remove("young")
    assert world.records.removed == ["young"]


@pytest.mark.parametrize("status", [StudyStatus.PENDING, StudyStatus.RUNNING])
def test_a_study_that_has_not_ended_cannot_be_removed(world: World, status: StudyStatus) -> None:
    world.study("open", age=1, status=status)
    with pytest.raises(StillRuns):
        world.remover.remove("open")


def test_a_cancelled_study_cannot_be_removed_while_its_variants_run(world: World) -> None:
    world.study("cancelled", age=0, status=StudyStatus.CANCELLED)
    world.records.running = {0: timestamp(NOW - timedelta(minutes=5))}
    with pytest.raises(StillRuns):
        world.remover.remove("cancelled")


def test_a_study_that_was_just_cancelled_is_not_removed_while_it_is_collected(world: World) -> None:
    world.study("cancelled", age=0, status=StudyStatus.CANCELLED)
    with pytest.raises(StillRuns):
        world.remover.remove("cancelled")


def test_a_variant_that_was_lost_does_not_hold_up_the_removal(world: World) -> None:
    world.study("cancelled", age=1, status=StudyStatus.CANCELLED)
    world.records.running = {0: timestamp(NOW - timedelta(minutes=16))}
    assert world.remover.remove("cancelled") is not None


def test_removing_an_unknown_study_says_so(world: World) -> None:
    assert world.remover.remove("unknown") is None


def test_a_removal_on_request_that_s3_refuses_is_an_error(world: World) -> None:
    world.study("young", age=1)
    world.s3.on_delete = refuse("runs/young/manifest.json")
    with pytest.raises(NotRemoved):
        world.remover.remove("young")
