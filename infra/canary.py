"""The canary: a function that runs a tiny study through the stack, and its schedule."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from epsm.store.keys import CANARY
from infra.cleanup import Cleanup
from infra.config import Config
from infra.functions import grant
from infra.pipeline import Pipeline
from infra.queues import dead_letters
from infra.storage import Storage

_LATE = Duration.minutes(30)
"""Older events are dropped: the next canary runs anyway."""


class Canary(Construct):
    """The canary function and its rule.

    Attributes:
        function: The function.
        lost: Queue of canaries that failed or could not be started; the alarms on the function report both.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        storage: Storage,
        pipeline: Pipeline,
        cleanup: Cleanup,
    ) -> None:
        super().__init__(scope, construct_id)
        hours = config.canary_every_hours
        self.lost = dead_letters(self, "LostCanaries")
        self.function = self._function(storage, pipeline, cleanup)
        events.Rule(
            self,
            "Fly",  # prose: ok - a construct's name, which its rule's physical name contains
            description="Runs the canary, a tiny study through the whole stack",
            # A rule needs a schedule even if it is disabled.
            schedule=events.Schedule.rate(Duration.hours(hours or 1)),
            enabled=hours > 0,
            targets=[
                targets.LambdaFunction(
                    self.function, dead_letter_queue=self.lost, retry_attempts=5, max_event_age=_LATE
                )
            ],
        )

    def _function(self, storage: Storage, pipeline: Pipeline, cleanup: Cleanup) -> lambda_.Function:
        function = pipeline.functions.zipped(
            "canary",
            memory_mb=256,
            timeout=Duration.minutes(12),
            description="Runs a tiny study through the stack and fails if the study fails",
        )
        function.add_environment("CLEANUP_FUNCTION", cleanup.function.function_name)
        inputs, results = storage.inputs, storage.results
        grant(function, ["s3:PutObject"], [inputs.arn_for_objects(f"{CANARY}*")], "each canary has its own folder")
        # Without permission to list, S3 answers 403 instead of 404 for a missing object.
        grant(function, ["s3:ListBucket"], [results.bucket_arn])
        grant(
            function,
            ["s3:GetObject"],
            [results.arn_for_objects("runs/*/results.csv")],
            "each canary is a new run; the name of the file is exact",
        )
        grant(function, ["dynamodb:GetItem"], [storage.table.table_arn])
        grant(function, ["lambda:InvokeFunction"], [cleanup.function.function_arn])
        function.configure_async_invoke(
            # Failures must be reported, not hidden by retries.
            retry_attempts=0,
            max_event_age=_LATE,
            on_failure=destinations.SqsDestination(self.lost),
        )
        return function
