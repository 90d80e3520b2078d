"""The states of a study before and after its variants: mark, collect, notify."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.store import attributes
from epsm.study.records import StudyStatus
from infra.state_machine.attempts import NO_LATER_ATTEMPT, attempt_in
from infra.state_machine.retries import ANSWER_TIMEOUT, retry, retry_aws, study_key, wait_out_lambda

_text = tasks.DynamoAttributeValue.from_string
_path = sfn.JsonPath.string_at


def mark_as_running(scope: Construct, table: dynamodb.Table) -> tasks.DynamoUpdateItem:
    """Mark the study's record; an execution of a study that is not pending, or of an attempt that a later one has
    superseded, ends here."""
    mark = tasks.DynamoUpdateItem(
        scope,
        "Mark study as running",
        table=table,
        key=study_key(),
        update_expression=f"SET #status = :running, {attributes.STARTED_AT} = :now, {attributes.EXECUTION_ARN} = :arn",
        # The second alternative: a repetition of this call after its response was lost.
        condition_expression=(
            f"(#status = :pending OR (#status = :running AND {attributes.EXECUTION_ARN} = :arn)) AND {NO_LATER_ATTEMPT}"
        ),
        expression_attribute_names={"#status": attributes.STATUS},
        expression_attribute_values={
            ":running": _text(StudyStatus.RUNNING),
            ":pending": _text(StudyStatus.PENDING),
            ":attempt": attempt_in("$"),
            ":now": _text(_path("$$.State.EnteredTime")),
            ":arn": _text(_path("$$.Execution.Id")),
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(mark)
    ended = sfn.Fail(
        scope,
        "Study is not pending",
        error="NotPending",
        cause="The record of this study is no longer pending, so there is nothing to run.",
    )
    mark.add_catch(ended, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.mark_error")
    return mark


def collect_results(
    scope: Construct, table: dynamodb.Table, aggregate: lambda_.Function, topic: sns.Topic
) -> tasks.LambdaInvoke:
    """Write table, report and record; a study is closed even if its results cannot be collected, but not if a later
    attempt has begun."""
    collect = tasks.LambdaInvoke(
        scope,
        "Collect results",
        lambda_function=aggregate,
        result_selector={"summary": sfn.JsonPath.object_at("$.Payload")},
        result_path="$.collected",
        retry_on_service_exceptions=False,
        task_timeout=sfn.Timeout.duration(ANSWER_TIMEOUT),
    )
    wait_out_lambda(collect)
    retry(collect, ["States.TaskFailed"], attempts=5, first_s=2, factor=2, longest_s=60)
    collect.add_catch(_close_uncollected_study(scope, table, topic), errors=[sfn.Errors.ALL], result_path="$.failure")
    return collect


def _close_uncollected_study(scope: Construct, table: dynamodb.Table, topic: sns.Topic) -> tasks.DynamoUpdateItem:
    """The results could not be collected: the study is closed as failed."""
    close = tasks.DynamoUpdateItem(
        scope,
        "Close uncollected study",
        table=table,
        key=study_key(),
        update_expression=f"SET #status = :failed, {attributes.ENDED_AT} = :now, #error = :error",
        condition_expression=f"#status IN (:pending, :running) AND {NO_LATER_ATTEMPT}",
        expression_attribute_names={"#status": attributes.STATUS, "#error": attributes.ERROR},
        expression_attribute_values={
            ":attempt": attempt_in("$"),
            ":failed": _text(StudyStatus.FAILED),
            ":pending": _text(StudyStatus.PENDING),
            ":running": _text(StudyStatus.RUNNING),
            ":now": _text(_path("$$.State.EnteredTime")),
            ":error": _text(sfn.JsonPath.format("The results could not be collected: {}", _path("$.failure.Cause"))),
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(close)
    uncollected = sfn.Fail(
        scope,
        "Results not collected",
        error_path=_path("$.failure.Error"),
        cause_path=_path("$.failure.Cause"),
    )
    notify = tasks.SnsPublish(
        scope,
        "Notify of uncollected study",
        topic=topic,
        subject="A study failed: its results could not be collected",
        message=sfn.TaskInput.from_text(
            sfn.JsonPath.format("Simulation {}: {}", _path("$.simulation_id"), _path("$.failure.Cause"))
        ),
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(notify)
    notify.add_catch(uncollected, errors=[sfn.Errors.ALL], result_path="$.notice_error")
    notify.next(uncollected)
    close.add_catch(uncollected, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.close_error")
    close.next(notify)
    return close


def notify_subscribers(scope: Construct, topic: sns.Topic) -> sfn.Choice:
    """Publish the notification, then end with the status of the study."""
    notify = tasks.SnsPublish(
        scope,
        "Notify subscribers",
        topic=topic,
        subject=_path("$.collected.summary.subject"),
        message=sfn.TaskInput.from_json_path_at("$.collected.summary.message"),
        result_path=sfn.JsonPath.DISCARD,
    )
    retry_aws(notify)
    ended = sfn.Succeed(scope, "Study ended", output_path="$.collected.summary")
    failed = sfn.Fail(scope, "Study failed", error="StudyFailed", cause_path=_path("$.collected.summary.message"))
    outcome = sfn.Choice(scope, "How did it end?")
    outcome.when(sfn.Condition.string_equals("$.collected.summary.status", StudyStatus.FAILED), failed)
    outcome.otherwise(ended)
    # A notification that cannot be sent must not lose a study.
    notify.add_catch(outcome, errors=[sfn.Errors.ALL], result_path="$.notice_error")
    notify.next(outcome)
    choice = sfn.Choice(scope, "Notify subscribers?")
    choice.when(sfn.Condition.boolean_equals("$.collected.summary.notify", False), outcome)
    choice.otherwise(notify)
    return choice
