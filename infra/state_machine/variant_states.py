"""The states of one variant: a function or a container, and the record of a lost variant."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.items import BATCH, CONTAINER, RUNS_ON
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.store import attributes
from epsm.study.records import VariantStatus
from epsm.study.schema import MAX_CONTAINER_RUN_S
from infra.fargate import Containers
from infra.state_machine.batch_states import BatchStates
from infra.state_machine.container_task import run_in_container
from infra.state_machine.lost_variants import record_lost_variant, variant_key
from infra.state_machine.retries import outlast_worker, retry, retry_aws, run_engine
from infra.state_machine.spot_states import COUNTER, NOT_INTERRUPTED

MAP_LABEL = "variants"
_MAX_TASK = Duration.seconds(MAX_CONTAINER_RUN_S + 3600)
"""The longest time limit of a run, plus time to start and to store."""
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
        outlast_worker(run)
        failed = sfn.Fail(
            self._scope, "Variant failed", error_path=_path("$.failure.Error"), cause_path=_path("$.failure.Cause")
        )
        run.add_catch(failed, errors=[SimulationFailed.__name__, StudyCancelled.__name__], result_path="$.failure")
        lost = record_lost_variant(self._scope, "Record lost variant", self._table, "$.variant", if_recorded=failed)
        lost.next(failed)
        first: sfn.IChainable = run
        if self._containers is not None:
            in_container = self._run_in_container(self._containers, lost)
            run.add_catch(in_container, errors=[RanTooLong.__name__], result_path="$.failure")
            first = self._function_or_container(run, in_container)
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        batch = BatchStates(self._scope, self._table, run_variant, self._containers).run_batch(failed)
        variant_or_batch = sfn.Choice(self._scope, "A variant or a batch?")
        variant_or_batch.when(sfn.Condition.is_present(f"$.variant.{BATCH}"), batch)
        variant_or_batch.otherwise(first)
        run_variants = sfn.DistributedMap(
            self._scope,
            "Run variants",
            comment="One child execution per variant, or per batch of variants",
            label=MAP_LABEL,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=results, key=_path("$.items_key")),
            item_selector={
                "simulation_id": _path("$.simulation_id"),
                "expires_at": _path("$.expires_at"),
                "variant": sfn.JsonPath.object_at("$$.Map.Item.Value"),
                **({COUNTER: NOT_INTERRUPTED} if self._containers is not None else {}),
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
        return run_variants.item_processor(variant_or_batch)

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
        run = run_in_container(self._scope, "Run EnergyPlus in a container", containers, _MAX_TASK)
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        run.next(self._what_the_container_wrote())
        return run

    def _what_the_container_wrote(self) -> tasks.DynamoGetItem:
        read = tasks.DynamoGetItem(
            self._scope,
            "Read the variant's record",
            table=self._table,
            key=variant_key("$.variant"),
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
