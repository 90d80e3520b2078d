"""The states of a batch of variants: a function or a container runs it, repeatedly while variants are left or Fargate
Spot interrupts it; if the function is killed several times, they run one by one.

A batch whose function was killed runs again as it is: the worker skips the variants that have ended.
"""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.pipeline.items import ATTEMPT, BATCH, CONTAINER, MAX_FAILURES, RECORD_KEY, RUNS_ON, SPOT
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.study.records import VariantStatus
from infra.fargate import Containers
from infra.state_machine.container_task import run_batch_in_container
from infra.state_machine.lost_variants import record_and_count_lost_variant
from infra.state_machine.retries import outlast_worker, run_engine
from infra.state_machine.spot_states import run_batch_on_fargate_spot

_MAX_TASK = Duration.days(6)
"""Below the state machine's time limit. Each run of the engine has its own time limit."""
_OUTCOME = "$.outcome.payload"

_path = sfn.JsonPath.string_at
_object = sfn.JsonPath.object_at


class BatchStates:
    """Builds the states of a batch.

    Args:
        scope: The states' construct.
        table: The table with the records.
        run_variant: The function that runs EnergyPlus.
        containers: For models that exceed a function's time limit; None for none.
    """

    def __init__(
        self, scope: Construct, table: dynamodb.Table, run_variant: lambda_.Function, containers: Containers | None
    ) -> None:
        self._scope = scope
        self._table = table
        self._run_variant = run_variant
        self._containers = containers

    def run_batch(self, stopped: sfn.Fail) -> sfn.IChainable:
        """The batch in `$.variant`.

        Args:
            stopped: Next state if the study was cancelled or given up, with the error in `$.failure`.
        """
        item = {"variant": _object("$.variant")}
        run = run_engine(self._scope, "Run a batch", self._run_variant, item, RanTooLong, result_path="$.outcome")
        outlast_worker(run)
        run.add_catch(stopped, errors=[StudyCancelled.__name__], result_path="$.failure")
        one_by_one = self._one_by_one(stopped)
        first: sfn.IChainable = run
        if self._containers is not None:
            container = run_batch_in_container(self._scope, "Run a batch in a container", self._containers, _MAX_TASK)
            container.add_catch(one_by_one, errors=[sfn.Errors.ALL], result_path="$.failure")
            # By then every variant has ended: the function only looks up their outcomes.
            container.next(run)
            run.add_catch(container, errors=[RanTooLong.__name__], result_path="$.failure")
            spot = run_batch_on_fargate_spot(
                self._scope, self._table, self._containers, _MAX_TASK, ended=run, on_demand=container
            )
            first = self._place(run, container, spot)
        run.add_catch(one_by_one, errors=[sfn.Errors.ALL], result_path="$.failure")
        ended = sfn.Choice(self._scope, "Has every variant of the batch ended?")
        ended.when(sfn.Condition.boolean_equals(f"{_OUTCOME}.alone", True), one_by_one)
        ended.when(sfn.Condition.number_greater_than(f"{_OUTCOME}.left", 0), run)
        ended.when(
            sfn.Condition.number_greater_than(f"{_OUTCOME}.failed", 0),
            self._failed("Variants of the batch failed", f"{_OUTCOME}.variants"),
        )
        ended.otherwise(sfn.Succeed(self._scope, "Batch succeeded", output_path=_OUTCOME))
        run.next(ended)
        return first

    def _place(self, function: sfn.IChainable, container: sfn.IChainable, spot: sfn.IChainable) -> sfn.Choice:
        choice = sfn.Choice(self._scope, "Batch in a function or a container?")
        choice.when(sfn.Condition.string_equals(f"$.variant.{RUNS_ON}", CONTAINER), container)
        choice.when(sfn.Condition.string_equals(f"$.variant.{RUNS_ON}", SPOT), spot)
        choice.otherwise(function)
        return choice

    def _one_by_one(self, stopped: sfn.Fail) -> sfn.Map:
        """Each variant in an invocation of its own, in case one needs all the memory or kills its function."""
        variants = sfn.Map(
            self._scope,
            "Run the variants one by one",
            comment="One iteration for each variant of the batch; those that have ended are not run again",
            items_path=f"$.variant.{BATCH}",
            max_concurrency=1,
            item_selector={
                "simulation_id": _path("$.simulation_id"),
                "expires_at": _path("$.expires_at"),
                "entry": _object("$$.Map.Item.Value"),
                "variant": {
                    BATCH: sfn.JsonPath.array(_path("$$.Map.Item.Value")),
                    RUNS_ON: _path(f"$.variant.{RUNS_ON}"),
                    ATTEMPT: sfn.JsonPath.number_at(f"$.variant.{ATTEMPT}"),
                    MAX_FAILURES: sfn.JsonPath.number_at(f"$.variant.{MAX_FAILURES}"),
                },
            },
            result_selector={
                "variants": _object("$[*].variants[0]"),
                "any_failed": sfn.JsonPath.array_contains(_object("$[*].failed"), 1),
            },
            result_path="$.singly",
        ).item_processor(self._one())
        variants.add_catch(stopped, errors=[sfn.Errors.ALL], result_path="$.failure")
        ended = sfn.Choice(self._scope, "Did each succeed by itself?")
        failed = self._failed("Variants failed one by one", "$.singly.variants")
        ended.when(sfn.Condition.boolean_equals("$.singly.any_failed", True), failed)
        ended.otherwise(sfn.Succeed(self._scope, "Variants succeeded one by one", output_path="$.singly"))
        variants.next(ended)
        return variants

    def _one(self) -> tasks.LambdaInvoke:
        item = {"variant": _object("$.variant")}
        run = run_engine(self._scope, "Run a variant of a batch", self._run_variant, item, RanTooLong)
        outlast_worker(run)
        stopped = sfn.Fail(
            self._scope,
            "Variant of a batch was stopped",
            error_path=_path("$.failure.Error"),
            cause_path=_path("$.failure.Cause"),
        )
        run.add_catch(stopped, errors=[StudyCancelled.__name__], result_path="$.failure")
        lost = sfn.Pass(
            self._scope,
            "Variant of a batch is lost",
            parameters={
                "failed": 1,
                "variants": [
                    {
                        RECORD_KEY: _path(f"$.entry.{RECORD_KEY}"),
                        "status": VariantStatus.FAILED.value,
                        "verdict": _path("$.failure.Error"),
                    }
                ],
            },
        )
        record = record_and_count_lost_variant(
            self._scope, "Record lost variant of a batch", self._table, "$.entry", then=lost
        )
        if self._containers is not None:
            container = run_batch_in_container(
                self._scope, "Run a variant of a batch in a container", self._containers, _MAX_TASK
            )
            container.add_catch(record, errors=[sfn.Errors.ALL], result_path="$.failure")
            container.next(run)
            run.add_catch(container, errors=[RanTooLong.__name__], result_path="$.failure")
        run.add_catch(record, errors=[sfn.Errors.ALL], result_path="$.failure")
        return run

    def _failed(self, name: str, variants: str) -> sfn.Fail:
        return sfn.Fail(
            self._scope,
            name,
            error=SimulationFailed.__name__,
            cause_path=sfn.JsonPath.json_to_string(_object(variants)),
        )
