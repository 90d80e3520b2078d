"""The CloudWatch dashboard: the stack at a glance, alarms first, then work, executions, API, functions and stores."""

from collections.abc import Sequence

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.monitoring.metrics import (
    PERIOD,
    claimed_concurrency,
    executions_of_variants,
    own,
    short_name,
    table_requests,
)
from infra.pipeline import Pipeline

_Graphs = dict[str, list[cloudwatch.IMetric]]
"""Metrics by the title of the graph that shows them."""


class Dashboard(Construct):
    """The dashboard `epsm-<stage>`.

    Args:
        alarms: Shown in their states at the top.
        functions: Every function.
        queues: Every dead-letter queue.
        apis: Every API.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        pipeline: Pipeline,
        *,
        alarms: Sequence[cloudwatch.Alarm],
        functions: Sequence[lambda_.Function],
        queues: Sequence[sqs.Queue],
        apis: Sequence[apigateway.HttpApi],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Board", dashboard_name=config.name)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=4))
        for graphs in (
            _work(config.name),
            _executions(pipeline) | _apis(apis),
            _lambda(functions),
            _stores(pipeline, queues),
        ):
            width = 24 // len(graphs)
            dashboard.add_widgets(
                *(cloudwatch.GraphWidget(title=title, left=left, width=width) for title, left in graphs.items())
            )


def _work(stack_name: str) -> _Graphs:
    def each(service: str, *names: str) -> list[cloudwatch.IMetric]:
        return [own(stack_name, service, name) for name in names]

    return {
        "Studies": [*each("submit", "StudiesSubmitted", "StudiesRejected"), *each("aggregate", "StudiesEnded")],
        "Variants": [*each("submit", "VariantsSubmitted"), *each("run_variant", "VariantsSucceeded", "VariantsFailed")],
        "Engine seconds": each("run_variant", "EngineSeconds"),
        "Canary [s]": each("canary", "CanarySeconds"),
        "Cleanup": each("cleanup", "StudiesClosed", "StudiesReconciled", "StudiesRemoved", "CleanupFaults"),
    }


def _executions(pipeline: Pipeline) -> _Graphs:
    names = (
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
    )
    machine = pipeline.state_machine
    return {
        "Executions of studies": [machine.metric(name, statistic="Sum", period=PERIOD, label=name) for name in names],
        "Executions of variants": [executions_of_variants(machine, name) for name in names],
    }


def _apis(apis: Sequence[apigateway.HttpApi]) -> _Graphs:
    return {
        f"{api.node.id} API": [
            api.metric_count(period=PERIOD, statistic="Sum", label="requests"),
            api.metric_client_error(period=PERIOD, statistic="Sum", label="refused (4xx)"),
            api.metric_server_error(period=PERIOD, statistic="Sum", label="failed (5xx)"),
        ]
        for api in apis
    }


def _lambda(functions: Sequence[lambda_.Function]) -> _Graphs:
    def each(metric_name: str, statistic: str) -> list[cloudwatch.IMetric]:
        return [
            function.metric(metric_name, statistic=statistic, period=PERIOD, label=short_name(function))
            for function in functions
        ]

    return {
        "Lambda: concurrent executions": [*each("ConcurrentExecutions", "Maximum"), claimed_concurrency()],
        "Lambda: errors": each("Errors", "Sum"),
        "Lambda: throttles": each("Throttles", "Sum"),
        "Lambda: duration, p95 [ms]": each("Duration", "p95"),
    }


def _stores(pipeline: Pipeline, queues: Sequence[sqs.Queue]) -> _Graphs:
    def each(metric_name: str) -> list[cloudwatch.IMetric]:
        return [queue.metric(metric_name, statistic="Maximum", period=PERIOD, label=queue.node.id) for queue in queues]

    return {
        "DynamoDB": [table_requests(pipeline.table, name) for name in ("ThrottledRequests", "SystemErrors")],
        "Dead-letter queues: messages": each("ApproximateNumberOfMessagesVisible"),
        "Dead-letter queues: age of the oldest message [s]": each("ApproximateAgeOfOldestMessage"),
    }
