"""Deleting studies past their retention period."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.operations.retention import Removal, Remover, StillRuns
from epsm.store.files import Files
from epsm.store.removal import NotRemoved
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyStatus, timestamp
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.fakes import MemoryRecords, MemoryS3, MemoryStack, fake, study_record
from tests.unit.manifests import manifest_of

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
OWNER_FILE = f"uploads/{'0' * 24}/{'a' * 64}"


class World:
    """A stack in memory."""

    def __init__(self) -> None:
        self.s3 = MemoryS3()
        self.records = MemoryRecords()
        self.remover = Remover(MemoryStack(s3=self.s3, records=self.records), lambda: NOW)

    def study(
        self,
        name: str,
        age: int,
        *,
        status: StudyStatus = StudyStatus.COMPLETED,
        keep: int | None = 30,
        folder: str | None = None,
        inputs: dict[str, str] | None = None,
        results: int = 1,
        took: int = 0,
    ) -> str:
        """Make a study that ended `age` days ago after `took` days; `inputs` are versions by key."""
        created = NOW - timedelta(days=age + took)
        folder = name if folder is None else folder
        source = {"bucket": "inputs", "key": f"{folder}/study.json" if folder else "study.json", "version_id": name}
        pinned = {f"{folder}/room.idf": name} if inputs is None else inputs
        record = study_record(
            name,
            status,
            created,
            ended_at=timestamp(NOW - timedelta(days=age)) if status.final else "",
            source=source,
            options={} if keep is None else {"retention_days": keep},
        )
        self.records.by_name[name] = record
        self.s3.objects["inputs", source["key"], name] = b"{}"
        for key, version in pinned.items():
            self.s3.objects["inputs", key, version] = b"model"
        if status is not StudyStatus.REJECTED:
            manifest = _manifest(name, created, Source.model_validate(source), pinned)
            self.s3.objects["results", f"runs/{name}/manifest.json", ""] = manifest.to_json().encode()
        for number in range(results):
            self.s3.objects["results", f"runs/{name}/variants/{number}/result.json", ""] = b"result"
        return name

    def hide(self, name: str) -> None:
        self.records.by_name[name] = replace(self.records.by_name[name], removing=True)

    def of_run(self, name: str) -> list[str]:
        return [key for _, key, _ in self.s3.objects if key.startswith(f"runs/{name}/")]

    def has_input(self, key: str, version: str) -> bool:
        return ("inputs", key, version) in self.s3.objects

    def reports(self) -> dict[str, Any]:
        return {
            key: json.loads(content) for (_, key, _), content in self.s3.objects.items() if key.startswith("cleanup/")
        }


def _manifest(name: str, created: datetime, source: Source, pinned: dict[str, str]) -> RunManifest:
    refs = {
        key: ObjectRef(bucket="inputs", key=key, version_id=version, sha256="0" * 64, bytes=5)
        for key, version in pinned.items()
    }
    study = Study.model_validate(study_document())
    return manifest_of(study, simulation_id=name, created_at=created, source=source, inputs=refs)


def test_a_study_with_a_budget_that_is_refused_today_can_be_removed(world: World) -> None:
    name = world.study("old", 40, status=StudyStatus.FAILED)
    key = ("results", f"runs/{name}/manifest.json", "")
    stored = json.loads(world.s3.objects[key])
    stored["study"]["options"]["max_cost_usd"] = 1e300
    world.s3.objects[key] = json.dumps(stored).encode()

    assert Files(fake(world.s3), "results").read_manifest(name).study.options.max_cost_usd == 1e300
    assert names(world.remover.remove_expired()) == [name]
    assert (world.of_run(name), world.has_input(f"{name}/room.idf", name)) == ([], False)


@pytest.fixture
def world() -> World:
    return World()


def names(removals: tuple[Removal, ...]) -> list[str]:
    return [each.simulation_id for each in removals]


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


def refuse(refused: str) -> Any:
    def on_delete(bucket: str, key: str) -> None:
        if key == refused:
            raise PermissionError("no")

    return on_delete


# --- inputs


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


# --- the report


def test_the_report_says_what_was_removed(world: World) -> None:
    world.study("old", age=40, results=2)
    manifest = len(world.s3.objects["results", "runs/old/manifest.json", ""])
    world.remover.remove_expired()
    (report,) = world.reports().values()
    assert report == {
        "dry_run": False,
        "studies": [
            {
                "simulation_id": "old",
                "name": "old",
                "reason": "ended 2026-04-22, kept for 30 days",
                "objects": 5,
                "bytes": manifest + 2 * len(b"result") + 5,
                "removed": True,
                "error": "",
            }
        ],
    }


def test_the_report_is_named_by_its_time(world: World) -> None:
    world.remover.remove_expired()
    assert list(world.reports()) == ["cleanup/2026-06-01T03-00-00Z.json"]


def test_a_dry_run_removes_nothing(world: World) -> None:
    world.study("old", age=40)
    before = dict(world.s3.objects)
    world.remover.remove_expired(dry_run=True)
    assert {each: content for each, content in world.s3.objects.items() if "cleanup/" not in each[1]} == before
    assert world.records.removed == []


def test_a_dry_run_tells_what_a_real_one_removes(world: World) -> None:
    world.study("old", age=40, results=3)
    world.study("older", age=50, folder="old")
    world.study("young", age=1)
    told = world.remover.remove_expired(dry_run=True)
    removed = world.remover.remove_expired()
    assert [(each.simulation_id, each.reason, each.objects, each.bytes) for each in told] == [
        (each.simulation_id, each.reason, each.objects, each.bytes) for each in removed
    ]


def test_a_dry_run_does_not_replace_a_report(world: World) -> None:
    world.remover.remove_expired()
    world.remover.remove_expired(dry_run=True)
    assert len(world.reports()) == 2


# --- what never became a study


HALF = f"users/{'0' * 24}/studies/{'b' * 32}/Office/"


def test_what_a_request_put_down_without_coming_to_its_end_goes(world: World) -> None:
    for name in ("room.idf", "weather/chicago.epw"):
        world.s3.objects["inputs", f"{HALF}{name}", "v1"] = b"12345"
    (removal,) = world.remover.remove_expired()
    assert (removal.name, removal.objects, removal.bytes, removal.removed) == (HALF, 2, 10, True)
    assert not any(bucket == "inputs" for bucket, _, _ in world.s3.objects)


def test_a_dry_run_leaves_it(world: World) -> None:
    world.s3.objects["inputs", f"{HALF}room.idf", "v1"] = b"12345"
    (removal,) = world.remover.remove_expired(dry_run=True)
    assert (removal.removed, world.has_input(f"{HALF}room.idf", "v1")) == (False, True)


@pytest.mark.parametrize(
    "others",
    [
        {f"{HALF}study.json": b"{}"},
        {"office/half.idf": b"", f"uploads/{'0' * 24}/{'c' * 64}": b""},
    ],
    ids=["a study that is there", "what others have put into the bucket"],
)
def test_nothing_else_goes_with_it(world: World, others: dict[str, bytes]) -> None:
    for key in others:
        world.s3.objects["inputs", key, "v1"] = b""
    if f"{HALF}study.json" in others:
        world.s3.objects["inputs", f"{HALF}room.idf", "v1"] = b""
    before = {each for each in world.s3.objects if each[0] == "inputs"}
    assert world.remover.remove_expired() == ()
    assert {each for each in world.s3.objects if each[0] == "inputs"} == before


def test_what_was_put_down_today_may_still_be_on_its_way(world: World) -> None:
    world.s3.objects["inputs", f"{HALF}room.idf", "v1"] = b""
    world.s3.modified = NOW - timedelta(hours=1)
    assert world.remover.remove_expired() == ()


# --- on request


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
