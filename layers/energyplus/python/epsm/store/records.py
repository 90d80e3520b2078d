"""Records in DynamoDB: one item a study, one item a variant.

Every write is conditional: a late or repeated write never turns a final state back. The time stamps are ISO 8601 in
UTC with milliseconds, so that they sort as texts.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from epsm.problems import Problem, shortened
from epsm.store import keys
from epsm.study.schema import Options

RETENTION_MARGIN_DAYS = 40
"""The table's own expiry comes this much later than the study's retention, which counts from its end: it is the net
under the daily cleanup, and must not catch a study that ran long, or was run again."""

_PAGE = 200
_LARGEST_NUMBER = 1e38
"""DynamoDB takes up to 9.9e125, but answers in plain digits, of which boto3 reads 38."""
_SMALLEST_NUMBER = 1e-130
"""DynamoDB refuses a smaller one; no energy or area of that size means anything but zero."""


class StudyStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        return self not in (StudyStatus.PENDING, StudyStatus.RUNNING)


CANCELLED_STAGE = "cancelled"


class VariantStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """What is known of a study, from the table.

    Attributes:
        simulation_id: Its name.
        name: The name that the modeller gave it.
        status: Where it is.
        created_at: ISO 8601, UTC.
        started_at, ended_at: Likewise, empty until then.
        variants: How many there are; 0 while it is not known.
        succeeded, failed: Counts, once it has ended.
        execution_arn: The Step Functions execution, empty before it is started.
        error: Why the study as a whole failed, empty otherwise.
        problems: Why it was rejected.
        source: Bucket, key and version of the study.json.
        options: The study's options.
        owner: Who submitted it through the API; empty for a study.json put into the bucket directly.
        attempt: 1, and one more for each time that its failed variants were run again.
        reopened_at: When the last such attempt was asked for; empty before the second.
        removing: Whether it is being removed, and so is not there any more for those who ask.
        given_up: Whether its map or its execution ended before everything had run, whatever the reason.
        collected: Whether `succeeded` and `failed` of a cancelled study are counted, also where both are 0.
        stop_reason: Why it is being stopped although nobody cancelled it; empty otherwise.
        spent_usd: What this attempt's variants have cost so far; counted only where `max_cost_usd` limits it, or
            owners have a limit of dollars a month.
        cost_usd: The same of all attempts together.
    """

    simulation_id: str
    name: str
    status: StudyStatus
    created_at: str
    started_at: str = ""
    ended_at: str = ""
    variants: int = 0
    succeeded: int = 0
    failed: int = 0
    execution_arn: str = ""
    error: str = ""
    problems: tuple[Problem, ...] = ()
    source: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
    attempt: int = 1
    reopened_at: str = ""
    removing: bool = False
    given_up: bool = False
    collected: bool = False
    stop_reason: str = ""
    spent_usd: float = 0.0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class StudyPage:
    """Some studies, the newest first, and where the next page starts; None behind the last."""

    studies: tuple[StudyRecord, ...]
    next_page: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """What is known of a variant, from the table.

    Attributes:
        index: Position in the study.
        status: running, succeeded or failed.
        started_at, ended_at: ISO 8601, UTC.
        verdict: How the engine run ended, a value of `epsm.energyplus.verdict.Verdict`; empty while it runs.
        stage: For a failure where it happened: ``input``, ``engine``, ``results`` or ``worker``; ``cancelled`` for a
            variant that was stopped with its study.
        error: For a failure the message.
        summary: Metrics, measures and the period, as `epsm.pipeline.run_variant` wrote them.
    """

    index: int
    status: VariantStatus
    started_at: str = ""
    ended_at: str = ""
    verdict: str = ""
    stage: str = ""
    error: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


def now() -> str:
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def expiry(created_at: datetime, retention_days: int) -> int:
    """When the table drops a study's items by itself, seconds since 1970."""
    return int((created_at + timedelta(days=retention_days + RETENTION_MARGIN_DAYS)).timestamp())


class Records:
    """The table as this project uses it.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def claim_study(self, simulation: str, name: str, source: dict[str, str], owner: str = "") -> StudyRecord:
        """Write a new pending study, or find the one of that name; either way return what the table has."""
        created_at = datetime.now(UTC)
        item = {
            "pk": keys.partition(simulation),
            "sk": keys.STUDY_SORT_KEY,
            "record_type": keys.STUDY_SORT_KEY,
            "expires_at": expiry(created_at, Options().retention_days),
            "simulation_id": simulation,
            "name": name,
            "status": StudyStatus.PENDING.value,
            "created_at": timestamp(created_at),
            "source": source,
            **({"owner": owner} if owner else {}),
        }
        self._write(self._table.put_item, Item=item, ConditionExpression="attribute_not_exists(pk)")
        record = self.study_or_remains(simulation)
        assert record is not None, "a record that was just written is not there"
        return record

    def accept_study(
        self, simulation: str, *, name: str, variants: int, options: dict[str, Any], expires_at: int
    ) -> bool:
        """Note what a pending study will run."""
        return self._update_study(
            simulation,
            (StudyStatus.PENDING,),
            {"name": name, "variants": variants, "options": options, "expires_at": expires_at},
        )

    def reject_study(self, simulation: str, problems: Sequence[Problem]) -> bool:
        """Close a pending study that cannot run."""
        listed = [problem.as_dict() for problem in shortened(problems)]
        values = {"status": StudyStatus.REJECTED.value, "ended_at": now(), "problems": listed}
        return self._update_study(simulation, (StudyStatus.PENDING,), values)

    def finish_study(
        self,
        simulation: str,
        status: StudyStatus,
        *,
        succeeded: int,
        failed: int,
        error: str = "",
        given_up: bool = False,
    ) -> bool:
        """Close a study that has not ended yet; False, and nothing written, if it has."""
        values = {
            "status": status.value,
            "ended_at": now(),
            "succeeded": succeeded,
            "failed": failed,
            "error": error,
            "given_up": given_up,
        }
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), values)

    def cancel_study(self, simulation: str, why: str) -> bool:
        """Close a study that has not ended as cancelled; False, and nothing written, if it has ended."""
        values = {"status": StudyStatus.CANCELLED.value, "ended_at": now(), "error": why}
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), values)

    def count_cancelled_study(self, simulation: str, *, succeeded: int, failed: int) -> bool:
        """Note what a cancelled study had come to; its state stays."""
        values = {"succeeded": succeeded, "failed": failed, "collected": True}
        return self._update_study(simulation, (StudyStatus.CANCELLED,), values)

    def reopen_study(self, simulation: str, attempt: int) -> bool:
        """Make a study that ended without all its variants pending again, to run those that are missing."""
        values = {
            "status": StudyStatus.PENDING.value,
            "attempt": attempt,
            "reopened_at": now(),
            "ended_at": "",
            "error": "",
            "execution_arn": "",
            "given_up": False,
            "collected": False,
            "stop_reason": "",
            "spent_usd": 0,
        }
        return self._update_study(simulation, (StudyStatus.PARTIAL, StudyStatus.FAILED, StudyStatus.CANCELLED), values)

    def hide_study(self, simulation: str) -> bool:
        """Note that a study which has ended is being removed; False, and nothing written, if it has not ended."""
        ended = [status for status in StudyStatus if status.final]
        return self._update_study(simulation, ended, {"removing": True})

    def note_stop(self, simulation: str, why: str) -> bool:
        """Note that a study which has not ended is being stopped: its variants end themselves."""
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), {"stop_reason": why})

    def change_options(self, simulation: str, options: dict[str, Any]) -> bool:
        """Replace the options of a study that has not ended, as far as what happens from now on goes by them."""
        return self._update_study(simulation, (StudyStatus.PENDING, StudyStatus.RUNNING), {"options": options})

    def _update_study(self, simulation: str, only_from: Sequence[StudyStatus], values: dict[str, Any]) -> bool:
        """Set attributes of a study that is in one of the given states; False, and nothing written, if it is not."""
        allowed = {f":from{number}": status.value for number, status in enumerate(only_from)}
        return self._write(
            self._table.update_item,
            Key={"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression=f"#status IN ({', '.join(allowed)}) AND attribute_not_exists(removing)",
            ExpressionAttributeNames={"#status": "status", **{f"#{name}": name for name in values}},
            ExpressionAttributeValues={**allowed, **{f":{name}": _to_item(value) for name, value in values.items()}},
        )

    def study(self, simulation: str) -> StudyRecord | None:
        """The record of a study; None if there is none, or if it is being removed."""
        record = self.study_or_remains(simulation)
        return None if record is None or record.removing else record

    def study_or_remains(self, simulation: str) -> StudyRecord | None:
        """The record of a study, also of one that is being removed; None if there is none (any more)."""
        key = {"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return None if item is None else _study_record(item)

    def note_run_time(self, sha256: str, engine_seconds: float) -> None:
        """Note how long a model's last runs took, by the hash of its file."""
        self._table.update_item(
            Key={"pk": keys.model_partition(sha256), "sk": keys.RUN_TIME_SORT_KEY},
            UpdateExpression="SET engine_seconds = :seconds, noted_at = :now",
            ExpressionAttributeValues={":seconds": _to_item(engine_seconds), ":now": now()},
        )

    def run_time(self, sha256: str) -> float | None:
        """Engine seconds of a model's last runs, the mean; None if it has never run."""
        key = {"pk": keys.model_partition(sha256), "sk": keys.RUN_TIME_SORT_KEY}
        item = self._table.get_item(Key=key).get("Item")
        return None if item is None else float(item["engine_seconds"])

    def must_stop(self, simulation: str) -> bool:
        """Whether what runs of a study is to end: it was cancelled, or is being given up.

        The smallest read there is: running variants ask often.
        """
        answer = self._table.get_item(
            Key={"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY},
            ProjectionExpression="#status, stop_reason",
            ExpressionAttributeNames={"#status": "status"},
        )
        item = answer.get("Item", {})
        return item.get("status") == StudyStatus.CANCELLED.value or bool(item.get("stop_reason"))

    def spend(self, simulation: str, usd: float) -> bool:
        """Add to what a study's variants have cost; whether that is all they may, and nothing follows yet."""
        answer = self._table.update_item(
            Key={"pk": keys.partition(simulation), "sk": keys.STUDY_SORT_KEY},
            UpdateExpression="ADD spent_usd :usd, cost_usd :usd",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":usd": _to_item(usd)},
            ReturnValues="ALL_NEW",
        )
        record = _study_record(answer["Attributes"])
        budget_usd = record.options.get("max_cost_usd")
        return budget_usd is not None and record.spent_usd >= budget_usd and not record.stop_reason

    def studies(self, limit: int = 50) -> list[StudyRecord]:
        """The newest studies, the newest first, without those that are being removed."""
        return [study for study in self.study_page(limit=limit).studies if not study.removing]

    def every_study(self) -> Iterator[StudyRecord]:
        """All studies, the newest first, read a page at a time."""
        start = None
        while True:
            page = self.study_page(limit=_PAGE, start=start)
            yield from page.studies
            if page.next_page is None:
                return
            start = page.next_page

    def study_page(
        self,
        *,
        owner: str | None = None,
        status: StudyStatus | None = None,
        limit: int = 50,
        start: dict[str, Any] | None = None,
    ) -> StudyPage:
        """A page of studies, the newest first.

        Args:
            owner: Only this owner's; None for everybody's.
            status: Only those in this state.
            limit: How many to look at; fewer come back where `status` leaves some out.
            start: The `next_page` of the page before.
        """
        index, attribute, value = (
            ("by_created_at", "record_type", keys.STUDY_SORT_KEY) if owner is None else ("by_owner", "owner", owner)
        )
        query: dict[str, Any] = {
            "IndexName": index,
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": attribute},
            "ExpressionAttributeValues": {":key": value},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if status is not None:
            query["FilterExpression"] = "#status = :status"
            query["ExpressionAttributeNames"]["#status"] = "status"
            query["ExpressionAttributeValues"][":status"] = status.value
        if start is not None:
            query["ExclusiveStartKey"] = start
        answer = self._table.query(**query)
        return StudyPage(tuple(map(_study_record, answer["Items"])), answer.get("LastEvaluatedKey"))

    def remove_study(self, simulation: str) -> int:
        """Remove every item of a study, the study's own last; how many there were."""
        key = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": keys.partition(simulation)}}
        names = {"ProjectionExpression": "pk, sk"}
        removed = 0
        while items := self._table.query(**key, **names, ScanIndexForward=False, Limit=1000)["Items"]:
            with self._table.batch_writer() as batch:
                for item in items:
                    batch.delete_item(Key=item)
            removed += len(items)
        return removed

    def start_variant(self, simulation: str, index: int, expires_at: int) -> bool:
        """Note that a variant runs; False, and nothing written, if it has succeeded already."""
        item = {
            "pk": keys.partition(simulation),
            "sk": keys.variant_sort_key(index),
            "status": VariantStatus.RUNNING.value,
            "started_at": now(),
            "expires_at": expires_at,
        }
        return self._write_unless_succeeded(item)

    def finish_variant(self, simulation: str, record: VariantRecord, expires_at: int) -> bool:
        """Write how a variant ended; a success is never overwritten."""
        item = {
            "pk": keys.partition(simulation),
            "sk": keys.variant_sort_key(record.index),
            "status": record.status.value,
            "started_at": record.started_at,
            "ended_at": record.ended_at or now(),
            "verdict": record.verdict,
            "error": {"stage": record.stage, "message": record.error},
            "summary": _to_item(record.summary),
            "expires_at": expires_at,
        }
        return self._write_unless_succeeded(item)

    def _write_unless_succeeded(self, item: dict[str, Any]) -> bool:
        return self._write(
            self._table.put_item,
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR #status <> :succeeded",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":succeeded": VariantStatus.SUCCEEDED.value},
        )

    def variant(self, simulation: str, index: int) -> VariantRecord | None:
        """The record of a variant, or None if it has not started."""
        key = {"pk": keys.partition(simulation), "sk": keys.variant_sort_key(index)}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return None if item is None else _variant_record(item)

    def succeeded_indices(self, simulation: str) -> set[int]:
        """Which variants have succeeded; their results stay where they are, so this is quick."""
        pages = self._variant_pages(
            simulation, ProjectionExpression="sk, #status", ExpressionAttributeNames={"#status": "status"}
        )
        return {
            keys.index_of(item["sk"])
            for items in pages
            for item in items
            if item["status"] == VariantStatus.SUCCEEDED.value
        }

    def variants(self, simulation: str, first: int = 0) -> Iterator[VariantRecord]:
        """All variants from `first` on that have started, in the order of their index, a page at a time."""
        for items in self._variant_pages(simulation, first):
            yield from map(_variant_record, items)

    def _variant_pages(self, simulation: str, first: int = 0, **more: Any) -> Iterator[list[dict[str, Any]]]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": keys.partition(simulation),
                ":first": keys.variant_sort_key(first),
                ":last": f"{keys.VARIANT_SORT_PREFIX}:",
            },
            "ConsistentRead": True,
            **more,
        }
        while True:
            answer = self._table.query(**query)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    @staticmethod
    def _write(operation: Any, **arguments: Any) -> bool:
        try:
            operation(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _study_record(item: dict[str, Any]) -> StudyRecord:
    plain = _from_item(item)
    return StudyRecord(
        simulation_id=plain["simulation_id"],
        name=plain["name"],
        status=StudyStatus(plain["status"]),
        created_at=plain["created_at"],
        started_at=plain.get("started_at", ""),
        ended_at=plain.get("ended_at", ""),
        variants=plain.get("variants", 0),
        succeeded=plain.get("succeeded", 0),
        failed=plain.get("failed", 0),
        execution_arn=plain.get("execution_arn", ""),
        error=_with_cause_in_words(plain.get("error", "")),
        problems=tuple(Problem(**problem) for problem in plain.get("problems", ())),
        source=plain.get("source", {}),
        options=plain.get("options", {}),
        owner=plain.get("owner", ""),
        attempt=plain.get("attempt", 1),
        reopened_at=plain.get("reopened_at", ""),
        removing=plain.get("removing", False),
        given_up=plain.get("given_up", False),
        collected=plain.get("collected", False),
        stop_reason=plain.get("stop_reason", ""),
        spent_usd=float(plain.get("spent_usd", 0)),
        cost_usd=float(plain.get("cost_usd", 0)),
    )


def _variant_record(item: dict[str, Any]) -> VariantRecord:
    plain = _from_item(item)
    error = plain.get("error", {})
    return VariantRecord(
        index=keys.index_of(plain["sk"]),
        status=VariantStatus(plain["status"]),
        started_at=plain.get("started_at", ""),
        ended_at=plain.get("ended_at", ""),
        verdict=plain.get("verdict", ""),
        stage=error.get("stage", ""),
        error=_in_words(error),
        summary=plain.get("summary", {}),
    )


def _in_words(error: dict[str, str]) -> str:
    """A failure's message. Of a lost variant the state machine only has Lambda's error and its JSON cause."""
    message = error.get("message", "")
    if "error" not in error:
        return message
    try:
        message = json.loads(message)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        pass
    return f"{error['error']}: {message}" if message else error["error"]


def _with_cause_in_words(error: str) -> str:
    """A study's reason. Of results that were not collected the state machine only has Lambda's JSON cause.

    >>> _with_cause_in_words('Lost: {"errorType": "AccessDenied", "errorMessage": "PutObject", "stackTrace": []}')
    'Lost: AccessDenied: PutObject'
    """
    what, brace, rest = error.partition("{")
    try:
        cause = json.loads(brace + rest)
        return f"{what}{cause['errorType']}: {cause['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return error


def _to_item(value: Any) -> Any:
    """Python numbers as DynamoDB takes them: floats by their shortest exact text, so that they come back the same.

    Raises:
        ValueError: If a number is one that could be written, but not be read again.
    """
    if isinstance(value, float):
        if not abs(value) < _LARGEST_NUMBER:
            raise ValueError(f"{value:g} cannot be kept in the table: it holds numbers below {_LARGEST_NUMBER:g}")
        return Decimal(repr(value)) if abs(value) > _SMALLEST_NUMBER else Decimal(0)
    if isinstance(value, dict):
        return {key: _to_item(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_item(each) for each in value]
    return value


def _from_item(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return int(number) if value == value.to_integral_value() and abs(value) < 2**53 else number
    if isinstance(value, dict):
        return {key: _from_item(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_from_item(each) for each in value]
    return value
