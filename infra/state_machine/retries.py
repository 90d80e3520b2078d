"""What the states that call something share: which record they mean, how long they wait, when they try again."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.task_errors import StudyCancelled
from epsm.store import keys

ANSWER_TIMEOUT = Duration.minutes(17)
"""Longer than a function may run: for an answer that never comes."""
_THROTTLES = ("Lambda.TooManyRequestsException",)
_BEING_PREPARED = (
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
)
"""An image function that nobody called for weeks is Inactive: its first call is refused and makes Lambda prepare the
image again, which takes seconds to minutes (Lambda Developer Guide, "Lambda function states")."""
_SERVICE_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)


def study_key() -> dict[str, tasks.DynamoAttributeValue]:
    """Key of the study's record."""
    text, path = tasks.DynamoAttributeValue.from_string, sfn.JsonPath.string_at
    return {
        keys.PARTITION_KEY: text(sfn.JsonPath.format(keys.STUDY_PARTITION_FORMAT, path("$.simulation_id"))),
        keys.SORT_KEY: text(keys.STUDY_SORT_KEY),
    }


def retry(
    state: sfn.TaskStateBase | sfn.DistributedMap,
    errors: Sequence[str],
    *,
    attempts: int,
    first_s: float,
    factor: float,
    longest_s: float,
) -> None:
    """Try again after errors; each wait is cut by a random part, so that not all come back at once.

    Args:
        state: What is tried again.
        errors: Names of errors.
        attempts: How often at most.
        first_s: Seconds to wait before the first of them.
        factor: What each wait is longer than the one before by.
        longest_s: Longest wait, seconds.
    """
    state.add_retry(
        errors=list(errors),
        interval=Duration.seconds(first_s),
        backoff_rate=factor,
        max_delay=Duration.seconds(longest_s),
        max_attempts=attempts,
        jitter_strategy=sfn.JitterType.FULL,
    )


def never_retry(state: sfn.TaskStateBase, *errors: str) -> None:
    """Leave errors to the state's catchers that the retries added after this one would take."""
    state.add_retry(errors=list(errors), max_attempts=0)


def wait_out_lambda(task: tasks.LambdaInvoke) -> None:
    """A busy account throttles for as long as it is busy: wait for most of a day. A faulty service has half an
    hour, and a function that has to be made ready again a quarter of one."""
    retry(task, _THROTTLES, attempts=2000, first_s=1, factor=2, longest_s=60)
    retry(task, _BEING_PREPARED, attempts=60, first_s=2, factor=1.5, longest_s=30)
    retry(task, _SERVICE_ERRORS, attempts=60, first_s=1, factor=2, longest_s=60)


def retry_aws(task: tasks.DynamoUpdateItem | tasks.DynamoGetItem | tasks.SnsPublish) -> None:
    """Retry a call of an AWS service, but not the answer that a condition did not hold."""
    never_retry(task, "DynamoDB.ConditionalCheckFailedException")
    retry(task, ["States.TaskFailed"], attempts=8, first_s=1, factor=2, longest_s=30)


def run_engine(
    scope: Construct,
    name: str,
    run_variant: lambda_.Function,
    payload: Mapping[str, object],
    *final_errors: type[Exception],
) -> tasks.LambdaInvoke:
    """A call of the function that runs EnergyPlus; the errors that would come again are never retried.

    Args:
        scope: The states' construct.
        name: Of the state.
        run_variant: The function.
        payload: Its input besides the simulation's name.
        final_errors: Exceptions of the function that would come again, besides a cancelled study and timeouts.
    """
    task = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=run_variant,
        payload=sfn.TaskInput.from_object({"simulation_id": sfn.JsonPath.string_at("$.simulation_id"), **payload}),
        output_path="$.Payload",
        retry_on_service_exceptions=False,
        task_timeout=sfn.Timeout.duration(ANSWER_TIMEOUT),
    )
    never_retry(
        task, *(error.__name__ for error in (*final_errors, StudyCancelled)), "Sandbox.Timedout", "States.Timeout"
    )
    return task
