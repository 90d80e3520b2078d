"""The start of a study that follows another one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.checks.order import check_order
from epsm.errors import NotFound
from epsm.operations.reconcile import open_studies
from epsm.pipeline.items import Attempt
from epsm.pipeline.start import execution_input, start_followers, start_or_wait
from epsm.store.files import Files
from epsm.study.batches import Batching
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import PREFLIGHT_FROM, Study
from tests.unit.fakes import MemoryRecords, MemoryStack, MemoryStepFunctions, study_record
from tests.unit.manifests import manifest_of

_INPUTS = {
    name: ObjectRef(bucket="inputs", key=name, version_id="1", sha256="0" * 64, bytes=1)
    for name in ("room.idf", "chicago.epw")
}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BADLY = [each for each in StudyStatus if each.final and each is not StudyStatus.COMPLETED]
OPEN = [StudyStatus.PENDING, StudyStatus.RUNNING]


def study(**options: Any) -> Study:
    return Study.model_validate({"models": ["room.idf"], "weather": ["chicago.epw"], "options": options})


def manifest(name: str, **options: Any) -> RunManifest:
    source = Source(bucket="inputs", key=f"{name}/study.json", version_id="1")
    return manifest_of(study(**options), simulation_id=name, created_at=NOON, source=source, variants=9)


def record(name: str, status: StudyStatus, minute: int = 0, **changes: Any) -> StudyRecord:
    return study_record(name, status, NOON + timedelta(minutes=minute), **changes)


def waiting(name: str, after: str, minute: int = 1) -> StudyRecord:
    return record(name, StudyStatus.PENDING, minute, options={"after": after})


class Manifests:
    """The store, as far as manifests are read."""

    def __init__(self, *manifests: RunManifest) -> None:
        self._manifests = {each.simulation_id: each for each in manifests}

    def read_manifest(self, simulation: str) -> RunManifest:
        if simulation not in self._manifests:
            raise NotFound(simulation)
        return self._manifests[simulation]


class Case:
    """Studies, what is started of them, and what is told."""

    def __init__(self, *studies: StudyRecord) -> None:
        self.records = MemoryRecords(*studies)
        self.step_functions = MemoryStepFunctions()
        self.stack = MemoryStack(records=self.records, step_functions=self.step_functions)
        self.told = self.stack.notices

    def start(self, run: RunManifest) -> bool:
        return start_or_wait(self.stack, run, "anna")

    def go_on(self, **manifests: RunManifest) -> list[str]:
        self.stack.__dict__["files"] = Manifests(*manifests.values())
        return start_followers(self.stack, list(open_studies(self.records, look_back=None)))


def test_a_study_that_follows_none_starts_at_once() -> None:
    case = Case()
    assert case.start(manifest("b"))
    assert case.step_functions.started == ["b"]


def test_a_second_start_finds_the_first() -> None:
    case = Case()
    started = [case.start(manifest("b")) for _ in range(2)]
    assert started == [True, False]


@pytest.mark.parametrize("status", OPEN)
def test_a_follower_waits_while_the_first_has_not_ended(status: StudyStatus) -> None:
    case = Case(record("a", status), waiting("b", after="a"))
    assert case.go_on(b=manifest("b", after="a")) == []
    assert case.records.by_name["b"].status is StudyStatus.PENDING


def test_a_follower_starts_when_the_first_has_completed() -> None:
    case = Case(record("a", StudyStatus.COMPLETED), waiting("b", after="a"))
    assert case.go_on(b=manifest("b", after="a")) == case.step_functions.started == ["b"]


@pytest.mark.parametrize("status", BADLY)
def test_a_follower_of_one_that_did_not_complete_is_cancelled_and_says_why(status: StudyStatus) -> None:
    case = Case(record("a", status), waiting("b", after="a"))
    case.go_on(b=manifest("b", after="a"))
    assert case.step_functions.started == []
    follower = case.records.by_name["b"]
    assert (follower.status, follower.error) == (
        StudyStatus.CANCELLED,
        f"Not started: a, which it had to wait for, is {status.value}.",
    )


def test_subscribers_are_notified_of_a_follower_that_was_not_started() -> None:
    case = Case(record("a", StudyStatus.FAILED), waiting("b", after="a"))
    case.go_on(b=manifest("b", after="a"))
    (notice,) = case.told
    assert notice.subject.endswith(": cancelled, not started")
    assert notice.message.endswith("Not started: a, which it had to wait for, is failed.")


def test_a_follower_that_wants_no_notice_is_cancelled_in_silence() -> None:
    case = Case(record("a", StudyStatus.FAILED), waiting("b", after="a"))
    case.go_on(b=manifest("b", after="a", notify=False))
    assert (case.records.by_name["b"].status, case.told) == (StudyStatus.CANCELLED, [])


def test_a_whole_chain_is_cancelled_at_once() -> None:
    case = Case(record("a", StudyStatus.FAILED), waiting("b", "a", minute=1), waiting("c", "b", minute=2))
    case.go_on(b=manifest("b", after="a"), c=manifest("c", after="b"))
    assert case.records.by_name["c"].status is StudyStatus.CANCELLED


def test_a_follower_of_a_removed_study_is_cancelled() -> None:
    case = Case(waiting("b", after="a"))
    case.go_on(b=manifest("b", after="a"))
    assert case.records.by_name["b"].error == "Not started: a, which it had to wait for, is removed."


def test_one_that_cannot_be_started_does_not_keep_the_others() -> None:
    case = Case(record("a", StudyStatus.COMPLETED), waiting("b", "a", minute=1), waiting("c", "a", minute=2))
    assert case.go_on(c=manifest("c", after="a")) == ["c"]


def test_a_study_that_was_run_again_does_not_wait_any_more() -> None:
    again = record("b", StudyStatus.PENDING, options={"after": "a"}, attempt=2)
    case = Case(record("a", StudyStatus.FAILED), again)
    assert case.go_on(b=manifest("b", after="a")) == []
    assert case.records.by_name["b"].status is StudyStatus.PENDING


def faults(records: MemoryRecords, owner: str) -> list[str]:
    return [str(each) for each in check_order(study(after="a"), records.study, owner)]


@pytest.mark.parametrize("status", [*OPEN, StudyStatus.COMPLETED])
def test_what_has_not_ended_or_has_completed_can_be_followed(status: StudyStatus) -> None:
    assert faults(MemoryRecords(record("a", status, owner="anna")), "anna") == []


@pytest.mark.parametrize("status", BADLY)
def test_what_ended_badly_cannot_be_followed(status: StudyStatus) -> None:
    (fault,) = faults(MemoryRecords(record("a", status, owner="anna")), "anna")
    assert fault.startswith(f"study.json: options.after: 'a' has ended as {status.value}")


@pytest.mark.parametrize(
    "records",
    [
        MemoryRecords(),
        MemoryRecords(record("a", StudyStatus.RUNNING, owner="ben")),
        MemoryRecords(record("a", StudyStatus.COMPLETED, owner="anna", removing=True)),
    ],
    ids=["nowhere", "somebody else's", "being removed"],
)
def test_what_is_not_there_or_somebody_elses_cannot_be_followed(records: MemoryRecords) -> None:
    (fault,) = faults(records, "anna")
    assert fault.startswith("study.json: options.after: there is no simulation 'a'")


def nine(*, batched: bool = False, engines: int = 1) -> Attempt:
    """An attempt of nine variants."""
    return Attempt(1, 9, (), Batching(batched, None, engines, 1, True, lambda model: 1.0), 9)


def test_an_execution_knows_its_attempt_which_alone_it_may_close() -> None:
    second = replace(nine(), number=2)
    assert [execution_input(manifest("a"), "items", each, 0)["attempt"] for each in (nine(), second)] == [1, 2]


def test_the_map_of_batches_tolerates_everything_because_it_would_count_batches() -> None:
    given = execution_input(manifest("a", max_failures=3), "items", nine(batched=True), 0)
    assert (given["tolerated_failure_count"], given["tolerated_failure_percentage"]) == (9, 100)


def test_functions_with_several_engines_run_as_many_variants_at_a_time_as_the_study_says() -> None:
    given = execution_input(manifest("a", max_concurrency=20), "items", nine(batched=True, engines=6), 0)
    assert given["max_concurrency"] == 4


def test_an_execution_gives_up_when_more_fail_than_the_study_says() -> None:
    assert execution_input(manifest("a", max_failures=3), "items", nine(), 0)["tolerated_failure_count"] == 3


def test_without_a_number_of_failures_all_may_fail() -> None:
    assert execution_input(manifest("a"), "items", nine(), 0)["tolerated_failure_count"] == 9


def test_an_execution_gets_the_models_to_try_first() -> None:
    given = execution_input(manifest("a", max_concurrency=3), "items", nine(), 0, [0, 40])
    assert (given["preflight"], given["preflight_concurrency"]) == ([0, 40], 3)


@pytest.mark.parametrize(("run_with", "tried"), [([], [0]), (["another"], [0]), (["0" * 64], [])])
def test_a_model_is_not_tried_with_the_weather_that_it_has_run_with(
    monkeypatch: pytest.MonkeyPatch, run_with: list[str], tried: list[int]
) -> None:
    wall = {"name": "wall", "class": "Material", "object": "Wall", "field": "Thickness"}
    document = {"models": ["room.idf"], "weather": ["chicago.epw"]}
    parameter = {**wall, "values": [number / 100 for number in range(1, PREFLIGHT_FROM)]}
    many = Study.model_validate({**document, "parameters": [parameter]})
    case = Case()
    monkeypatch.setattr(case.records, "weather_run_with", lambda owner, sha256: {"anna": run_with}[owner])

    assert case.start(manifest_of(many, simulation_id="a", inputs=_INPUTS))

    assert case.step_functions.inputs[0]["preflight"] == tried


def test_what_runs_again_is_not_tried_again() -> None:
    assert execution_input(manifest("a", preflight=True), "items", nine(), 0)["preflight"] == []


def test_a_study_that_waited_since_an_earlier_release_gets_items_of_this_one(files: Files) -> None:
    case = Case(record("a", StudyStatus.PENDING))
    case.stack.files = files
    files.put_text("runs/a/items.json", '[{"index": 0, "record_key": "VARIANT#0000000"}]', "application/json")

    case.records.of_earlier_releases.add("a")
    assert case.start(manifest("a"))

    (item,) = json.loads(files.open_result("runs/a/items.json").read())
    assert (item["record_key"], item["record_block"]) == ("VARIANT#0000000", "")
