"""The state machine of a study: mark, run every variant in a Distributed Map, collect, tell.

The names of the states are what the platform engineer reads in the console.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from epsm.study import LONGEST_RUN_S
from infra.config import Config
from infra.exceptions import accept, accept_wildcards
from infra.fargate import Containers
from infra.functions import retention_of

_THROTTLES_AND_SERVICE_ERRORS = [
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
]
_NO_ROOM_FOR_A_TASK = ["ECS.AmazonECSException", "ECS.ServerException", "AmazonECS.Unknown"]
"""Fargate has no capacity, or the account's vCPUs of Fargate are all in use, or ECS is asked too often."""
_ON_ANY_RESOURCE = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]
MAP_LABEL = "variants"
_NET_UNDER_LAMBDA = Duration.minutes(17)
"""Longer than a function may run: for an answer that never comes."""
_NET_UNDER_FARGATE = Duration.seconds(LONGEST_RUN_S + 3600)
"""Longer than a study may let a run take, with time to start and to store."""

_text = tasks.DynamoAttributeValue.from_string
_path = sfn.JsonPath.string_at


def executions_and_map_runs(config: Config) -> tuple[str, str]:
    """ARNs of all executions of the study machine, and of all their map runs."""
    states = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    return f"{states}:execution:{config.name}-study:*", f"{states}:mapRun:{config.name}-study/{MAP_LABEL}:*"


class StudyMachine(Construct):
    """Builds `machine`; the functions, buckets and table are given, and containers for runs that take longer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        *,
        table: dynamodb.Table,
        results: s3.Bucket,
        run_variant: lambda_.Function,
        aggregate: lambda_.Function,
        topic: sns.Topic,
        containers: Containers | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._containers = containers
        self._table = table
        self._results = results
        start = self._mark_as_running()
        run_variants = self._run_variants(run_variant)
        collect = self._collect_results(aggregate, topic)
        start.next(run_variants)
        run_variants.next(collect)
        # Whatever the map came to, what succeeded is kept.
        run_variants.add_catch(collect, errors=[sfn.Errors.ALL], result_path="$.map_error")
        collect.next(self._tell_subscribers(topic))
        logs_of_executions = logs.LogGroup(
            self,
            "ExecutionLogs",
            # Step Functions asks for this prefix: it keeps the log-delivery policy below its size limit.
            log_group_name=f"/aws/vendedlogs/states/{config.name}",
            retention=retention_of(config.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        name = f"{config.name}-study"
        self.machine = sfn.StateMachine(
            self,
            "Study",
            state_machine_name=name,
            # CDK would grant whole buckets and every version of a function; this role says what is needed.
            role=self._role(name, (run_variant, aggregate), topic).without_policy_updates(),
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(start),
            comment="Runs every variant of a study in EnergyPlus, then collects the results",
            timeout=Duration.days(7),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=logs_of_executions, level=sfn.LogLevel.ERROR, include_execution_data=True),
        )
        accept(
            self.machine,
            "AwsSolutions-SF1",
            "Errors are logged with their data. Logging ALL would write some 10 KB a variant, a gigabyte for a large "
            "study; the console keeps every event of every execution for 90 days anyway.",
        )
        for which in (":*", f"/{MAP_LABEL}:*"):
            accept(
                self.machine,
                f"AwsSolutions-IAM5[Resource::{self._executions_as_nag_writes(which)}]",
                "A policy that CDK makes for a Distributed Map and leaves out of the template, because the role takes "
                "no updates; its statements stand in the role, with the machine's own name.",
            )

    def _executions_as_nag_writes(self, which: str) -> str:
        resource = self.machine.node.default_child
        assert isinstance(resource, sfn.CfnStateMachine)
        logical_id = Stack.of(self).get_logical_id(resource)
        name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{{"Ref":"{logical_id}"}}]}}]}}'
        return f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}{which}"

    def _role(self, name: str, functions: Sequence[lambda_.Function], topic: sns.Topic) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Role of the study state machine",
        )
        machine, executions, children = (
            f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{what}"
            for what in (f"stateMachine:{name}", f"execution:{name}:*", f"execution:{name}/{MAP_LABEL}:*")
        )
        items, map_results = (self._results.arn_for_objects(f"runs/*/{name}") for name in ("items*.json", "map/*"))
        for actions, resources in (
            (["lambda:InvokeFunction"], [function.function_arn for function in functions]),
            (["dynamodb:UpdateItem"], [self._table.table_arn]),
            (["sns:Publish"], [topic.topic_arn]),
            (["s3:GetObject"], [items]),
            (
                ["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
                [map_results],
            ),
            (["states:StartExecution"], [machine]),
            (["states:DescribeExecution", "states:StopExecution"], [executions]),
            (["states:RedriveExecution"], [children]),
            (_ON_ANY_RESOURCE, ["*"]),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        if self._containers is not None:
            role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:GetItem"], resources=[self._table.table_arn]))
            self._containers.grant_running(role)
        accept_wildcards(
            role,
            {
                items: "the items of any run",
                map_results: "the map results of any run",
                executions: "a Distributed Map starts, watches and stops executions of its own machine",
                children: "redriving a map redrives its children",
                "*": "log delivery and X-Ray know no resources",
            },
        )
        return role

    def _study_key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {"pk": _text(sfn.JsonPath.format("SIM#{}", _path("$.simulation_id"))), "sk": _text("SIM")}

    def _mark_as_running(self) -> tasks.DynamoUpdateItem:
        mark = tasks.DynamoUpdateItem(
            self,
            "Mark study as running",
            table=self._table,
            key=self._study_key(),
            update_expression="SET #status = :running, started_at = :now, execution_arn = :arn",
            # The second is the same call once more, when the answer to the first was lost.
            condition_expression="#status = :pending OR (#status = :running AND execution_arn = :arn)",
            expression_attribute_names={"#status": "status"},
            expression_attribute_values={
                ":running": _text("running"),
                ":pending": _text("pending"),
                ":now": _text(_path("$$.State.EnteredTime")),
                ":arn": _text(_path("$$.Execution.Id")),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        _retry_aws(mark)
        ended = sfn.Fail(
            self,
            "Study is not pending",
            error="NotPending",
            cause="The record of this study is not pending any more, so there is nothing to run.",
        )
        mark.add_catch(ended, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.mark_error")
        return mark

    def _run_variants(self, run_variant: lambda_.Function) -> sfn.DistributedMap:
        run = tasks.LambdaInvoke(
            self,
            "Run EnergyPlus",
            lambda_function=run_variant,
            payload=sfn.TaskInput.from_object(
                {"simulation_id": _path("$.simulation_id"), "variant": sfn.JsonPath.object_at("$.variant")}
            ),
            output_path="$.Payload",
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(_NET_UNDER_LAMBDA),
        )
        # What EnergyPlus itself refused, and what took too long, would do the same again.
        run.add_retry(
            errors=["SimulationFailed", "RanTooLong", "StudyCancelled", "Sandbox.Timedout", "States.Timeout"],
            max_attempts=0,
        )
        _wait_out_throttles(run)
        # A worker that died, a bucket or a table that did not answer.
        run.add_retry(
            errors=["States.TaskFailed"],
            interval=Duration.seconds(2),
            backoff_rate=3,
            max_delay=Duration.seconds(60),
            max_attempts=3,
            jitter_strategy=sfn.JitterType.FULL,
        )
        failed = sfn.Fail(
            self, "Variant failed", error_path=_path("$.failure.Error"), cause_path=_path("$.failure.Cause")
        )
        run.add_catch(failed, errors=["SimulationFailed", "StudyCancelled"], result_path="$.failure")
        lost = self._record_lost_variant(failed)
        first: sfn.IChainable = run
        if self._containers is not None:
            in_container = self._run_in_container(self._containers, lost)
            run.add_catch(in_container, errors=["RanTooLong"], result_path="$.failure")
            first = self._function_or_container(run, in_container)
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        run_variants = sfn.DistributedMap(
            self,
            "Run variants",
            comment="One child execution a variant",
            label=MAP_LABEL,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=self._results, key=_path("$.items_key")),
            item_selector={
                "simulation_id": _path("$.simulation_id"),
                "expires_at": _path("$.expires_at"),
                "variant": sfn.JsonPath.object_at("$$.Map.Item.Value"),
            },
            max_concurrency_path=_path("$.max_concurrency"),
            tolerated_failure_percentage_path=_path("$.tolerated_failure_percentage"),
            tolerated_failure_count_path=_path("$.tolerated_failure_count"),
            # Without a writer the outputs of a large map do not fit into a state.
            result_writer_v2=sfn.ResultWriterV2(bucket=self._results, prefix=_path("$.map_prefix")),
            result_path="$.map",
        )
        # S3 throttled, or forgot for a moment: nothing has run yet.
        run_variants.add_retry(
            errors=["States.ItemReaderFailed"],
            interval=Duration.seconds(2),
            backoff_rate=3,
            max_delay=Duration.seconds(60),
            max_attempts=3,
            jitter_strategy=sfn.JitterType.FULL,
        )
        return run_variants.item_processor(first)

    def _function_or_container(self, function: tasks.LambdaInvoke, container: tasks.EcsRunTask) -> sfn.Choice:
        """Where the item says that it runs."""
        where = "$.variant.runs_on"
        choice = sfn.Choice(self, "Function or container?")
        choice.when(
            sfn.Condition.and_(sfn.Condition.is_present(where), sfn.Condition.string_equals(where, "container")),
            container,
        )
        choice.otherwise(function)
        return choice

    def _run_in_container(self, containers: Containers, lost: tasks.DynamoUpdateItem) -> tasks.EcsRunTask:
        """The container ends well if the variant's record says what became of the variant, so that is read then."""
        run = tasks.EcsRunTask(
            self,
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
            task_timeout=sfn.Timeout.duration(_NET_UNDER_FARGATE),
        )
        run.add_retry(errors=["States.Timeout"], max_attempts=0)
        # Other tasks may take hours to make room: most of a day.
        run.add_retry(
            errors=_NO_ROOM_FOR_A_TASK,
            interval=Duration.seconds(15),
            backoff_rate=2,
            max_delay=Duration.minutes(5),
            max_attempts=500,
            jitter_strategy=sfn.JitterType.FULL,
        )
        # A host that died, an image that could not be pulled, a bucket or a table that did not answer.
        run.add_retry(
            errors=["States.TaskFailed"],
            interval=Duration.seconds(15),
            backoff_rate=3,
            max_delay=Duration.minutes(5),
            max_attempts=3,
            jitter_strategy=sfn.JitterType.FULL,
        )
        run.add_catch(lost, errors=[sfn.Errors.ALL], result_path="$.failure")
        run.next(self._what_the_container_wrote())
        return run

    def _what_the_container_wrote(self) -> tasks.DynamoGetItem:
        read = tasks.DynamoGetItem(
            self,
            "Read the variant's record",
            table=self._table,
            key=self._variant_key(),
            consistent_read=True,
            projection_expression=[
                tasks.DynamoProjectionExpression().with_attribute(name) for name in ("#status", "#error")
            ],
            expression_attribute_names={"#status": "status", "#error": "error"},
            result_path="$.record",
        )
        _retry_aws(read)
        status, message = "$.record.Item.status.S", "$.record.Item.error.M.message.S"
        how = sfn.Choice(self, "Did the variant succeed?")
        how.when(
            sfn.Condition.and_(sfn.Condition.is_present(status), sfn.Condition.string_equals(status, "succeeded")),
            sfn.Succeed(self, "Variant succeeded in its container", output_path="$.variant"),
        )
        how.when(
            sfn.Condition.is_present(message),
            sfn.Fail(self, "Variant failed in its container", error="SimulationFailed", cause_path=_path(message)),
        )
        how.otherwise(
            sfn.Fail(
                self,
                "Variant was cancelled",
                error="StudyCancelled",
                cause="The study was cancelled before the container had begun with the variant.",
            )
        )
        read.next(how)
        return read

    def _variant_key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {"pk": self._study_key()["pk"], "sk": _text(_path("$.variant.record_key"))}

    def _record_lost_variant(self, then: sfn.Fail) -> tasks.DynamoUpdateItem:
        """A variant whose worker could not say what became of it: its record gets the state machine's own words."""
        record = tasks.DynamoUpdateItem(
            self,
            "Record lost variant",
            table=self._table,
            key=self._variant_key(),
            update_expression="SET #status = :failed, ended_at = :now, #error = :error, expires_at = :expires_at",
            condition_expression="attribute_not_exists(pk) OR #status = :running",
            expression_attribute_names={"#status": "status", "#error": "error"},
            expression_attribute_values={
                ":failed": _text("failed"),
                ":running": _text("running"),
                ":now": _text(_path("$$.State.EnteredTime")),
                ":expires_at": tasks.DynamoAttributeValue.number_from_string(_path("$.expires_at")),
                ":error": tasks.DynamoAttributeValue.from_map(
                    {
                        "stage": _text("worker"),
                        "error": _text(_path("$.failure.Error")),
                        "message": _text(_path("$.failure.Cause")),
                    }
                ),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        _retry_aws(record)
        record.add_catch(then, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.record_error")
        record.next(then)
        return record

    def _collect_results(self, aggregate: lambda_.Function, topic: sns.Topic) -> tasks.LambdaInvoke:
        collect = tasks.LambdaInvoke(
            self,
            "Collect results",
            lambda_function=aggregate,
            result_selector={"summary": sfn.JsonPath.object_at("$.Payload")},
            result_path="$.collected",
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(_NET_UNDER_LAMBDA),
        )
        _wait_out_throttles(collect)
        collect.add_retry(
            errors=["States.TaskFailed"],
            interval=Duration.seconds(2),
            backoff_rate=2,
            max_delay=Duration.seconds(60),
            max_attempts=5,
            jitter_strategy=sfn.JitterType.FULL,
        )
        collect.add_catch(self._close_uncollected_study(topic), errors=[sfn.Errors.ALL], result_path="$.failure")
        return collect

    def _close_uncollected_study(self, topic: sns.Topic) -> tasks.DynamoUpdateItem:
        """The results could not be collected: no study stays running because of that."""
        close = tasks.DynamoUpdateItem(
            self,
            "Close uncollected study",
            table=self._table,
            key=self._study_key(),
            update_expression="SET #status = :failed, ended_at = :now, #error = :error",
            condition_expression="#status IN (:pending, :running)",
            expression_attribute_names={"#status": "status", "#error": "error"},
            expression_attribute_values={
                ":failed": _text("failed"),
                ":pending": _text("pending"),
                ":running": _text("running"),
                ":now": _text(_path("$$.State.EnteredTime")),
                ":error": _text(
                    sfn.JsonPath.format("The results could not be collected: {}", _path("$.failure.Cause"))
                ),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        _retry_aws(close)
        uncollected = sfn.Fail(
            self,
            "Results not collected",
            error_path=_path("$.failure.Error"),
            cause_path=_path("$.failure.Cause"),
        )
        tell = tasks.SnsPublish(
            self,
            "Tell of uncollected study",
            topic=topic,
            subject="A study failed: its results could not be collected",
            message=sfn.TaskInput.from_text(
                sfn.JsonPath.format("Simulation {}: {}", _path("$.simulation_id"), _path("$.failure.Cause"))
            ),
            result_path=sfn.JsonPath.DISCARD,
        )
        _retry_aws(tell)
        tell.add_catch(uncollected, errors=[sfn.Errors.ALL], result_path="$.notice_error")
        tell.next(uncollected)
        close.add_catch(uncollected, errors=["DynamoDB.ConditionalCheckFailedException"], result_path="$.close_error")
        close.next(tell)
        return close

    def _tell_subscribers(self, topic: sns.Topic) -> sfn.Choice:
        tell = tasks.SnsPublish(
            self,
            "Tell subscribers",
            topic=topic,
            subject=_path("$.collected.summary.subject"),
            message=sfn.TaskInput.from_json_path_at("$.collected.summary.message"),
            result_path=sfn.JsonPath.DISCARD,
        )
        _retry_aws(tell)
        ended = sfn.Succeed(self, "Study ended", output_path="$.collected.summary")
        failed = sfn.Fail(self, "Study failed", error="StudyFailed", cause_path=_path("$.collected.summary.message"))
        how = sfn.Choice(self, "How did it end?")
        how.when(sfn.Condition.string_equals("$.collected.summary.status", "failed"), failed)
        how.otherwise(ended)
        # A notice that cannot be sent is no reason to lose a study.
        tell.add_catch(how, errors=[sfn.Errors.ALL], result_path="$.notice_error")
        tell.next(how)
        told = sfn.Choice(self, "Is anybody to be told?")
        told.when(sfn.Condition.boolean_equals("$.collected.summary.notify", False), how)
        told.otherwise(tell)
        return told


def _wait_out_throttles(task: tasks.LambdaInvoke) -> None:
    """A busy account throttles for as long as it is busy: wait, in ever longer steps, spread by jitter."""
    task.add_retry(
        errors=_THROTTLES_AND_SERVICE_ERRORS,
        interval=Duration.seconds(1),
        backoff_rate=2,
        max_delay=Duration.seconds(60),
        max_attempts=60,
        jitter_strategy=sfn.JitterType.FULL,
    )


def _retry_aws(task: tasks.DynamoUpdateItem | tasks.DynamoGetItem | tasks.SnsPublish) -> None:
    """Retry a call of an AWS service, but not the answer that a condition did not hold."""
    task.add_retry(errors=["DynamoDB.ConditionalCheckFailedException"], max_attempts=0)
    task.add_retry(
        errors=["States.TaskFailed"],
        interval=Duration.seconds(1),
        backoff_rate=2,
        max_delay=Duration.seconds(30),
        max_attempts=8,
        jitter_strategy=sfn.JitterType.FULL,
    )
