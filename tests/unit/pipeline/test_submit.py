"""Submitting: the outcome of an uploaded study.json, and of a second delivery of its event."""

from typing import Any

import pytest

from epsm.checks.study import check_study
from epsm.pipeline.owner_limits import OwnerLimits
from epsm.settings import Allowance
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.manifest import RunManifest, Source
from epsm.study.records import StudyStatus
from epsm.study.variants import expand
from tests.conftest import with_run_period
from tests.unit.deployed import Deployed

OWNER = "iam:arn:aws:iam::123456789012:user/anna"
WALL = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records)


@pytest.fixture
def room(one_day: str, chicago: Any) -> dict[str, bytes]:
    return {"room.idf": one_day.encode(), "chicago.epw": chicago.read_bytes()}


# --- accepted


def test_an_accepted_study_is_pinned_itemised_recorded_and_started(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room, options={"retention_days": 30})
    submission = stack.submitter().submit(source)
    simulation = submission.simulation_id
    assert (submission.status, submission.variants, submission.started) == (StudyStatus.PENDING, 3, True)
    assert simulation == keys.simulation_id(source.bucket, source.key, source.version_id)

    manifest = RunManifest.model_validate(stack.json_of(simulation, "manifest.json"))
    assert set(manifest.inputs) == {"room.idf", "chicago.epw"}
    assert all(len(ref.sha256) == 64 and ref.version_id not in ("", "null") for ref in manifest.inputs.values())
    assert (manifest.study.name, manifest.variants, manifest.seed) == ("house", 3, None)
    assert (manifest.engine_version, manifest.image_id) == ("25.2.0", "image")
    assert manifest.assumed_run_times_s["room.idf"] > 0

    assert [item["index"] for item in stack.json_of(simulation, "items.json")] == [0, 1, 2]
    record = stack.record(simulation)
    assert (record.name, record.variants, record.options["retention_days"]) == ("house", 3, 30)
    assert stack.machine.started == [simulation]
    assert stack.notices == []


def test_a_large_study_is_submitted_in_batches(s3: Any, records: Records, room: dict[str, bytes]) -> None:
    stack = Deployed(s3, records, variant_concurrency=2, variant_memory_mb=3538)
    wall = WALL | {"values": [0.1 + number / 1000 for number in range(119)]}
    simulation = stack.submitter().submit(stack.upload(room, parameters=[wall])).simulation_id

    items = stack.json_of(simulation, "items.json")
    assert [each["index"] for item in items for each in item["batch"]] == list(range(120))
    assert len(items) < 60
    assert {item["attempt"] for item in items} == {1}
    assert (stack.record(simulation).batched, stack.record(simulation).engines) == (True, 2)


def test_a_study_has_its_own_name_where_it_says_one(stack: Deployed, room: dict[str, bytes]) -> None:
    simulation = stack.submitter().submit(stack.upload(room, name="Two insulations")).simulation_id
    assert stack.record(simulation).name == "Two insulations"


def test_a_sampled_study_without_a_seed_gets_one_of_its_own(stack: Deployed, room: dict[str, bytes]) -> None:
    wall = WALL | {"range": {"from": 0.1, "to": 0.3}}
    source = stack.upload(room, parameters=[wall], sampling={"method": "latin_hypercube", "samples": 2})
    simulation = stack.submitter().submit(source).simulation_id
    manifest = RunManifest.model_validate(stack.json_of(simulation, "manifest.json"))
    assert manifest.seed is not None
    assert manifest.study.with_seed("another") == manifest.study
    items = stack.json_of(simulation, "items.json")
    assert [item["values"] for item in items] == [each.values for each in expand(manifest.study)]


def test_a_model_that_is_replaced_later_does_not_change_the_study(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room)
    simulation = stack.submitter().submit(source).simulation_id
    before = stack.json_of(simulation, "manifest.json")
    stack.put("house/room.idf", b"Version,9.2;")
    again = stack.submitter().submit(source)
    assert (again.simulation_id, again.started) == (simulation, False)
    assert stack.json_of(simulation, "manifest.json") == before


# --- events that come twice or late


def test_a_duplicate_event_starts_nothing_twice(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room)
    first, second = stack.submitter().submit(source), stack.submitter().submit(source)
    assert (first.started, second.started) == (True, False)
    assert first.simulation_id == second.simulation_id
    assert stack.machine.started == [first.simulation_id]


def test_an_event_after_the_end_changes_nothing(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room)
    simulation = stack.submitter().submit(source).simulation_id
    stack.records.finish_study(simulation, StudyStatus.PARTIAL, succeeded=2, failed=1)
    before = stack.record(simulation)
    late = stack.submitter().submit(source)
    assert (late.status, late.variants, late.started) == (StudyStatus.PARTIAL, 3, False)
    assert stack.record(simulation) == before


def test_a_submit_that_died_after_its_record_is_completed(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room)
    simulation = keys.simulation_id(source.bucket, source.key, source.version_id)
    stack.records.create_or_get_study(simulation, "house", source.model_dump())
    assert stack.submitter().submit(source).started


def test_a_submit_that_died_after_its_manifest_keeps_what_that_one_pinned(
    stack: Deployed, room: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stack.upload(room)

    def die(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Records, "accept_study", die)
        with pytest.raises(MemoryError):
            stack.submitter().submit(source)
    simulation = keys.simulation_id(source.bucket, source.key, source.version_id)
    pinned = stack.json_of(simulation, "manifest.json")
    monkeypatch.setattr("epsm.pipeline.submit.__version__", "of a release meanwhile")
    assert stack.submitter().submit(source).started
    assert stack.json_of(simulation, "manifest.json") == pinned


def test_the_record_is_there_before_the_study_has_been_checked(
    stack: Deployed, room: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, seen = stack.upload(room), []
    simulation = keys.simulation_id(source.bucket, source.key, source.version_id)

    def look_and_check(*given: Any) -> Any:
        seen.append(stack.record(simulation).status)
        return check_study(*given)

    monkeypatch.setattr("epsm.pipeline.submit.check_study", look_and_check)
    stack.submitter().submit(source)
    assert seen == [StudyStatus.PENDING]


def test_a_new_upload_of_the_same_study_is_a_new_simulation(stack: Deployed, room: dict[str, bytes]) -> None:
    first, second = (stack.submitter().submit(stack.upload(room)) for _ in range(2))
    assert first.simulation_id != second.simulation_id
    assert second.started


# --- refused


def refused(stack: Deployed, source: Source) -> dict[str, dict[str, str]]:
    """The problems of a refused study by their place, as they are in the file that the modeller finds."""
    submission = stack.submitter().submit(source)
    assert (submission.status, submission.variants, submission.started) == (StudyStatus.REJECTED, 0, False)
    assert stack.machine.started == []
    listed = stack.json_of(submission.simulation_id, "errors.json")
    assert (listed["status"], listed["study"]) == ("rejected", "s3://inputs/house/study.json")
    record = stack.record(submission.simulation_id)
    assert record.status is StudyStatus.REJECTED
    assert [each.as_dict() for each in record.problems] == listed["problems"]
    return {problem["where"]: problem for problem in listed["problems"]}


def test_a_refused_study_is_recorded_notified_and_not_started(stack: Deployed, room: dict[str, bytes]) -> None:
    problems = refused(stack, stack.upload(room, models=["roon.idf"]))
    assert list(problems) == ["study.json: models[0]"]
    assert "'room.idf'" in problems["study.json: models[0]"]["allowed"]
    (notice,) = stack.notices
    assert notice.subject == "house: rejected, 1 problem"
    assert "roon.idf" in notice.message


def test_subscribers_are_notified_of_a_refusal_once(stack: Deployed, room: dict[str, bytes]) -> None:
    source = stack.upload(room, models=["roon.idf"])
    first, second = (stack.submitter().submit(source) for _ in range(2))
    assert (second.status, second.problems) == (StudyStatus.REJECTED, first.problems)
    assert len(stack.notices) == 1


def test_a_study_json_that_is_not_json_is_refused(stack: Deployed) -> None:
    problems = refused(stack, stack.upload({}, document=b"{'models': }"))
    assert "is not JSON" in problems["study.json: line 1, column 2"]["what"]


def test_a_path_that_leaves_the_study_is_refused(stack: Deployed, room: dict[str, bytes]) -> None:
    (problem,) = refused(stack, stack.upload(room, models=["../secrets/room.idf"])).values()
    assert "leaves the study's folder" in problem["what"]


def test_a_file_that_a_model_reads_is_missed(stack: Deployed, room: dict[str, bytes]) -> None:
    schedule = b"\nSchedule:File,Occupancy,Any Number,data/occupancy.csv,1,0,8760,Comma,No;\n"
    problems = refused(stack, stack.upload(room | {"room.idf": room["room.idf"] + schedule}))
    assert "data/occupancy.csv" in problems["room.idf"]["what"]


def test_a_model_without_a_run_period_would_give_no_energy_and_is_refused(
    stack: Deployed, room: dict[str, bytes], one_zone: str
) -> None:
    without = with_run_period(one_zone, end=(1, 1)).replace(
        "  Yes;                     !- Run Simulation for Weather", "  No;  !- Run for Weather"
    )
    problems = refused(stack, stack.upload(room | {"room.idf": without.encode()}))
    assert "would have no energy use" in problems["room.idf"]["what"]


def test_more_variants_than_the_cap_are_refused(s3: Any, records: Records, room: dict[str, bytes]) -> None:
    stack = Deployed(s3, records, max_variants=2)
    (problem,) = refused(stack, stack.upload(room)).values()
    assert (problem["what"], problem["allowed"]) == ("asks for 3 variants", "at most 2")


# --- limits of owners


def test_a_study_beyond_its_owners_limit_is_refused_until_there_is_room(
    s3: Any, records: Records, accounts: Any, room: dict[str, bytes]
) -> None:
    stack = Deployed(s3, records, bucket_owner=OWNER)
    limits = OwnerLimits(accounts, records, Allowance(running_studies=1))
    other = records.create_or_get_study("greedy-1", "Greedy", {}, OWNER)
    limits.claim(other, 0.0)
    rejected = stack.submitter(limits).submit(stack.upload(room))
    assert rejected.status is StudyStatus.REJECTED
    assert rejected.problems[0].what == "exceeds your limit: 1 of your studies have not ended"
    assert stack.machine.started == []
    records.cancel_study(other.simulation_id, "There was no need of it.")
    accepted = stack.submitter(limits).submit(stack.upload(room))
    assert stack.machine.started == [accepted.simulation_id]
    assert stack.record(accepted.simulation_id).owner == OWNER


@pytest.mark.parametrize(("parameters", "status"), [([], StudyStatus.PENDING), (None, StudyStatus.REJECTED)])
def test_a_canary_counts_against_nobodys_limit_if_it_is_one_small_run(
    stack: Deployed, accounts: Any, room: dict[str, bytes], parameters: list[Any] | None, status: StudyStatus
) -> None:
    limits = OwnerLimits(accounts, stack.records, Allowance(usd_per_month=0.0000001))
    changes: dict[str, Any] = {} if parameters is None else {"parameters": parameters}
    source = stack.upload(room, folder=f"{keys.CANARY}house", **changes)
    assert stack.submitter(limits).submit(source).status is status
