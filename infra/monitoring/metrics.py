"""Metrics for alarms and the dashboard that the constructs have no methods for."""

import re
from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from constructs import IConstruct

from infra.state_machine.variant_states import MAP_LABEL

PERIOD = Duration.minutes(5)
_TABLE_OPERATIONS = (
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactWriteItems",  # allowed by PutItem and UpdateItem, but counted apart
)


def short_name(construct: IConstruct) -> str:
    """`run-variant` for the construct `RunVariant`."""
    return kebab(construct.node.id)


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def own(stack_name: str, service: str, name: str) -> cloudwatch.Metric:
    """A custom metric of the handler of the function `service`."""
    return cloudwatch.Metric(
        namespace=stack_name,
        metric_name=name,
        dimensions_map={"service": service},
        statistic="Sum",
        period=PERIOD,
        label=name,
    )


def executions_of_variants(machine: sfn.StateMachine, metric_name: str) -> cloudwatch.Metric:
    """A metric of the Distributed Map's child executions, one for each variant; they are reported under the machine's
    ARN with the map's label appended."""
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=metric_name,
        dimensions_map={"StateMachineArn": f"{machine.state_machine_arn}/{MAP_LABEL}"},
        statistic="Sum",
        period=PERIOD,
        label=metric_name,
    )


def table_requests(table: dynamodb.Table, metric_name: str) -> cloudwatch.MathExpression:
    """A DynamoDB metric that is reported per operation, summed over the operations of the functions."""
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
    """Claimed Lambda concurrency (reserved or in use) of the account and region."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="ClaimedAccountConcurrency",
        statistic="Maximum",
        period=PERIOD,
        label="claimed in the account",
    )


def total(metrics: Mapping[str, cloudwatch.Metric], label: str) -> cloudwatch.MathExpression:
    """The sum of sparse metrics; `a + b` would have no data where one of them has none."""
    filled = ", ".join(f"FILL({name}, 0)" for name in metrics)
    return cloudwatch.MathExpression(
        expression=f"SUM([{filled}])", using_metrics=dict(metrics), period=PERIOD, label=label
    )
