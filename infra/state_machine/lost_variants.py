"""The states that record a variant whose worker was lost, with the error of the state machine.

The attempt of the study is in `$.variant`, an item of items.json: of a variant or of a batch.
"""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.items import RECORD_BLOCK, RECORD_KEY
from epsm.store import attributes, keys
from epsm.study.records import LOST_STAGE, VariantStatus
from infra.state_machine.attempts import NO_LATER_ATTEMPT, attempt_in
from infra.state_machine.counters import counters_key
from infra.state_machine.retries import retry_aws

_text = tasks.DynamoAttributeValue.from_string
_path = sfn.JsonPath.string_at
_CANCELLED = "DynamoDb.TransactionCanceledException"
_OTHER_WRITES = Duration.seconds(2)

_UPDATE = (
    f"SET #status = :failed, {attributes.ATTEMPT} = :attempt, {attributes.ENDED_AT} = :now, #error = :error, "
    f"{attributes.EXPIRES_AT} = :expires_at REMOVE {', '.join(attributes.OF_ENDED_VARIANTS)}"
)
_NOT_ENDED = (
    f"attribute_not_exists({keys.PARTITION_KEY}) OR (#status = :running AND {NO_LATER_ATTEMPT}) OR "
    f"(#status = :failed AND (attribute_not_exists({attributes.ATTEMPT}) OR {attributes.ATTEMPT} < :attempt))"
)
"""The variant has not ended in this attempt of the study, and does not run in a later one. A failure of an earlier
attempt is replaced: the worker may have been lost before it recorded that it runs the variant again."""
_NAMES = {"#status": attributes.STATUS, "#error": attributes.ERROR}


def variant_key(variant: str) -> dict[str, tasks.DynamoAttributeValue]:
    """Key of a variant's record.

    Args:
        variant: Path of the variant's entry in items.json.
    """
    partition = sfn.JsonPath.format(
        keys.STUDY_PARTITION_FORMAT + "{}", _path("$.simulation_id"), _path(f"{variant}.{RECORD_BLOCK}")
    )
    return {keys.PARTITION_KEY: _text(partition), keys.SORT_KEY: _text(_path(f"{variant}.{RECORD_KEY}"))}


def _values() -> dict[str, tasks.DynamoAttributeValue]:
    return {
        ":failed": _text(VariantStatus.FAILED),
        ":running": _text(VariantStatus.RUNNING),
        ":attempt": attempt_in("$.variant"),
        ":now": _text(_path("$$.State.EnteredTime")),
        ":expires_at": tasks.DynamoAttributeValue.number_from_string(_path("$.expires_at")),
        ":error": tasks.DynamoAttributeValue.from_map(
            {
                attributes.STAGE: _text(LOST_STAGE),
                attributes.LAMBDA_ERROR: _text(_path("$.failure.Error")),
                attributes.MESSAGE: _text(_path("$.failure.Cause")),
            }
        ),
    }


def record_lost_variant(
    scope: Construct, name: str, table: dynamodb.Table, variant: str, *, if_recorded: sfn.IChainable
) -> tasks.DynamoUpdateItem:
    """Record a variant as lost, unless its worker has recorded its end in this attempt of the study.

    Args:
        scope: The states' construct.
        name: Name of the state.
        table: The table with the records.
        variant: Path of the variant's entry in items.json.
        if_recorded: Next state if the worker has recorded it.
    """
    record = tasks.DynamoUpdateItem(
        scope,
        name,
        table=table,
        key=variant_key(variant),
        update_expression=_UPDATE,
        condition_expression=_NOT_ENDED,
        expression_attribute_names=_NAMES,
        expression_attribute_values=_values(),
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(record)
    record.add_catch(if_recorded, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.record_error")
    return record


def record_and_count_lost_variant(
    scope: Construct, name: str, table: dynamodb.Table, variant: str, *, then: sfn.IChainable
) -> tasks.CallAwsService:
    """Record a variant of a batch as lost, and count it as failed, both or neither; nothing if its worker has recorded
    its end in this attempt of the study, if a later attempt has begun, or if the study has been removed.

    Args:
        scope: The states' construct.
        name: Name of the state.
        table: The table with the records.
        variant: Path of the variant's entry in items.json.
        then: Next state in any case.
    """
    record = {
        "Key": _plain(variant_key(variant)),
        "UpdateExpression": _UPDATE,
        "ConditionExpression": _NOT_ENDED,
        "ExpressionAttributeNames": _NAMES,
        "ExpressionAttributeValues": _plain(_values()),
    }
    count = {
        "Key": _plain(counters_key()),
        "UpdateExpression": f"ADD {attributes.FAILURES} :one",
        "ConditionExpression": f"attribute_exists({keys.PARTITION_KEY}) AND {NO_LATER_ATTEMPT}",
        "ExpressionAttributeValues": _plain(
            {":one": tasks.DynamoAttributeValue.from_number(1), ":attempt": attempt_in("$.variant")}
        ),
    }
    both = tasks.CallAwsService(
        scope,
        name,
        service="dynamodb",
        action="transactWriteItems",
        parameters={
            "TransactItems": [{"Update": {"TableName": table.table_name, **update}} for update in (record, count)]
        },
        iam_action="dynamodb:UpdateItem",
        iam_resources=[table.table_arn],
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(both, _CANCELLED)
    reason = sfn.Choice(scope, "Has the variant of a batch ended already?")
    reason.when(sfn.Condition.string_matches("$.record_error.Cause", "*ConditionalCheckFailed*"), then)
    # A conflict with another transaction, or throttling; both end.
    wait = sfn.Wait(scope, "Wait for other writes", time=sfn.WaitTime.duration(_OTHER_WRITES))
    reason.otherwise(wait)
    wait.next(both)
    both.add_catch(reason, errors=[_CANCELLED], result_path="$.record_error")
    both.next(then)
    return both


def _plain(values: dict[str, tasks.DynamoAttributeValue]) -> dict[str, Any]:
    return {name: value.to_object() for name, value in values.items()}
