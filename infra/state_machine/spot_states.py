"""The states of a batch on Fargate Spot: its task, and what follows an interruption."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.task_errors import INTERRUPTED_EXIT
from epsm.store import attributes, keys
from infra.fargate import Containers
from infra.state_machine.container_task import run_batch_on_spot
from infra.state_machine.retries import retry_aws, study_key

MAX_INTERRUPTIONS = 5
"""Of one batch, which then continues in an on-demand container."""
COUNTER = "interrupted"
"""Key of a child's input with the number of its interruptions."""
NOT_INTERRUPTED = {"count": 0}
_COUNT = f"$.{COUNTER}.count"
_SIGNS = (
    "*SpotInterruption*",
    "*TerminationNotice*",
    "*Your Spot Task was interrupted*",
    f'*"ExitCode":{INTERRUPTED_EXIT}*',
)
"""Patterns of the cause of a failed task, which describes it: stop codes and a reason (Amazon ECS Developer Guide,
"Fargate Spot termination notices"), and the exit code of a task that ended because of the signal."""


def run_batch_on_fargate_spot(
    scope: Construct,
    table: dynamodb.Table,
    containers: Containers,
    timeout: Duration,
    *,
    ended: sfn.IChainable,
    on_demand: sfn.IChainable,
) -> sfn.IChainable:
    """The batch in `$.variant`, repeated while it is interrupted.

    Args:
        scope: The states' construct.
        table: The table with the records.
        containers: Where it runs.
        timeout: Maximum time of the task.
        ended: Next state if every variant of the batch has ended.
        on_demand: Next state if it was interrupted too often, has failed in another way, or has found no capacity.
    """
    run = run_batch_on_spot(scope, "Run a batch on Fargate Spot", containers, timeout)
    run.next(ended)
    cause = sfn.Choice(scope, "Was the task interrupted?")
    run.add_catch(cause, errors=[sfn.Errors.ALL], result_path="$.failure")
    count = _count_on_study(scope, table)
    again = sfn.Pass(
        scope,
        "Interrupted once more",
        parameters={"count": sfn.JsonPath.math_add(sfn.JsonPath.number_at(_COUNT), 1)},
        result_path=f"$.{COUNTER}",
    )
    cause.when(sfn.Condition.or_(*(sfn.Condition.string_matches("$.failure.Cause", sign) for sign in _SIGNS)), count)
    cause.otherwise(on_demand)
    count.next(again)
    # The study's record is gone.
    count.add_catch(again, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.count_error")
    often = sfn.Choice(scope, "Interrupted too often?")
    often.when(sfn.Condition.number_greater_than_equals(_COUNT, MAX_INTERRUPTIONS), on_demand)
    often.otherwise(run)
    again.next(often)
    return run


def _count_on_study(scope: Construct, table: dynamodb.Table) -> tasks.DynamoUpdateItem:
    count = tasks.DynamoUpdateItem(
        scope,
        "Count the interruption",
        table=table,
        key=study_key(),
        update_expression=f"ADD {attributes.INTERRUPTIONS} :one",
        condition_expression=f"attribute_exists({keys.PARTITION_KEY})",
        expression_attribute_values={":one": tasks.DynamoAttributeValue.from_number(1)},
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(count)
    return count
