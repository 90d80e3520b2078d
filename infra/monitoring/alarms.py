"""Alarms, each with a page in docs/runbook/, their topic, and the dashboard."""

from collections.abc import Sequence
from math import ceil

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.canary import Canary
from infra.config import Config
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.metrics import (
    PERIOD,
    claimed_concurrency,
    executions_of_variants,
    kebab,
    own,
    short_name,
    table_requests,
    total,
)
from infra.pipeline import Pipeline

_NEAR = 0.8
_QUARTER_OF_AN_HOUR = 3
_PERIODS_OF_A_DAY = 288
"""CloudWatch's limit for the evaluation range of an alarm."""
_MISSED_CANARIES = 3


class Monitoring(Construct):
    """Alarms, the topic that they go to, and the dashboard.

    Args:
        pipeline: The pipeline to monitor.
        canary: Monitored by its own alarms; its queue has none, because it would report the same faults.
        functions: Functions to monitor besides the pipeline's.
        queues: Dead-letter queues to monitor besides the pipeline's.
        apis: APIs to monitor.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        pipeline: Pipeline,
        canary: Canary,
        *,
        functions: Sequence[lambda_.Function] = (),
        queues: Sequence[sqs.Queue] = (),
        apis: Sequence[apigateway.HttpApi] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._pipeline = pipeline
        self._canary = canary
        self._functions = (pipeline.submit, pipeline.run_variant, pipeline.aggregate, *functions, canary.function)
        self._queues = (pipeline.lost_studies, *queues)
        self._alarms: list[cloudwatch.Alarm] = []
        self.topic = sns.Topic(self, "Alarms", display_name=f"{config.name}: alarms", enforce_ssl=True)
        if config.notify_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.notify_email))
        self._watch_queues()
        self._watch_studies()
        self._watch_functions()
        self._watch_apis(apis)
        self._watch_cleanup()
        self._watch_canary()
        self._watch_account()
        self._watch_table()
        self._let_alarms_tell()
        Dashboard(
            self,
            "Dashboard",
            config,
            pipeline,
            alarms=self._alarms,
            functions=self._functions,
            queues=[*self._queues, canary.lost],
            apis=apis,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        meaning: str,
        page: str,
        *,
        above: float = 0,
        below: float | None = None,
        within: int = 1,
        times: int = 1,
        silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """An alarm `epsm-<stage>-<name>` that goes off when `times` of the last `within` periods are above a value,
        or below one."""
        too_high, too_low = (
            cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._config.name}-{kebab(name)}",
            alarm_description=f"{meaning} Runbook: docs/runbook/{page}.md",
            metric=metric,
            threshold=above if below is None else below,
            comparison_operator=too_high if below is None else too_low,
            evaluation_periods=within,
            datapoints_to_alarm=times,
            treat_missing_data=silence,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self._alarms.append(alarm)

    def _watch_queues(self) -> None:
        for queue in self._queues:
            self._alarm(
                f"{queue.node.id}NotEmpty",
                queue.metric_approximate_number_of_messages_visible(period=PERIOD),
                f"The dead-letter queue {queue.node.id} holds a message that could not be processed.",
                "dead-letter-queue",
                # An idle queue reports nothing after a few hours, although its messages are still there.
                silence=cloudwatch.TreatMissingData.IGNORE,
            )

    def _watch_studies(self) -> None:
        machine = self._pipeline.state_machine
        self._alarm(
            "ExecutionsFailed",
            machine.metric_failed(period=PERIOD),
            "A study failed: no variant succeeded, too many failed, or its results could not be collected.",
            "executions-failed",
        )
        self._alarm(
            "ExecutionsTimedOut",
            machine.metric_timed_out(period=PERIOD),
            "A study was stopped because it had been running for seven days.",
            "executions-timed-out",
        )
        self._alarm(
            "StateMachineThrottled",
            total(
                {
                    "studies": machine.metric_throttled(period=PERIOD),
                    "variants": executions_of_variants(machine, "ExecutionThrottled"),
                },
                "ExecutionThrottled",
            ),
            "Step Functions has been throttling studies for 15 minutes.",
            "state-machine-throttled",
            # One more period: the newest may only have zeros filled in for data that has not arrived yet.
            within=_QUARTER_OF_AN_HOUR + 1,
            times=_QUARTER_OF_AN_HOUR,
        )

    def _watch_functions(self) -> None:
        run_variant = self._pipeline.run_variant
        for function in self._functions:
            # An error of run_variant is a failed variant, which the study's report shows to the modeller.
            # An error of the canary has its own alarm.
            if function not in (run_variant, self._canary.function):
                self._alarm(
                    f"{function.node.id}Errors",
                    function.metric_errors(period=PERIOD),
                    f"The function {short_name(function)} failed at least once.",
                    "function-errors",
                    within=_periods_of_a_run(function),
                )
            if function is not run_variant:
                self._alarm(
                    f"{function.node.id}Throttled",
                    function.metric_throttles(period=PERIOD),
                    f"The function {short_name(function)} was throttled at least once.",
                    "function-throttled",
                )
        self._alarm(
            f"{run_variant.node.id}Throttled",
            run_variant.metric_throttles(period=PERIOD),
            "Lambda has been throttling variants for 15 minutes.",
            "variants-throttled",
            within=_QUARTER_OF_AN_HOUR,
            times=_QUARTER_OF_AN_HOUR,
        )
        self._alarm(
            f"{run_variant.node.id}NearTimeLimit",
            run_variant.metric_duration(period=PERIOD, statistic="Maximum"),
            "A variant ran for more than 80 % of the function's time limit.",
            "variant-near-time-limit",
            above=_NEAR * _seconds(run_variant) * 1000,
            within=_periods_of_a_run(run_variant),
        )

    def _watch_apis(self, apis: Sequence[apigateway.HttpApi]) -> None:
        for api in apis:
            self._alarm(
                f"{api.node.id}ApiServerErrors",
                api.metric_server_error(period=PERIOD, statistic="Sum"),
                "The API answered at least one request with a server error (5xx).",
                "api-server-errors",
            )

    def _watch_cleanup(self) -> None:
        # It counts a failure for one study and continues with the next.
        self._alarm(
            "CleanupFaults",
            own(self._config.name, "cleanup", "CleanupFaults"),
            "A study could not be closed or deleted.",
            "cleanup-faults",
            # It runs every 15 minutes: one notification for as long as the fault lasts.
            within=_QUARTER_OF_AN_HOUR + 1,
        )

    def _watch_canary(self) -> None:
        function, hours = self._canary.function, self._config.canary_every_hours
        until_the_next = hours * 60 // int(PERIOD.to_minutes())
        self._alarm(
            "CanaryFailed",
            function.metric_errors(period=PERIOD),
            "The canary, a tiny study through the whole stack, failed.",
            "canary-failed",
            # One notification for as long as the fault lasts.
            within=min(until_the_next + _periods_of_a_run(function), _PERIODS_OF_A_DAY),
        )
        if hours > 0:
            self._alarm(
                "CanarySilent",
                function.metric_invocations(period=Duration.hours(hours)),
                "The canary has not run three times in a row.",
                "canary-failed",
                below=1,
                within=_MISSED_CANARIES,
                times=_MISSED_CANARIES,
                silence=cloudwatch.TreatMissingData.BREACHING,
            )

    def _watch_account(self) -> None:
        self._alarm(
            "AccountConcurrency",
            claimed_concurrency(),
            "The account has used 80 % of its Lambda concurrency for 15 minutes.",
            "account-concurrency",
            above=_concurrency_to_tell(self._config),
            within=_QUARTER_OF_AN_HOUR,
            times=_QUARTER_OF_AN_HOUR,
        )

    def _watch_table(self) -> None:
        for name, metric, meaning, page in (
            ("TableThrottled", "ThrottledRequests", "DynamoDB throttled requests.", "table-throttled"),
            ("TableSystemErrors", "SystemErrors", "DynamoDB answered with server errors.", "table-system-errors"),
        ):
            # More than one period, for the same reason.
            self._alarm(name, table_requests(self._pipeline.table, metric), meaning, page, within=_QUARTER_OF_AN_HOUR)

    def _let_alarms_tell(self) -> None:
        """The topic has a policy, so CloudWatch may publish only if the policy allows it."""
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnEquals": {"aws:SourceArn": [alarm.alarm_arn for alarm in self._alarms]}},
            )
        )


def _concurrency_to_tell(config: Config) -> float:
    """Threshold for the claimed concurrency of the account: 80 % of the unreserved part is in use.

    Reserved concurrency always counts as claimed, so it must not lower the alarm's threshold.
    """
    reserved = config.reserved_concurrency
    return reserved + _NEAR * (config.account_concurrency - reserved)


def _seconds(function: lambda_.Function) -> float:
    assert function.timeout is not None
    return float(function.timeout.to_seconds())


def _periods_of_a_run(function: lambda_.Function) -> int:
    """Evaluation periods: an invocation's metrics arrive when it ends, with the timestamp of its start."""
    return ceil(_seconds(function) / PERIOD.to_seconds()) + 2
