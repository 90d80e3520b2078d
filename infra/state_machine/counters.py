"""The states that count for a study, in its item of counters (`epsm.store.counters`)."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.store import keys
from infra.state_machine.retries import retry_aws

_text = tasks.DynamoAttributeValue.from_string


def counters_key() -> dict[str, tasks.DynamoAttributeValue]:
    """Key of the item with the counters of the study in `$.simulation_id`."""
    partition = sfn.JsonPath.format(
        keys.STUDY_PARTITION_FORMAT + keys.COUNTERS_SUFFIX, sfn.JsonPath.string_at("$.simulation_id")
    )
    return {keys.PARTITION_KEY: _text(partition), keys.SORT_KEY: _text(keys.COUNTERS_SORT_KEY)}


def count_one(scope: Construct, name: str, table: dynamodb.Table, counter: str) -> tasks.DynamoUpdateItem:
    """Add one to a counter of a study. The condition fails if the study has been removed.

    Args:
        scope: The states' construct.
        name: Name of the state.
        table: The table with the records.
        counter: Attribute of the counter.
    """
    count = tasks.DynamoUpdateItem(
        scope,
        name,
        table=table,
        key=counters_key(),
        update_expression=f"ADD {counter} :one",
        condition_expression=f"attribute_exists({keys.PARTITION_KEY})",
        expression_attribute_values={":one": tasks.DynamoAttributeValue.from_number(1)},
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(count)
    return count
