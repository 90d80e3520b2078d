"""Studies whose retention has passed, and how they are removed."""

from dataclasses import replace

import pytest

from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.fakes import MemoryRecords
from tests.unit.operations.retention.worlds import World, names, refuse

# --- what goes


def test_a_study_goes_when_its_retention_has_passed(world: World) -> None:
    world.study("old", age=30)
    assert names(world.remover.remove_expired()) == ["old"]


def test_a_study_stays_until_its_retention_has_passed(world: World) -> None:
    world.study("young", age=29)
    assert world.remover.remove_expired() == ()
    assert world.of_run("young")


def test_every_study_has_a_retention_of_its_own(world: World) -> None:
    world.study("short", age=5, keep=3)
    world.study("long", age=80, keep=365)
    assert names(world.remover.remove_expired()) == ["short"]


def test_a_rejected_study_is_kept_for_30_days(world: World) -> None:
    world.study("rejected-30", age=30, status=StudyStatus.REJECTED, keep=None)
    world.study("rejected-29", age=29, status=StudyStatus.REJECTED, keep=None)
    assert names(world.remover.remove_expired()) == ["rejected-30"]


def test_the_time_counts_from_the_end_of_the_study(world: World) -> None:
    world.study("slow", age=28, took=3)
    assert world.remover.remove_expired() == ()


def test_a_study_goes_before_the_table_forgets_it(world: World) -> None:
    # Its items expire 70 days after its creation; without them nobody finds its results.
    world.study("very-slow", age=6, took=63)
    assert names(world.remover.remove_expired()) == ["very-slow"]


@pytest.mark.parametrize("status", [StudyStatus.PENDING, StudyStatus.RUNNING])
def test_a_study_that_has_not_ended_stays(world: World, status: StudyStatus) -> None:
    world.study("open", age=300, status=status)
    assert world.remover.remove_expired() == ()


def test_all_pages_of_studies_are_looked_at(world: World) -> None:
    for number in range(5):
        world.study(f"s{number}", age=40 + number)
    assert len(world.remover.remove_expired()) == 5


# --- how it goes


def test_everything_below_the_run_goes_over_all_pages(world: World) -> None:
    world.study("large", age=40, results=2500)
    world.remover.remove_expired()
    assert world.of_run("large") == []


def test_objects_go_in_batches(world: World) -> None:
    world.study("large", age=40, results=2500)
    world.remover.remove_expired()
    assert world.s3.largest_batch == 1000


def test_a_run_whose_name_begins_alike_stays(world: World) -> None:
    world.study("office", age=40)
    world.study("office-2", age=1)
    world.remover.remove_expired()
    assert world.of_run("office-2")


def test_the_items_of_the_table_go(world: World) -> None:
    world.study("old", age=40)
    world.remover.remove_expired()
    assert world.records.removed == ["old"]


def test_a_study_whose_objects_cannot_be_removed_keeps_its_items(world: World) -> None:
    world.study("old", age=40)
    world.s3.on_delete = refuse("runs/old/variants/0/result.json")
    world.remover.remove_expired()
    assert "old" in world.records.by_name


def test_an_interrupted_removal_is_finished_by_the_next(world: World) -> None:
    world.study("old", age=40)
    world.s3.on_delete = refuse("runs/old/variants/0/result.json")
    world.remover.remove_expired()
    world.s3.on_delete = lambda bucket, key: None
    world.remover.remove_expired()
    assert list(world.s3.objects) == [("results", key, "") for key in world.reports()]


def test_a_study_that_cannot_be_removed_does_not_stop_the_others(world: World) -> None:
    world.study("first", age=50)
    world.study("second", age=40)
    world.s3.on_delete = refuse("runs/first/manifest.json")
    removals = world.remover.remove_expired()
    assert [(each.simulation_id, each.removed) for each in removals] == [("first", False), ("second", True)]


def test_a_study_that_cannot_be_removed_says_why(world: World) -> None:
    world.study("first", age=50)
    world.s3.on_delete = refuse("runs/first/manifest.json")
    (removal,) = world.remover.remove_expired()
    assert "s3://results/runs/first/manifest.json: AccessDenied" in removal.error


def test_a_study_that_was_run_again_since_the_list_was_made_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.study("old", age=40)
    current = replace(world.records.by_name["old"], status=StudyStatus.RUNNING, ended_at="")
    monkeypatch.setattr(MemoryRecords, "study_including_removed", lambda *_: current)
    (removal,) = world.remover.remove_expired()
    assert (removal.removed, removal.error) == (False, "It was started again.")
    assert world.of_run("old")


def test_a_study_that_is_run_again_as_its_removal_begins_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.study("old", age=40)
    before = world.records.by_name["old"]

    def read(records: MemoryRecords, name: str) -> StudyRecord:
        records.by_name[name] = replace(before, status=StudyStatus.PENDING, ended_at="")
        return before

    monkeypatch.setattr(MemoryRecords, "study_including_removed", read)
    (removal,) = world.remover.remove_expired()
    assert (removal.removed, removal.error) == (False, "It was started again.")
    assert world.of_run("old")
    assert world.has_input("old/room.idf", "old")


def test_a_study_cannot_be_run_again_once_anything_of_it_is_deleted(world: World) -> None:
    world.study("old", age=40)
    marked: list[bool] = []
    world.s3.on_delete = lambda bucket, key: marked.append(world.records.by_name["old"].removing)
    world.remover.remove_expired()
    assert marked
    assert all(marked)


def test_orphaned_uploads_that_cannot_be_removed_are_reported(world: World) -> None:
    key = f"users/{'0' * 24}/studies/1/house/room.idf"
    world.s3.objects["inputs", key, "v1"] = b"model"

    def refuse(bucket: str, key: str) -> None:
        raise PermissionError("it rains")

    world.s3.on_delete = refuse
    (removal,) = world.remover.remove_expired()
    assert (removal.removed, "it rains" in removal.error) == (False, True)
    assert removal.reason.startswith("orphaned upload")


def test_a_record_without_a_source_goes_without_inputs(world: World) -> None:
    world.study("old", age=40)
    world.records.by_name["old"] = replace(world.records.by_name["old"], source={})
    assert names(world.remover.remove_expired()) == ["old"]
    assert world.has_input("old/room.idf", "old")


def test_a_study_with_a_broken_manifest_stays(world: World) -> None:
    world.study("broken", age=50)
    world.s3.objects["results", "runs/broken/manifest.json", ""] = b"{"
    (removal,) = world.remover.remove_expired()
    assert not removal.removed
    assert "broken" in world.records.by_name
