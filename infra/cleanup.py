"""Cleanup: studies whose execution failed, records left open, expired data."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from epsm.store.keys import HOMES
from epsm.store.notifications import BUDGET_SPENT, EVENT_SOURCE, TOO_MANY_FAILURES
from infra.config import Config
from infra.functions import grant
from infra.pipeline import LAMBDA_LIMIT, Pipeline
from infra.queues import dead_letters
from infra.state_machine.machine import executions_and_map_runs
from infra.storage import Storage

_RECONCILE_EVERY = Duration.minutes(15)
_ANY_RUN = "any run may end"


class Cleanup(Construct):
    """The cleanup function and the rules that call it.

    Attributes:
        function: The function.
        lost: Queue of events that it could not handle.
    """

    def __init__(
        self, scope: Construct, construct_id: str, config: Config, storage: Storage, pipeline: Pipeline
    ) -> None:
        super().__init__(scope, construct_id)
        self._pipeline = pipeline
        self.lost = dead_letters(self, "LostCleanups")
        self.function = self._function(config, storage)
        self._rules()

    def _function(self, config: Config, storage: Storage) -> lambda_.Function:
        machine, aggregate = self._pipeline.state_machine, self._pipeline.aggregate
        function = self._pipeline.functions.zipped(
            "cleanup",
            memory_mb=512,
            # It waits for the aggregate function, which has the same limit.
            timeout=LAMBDA_LIMIT,
            description="Closes studies whose execution has ended, deletes studies past their retention period",
        )
        function.add_environment("STATE_MACHINE_ARN", machine.state_machine_arn)
        function.add_environment("AGGREGATE_FUNCTION", aggregate.function_name)
        grant_removal(function, storage)
        grant(
            function, ["s3:PutObject"], [storage.results.arn_for_objects("cleanup/*")], "each report has its own name"
        )
        grant(function, ["dynamodb:UpdateItem"], [storage.table.table_arn])
        grant(function, ["lambda:InvokeFunction"], [aggregate.function_arn])
        function.add_environment("TOPIC_ARN", self._pipeline.topic.topic_arn)
        grant(function, ["sns:Publish"], [self._pipeline.topic.topic_arn])
        function.add_environment("VARIANT_CONCURRENCY", str(config.reserved_concurrency))
        function.add_environment("VARIANT_MEMORY_MB", str(config.memory_mb))
        function.add_environment("FARGATE_VCPUS", str(config.fargate_vcpus))
        executions, map_runs = executions_and_map_runs(config)
        grant(
            function,
            ["states:DescribeExecution", "states:StopExecution", "states:ListMapRuns"],
            [executions],
            _ANY_RUN,
        )
        grant(function, ["states:DescribeMapRun", "states:UpdateMapRun"], [map_runs], "any run may get another share")
        grant(function, ["states:StartExecution"], [machine.state_machine_arn])
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucketVersions"],
                resources=[storage.inputs.bucket_arn],
                # To find orphaned uploads.
                conditions={"StringEquals": {"s3:prefix": HOMES}},
            )
        )
        grant(function, ["lambda:GetAccountSettings"], ["*"], "the account's settings are not a resource")
        function.configure_async_invoke(
            retry_attempts=2, max_event_age=Duration.hours(6), on_failure=destinations.SqsDestination(self.lost)
        )
        return function

    def _rules(self) -> None:
        events.Rule(
            self,
            "ExecutionChanged",
            description="An execution of a study started or ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                    # The children of a Distributed Map have the machine's ARN with the map's label appended.
                    "stateMachineArn": [self._pipeline.state_machine.state_machine_arn],
                },
            ),
            targets=[self._target(Duration.hours(6))],
        )
        events.Rule(
            self,
            "BudgetSpent",
            description="The budget of a study is spent, or too many of its variants have failed",
            event_pattern=events.EventPattern(source=[EVENT_SOURCE], detail_type=[BUDGET_SPENT, TOO_MANY_FAILURES]),
            targets=[self._target(Duration.hours(6))],
        )
        events.Rule(
            self,
            "Reconcile",
            description="Closes studies that are open although nothing runs",
            schedule=events.Schedule.rate(_RECONCILE_EVERY),
            # After an hour, later events have done its work.
            targets=[self._target(Duration.hours(1), {"task": "reconcile"})],
        )
        events.Rule(
            self,
            "Retention",
            description="Deletes studies past their retention period, every day at 03:00 UTC",
            schedule=events.Schedule.cron(hour="3", minute="0"),
            targets=[self._target(Duration.hours(6), {"task": "retention", "dry_run": False})],
        )

    def _target(self, max_event_age: Duration, event: Mapping[str, Any] | None = None) -> targets.LambdaFunction:
        return targets.LambdaFunction(
            self.function,
            event=None if event is None else events.RuleTargetInput.from_object(dict(event)),
            dead_letter_queue=self.lost,
            retry_attempts=20,
            max_event_age=max_event_age,
        )


def grant_removal(function: lambda_.Function, storage: Storage) -> None:
    """Let a function remove studies: list them, read manifests, delete a run's objects, its inputs and its items."""
    inputs, results, table = storage.inputs, storage.results, storage.table
    grant(function, ["s3:ListBucket"], [results.bucket_arn])
    grant(function, ["s3:GetObject"], [results.arn_for_objects("runs/*/manifest.json")], _ANY_RUN)
    grant(function, ["s3:DeleteObject"], [results.arn_for_objects("runs/*")], _ANY_RUN)
    grant(
        function,
        # Deleting a version also needs DeleteObject (DeleteObjects in the Amazon S3 API reference).
        ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        [inputs.arn_for_objects("*")],
        "any object of the inputs bucket may be part of a study; deleted are those that its manifest names, and what a "
        "request left without a study.json",
    )
    grant(
        function,
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchWriteItem"],
        [table.table_arn, f"{table.table_arn}/index/by_created_at"],
    )
