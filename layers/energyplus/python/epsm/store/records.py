"""Records in DynamoDB: one item per study, one item per variant.

Every write is conditional: a late or repeated write never turns a final state back. The time stamps are ISO 8601 in
UTC with milliseconds, so that they sort as texts.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from epsm.problems import Problem, shortened
from epsm.store import attributes, keys
from epsm.store.conditional import write_if, write_together
from epsm.store.counters import COUNTED_FAILURES, Counters
from epsm.store.items import study_record, to_item
from epsm.store.study_lists import StudyLists
from epsm.study.records import StudyRecord, StudyStatus, expiry, now, timestamp
from epsm.study.schema import Options

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_PARTITIONS_AT_A_TIME = 4
_MAX_WEATHER = 50
"""Weather files that are kept with a model's run time, so that its item stays small."""


class Records(StudyLists, Counters):
    """The table of records.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        StudyLists.__init__(self, table)
        Counters.__init__(self, table)

    def create_or_get_study(self, simulation: str, name: str, source: dict[str, str], owner: str = "") -> StudyRecord:
        """Create a pending study, or get the existing one of that name; returns the stored record."""
        created_at = datetime.now(UTC)
        expires_at = expiry(created_at, Options().retention_days)
        self._create_counters(simulation, expires_at)
        item = {
            **keys.study_key(simulation),
            attributes.RECORD_TYPE: keys.STUDY_SORT_KEY,
            attributes.EXPIRES_AT: expires_at,
            "simulation_id": simulation,
            "name": name,
            attributes.STATUS: StudyStatus.PENDING.value,
            attributes.CREATED_AT: timestamp(created_at),
            attributes.BLOCK_SIZE: keys.BLOCK_SIZE,
            "source": source,
            **({attributes.OWNER: owner} if owner else {}),
        }
        write_if(self._table.put_item, Item=item, ConditionExpression=f"attribute_not_exists({keys.PARTITION_KEY})")
        record = self.study_including_removed(simulation)
        assert record is not None, "a record that was just written is missing"
        return record

    def accept_study(
        self,
        simulation: str,
        *,
        name: str,
        variants: int,
        options: dict[str, Any],
        expires_at: int,
        batched: bool = False,
        engines: int = 1,
    ) -> bool:
        """Record the variants of a pending study."""
        self._keep_counters_until(simulation, expires_at)
        values = {"name": name, attributes.VARIANTS: variants, "options": options, attributes.EXPIRES_AT: expires_at}
        in_batches = {"batched": batched, "engines": engines}
        return self._update_study(simulation, (StudyStatus.PENDING,), values | in_batches)

    def reject_study(self, simulation: str, problems: Sequence[Problem]) -> bool:
        """Close a pending study as rejected."""
        listed = [problem.as_dict() for problem in shortened(problems)]
        values = {attributes.STATUS: StudyStatus.REJECTED.value, attributes.ENDED_AT: now(), "problems": listed}
        return self._update_study(simulation, (StudyStatus.PENDING,), values)

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
        """Close a study that has not ended yet; False, and nothing written, if it has, or if an attempt after this one
        has begun."""
        values = {
            attributes.STATUS: status.value,
            attributes.ENDED_AT: now(),
            "succeeded": succeeded,
            "failed": failed,
            "reused": reused,
            attributes.ERROR: error,
            "given_up": given_up,
        }
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), values, attempt)

    def cancel_study(self, simulation: str, reason: str, attempt: int | None = None) -> bool:
        """Close a study that has not ended as cancelled; False, and nothing written, if it has ended, or if an attempt
        after the given one has begun."""
        values = {
            attributes.STATUS: StudyStatus.CANCELLED.value,
            attributes.ENDED_AT: now(),
            attributes.ERROR: reason,
        }
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), values, attempt)

    def count_cancelled_study(
        self, simulation: str, *, succeeded: int, failed: int, attempt: int | None = None
    ) -> bool:
        """Record the counts of a cancelled study, unless an attempt after this one has begun; its status stays."""
        values = {"succeeded": succeeded, "failed": failed, "collected": True}
        return self._update_study(simulation, (StudyStatus.CANCELLED,), values, attempt)

    def reopen_study(
        self, simulation: str, attempt: int, *, succeeded: int, batched: bool = False, engines: int = 1
    ) -> bool:
        """Reopen a study that ended without all its variants as pending, to run the missing ones.

        Args:
            simulation: The study's simulation.
            attempt: Number of the new attempt.
            succeeded: Number of variants that have succeeded; the record of a study that was cancelled a moment ago
                does not have it yet.
            batched, engines: How the attempt runs, see `StudyRecord`.
        """
        values = {
            "succeeded": succeeded,
            attributes.STATUS: StudyStatus.PENDING.value,
            attributes.ATTEMPT: attempt,
            "reopened_at": now(),
            attributes.ENDED_AT: "",
            attributes.ERROR: "",
            attributes.EXECUTION_ARN: "",
            "given_up": False,
            "collected": False,
            "stop_reason": "",
            "batched": batched,
            "engines": engines,
            # Of a study of an earlier release.
            "spent_usd": 0,
            attributes.SUCCESSES: 0,
            **dict.fromkeys((*COUNTED_FAILURES, attributes.WORKERS), 0),
        }
        ended = (StudyStatus.PARTIAL, StudyStatus.FAILED, StudyStatus.CANCELLED)
        study = {"TableName": self._table.name, **self._study_update(simulation, ended, values)}
        counters = self._reset_counters(simulation, attempt, expiry(datetime.now(UTC), Options().retention_days))
        return write_together(self._table.meta.client, [{"Update": study}, {"Update": counters}])

    def mark_removing(self, simulation: str) -> bool:
        """Mark an ended study as being removed; False, and nothing written, if it has not ended."""
        ended = [status for status in StudyStatus if status.final]
        return self._update_study(simulation, ended, {"removing": True})

    def request_stop(self, simulation: str, reason: str, attempt: int | None = None) -> bool:
        """Request the stop of a study that has not ended, unless an attempt after the given one has begun: its variants
        stop themselves."""
        open_ = (StudyStatus.PENDING, StudyStatus.RUNNING)
        return self._update_study(simulation, open_, {"stop_reason": reason}, attempt)

    def change_options(self, simulation: str, options: dict[str, Any]) -> bool:
        """Replace the options of a study that has not ended; they apply to everything from now on."""
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), {"options": options})

    def _update_study(
        self, simulation: str, only_from: Sequence[StudyStatus], values: dict[str, Any], attempt: int | None = None
    ) -> bool:
        """Set attributes of a study that is in one of the given states; False, and nothing written, if it is not, or
        if an attempt after the given one has begun."""
        update = self._study_update(simulation, only_from, values)
        if attempt is not None:
            name = attributes.ATTEMPT
            update["ConditionExpression"] += f" AND (attribute_not_exists({name}) OR {name} <= :current)"
            update["ExpressionAttributeValues"][":current"] = attempt
        return write_if(self._table.update_item, **update)

    @staticmethod
    def _study_update(simulation: str, only_from: Sequence[StudyStatus], values: dict[str, Any]) -> dict[str, Any]:
        allowed = {f":from{number}": status.value for number, status in enumerate(only_from)}
        return {
            "Key": keys.study_key(simulation),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "ConditionExpression": f"#status IN ({', '.join(allowed)}) AND attribute_not_exists(removing)",
            "ExpressionAttributeNames": {"#status": attributes.STATUS, **{f"#{name}": name for name in values}},
            "ExpressionAttributeValues": {**allowed, **{f":{name}": to_item(value) for name, value in values.items()}},
        }

    def study(self, simulation: str) -> StudyRecord | None:
        """The record of a study; None if there is none, or if it is being removed."""
        record = self.study_including_removed(simulation)
        return None if record is None or record.removing else record

    def study_including_removed(self, simulation: str) -> StudyRecord | None:
        """The record of a study, also while it is being removed; None if there is none."""
        item = self._table.get_item(Key=keys.study_key(simulation), ConsistentRead=True).get("Item")
        return None if item is None else self.with_counters(study_record(item))

    def note_run_time(self, owner: str, sha256: str, engine_seconds: float, weather: Sequence[str] = ()) -> None:
        """Record the run time of an owner's model, by the hash of its file.

        Args:
            owner: The owner.
            sha256: Hash of the model's file.
            engine_seconds: Mean of its runs.
            weather: Hashes of the weather files that it has run with; those of its last study are kept.
        """
        self._table.update_item(
            Key=keys.run_time_key(owner, sha256),
            UpdateExpression="SET engine_seconds = :seconds, noted_at = :now, weather = :weather",
            ExpressionAttributeValues={
                ":seconds": to_item(engine_seconds),
                ":now": now(),
                ":weather": list(weather[:_MAX_WEATHER]),
            },
        )

    def run_time(self, owner: str, sha256: str) -> float | None:
        """Mean engine seconds of an owner's last runs of a model; None if there were none. Those of others do not
        count: they would reveal what others have run."""
        item: dict[str, Any] | None = self._table.get_item(Key=keys.run_time_key(owner, sha256)).get("Item")
        return None if item is None else float(item["engine_seconds"])

    def weather_run_with(self, owner: str, sha256: str) -> Collection[str]:
        """Hashes of the weather files with which an owner's model has run in its last study."""
        item: dict[str, Any] = self._table.get_item(Key=keys.run_time_key(owner, sha256)).get("Item") or {}
        return frozenset(item.get("weather", ()))

    def stop_requested(self, simulation: str, attempt: int | None = None) -> bool:
        """Whether the running variants of a study must stop: it was cancelled, is being given up, or was removed.

        The cheapest possible read, because running variants poll it.

        Args:
            simulation: The study's simulation.
            attempt: The attempt that they belong to; they must also stop if a later one has begun.
        """
        answer = self._table.get_item(
            Key=keys.study_key(simulation),
            ProjectionExpression=f"#status, stop_reason, removing, {attributes.ATTEMPT}",
            ExpressionAttributeNames={"#status": attributes.STATUS},
        )
        item = answer.get("Item")
        if item is None:  # perhaps only not visible yet: this read is not a consistent one
            return self.is_removed(simulation)
        if attempt is not None and int(str(item.get(attributes.ATTEMPT, 1))) > attempt:
            return True
        cancelled = item.get(attributes.STATUS) == StudyStatus.CANCELLED.value
        return cancelled or bool(item.get("stop_reason") or item.get("removing"))

    def is_removed(self, simulation: str) -> bool:
        """Whether a study is being removed, or has been."""
        item = self._table.get_item(
            Key=keys.study_key(simulation), ProjectionExpression=f"{keys.PARTITION_KEY}, removing", ConsistentRead=True
        ).get("Item")
        return item is None or bool(item.get("removing"))

    def remove_study(self, simulation: str, check_time: Callable[[], None] = lambda: None) -> int:
        """Delete every item of a study, the study's own last; returns their number.

        Args:
            simulation: The study's simulation.
            check_time: Called before each request for a page of items; raises `OutOfTime`.
        """
        first, *others = self._block_suffixes(simulation)

        def remove(suffix: str) -> int:
            return self._remove_partition(keys.partition(simulation, suffix), check_time)

        with ThreadPoolExecutor(_PARTITIONS_AT_A_TIME) as pool:
            removed = sum(pool.map(remove, [*others, keys.COUNTERS_SUFFIX]))
        return removed + remove(first)

    def _remove_partition(self, partition: str, check_time: Callable[[], None]) -> int:
        query: dict[str, Any] = {
            "KeyConditionExpression": f"{keys.PARTITION_KEY} = :pk",
            "ExpressionAttributeValues": {":pk": partition},
            "ProjectionExpression": f"{keys.PARTITION_KEY}, {keys.SORT_KEY}",
        }
        removed = 0
        check_time()
        while items := self._table.query(**query, ScanIndexForward=False, Limit=1000)["Items"]:
            with self._table.batch_writer() as batch:
                for item in items:
                    batch.delete_item(Key=item)
            removed += len(items)
            check_time()
        return removed
