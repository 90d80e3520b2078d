"""Counters of a running study: costs, variants of batches that have ended, workers, interruptions by Fargate Spot.

They are in an item of their own, which no index contains: thousands of variants write them, and each write of the
study's item would be written to both indexes again. Studies of earlier releases have them in the study's item.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.conditional import write, write_if
from epsm.store.items import counters_of, to_item
from epsm.store.variant_records import QUERIES_AT_A_TIME, VariantRecords
from epsm.study.records import StudyRecord, VariantStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

_EXISTS = f"attribute_exists({keys.PARTITION_KEY})"
_OF_ATTEMPT = f"{_EXISTS} AND (attribute_not_exists({attributes.ATTEMPT}) OR {attributes.ATTEMPT} <= :attempt)"
"""The study has not been removed, and no attempt after `:attempt` has begun."""
COUNTED_FAILURES = (attributes.FAILURES, attributes.OVERCOUNTED, attributes.CONFIRMED_FAILURES)
_RECOUNT_S = 30
"""Another worker counts the records if the one that began has not ended by then."""


class Counters(VariantRecords):
    """The counters of studies.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def spend(self, simulation: str, usd: float) -> bool:
        """Add to the cost of a study's variants; returns whether its budget is spent and no stop was requested yet.

        Raises:
            botocore.exceptions.ClientError: If there is no such study, or the table refuses the write.
        """
        answer = write(
            self._table.update_item,
            Key=self._counters_key(simulation),
            UpdateExpression="ADD spent_usd :usd, cost_usd :usd",
            ConditionExpression=_EXISTS,
            ExpressionAttributeValues={":usd": to_item(usd)},
            ReturnValues="UPDATED_NEW",
        )
        study: dict[str, Any] = self._table.get_item(
            Key=keys.study_key(simulation),
            ProjectionExpression="#options.max_cost_usd, stop_reason",
            ExpressionAttributeNames={"#options": "options"},
        ).get("Item", {})
        budget_usd = study.get("options", {}).get("max_cost_usd")
        if budget_usd is None or study.get("stop_reason"):
            return False
        return bool(answer["Attributes"]["spent_usd"] >= budget_usd)

    def count_successes(self, simulation: str, successes: int) -> None:
        """Add to the number of variants of this attempt that have succeeded, which shows the progress of batches."""
        write_if(
            self._table.update_item,
            Key=self._counters_key(simulation),
            UpdateExpression=f"ADD {attributes.SUCCESSES} :number",
            ConditionExpression=_EXISTS,
            ExpressionAttributeValues={":number": successes},
        )

    def failures(self, simulation: str) -> int:
        """Number of variants that have failed in this attempt of a study that runs in batches: at least those that are
        recorded as failed, see `too_many_failed`."""
        return int(counters_of(self._counters(simulation)).get(attributes.FAILURES, 0))

    def too_many_failed(
        self, simulation: str, attempt: int, max_failures: int, clock: Callable[[], float] = time.time
    ) -> bool:
        """Whether more variants of a study in batches have failed in an attempt than it tolerates.

        A variant that failed may succeed later, in a repeated invocation of its batch: the first one was only taken for
        lost. Successes are written without reading what they replace, so the counter then exceeds the number of failed
        variants. Records are therefore counted before a study is given up, by one worker at a time.

        Args:
            simulation: The study's simulation.
            attempt: The attempt.
            max_failures: Number of failed variants that it tolerates.
            clock: Seconds since 1970.

        Returns:
            False also while another worker counts.
        """
        item = self._counters(simulation)
        if counters_of(item).get(attributes.FAILURES, 0) <= max_failures:
            return False
        if item.get(attributes.CONFIRMED_FAILURES, 0) > max_failures:
            return True
        moment = int(clock())
        claimed = write_if(
            self._table.update_item,
            Key=self._counters_key(simulation),
            UpdateExpression=f"SET {attributes.RECOUNTING_UNTIL} = :until",
            ConditionExpression=f"{_OF_ATTEMPT} AND (attribute_not_exists({attributes.RECOUNTING_UNTIL}) "
            f"OR {attributes.RECOUNTING_UNTIL} < :now)",
            ExpressionAttributeValues={":until": moment + _RECOUNT_S, ":now": moment, ":attempt": attempt},
        )
        return claimed and self.recount_failures(simulation, attempt) > max_failures

    def recount_failures(self, simulation: str, attempt: int) -> int:
        """Number of variants whose records state that they failed in an attempt; corrects the counter.

        Every failure that the counter contained before the records are read is a failed or a succeeded variant by then,
        so the difference is never more than the number of failures that have been replaced.
        """
        counted = int(self._counters(simulation).get(attributes.FAILURES, 0))
        failed = self._failed_in(simulation, attempt)
        write_if(
            self._table.update_item,
            Key=self._counters_key(simulation),
            UpdateExpression=f"SET {attributes.OVERCOUNTED} = :over, {attributes.CONFIRMED_FAILURES} = :failed "
            f"REMOVE {attributes.RECOUNTING_UNTIL}",
            ConditionExpression=f"{_OF_ATTEMPT} AND (attribute_not_exists({attributes.OVERCOUNTED}) "
            f"OR {attributes.OVERCOUNTED} <= :over)",
            ExpressionAttributeValues={":over": max(0, counted - failed), ":failed": failed, ":attempt": attempt},
        )
        return failed

    def _failed_in(self, simulation: str, attempt: int) -> int:
        def failed(suffix: str) -> int:
            pages = self._pages_of_block(
                simulation,
                suffix,
                Select="COUNT",
                FilterExpression="#status = :failed AND #attempt = :attempt",
                ExpressionAttributeNames={"#status": attributes.STATUS, "#attempt": attributes.ATTEMPT},
                ExpressionAttributeValues={":failed": VariantStatus.FAILED.value, ":attempt": attempt},
            )
            return sum(page["Count"] for page in pages)

        with ThreadPoolExecutor(QUERIES_AT_A_TIME) as pool:
            return sum(pool.map(failed, self._block_suffixes(simulation)))

    def start_worker(self, simulation: str, attempt: int) -> bool:
        """Count a worker that runs a batch of an attempt; False, and not counted, if a later one has begun."""
        return self._count_worker(simulation, attempt, 1)

    def end_worker(self, simulation: str, attempt: int) -> bool:
        """Subtract a worker that was counted, once it has stored its variants."""
        return self._count_worker(simulation, attempt, -1)

    def _count_worker(self, simulation: str, attempt: int, number: int) -> bool:
        return write_if(
            self._table.update_item,
            Key=self._counters_key(simulation),
            UpdateExpression=f"ADD {attributes.WORKERS} :number",
            ConditionExpression=_OF_ATTEMPT,
            ExpressionAttributeValues={":number": number, ":attempt": attempt},
        )

    def workers(self, simulation: str) -> int:
        """Number of workers that run batches of a study, and of those that were killed while they did."""
        return int(self._counters(simulation).get(attributes.WORKERS, 0))

    def _counters(self, simulation: str) -> dict[str, Any]:
        item: dict[str, Any] = self._table.get_item(Key=self._counters_key(simulation), ConsistentRead=True).get(
            "Item", {}
        )
        return item

    def with_counters(self, record: StudyRecord) -> StudyRecord:
        """A record of a list of studies, with its counters, which the index does not contain."""
        key = keys.counters_key(record.simulation_id)
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if item is None:
            return record
        counters = counters_of(item)
        # Both have some if a study of an earlier release runs again.
        return replace(record, **{name: getattr(record, name) + number for name, number in counters.items()})

    def _create_counters(self, simulation: str, expires_at: int) -> None:
        item = {**keys.counters_key(simulation), attributes.EXPIRES_AT: expires_at}
        write_if(self._table.put_item, Item=item, ConditionExpression=f"attribute_not_exists({keys.PARTITION_KEY})")

    def _keep_counters_until(self, simulation: str, expires_at: int) -> None:
        write_if(
            self._table.update_item,
            Key=keys.counters_key(simulation),
            UpdateExpression=f"SET {attributes.EXPIRES_AT} = :expires_at",
            ConditionExpression=_EXISTS,
            ExpressionAttributeValues={":expires_at": expires_at},
        )

    def _reset_counters(self, simulation: str, attempt: int, expires_at: int) -> "UpdateTypeDef":
        """The part of a transaction that starts the counters of a further attempt; the cost of all attempts stays.

        Args:
            simulation: The study's simulation.
            attempt: Its number: failures of an earlier one are no longer counted.
            expires_at: For a study of an earlier release, which has no such item yet.
        """
        names = ("spent_usd", attributes.SUCCESSES, *COUNTED_FAILURES, attributes.WORKERS)
        return {
            "TableName": self._table.name,
            "Key": keys.counters_key(simulation),
            "UpdateExpression": "SET "
            + ", ".join(f"{name} = :zero" for name in names)
            + f", {attributes.ATTEMPT} = :attempt"
            + f", {attributes.EXPIRES_AT} = if_not_exists({attributes.EXPIRES_AT}, :expires_at) "
            f"REMOVE {attributes.RECOUNTING_UNTIL}",
            "ExpressionAttributeValues": {":zero": 0, ":attempt": attempt, ":expires_at": expires_at},
        }
