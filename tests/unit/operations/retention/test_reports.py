"""Reports, dry runs, and uploads without a study."""

from datetime import timedelta

import pytest

from tests.unit.operations.retention.worlds import NOW, World

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
