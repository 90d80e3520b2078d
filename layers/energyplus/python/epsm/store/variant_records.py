"""Records of variants: one item for each, in partitions by blocks of the index."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.batch_requests import put_items, read_items
from epsm.store.conditional import write_if, write_together
from epsm.store.items import packed, variant_record
from epsm.study.records import VariantRecord, VariantStatus, now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

QUERIES_AT_A_TIME = 8
_SUCCEEDED = ":succeeded"


class VariantRecords:
    """The items of variants.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._block_sizes: dict[str, int] = {}

    def block_size(self, simulation: str) -> int:
        """Variants of a study in one partition of the table; 0 if all are in one, as in studies of earlier releases.

        Read once for each study: it never changes.
        """
        if simulation not in self._block_sizes:
            layout = self._layout(simulation)
            if layout is None:
                return keys.BLOCK_SIZE
            self._block_sizes[simulation] = layout[0]
        return self._block_sizes[simulation]

    def _layout(self, simulation: str) -> tuple[int, int] | None:
        """Block size and number of variants of a study, 0 if its item does not have them; None if there is no item."""
        item: dict[str, Any] | None = self._table.get_item(
            Key=keys.study_key(simulation),
            ProjectionExpression=f"{attributes.BLOCK_SIZE}, {attributes.VARIANTS}",
            ConsistentRead=True,
        ).get("Item")
        return (
            None if item is None else (int(item.get(attributes.BLOCK_SIZE, 0)), int(item.get(attributes.VARIANTS, 0)))
        )

    def _block_suffixes(self, simulation: str, first: int = 0) -> list[str]:
        """The ends of the partition keys of a study's variants from `first` on, in the order of the index."""
        size, variants = self._layout(simulation) or (0, 0)
        if not size:
            return [""]
        return [keys.block_suffix(index, size) for index in range(first - first % size, max(variants, first + 1), size)]

    def _counters_key(self, simulation: str) -> dict[str, str]:
        """Where workers count: for a study of an earlier release, the study's item."""
        return keys.counters_key(simulation) if self.block_size(simulation) else keys.study_key(simulation)

    def _item_key(self, simulation: str, index: int) -> dict[str, str]:
        return keys.variant_item_key(simulation, index, self.block_size(simulation))

    def _ended_item(self, simulation: str, record: VariantRecord, expires_at: int) -> dict[str, Any]:
        return {
            **self._item_key(simulation, record.index),
            attributes.STATUS: record.status.value,
            attributes.STARTED_AT: record.started_at,
            attributes.ENDED_AT: record.ended_at or now(),
            attributes.VERDICT: record.verdict,
            attributes.ERROR: {attributes.STAGE: record.stage, attributes.MESSAGE: record.error},
            attributes.SUMMARY: packed(record.summary),
            **({attributes.PACK: record.pack} if record.pack else {}),
            attributes.EXPIRES_AT: expires_at,
        }

    def start_variant(
        self, simulation: str, index: int, expires_at: int, attempt: int | None = None, *, again: bool = False
    ) -> bool:
        """Record that a variant is running; False, and nothing written, if it has succeeded already, failed in this
        attempt of its study, or has started in a later one.

        Args:
            simulation: The study's simulation.
            index: Which variant.
            expires_at: When the table drops the item, seconds since 1970.
            attempt: The attempt; None in items of an earlier release.
            again: Whether a variant that failed in this attempt may run again, because failures are not counted.
        """
        item = {
            **self._item_key(simulation, index),
            attributes.STATUS: VariantStatus.RUNNING.value,
            attributes.STARTED_AT: now(),
            attributes.EXPIRES_AT: expires_at,
            **_of(attempt),
        }
        return write_if(self._table.put_item, Item=item, **_unless_ended(attempt, again=again))

    def finish_variant(
        self,
        simulation: str,
        record: VariantRecord,
        expires_at: int,
        attempt: int | None = None,
        *,
        counted: bool = True,
    ) -> bool:
        """Record the end of a variant; neither a success nor a record of a later attempt is overwritten.

        Args:
            simulation: The study's simulation.
            record: The variant.
            expires_at: When the table drops the item, seconds since 1970.
            attempt: The attempt, recorded with a variant that failed; None for none, in items of an earlier release.
            counted: Whether a failed variant of an attempt is counted for its study, at most once per attempt, and not
                once a later one has begun.
        """
        item = self._ended_item(simulation, record, expires_at)
        if record.status is VariantStatus.FAILED:
            item |= _of(attempt)
        if attempt is None or record.status is VariantStatus.SUCCEEDED or not counted:
            return write_if(self._table.put_item, Item=item, **_unless_ended(attempt, again=True))
        put = {
            "TableName": self._table.name,
            "Item": item,
            **_unless_ended(attempt),
        }
        count = {
            "TableName": self._table.name,
            "Key": self._counters_key(simulation),
            "UpdateExpression": f"ADD {attributes.FAILURES} :one",
            "ConditionExpression": f"attribute_exists({keys.PARTITION_KEY}) AND "
            f"(attribute_not_exists({attributes.ATTEMPT}) OR {attributes.ATTEMPT} <= :attempt)",
            "ExpressionAttributeValues": {":one": 1, ":attempt": attempt},
        }
        return write_together(self._table.meta.client, [{"Put": put}, {"Update": count}])

    def stop_variant(self, simulation: str, record: VariantRecord, expires_at: int, attempt: int | None = None) -> bool:
        """Record that a running variant was stopped with its study, so that it runs again if the study does; False, and
        nothing written, if it has ended, or has started in a later attempt.

        Args:
            simulation: The study's simulation.
            record: The variant, failed.
            expires_at: When the table drops the item, seconds since 1970.
            attempt: The attempt that it ran in; None in items of an earlier release.
        """
        item = self._ended_item(simulation, record, expires_at)
        return write_if(self._table.put_item, Item=item, **_unless_ended(attempt))

    def finish_successes(self, simulation: str, records: Sequence[VariantRecord], expires_at: int) -> None:
        """Record variants that have succeeded, without a condition: they replace at most other successes of the same
        variants.

        Args:
            simulation: The study's simulation.
            records: The variants, none twice.
            expires_at: When the table drops the items, seconds since 1970.
        """
        put_items(self._table, (self._ended_item(simulation, record, expires_at) for record in records))

    def ended_variants(self, simulation: str, indices: Sequence[int], attempt: int) -> dict[int, VariantRecord]:
        """Those of these variants that have succeeded, or failed in this attempt of their study, by index."""
        item_keys = [self._item_key(simulation, index) for index in indices]
        records = (
            variant_record(item)
            for item in read_items(self._table, item_keys, consistent=True)
            if item[attributes.STATUS] == VariantStatus.SUCCEEDED.value
            or (item[attributes.STATUS] == VariantStatus.FAILED.value and item.get(attributes.ATTEMPT) == attempt)
        )
        return {record.index: record for record in records}

    def variant(self, simulation: str, index: int) -> VariantRecord | None:
        """The record of a variant, or None if it has not started."""
        item = self._table.get_item(Key=self._item_key(simulation, index), ConsistentRead=True).get("Item")
        return None if item is None else variant_record(item)

    def is_running(self, simulation: str, index: int) -> bool:
        """Whether the record of a variant states that it is running."""
        record = self.variant(simulation, index)
        return record is not None and record.status is VariantStatus.RUNNING

    def has_ended(self, simulation: str, index: int) -> bool:
        """Whether a variant has succeeded or failed, in any attempt of its study."""
        record = self.variant(simulation, index)
        return record is not None and record.status is not VariantStatus.RUNNING

    def succeeded_indices(self, simulation: str) -> set[int]:
        """Indices of the variants that have succeeded; fast also for a million, because only the others are read."""
        size, variants = self._layout(simulation) or (0, 0)
        if not size:
            return self._with_status(simulation, "", f"= {_SUCCEEDED}")[0]
        blocks = [range(first, min(first + size, variants)) for first in range(0, variants, size)]

        def succeeded(block: range) -> set[int]:
            suffix = keys.block_suffix(block.start, size)
            others, recorded = self._with_status(simulation, suffix, f"<> {_SUCCEEDED}")
            if recorded == len(block):
                return set(block) - others
            return self._with_status(simulation, suffix, f"= {_SUCCEEDED}")[0] if recorded > len(others) else set()

        with ThreadPoolExecutor(QUERIES_AT_A_TIME) as pool:
            return set().union(*pool.map(succeeded, blocks))

    def _with_status(self, simulation: str, suffix: str, condition: str) -> tuple[set[int], int]:
        """Indices of the variants of a block with a status, and the number of all that have started."""
        found: set[int] = set()
        recorded = 0
        for answer in self._pages_of_block(
            simulation,
            suffix,
            ProjectionExpression=keys.SORT_KEY,
            FilterExpression=f"#status {condition}",
            ExpressionAttributeNames={"#status": attributes.STATUS},
            ExpressionAttributeValues={_SUCCEEDED: VariantStatus.SUCCEEDED.value},
        ):
            found.update(keys.index_of(item[keys.SORT_KEY]) for item in answer["Items"])
            recorded += answer["ScannedCount"]
        return found, recorded

    def running_since(self, simulation: str) -> dict[int, str]:
        """The variants whose records state that they are running: by index, when they started."""

        def running(suffix: str) -> dict[int, str]:
            answers = self._pages_of_block(
                simulation,
                suffix,
                ProjectionExpression=f"{keys.SORT_KEY}, {attributes.STARTED_AT}",
                FilterExpression="#status = :running",
                ExpressionAttributeNames={"#status": attributes.STATUS},
                ExpressionAttributeValues={":running": VariantStatus.RUNNING.value},
            )
            return {
                keys.index_of(item[keys.SORT_KEY]): item.get(attributes.STARTED_AT, "")
                for answer in answers
                for item in answer["Items"]
            }

        found: dict[int, str] = {}
        with ThreadPoolExecutor(QUERIES_AT_A_TIME) as pool:
            for part in pool.map(running, self._block_suffixes(simulation)):
                found |= part
        return found

    def variants(self, simulation: str, first: int = 0) -> Iterator[VariantRecord]:
        """All variants from `first` on that have started, by index, one page at a time."""
        for suffix in self._block_suffixes(simulation, first):
            for answer in self._pages_of_block(simulation, suffix, first):
                yield from map(variant_record, answer["Items"])

    def _pages_of_block(self, simulation: str, suffix: str, first: int = 0, **more: Any) -> Iterator[dict[str, Any]]:
        """Answers to the queries for a block's variants from `first` on."""
        values = {
            ":pk": keys.partition(simulation, suffix),
            ":first": keys.variant_sort_key(first),
            ":last": f"{keys.VARIANT_SORT_PREFIX}:",
            **more.pop("ExpressionAttributeValues", {}),
        }
        query: dict[str, Any] = {
            "KeyConditionExpression": f"{keys.PARTITION_KEY} = :pk AND {keys.SORT_KEY} BETWEEN :first AND :last",
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            **more,
        }
        while True:
            answer: dict[str, Any] = self._table.query(**query)  # type: ignore[assignment] # a plain dict
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _of(attempt: int | None) -> dict[str, int]:
    return {} if attempt is None else {attributes.ATTEMPT: attempt}


def _unless_ended(attempt: int | None, *, again: bool = False) -> dict[str, Any]:
    """Condition of a write: the variant has not succeeded, has no record of a later attempt, and has not failed in this
    one, unless it may run again."""
    open_ = "#status <> :succeeded"
    condition: dict[str, Any] = {
        "ExpressionAttributeNames": {"#status": attributes.STATUS},
        "ExpressionAttributeValues": {":succeeded": VariantStatus.SUCCEEDED.value},
    }
    if attempt is not None:
        open_ += " AND (attribute_not_exists(#attempt) OR #attempt <= :attempt)"
        condition["ExpressionAttributeNames"]["#attempt"] = attributes.ATTEMPT
        condition["ExpressionAttributeValues"][":attempt"] = attempt
        if not again:
            open_ += " AND NOT (#status = :failed AND #attempt = :attempt)"
            condition["ExpressionAttributeValues"][":failed"] = VariantStatus.FAILED.value
    return condition | {"ConditionExpression": f"attribute_not_exists({keys.PARTITION_KEY}) OR ({open_})"}
