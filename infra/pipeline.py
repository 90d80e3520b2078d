"""The pipeline of a study: upload event -> submit -> state machine -> run_variant -> aggregate -> notification."""

from aws_cdk import Aws, Duration, Size
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from epsm.results.result_files import COLLECTED_FILES
from epsm.store import keys
from epsm.store.notifications import EVENT_SOURCE
from infra.config import Config
from infra.fargate import Containers
from infra.functions import Functions, grant
from infra.queues import dead_letters
from infra.state_machine.machine import StudyMachine
from infra.storage import Storage

LAMBDA_LIMIT = Duration.minutes(15)
_ANY_STUDY = "any object of the inputs bucket may be part of a study"
_ANY_RUN = "the function serves every run; the name of the file is exact"


class Pipeline(Construct):
    """Functions, state machine, trigger and notifications."""

    def __init__(self, scope: Construct, construct_id: str, config: Config, storage: Storage) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._storage = storage
        self.functions = Functions(
            self,
            "Functions",
            config,
            {
                "INPUTS_BUCKET": storage.inputs.bucket_name,
                "RESULTS_BUCKET": storage.results.bucket_name,
                "TABLE_NAME": storage.table.table_name,
            },
        )
        self.table = storage.table
        self.topic = self._topic()
        self.run_variant = self._run_variant()
        self.aggregate = self._aggregate()
        self.state_machine = StudyMachine(
            self,
            "StudyMachine",
            config,
            table=storage.table,
            results=storage.results,
            run_variant=self.run_variant,
            aggregate=self.aggregate,
            topic=self.topic,
            containers=self._containers() if config.fargate else None,
        ).machine
        self.lost_studies = dead_letters(self, "LostStudies")
        self.submit = self._submit()

    # --- notice

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Ended", display_name=f"{self._config.name}: studies that ended", enforce_ssl=True)
        if self._config.notify_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._config.notify_email))
        return topic

    # --- functions, each with the permissions that it needs

    def _run_variant(self) -> lambda_.Function:
        function = self.functions.from_image(
            "run_variant",
            memory_mb=self._config.memory_mb,
            timeout=LAMBDA_LIMIT,
            disk=Size.mebibytes(2048),
            description="Runs EnergyPlus for a variant or a batch of variants of a study",
            reserved_concurrency=self._config.reserved_concurrency or None,
        )
        self._let_run_variants(function)
        return function

    def _containers(self) -> Containers:
        """For longer runs: the same code from the same image with the same permissions."""
        containers = Containers(
            self,
            "Containers",
            self._config,
            image=self.functions.image,
            environment=self.functions.variables("run_variant"),
        )
        self._let_run_variants(containers.role)
        return containers

    def _let_run_variants(self, to: lambda_.Function | iam.Role) -> None:
        inputs, results = self._storage.inputs, self._storage.results
        grant(to, ["s3:GetObject", "s3:GetObjectVersion"], [inputs.arn_for_objects("*")], _ANY_STUDY)
        grant(to, ["s3:GetObject"], [results.arn_for_objects("runs/*/manifest.json")], _ANY_RUN)
        folders = (keys.VARIANTS, keys.PACKS, keys.SERIES_FOLDER, "preflight/")
        variant_files = [results.arn_for_objects(f"runs/*/{folder}*") for folder in folders]
        # Results of earlier runs are copied.
        grant(to, ["s3:GetObject", "s3:PutObject"], variant_files, _ANY_RUN)
        single = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        several = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:Query"]
        grant(to, [*single, *several], [self._storage.table.table_arn])
        role = to if isinstance(to, iam.Role) else to.role
        assert role is not None
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus/default"],
                conditions={"StringEquals": {"events:source": EVENT_SOURCE}},
            )
        )

    def _aggregate(self) -> lambda_.Function:
        function = self.functions.from_image(
            "aggregate",
            # For a million variants. New accounts are limited to 3,008 MB.
            memory_mb=3008,
            timeout=LAMBDA_LIMIT,
            disk=Size.mebibytes(10_240),
            description="Writes the results table of a study and closes its record",
        )
        results = self._storage.results
        read = ("manifest.json", f"{keys.VARIANTS}*/result.json", f"{keys.PACKS}*.zip", "series/part-*.parquet")
        grant(function, ["s3:GetObject"], [results.arn_for_objects(f"runs/*/{name}") for name in read], _ANY_RUN)
        names = (*COLLECTED_FILES, keys.SERIES_COLUMNS, keys.PACK_INDEX)
        written = [results.arn_for_objects(f"runs/*/{name}") for name in names]
        # A file is read before it is replaced: a later attempt may have written it.
        grant(function, ["s3:GetObject", "s3:PutObject"], written, _ANY_RUN)
        grant(
            function,
            ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            [self._storage.table.table_arn],
        )
        return function

    def _submit(self) -> lambda_.Function:
        function = self.functions.zipped(
            "submit",
            memory_mb=1024,
            timeout=Duration.minutes(5),
            description="Checks an uploaded study and starts its execution",
        )
        for name, value in self._environment_of_submit().items():
            function.add_environment(name, value)
        inputs, results = self._storage.inputs, self._storage.results
        grant(function, ["s3:ListBucket", "s3:ListBucketVersions"], [inputs.bucket_arn])
        grant(function, ["s3:GetObject", "s3:GetObjectVersion"], [inputs.arn_for_objects("*")], _ANY_STUDY)
        grant(function, ["s3:GetObject"], [results.arn_for_objects("runs/*/manifest.json")], _ANY_RUN)
        names = ("manifest.json", "items.json", "errors.json")
        grant(function, ["s3:PutObject"], [results.arn_for_objects(f"runs/*/{name}") for name in names], _ANY_RUN)
        grant(
            function,
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            [self._storage.table.table_arn],
        )
        self.state_machine.grant_start_execution(function)
        grant(function, ["sns:Publish"], [self.topic.topic_arn])
        function.configure_async_invoke(
            retry_attempts=2, max_event_age=Duration.hours(6), on_failure=destinations.SqsDestination(self.lost_studies)
        )
        self._submit_uploads_to(function)
        return function

    def _environment_of_submit(self) -> dict[str, str]:
        config = self._config
        return {
            "STATE_MACHINE_ARN": self.state_machine.state_machine_arn,
            "TOPIC_ARN": self.topic.topic_arn,
            "BUCKET_OWNER": config.owner_of_uploads,
            **config.owner_limits,
            "MAX_VARIANTS": str(config.max_variants),
            "LONGEST_RUN_S": str(config.longest_run_s),
            "LONGEST_RETENTION_DAYS": str(config.longest_retention_days),
            "MISSING_FILE_GRACE_S": str(config.missing_file_grace_s),
            "VARIANT_MEMORY_MB": str(config.memory_mb),
            "VARIANT_CONCURRENCY": str(config.reserved_concurrency),
            "FARGATE_VCPUS": str(config.fargate_vcpus),
            "IMAGE_ID": self.functions.image.asset_hash,
        }

    def _submit_uploads_to(self, function: lambda_.Function) -> None:
        """The trigger: a study.json in the inputs bucket."""
        events.Rule(
            self,
            "StudyUploaded",
            description="A study.json was uploaded to the inputs bucket",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._storage.inputs.bucket_name]},
                    "object": {"key": ["study.json", {"suffix": "/study.json"}]},
                },
            ),
            targets=[
                targets.LambdaFunction(
                    function,
                    dead_letter_queue=self.lost_studies,
                    retry_attempts=20,
                    max_event_age=Duration.hours(6),
                )
            ],
        )
