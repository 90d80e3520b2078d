"""The states of one variant: a function or a container, and the record of a lost variant."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.items import CONTAINER, RECORD_KEY, RUNS_ON
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.store import attributes, keys
from epsm.study.records import LOST_STAGE, VariantStatus
from epsm.study.schema import MAX_CONTAINER_RUN_S
from infra.fargate import Containers
from infra.state_machine.retries import never_retry, retry, retry_aws, run_engine, study_key, wait_out_lambda

MAP_LABEL = "variants"
_MAX_TASK = Duration.seconds(MAX_CONTAINER_RUN_S + 3600)
"""The longest time limit of a run, plus time to start and to store."""
_NO_ROOM_FOR_A_TASK = ["ECS.AmazonECSException", "ECS.ServerException", "AmazonECS.Unknown"]
"""Fargate has no capacity, or the account's vCPUs of Fargate are all in use, or ECS throttles requests."""

_ENI_THROTTLED = ["ECS.InvalidParameterException"]
"""ECS reports EC2's throttling of network interfaces as InvalidParameterException, which also covers genuinely invalid
tasks; so it is retried a bounded number of times."""

_text = tasks.DynamoAttributeValue.from_string
_path = sfn.JsonPath.string_at


class VariantStates:
    """Builds the map over a study's variants and the states of each variant.

    Args:
        scope: The states' construct.
        table: The records.
        containers: For runs that exceed a function's time limit; None for no such runs.
    """

    def __init__(self, scope: Construct, table: dynamodb.Table, containers: Containers | None) -> None:
        self._scope = scope
        self._table = table
        self._containers = containers

    def run_variants(self, run_variant: lambda_.Function, results: s3.Bucket) -> sfn.DistributedMap:
        """One child execution for each item of the study's list of variants."""
        # Not retried: failures of EnergyPlus itself and timeouts, which would repeat.
        item = {"variant": sfn.JsonPath.object_at("$.variant")}
        run = run_engine(self._scope, "Run EnergyPlus", run_variant, item, SimulationFailed, RanTooLong)
        wait_out_lambda(run)
        # A worker that died, or a bucket or a table that did not answer.
        retry(run, ["States.TaskFailed"], attempts=3, first_s=2, factor=3, longest_s=60)
        failed = sfn.Fail(
            self._scope, "Variant failed", error_path=_path("$.failure.Error"), cause_path=_path("$.failure.Cause")
        )
        run.add_catch(failed, errors=[SimulationFailed.__name__, StudyCancelled.__name__], result_path="$.failure")
        lost = self._record_lost_variant(failed)
        first: sfn.IChainable = run
        if self._containers is not None:
            in_container = self._run_in_container(self._containers, lost)
            run.add_catch(in_container, errors=[RanTooLong.__name__], result_path="$.failure")
            first = self._function_or_container(run, in_container)
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        run_variants = sfn.DistributedMap(
            self._scope,
            "Run variants",
            comment="One child execution per variant",
            label=MAP_LABEL,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=results, key=_path("$.items_key")),
            item_selector={
                "simulation_id": _path("$.simulation_id"),
                "expires_at": _path("$.expires_at"),
                "variant": sfn.JsonPath.object_at("$$.Map.Item.Value"),
            },
            max_concurrency_path=_path("$.max_concurrency"),
            tolerated_failure_percentage_path=_path("$.tolerated_failure_percentage"),
            tolerated_failure_count_path=_path("$.tolerated_failure_count"),
            # Without a result writer the output of a large map exceeds the limit of state data.
            result_writer_v2=sfn.ResultWriterV2(bucket=results, prefix=_path("$.map_prefix")),
            result_path="$.map",
        )
        # A transient error of S3 before anything has run.
        retry(run_variants, ["States.ItemReaderFailed"], attempts=3, first_s=2, factor=3, longest_s=60)
        return run_variants.item_processor(first)

    def _function_or_container(self, function: tasks.LambdaInvoke, container: tasks.EcsRunTask) -> sfn.Choice:
        """Choose by the item: function or container."""
        where = f"$.variant.{RUNS_ON}"
        choice = sfn.Choice(self._scope, "Function or container?")
        choice.when(
            sfn.Condition.and_(sfn.Condition.is_present(where), sfn.Condition.string_equals(where, CONTAINER)),
            container,
        )
        choice.otherwise(function)
        return choice

    def _run_in_container(self, containers: Containers, lost: tasks.DynamoUpdateItem) -> tasks.EcsRunTask:
        """The container exits with 0 if the variant's record has the outcome, so the record is read then."""
        run = tasks.EcsRunTask(
            self._scope,
            "Run EnergyPlus in a container",
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            cluster=containers.cluster,
            task_definition=containers.task,
            launch_target=tasks.EcsFargateLaunchTarget(platform_version=ecs.FargatePlatformVersion.VERSION1_4),
            assign_public_ip=True,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            security_groups=[containers.security_group],
            container_overrides=[
                tasks.ContainerOverride(
                    container_definition=containers.container,
                    environment=[
                        tasks.TaskEnvironmentVariable(name="SIMULATION_ID", value=_path("$.simulation_id")),
                        tasks.TaskEnvironmentVariable(
                            name="VARIANT", value=sfn.JsonPath.json_to_string(sfn.JsonPath.object_at("$.variant"))
                        ),
                    ],
                )
            ],
            result_path=sfn.JsonPath.DISCARD,
            task_timeout=sfn.Timeout.duration(_MAX_TASK),
        )
        never_retry(run, "States.Timeout")
        # Capacity may be used by other tasks for hours: retried for most of a day.
        retry(run, _NO_ROOM_FOR_A_TASK, attempts=500, first_s=15, factor=2, longest_s=300)
        retry(run, _ENI_THROTTLED, attempts=20, first_s=15, factor=2, longest_s=300)
        # A host that died, an image that could not be pulled, or a bucket or a table that did not answer.
        retry(run, ["States.TaskFailed"], attempts=3, first_s=15, factor=3, longest_s=300)
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        run.next(self._what_the_container_wrote())
        return run

    def _what_the_container_wrote(self) -> tasks.DynamoGetItem:
        read = tasks.DynamoGetItem(
            self._scope,
            "Read the variant's record",
            table=self._table,
            key=self._variant_key(),
            consistent_read=True,
            projection_expression=[
                tasks.DynamoProjectionExpression().with_attribute(name) for name in ("#status", "#error")
            ],
            expression_attribute_names={"#status": attributes.STATUS, "#error": attributes.ERROR},
            result_path="$.record",
        )
        retry_aws(read)
        status = f"$.record.Item.{attributes.STATUS}.S"
        message = f"$.record.Item.{attributes.ERROR}.M.{attributes.MESSAGE}.S"
        choice = sfn.Choice(self._scope, "Did the variant succeed?")
        choice.when(
            sfn.Condition.and_(
                sfn.Condition.is_present(status), sfn.Condition.string_equals(status, VariantStatus.SUCCEEDED)
            ),
            sfn.Succeed(self._scope, "Variant succeeded in its container", output_path="$.variant"),
        )
        choice.when(
            sfn.Condition.is_present(message),
            sfn.Fail(
                self._scope,
                "Variant failed in its container",
                error=SimulationFailed.__name__,
                cause_path=_path(message),
            ),
        )
        choice.otherwise(
            sfn.Fail(
                self._scope,
                "Variant was cancelled",
                error=StudyCancelled.__name__,
                cause="The study was cancelled before the container started the variant.",
            )
        )
        read.next(choice)
        return read

    def _record_lost_variant(self, then: sfn.Fail) -> tasks.DynamoUpdateItem:
        """Record a variant whose worker was lost, with the error of the state machine."""
        record = tasks.DynamoUpdateItem(
            self._scope,
            "Record lost variant",
            table=self._table,
            key=self._variant_key(),
            update_expression=(
                f"SET #status = :failed, {attributes.ENDED_AT} = :now, #error = :error, "
                f"{attributes.EXPIRES_AT} = :expires_at"
            ),
            condition_expression=f"attribute_not_exists({keys.PARTITION_KEY}) OR #status = :running",
            expression_attribute_names={"#status": attributes.STATUS, "#error": attributes.ERROR},
            expression_attribute_values={
                ":failed": _text(VariantStatus.FAILED),
                ":running": _text(VariantStatus.RUNNING),
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
        record.add_catch(then, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.record_error")
        record.next(then)
        return record

    def _variant_key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {**study_key(), keys.SORT_KEY: _text(_path(f"$.variant.{RECORD_KEY}"))}
