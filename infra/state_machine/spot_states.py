"""The states of a batch on Fargate Spot: its task, and what follows an interruption."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from epsm.pipeline.task_errors import INTERRUPTED_EXIT
from epsm.store import attributes
from infra.fargate import Containers
from infra.state_machine.container_task import run_batch_on_spot
from infra.state_machine.counters import count_one

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
    count = count_one(scope, "Count the interruption", table, attributes.INTERRUPTIONS)
    again = sfn.Pass(
        scope,
        "Interrupted once more",
        parameters={"count": sfn.JsonPath.math_add(sfn.JsonPath.number_at(_COUNT), 1)},
        result_path=f"$.{COUNTER}",
    )
    cause.when(sfn.Condition.or_(*(sfn.Condition.string_matches("$.failure.Cause", sign) for sign in _SIGNS)), count)
    cause.otherwise(on_demand)
    count.next(again)
    # The study has been removed.
    count.add_catch(again, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.count_error")
    often = sfn.Choice(scope, "Interrupted too often?")
    often.when(sfn.Condition.number_greater_than_equals(_COUNT, MAX_INTERRUPTIONS), on_demand)
    often.otherwise(run)
    again.next(often)
    return run
