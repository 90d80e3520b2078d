"""The states that record a variant whose worker was lost, with the error of the state machine.

The attempt of the study is in `$.variant`, an item of items.json: of a variant or of a batch.
"""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.items import RECORD_BLOCK, RECORD_KEY
from epsm.store import attributes, keys
from epsm.study.records import LOST_STAGE, VariantStatus
from infra.state_machine.attempts import attempt_in
from infra.state_machine.retries import retry_aws

_text = tasks.DynamoAttributeValue.from_string
_path = sfn.JsonPath.string_at


def variant_key(variant: str) -> dict[str, tasks.DynamoAttributeValue]:
    """Key of a variant's record.

    Args:
        variant: Path of the variant's entry in items.json.
    """
    partition = sfn.JsonPath.format(
        keys.STUDY_PARTITION_FORMAT + "{}", _path("$.simulation_id"), _path(f"{variant}.{RECORD_BLOCK}")
    )
    return {keys.PARTITION_KEY: _text(partition), keys.SORT_KEY: _text(_path(f"{variant}.{RECORD_KEY}"))}


def record_lost_variant(
    scope: Construct, name: str, table: dynamodb.Table, variant: str, *, if_recorded: sfn.IChainable
) -> tasks.DynamoUpdateItem:
    """Record a variant as lost, unless its worker has recorded its end in this attempt of the study.

    A failure of an earlier attempt is replaced: the worker may have been lost before it recorded that it runs the
    variant again.

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
        update_expression=(
            f"SET #status = :failed, {attributes.ATTEMPT} = :attempt, {attributes.ENDED_AT} = :now, #error = :error, "
            f"{attributes.EXPIRES_AT} = :expires_at REMOVE {', '.join(attributes.OF_ENDED_VARIANTS)}"
        ),
        condition_expression=(
            f"attribute_not_exists({keys.PARTITION_KEY}) OR #status = :running OR (#status = :failed AND "
            f"(attribute_not_exists({attributes.ATTEMPT}) OR {attributes.ATTEMPT} < :attempt))"
        ),
        expression_attribute_names={"#status": attributes.STATUS, "#error": attributes.ERROR},
        expression_attribute_values={
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
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(record)
    record.add_catch(if_recorded, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.record_error")
    return record
