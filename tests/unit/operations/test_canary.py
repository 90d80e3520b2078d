"""The canary: the study that it sends, its checks, and its reports of faults."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any

import pytest
from botocore.exceptions import ClientError

from epsm.checks.rules import Rules
from epsm.checks.study import check_study
from epsm.energyplus.weather import read_weather
from epsm.operations.canary import Canary, CanaryFailed, canary_files
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.functions import Functions
from epsm.study.limits import Limits
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.fakes import MemoryRecords, MemoryS3, MemoryStack, fake, study_record

TIMEOUT_S = 60.0
GOOD = VariantRecord(0, VariantStatus.SUCCEEDED, verdict="ok")


class World(MemoryS3):
    """A stack in memory, which does with an uploaded study what a test says; S3, Lambda and clock in one.

    Attributes:
        status: How the study ends; None if the upload is not picked up.
        variant: What becomes of its variant.
        table: Content of its results.csv.
        seconds: How long it takes.
        removal: Lambda's error of the removal; empty for none.
        changes: Further values of the study's record.
        uploads: Keys of the uploads, in that order.
        asked: Payloads of the cleanup function.
    """

    def __init__(self) -> None:
        super().__init__()
        self.status: StudyStatus | None = StudyStatus.COMPLETED
        self.variant: VariantRecord | None = GOOD
        self.table = b"variant_index\n0\n"
        self.seconds = 20.0
        self.removal = ""
        self.changes: dict[str, Any] = {}
        self.uploads: list[str] = []
        self.asked: list[Any] = []
        self.time = 0.0
        self.records = _Records()
        stack = MemoryStack(records=self.records, s3=self, functions=Functions(fake(self), "cleanup"))
        self.canary = Canary(stack, clock=lambda: self.time, sleep=self.sleep)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | IO[bytes], **_: Any) -> Any:  # noqa: N803 - boto3's names
        super().put_object(Bucket=Bucket, Key=Key, Body=Body)
        self.uploads.append(Key)
        return {"VersionId": "v1"}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if (Bucket, Key, "") not in self.objects:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {"ContentLength": len(self.objects[Bucket, Key, ""])}

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.status is None:
            return
        simulation = self.simulation
        record = study_record(simulation, StudyStatus.RUNNING, datetime.now(UTC), execution_arn="arn:execution")
        if self.time >= self.seconds:
            record = replace(record, status=self.status, **self.changes)
            self.records.of_variant = self.variant
            if self.table:
                self.objects["results", keys.run_key(simulation, "results.csv"), ""] = self.table
        self.records.by_name[simulation] = record

    @property
    def simulation(self) -> str:
        return keys.simulation_id("inputs", self.uploads[-1], "v1")

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert (FunctionName, InvocationType) == ("cleanup", "RequestResponse")
        self.asked.append(json.loads(Payload))
        error = {"FunctionError": "Unhandled"} if self.removal else {}
        return {"Payload": io.BytesIO(self.removal.encode()), **error}


class _Records(MemoryRecords):
    of_variant: VariantRecord | None = None

    def variant(self, simulation: str, index: int) -> VariantRecord | None:
        return self.of_variant if index == 0 else None


@pytest.fixture
def world() -> World:
    return World()


def failure(world: World) -> str:
    """What the canary says of its failure."""
    with pytest.raises(CanaryFailed) as failed:
        world.canary.run(TIMEOUT_S)
    return str(failed.value)


# --- what it sends


class _Sent:
    place = "the canary"

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents

    def sizes(self, needed: Any) -> dict[str, int]:
        return {name: len(content) for name, content in self._contents.items()}

    def read(self, name: str) -> bytes | None:
        return self._contents.get(name)


def test_its_weather_is_a_whole_year() -> None:
    weather, problems = read_weather(canary_files()["canary.epw"], "canary.epw")
    assert problems == []
    assert weather is not None
    assert (weather.records, weather.records_per_hour) == (8760, 1)


def test_its_study_would_be_accepted_as_one_variant_without_notification(world: World) -> None:
    world.canary.run(TIMEOUT_S)
    study = check_study(
        world.objects["inputs", world.uploads[-1], ""], _Sent(canary_files()), Rules(Limits(max_variants=1))
    ).study
    assert (study.variant_count, study.options.notify, study.options.run_period) == (1, False, "design_days")


def test_study_json_is_uploaded_last_and_all_below_the_canarys_folder(world: World) -> None:
    world.canary.run(TIMEOUT_S)
    assert [key.rpartition("/")[2] for key in world.uploads] == ["canary.idf", "canary.epw", "study.json"]
    assert all(keys.is_canary(key) for key in world.uploads)


# --- what comes of it


def test_a_canary_that_came_through_is_removed_and_measured(world: World) -> None:
    done = world.canary.run(TIMEOUT_S)
    assert done.simulation_id == world.simulation
    assert done.seconds == pytest.approx(20, abs=2)
    assert world.asked == [{"task": "remove", "simulation_id": world.simulation}]


@pytest.mark.parametrize("status", [each for each in StudyStatus if each.final and each != StudyStatus.COMPLETED])
def test_any_other_end_is_a_failure_that_says_status_reason_and_execution(world: World, status: StudyStatus) -> None:
    world.status, world.changes = status, {"error": "The study was given up."}
    said = failure(world)
    assert f"{world.simulation} is {status.value} (execution arn:execution): The study was given up." in said


def test_a_rejected_canary_says_what_was_found(world: World) -> None:
    world.status, world.variant = StudyStatus.REJECTED, None
    world.changes = {"problems": (Problem("canary.idf", "is for another engine", "25.2"),)}
    assert "is for another engine" in failure(world)


@pytest.mark.parametrize(
    "variant",
    [
        None,
        VariantRecord(0, VariantStatus.FAILED, verdict="crashed"),
        VariantRecord(0, VariantStatus.FAILED, verdict="ok", stage="results"),
        VariantRecord(0, VariantStatus.SUCCEEDED, verdict="ok with severe"),
        VariantRecord(0, VariantStatus.SUCCEEDED, verdict="fatal"),
    ],
)
def test_a_completed_study_without_a_good_variant_is_a_failure(world: World, variant: VariantRecord | None) -> None:
    world.variant = variant
    assert "its variant has" in failure(world)


def test_a_variant_that_failed_gives_its_reason(world: World) -> None:
    world.status, world.variant = StudyStatus.FAILED, VariantRecord(0, VariantStatus.FAILED, error="no memory left")
    assert "no memory left" in failure(world)


def test_a_study_without_a_table_is_a_failure(world: World) -> None:
    world.table = b""
    assert "results.csv" in failure(world)


def test_an_upload_that_nobody_picks_up_is_a_failure(world: World) -> None:
    world.status = None
    assert "was not picked up" in failure(world)
    assert TIMEOUT_S <= world.time < TIMEOUT_S + 10


def test_a_study_that_takes_too_long_is_a_failure(world: World) -> None:
    world.seconds = 10 * TIMEOUT_S
    assert "is running (execution arn:execution): it has not ended in time" in failure(world)


def test_a_study_that_cannot_be_removed_is_a_failure(world: World) -> None:
    world.removal = '{"errorType": "NotRemoved"}'
    assert "could not be removed" in failure(world)
    assert "NotRemoved" in failure(world)


def test_what_aws_refuses_the_canary_itself_is_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(world, "put_object", refuse)
    assert "AccessDenied" in failure(world)


def test_a_failed_canary_is_kept(world: World) -> None:
    world.status = StudyStatus.FAILED
    failure(world)
    assert world.asked == []
