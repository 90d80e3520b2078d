"""Metrics of the stack that no construct has a method for, as alarms and the dashboard look at them."""

import re
from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from constructs import IConstruct

from infra.state_machine.variant_states import MAP_LABEL

PERIOD = Duration.minutes(5)
_TABLE_OPERATIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchWriteItem")


def short_name(construct: IConstruct) -> str:
    """`run-variant` for the construct `RunVariant`."""
    return kebab(construct.node.id)


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def own(stack_name: str, service: str, name: str) -> cloudwatch.Metric:
    """A metric that the handler of the function `service` adds."""
    return cloudwatch.Metric(
        namespace=stack_name,
        metric_name=name,
        dimensions_map={"service": service},
        statistic="Sum",
        period=PERIOD,
        label=name,
    )


def executions_of_variants(machine: sfn.StateMachine, metric_name: str) -> cloudwatch.Metric:
    """A metric of the executions that the Distributed Map starts, one for each variant; they count under an ARN of
    their own, the machine's with the map's label behind it."""
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=metric_name,
        dimensions_map={"StateMachineArn": f"{machine.state_machine_arn}/{MAP_LABEL}"},
        statistic="Sum",
        period=PERIOD,
        label=metric_name,
    )


def table_requests(table: dynamodb.Table, metric_name: str) -> cloudwatch.MathExpression:
    """What DynamoDB counts for each operation by itself, over the operations that the functions may do."""
    return total(
        {
            f"{metric_name}_{operation}".lower(): cloudwatch.Metric(
                namespace="AWS/DynamoDB",
                metric_name=metric_name,
                dimensions_map={"TableName": table.table_name, "Operation": operation},
                statistic="Sum",
                period=PERIOD,
            )
            for operation in _TABLE_OPERATIONS
        },
        metric_name,
    )


def claimed_concurrency() -> cloudwatch.Metric:
    """Lambda executions that others cannot have: set aside, or in use; over the whole account and region."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="ClaimedAccountConcurrency",
        statistic="Maximum",
        period=PERIOD,
        label="claimed in the account",
    )


def total(metrics: Mapping[str, cloudwatch.Metric], label: str) -> cloudwatch.MathExpression:
    """The sum of metrics that are silent while there is nothing to count; `a + b` would be silent if one of them is."""
    filled = ", ".join(f"FILL({name}, 0)" for name in metrics)
    return cloudwatch.MathExpression(
        expression=f"SUM([{filled}])", using_metrics=dict(metrics), period=PERIOD, label=label
    )
