"""The state machine of a study: mark, run every variant in a Distributed Map, collect, notify.

The names of the states are shown in the console.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Config
from infra.fargate import Containers
from infra.functions import log_group
from infra.nag import accept, accept_wildcards
from infra.state_machine.preflight_states import try_models
from infra.state_machine.study_states import collect_results, mark_as_running, notify_subscribers
from infra.state_machine.variant_states import MAP_LABEL, VariantStates

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


def executions_and_map_runs(config: Config) -> tuple[str, str]:
    """ARNs of all executions of the study machine, and of all their map runs."""
    states = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    return f"{states}:execution:{config.name}-study:*", f"{states}:mapRun:{config.name}-study/{MAP_LABEL}:*"


class StudyMachine(Construct):
    """Builds `machine` from functions, buckets, table, and containers for longer runs."""

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
        start = mark_as_running(self, table)
        run_variants = VariantStates(self, table, containers).run_variants(run_variant, results)
        collect = collect_results(self, table, aggregate, topic)
        start.next(try_models(self, run_variant, then=run_variants, else_=collect))
        run_variants.next(collect)
        # Results of successful variants are kept, however the map ends.
        run_variants.add_catch(collect, errors=[sfn.Errors.ALL], result_path="$.map_error")
        collect.next(notify_subscribers(self, topic))
        logs_of_executions = log_group(
            self,
            "ExecutionLogs",
            # Step Functions asks for this prefix: it keeps the log-delivery policy below its size limit.
            f"/aws/vendedlogs/states/{config.name}",
            config,
        )
        name = f"{config.name}-study"
        self.machine = sfn.StateMachine(
            self,
            "Study",
            state_machine_name=name,
            # CDK would grant whole buckets and every version of a function; this role has only what is needed.
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
            "Errors are logged with their data. Logging ALL would write about 10 KB a variant, a gigabyte for a large "
            "study; the console keeps every event of every execution for 90 days anyway.",
        )
        for suffix in (":*", f"/{MAP_LABEL}:*"):
            accept(
                self.machine,
                f"AwsSolutions-IAM5[Resource::{self._executions_as_nag_writes(suffix)}]",
                "A policy that CDK makes for a Distributed Map and leaves out of the template, because the role takes "
                "no updates; its statements are in the role, with the machine's own name.",
            )

    def _executions_as_nag_writes(self, suffix: str) -> str:
        resource = self.machine.node.default_child
        assert isinstance(resource, sfn.CfnStateMachine)
        logical_id = Stack.of(self).get_logical_id(resource)
        name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{{"Ref":"{logical_id}"}}]}}]}}'
        return f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}{suffix}"

    def _role(self, name: str, functions: Sequence[lambda_.Function], topic: sns.Topic) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Role of the study state machine",
        )
        machine, executions, children = (
            f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
            for resource in (f"stateMachine:{name}", f"execution:{name}:*", f"execution:{name}/{MAP_LABEL}:*")
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
