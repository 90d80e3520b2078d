"""Common parts of task states: the study's key, timeouts, retries."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.task_errors import StudyCancelled
from epsm.store import keys

ANSWER_TIMEOUT = Duration.minutes(17)
"""Above the functions' time limit: for a response that is lost."""
_THROTTLES = ("Lambda.TooManyRequestsException",)
_BEING_PREPARED = (
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
)
"""An image function without calls for weeks becomes Inactive: its first call is refused and makes Lambda prepare the
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
    """Retry after errors with exponential backoff and full jitter.

    Args:
        state: The state.
        errors: Names of errors.
        attempts: Maximum number of retries.
        first_s: Wait before the first retry, seconds.
        factor: Backoff rate.
        longest_s: Maximum wait, seconds.
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
    """Exclude errors from the retriers added after this one, so that the state's catchers handle them."""
    state.add_retry(errors=list(errors), max_attempts=0)


def wait_out_lambda(task: tasks.LambdaInvoke) -> None:
    """Retry throttling for most of a day, as a busy account may throttle for long; service errors for an hour; a
    function that is being prepared for 15 minutes or more."""
    retry(task, _THROTTLES, attempts=2000, first_s=1, factor=2, longest_s=60)
    retry(task, _BEING_PREPARED, attempts=60, first_s=2, factor=1.5, longest_s=30)
    retry(task, _SERVICE_ERRORS, attempts=60, first_s=1, factor=2, longest_s=60)


def outlast_worker(task: tasks.LambdaInvoke) -> None:
    """Retry as `wait_out_lambda`, and three times if a worker died, or a bucket or a table did not answer."""
    wait_out_lambda(task)
    retry(task, ["States.TaskFailed"], attempts=3, first_s=2, factor=3, longest_s=60)


def retry_aws(
    task: tasks.DynamoUpdateItem | tasks.DynamoGetItem | tasks.SnsPublish | tasks.CallAwsService,
    failed_condition: str = "DynamoDB.ConditionalCheckFailedException",
) -> None:
    """Retry a call of an AWS service, but not a failed condition."""
    never_retry(task, failed_condition)
    retry(task, ["States.TaskFailed"], attempts=8, first_s=1, factor=2, longest_s=30)


def run_engine(
    scope: Construct,
    name: str,
    run_variant: lambda_.Function,
    payload: Mapping[str, object],
    *final_errors: type[Exception],
    result_path: str | None = None,
) -> tasks.LambdaInvoke:
    """A call of the function that runs EnergyPlus; the errors that would come again are never retried.

    Args:
        scope: The states' construct.
        name: Of the state.
        run_variant: The function.
        payload: Its input besides the simulation's name.
        final_errors: Exceptions of the function that would come again, besides a cancelled study and timeouts.
        result_path: Where the function's result is added to the state's input; by default it replaces the input.
    """
    task = tasks.LambdaInvoke(
        scope,
        name,
        lambda_function=run_variant,
        payload=sfn.TaskInput.from_object({"simulation_id": sfn.JsonPath.string_at("$.simulation_id"), **payload}),
        output_path="$.Payload" if result_path is None else None,
        result_selector=None if result_path is None else {"payload": sfn.JsonPath.object_at("$.Payload")},
        result_path=result_path,
        retry_on_service_exceptions=False,
        task_timeout=sfn.Timeout.duration(ANSWER_TIMEOUT),
    )
    never_retry(
        task, *(error.__name__ for error in (*final_errors, StudyCancelled)), "Sandbox.Timedout", "States.Timeout"
    )
    return task
