"""The store in memory, as far as what closes and removes studies uses it."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import IO, Any

from botocore.exceptions import ClientError

from epsm.operations.close import NotCollected
from epsm.settings import Settings
from epsm.store import keys
from epsm.store.accounts import Accounts
from epsm.store.executions import Executions
from epsm.store.notifications import Notification
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.records import StudyPage, StudyRecord, StudyStatus, VariantRecord, VariantStatus, timestamp


def fake(client: object) -> Any:
    """A stand-in for a client of AWS, which has no more of its methods than a test needs."""
    return client


SOME_PAGE = 2
"""Few enough that tests with three of something need a second page."""


def study_record(simulation: str, status: StudyStatus, created_at: datetime, **changes: Any) -> StudyRecord:
    record = StudyRecord(simulation_id=simulation, name=simulation, status=status, created_at=timestamp(created_at))
    return replace(record, **changes)


class MemoryRecords(Records):
    """Records without a table.

    Attributes:
        by_name: The studies.
        running: Indices of the variants that run, for every study alike.
        running_workers: Number of workers that run batches, for every study alike.
        removed: Names of the studies whose items were removed, in that order.
        of_earlier_releases: Names of the studies with all variants in one partition.
    """

    def __init__(self, *studies: StudyRecord) -> None:
        super().__init__(table=fake(None))
        self.by_name = {study.simulation_id: study for study in studies}
        self.running: dict[int, str] = {}
        self.running_workers = 0
        self.removed: list[str] = []
        self.of_earlier_releases: set[str] = set()

    def block_size(self, simulation: str) -> int:
        return 0 if simulation in self.of_earlier_releases else keys.BLOCK_SIZE

    def workers(self, simulation: str) -> int:
        return self.running_workers

    def recount_failures(self, simulation: str, attempt: int) -> int:
        return self.by_name[simulation].failures

    def study_including_removed(self, simulation: str) -> StudyRecord | None:
        return self.by_name.get(simulation)

    def study_page(
        self,
        *,
        owner: str | None = None,
        status: StudyStatus | None = None,
        limit: int = 50,
        start: dict[str, Any] | None = None,
    ) -> StudyPage:
        newest_first = sorted(self.by_name.values(), key=lambda study: study.created_at, reverse=True)
        first = start["first"] if start else 0
        behind = first + SOME_PAGE
        next_page = {"first": behind} if behind < len(newest_first) else None
        return StudyPage(tuple(newest_first[first:behind]), next_page)

    def cancel_study(self, simulation: str, reason: str, attempt: int | None = None) -> bool:
        return self._change(simulation, status=StudyStatus.CANCELLED, error=reason)

    def finish_study(
        self,
        simulation: str,
        status: StudyStatus,
        *,
        succeeded: int,
        failed: int,
        reused: int = 0,
        error: str = "",
        given_up: bool = False,
        attempt: int | None = None,
    ) -> bool:
        return self._change(
            simulation,
            status=status,
            succeeded=succeeded,
            failed=failed,
            reused=reused,
            error=error,
            given_up=given_up,
        )

    def request_stop(self, simulation: str, reason: str, attempt: int | None = None) -> bool:
        return self._change(simulation, stop_reason=reason)

    def _change(self, simulation: str, **changes: Any) -> bool:
        if self.by_name[simulation].status.final:
            return False
        self.by_name[simulation] = replace(self.by_name[simulation], **changes)
        return True

    def mark_removing(self, simulation: str) -> bool:
        if not self.by_name[simulation].status.final:
            return False
        self.by_name[simulation] = replace(self.by_name[simulation], removing=True)
        return True

    def remove_study(self, simulation: str, check_time: Callable[[], None] = lambda: None) -> int:
        check_time()
        del self.by_name[simulation]
        self.removed.append(simulation)
        return 1

    def running_since(self, simulation: str) -> dict[int, str]:
        return self.running

    def variants(self, simulation: str, first: int = 0) -> Iterator[VariantRecord]:
        yield from [VariantRecord(index, VariantStatus.RUNNING, since) for index, since in self.running.items()]

    def variant(self, simulation: str, index: int) -> VariantRecord | None:
        return VariantRecord(index, VariantStatus.RUNNING, self.running[index]) if index in self.running else None


class MemoryCollector:
    """The aggregate function: writes down what it is asked, and closes the record.

    Attributes:
        asked: Simulation and map error of every call.
        has_manifest: Whether runs have one.
        fault: Whether it fails.
        failure: What it fails with.
    """

    def __init__(self, records: MemoryRecords) -> None:
        self._records = records
        self.asked: list[tuple[str, dict[str, str] | None]] = []
        self.has_manifest = True
        self.fault = False
        self.failure: type[NotCollected] = NotCollected

    def __call__(self, simulation: str, map_error: dict[str, str] | None = None, attempt: int | None = None) -> bool:
        if not self.has_manifest:
            return False
        self.asked.append((simulation, map_error))
        if self.fault:
            raise self.failure(f"{simulation}: no memory left")
        self._records.finish_study(simulation, StudyStatus.FAILED, succeeded=1, failed=0)
        return True


class MemoryStepFunctions:
    """Executions by ARN, as `describe_execution` answers.

    Attributes:
        started: Names of the executions that were started.
        inputs: Their inputs.
        stopped: ARN and error of those that were stopped.
    """

    def __init__(self, *executions: dict[str, Any]) -> None:
        self._executions = {execution["executionArn"]: execution for execution in executions}
        self.started: list[str] = []
        self.inputs: list[dict[str, Any]] = []
        self.stopped: list[tuple[str, str]] = []

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        if name in self.started:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.started.append(name)
        self.inputs.append(json.loads(input))

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:  # noqa: N803
        self.stopped.append((executionArn, error))

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if executionArn not in self._executions:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        return self._executions[executionArn]


MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:epsm-dev-study"


class MemoryStack(Stack):
    """A stack in memory.

    Args:
        records: Its studies.
        step_functions: Its executions.
        s3: Its buckets.
        parts: Other parts, by their names in `Stack`.
    """

    def __init__(
        self, *, records: Records | None = None, step_functions: Any = None, s3: Any = None, **parts: Any
    ) -> None:
        super().__init__(
            Settings(inputs_bucket="inputs", results_bucket="results", table_name="records", state_machine_arn=MACHINE)
        )
        self.notices: list[Notification] = []
        self.records = MemoryRecords() if records is None else records
        self.executions = Executions(fake(MemoryStepFunctions() if step_functions is None else step_functions), MACHINE)
        self.s3 = fake(MemoryS3() if s3 is None else s3)
        self.notify = self.notices.append
        self.accounts = Accounts(table=fake(None))
        self.__dict__.update(parts)


class MemoryS3:
    """Objects by bucket, key and version; without a version the version is an empty text.

    Attributes:
        objects: Their contents.
        on_delete: Called with bucket and key before each deletion; what it raises S3 would have.
        modified: When all of them were put there.
        largest_batch: The most objects that one request was to delete.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], bytes] = {}
        self.on_delete: Callable[[str, str], None] = lambda bucket, key: None
        self.modified = datetime(2026, 1, 1, tzinfo=UTC)
        self.largest_batch = 0

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | IO[bytes], **_: Any) -> Any:  # noqa: N803 - boto3's names
        self.objects[Bucket, Key, ""] = Body if isinstance(Body, bytes) else Body.read()
        return {"ETag": ""}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if (Bucket, Key, "") not in self.objects:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return {"ETag": "", "Metadata": {}}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if (Bucket, Key, "") not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key, ""])}

    def get_paginator(self, operation: str) -> Any:
        return {
            "list_objects_v2": SimpleNamespace(paginate=self._objects),
            "list_object_versions": SimpleNamespace(paginate=self._versions),
        }[operation]

    def _versions(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        for (bucket, key, version), content in sorted(self.objects.items()):
            if bucket == Bucket and key.startswith(Prefix):
                shared = {"VersionId": version, "LastModified": self.modified}
                yield {"Versions": [{"Key": key, "Size": len(content), **shared}]}
        yield {}

    def _objects(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Pages of 1,000, and an empty one at last, as S3 gives them for a prefix without objects."""
        listed = [
            {"Key": key, "Size": len(content)}
            for (bucket, key, _), content in sorted(self.objects.items())
            if bucket == Bucket and key.startswith(Prefix)
        ]
        for start in range(0, len(listed), 1000):
            yield {"Contents": listed[start : start + 1000]}
        yield {}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        assert len(Delete["Objects"]) <= 1000
        self.largest_batch = max(self.largest_batch, len(Delete["Objects"]))
        errors = []
        for entry in Delete["Objects"]:
            try:
                self.on_delete(Bucket, entry["Key"])
            except PermissionError as error:
                errors.append({"Key": entry["Key"], "Code": "AccessDenied", "Message": str(error)})
            else:
                self.objects.pop((Bucket, entry["Key"], entry.get("VersionId", "")), None)
        return {"Errors": errors} if errors else {}
