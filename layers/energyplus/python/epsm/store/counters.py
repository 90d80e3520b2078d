"""Counters of a running study: costs, variants of batches that have ended, interruptions by Fargate Spot.

They are in an item of their own, which no index contains: thousands of variants write them, and each write of the
study's item would be written to both indexes again. Studies of earlier releases have them in the study's item.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.conditional import write, write_if
from epsm.store.items import counters_of, to_item
from epsm.store.variant_records import VariantRecords
from epsm.study.records import StudyRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

_EXISTS = f"attribute_exists({keys.PARTITION_KEY})"


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
        names = ("spent_usd", attributes.SUCCESSES, attributes.FAILURES)
        return {
            "TableName": self._table.name,
            "Key": keys.counters_key(simulation),
            "UpdateExpression": "SET "
            + ", ".join(f"{name} = :zero" for name in names)
            + f", {attributes.ATTEMPT} = :attempt"
            + f", {attributes.EXPIRES_AT} = if_not_exists({attributes.EXPIRES_AT}, :expires_at)",
            "ExpressionAttributeValues": {":zero": 0, ":attempt": attempt, ":expires_at": expires_at},
        }
