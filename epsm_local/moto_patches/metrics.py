"""The metrics that AWS publishes by itself: those of functions and executions. Completes moto/awslambda and
moto/stepfunctions, which report nothing to moto/cloudwatch/models.py.

One datum per minute, metric and dimension, as CloudWatch shows them, so a large study takes little memory.
"""

import threading
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends

from epsm_local.aws.session import ACCOUNT, REGION

_lock = threading.Lock()
_of_this_minute: dict[tuple[str, str, str], MetricAggregatedDatum] = {}


def count_invocation(function: str, *, failed: bool, seconds: float, running: int) -> None:
    """Count an invocation that has ended.

    Args:
        function: Its name.
        failed: Whether it ended with an error.
        seconds: Its duration.
        running: Concurrent invocations of the function, including this one.
    """
    for name, value, unit in (
        ("Invocations", 1, "Count"),
        ("Errors", int(failed), "Count"),
        ("Throttles", 0, "Count"),
        ("Duration", seconds * 1000, "Milliseconds"),
        ("ConcurrentExecutions", running, "Count"),
    ):
        _count("AWS/Lambda", name, "FunctionName", function, float(value), unit)


def count_execution(state_machine_arn: str, status: str, seconds: float | None) -> None:
    """Count an execution that has started (`RUNNING`) or ended, with its duration."""
    names = {
        "RUNNING": "ExecutionsStarted",
        "SUCCEEDED": "ExecutionsSucceeded",
        "FAILED": "ExecutionsFailed",
        "TIMED_OUT": "ExecutionsTimedOut",
        "ABORTED": "ExecutionsAborted",
    }
    _count("AWS/States", names[status], "StateMachineArn", state_machine_arn, 1.0, "Count")
    if seconds is not None:
        _count("AWS/States", "ExecutionTime", "StateMachineArn", state_machine_arn, seconds * 1000, "Milliseconds")


def _count(namespace: str, name: str, dimension: str, of: str, value: float, unit: str) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)  # in moto's form
    dimensions: list[dict[str, Any]] = [{"Name": dimension, "Value": of}]
    with _lock:
        datum = _of_this_minute.get((namespace, name, of))
        if datum is None or datum.timestamp != minute:
            datum = MetricAggregatedDatum(namespace, name, value, value, 0.0, 0.0, dimensions, minute, unit)
            _of_this_minute[namespace, name, of] = datum
            cloudwatch_backends[ACCOUNT][REGION].metric_data.append(datum)
        datum.min, datum.max = min(datum.min, value), max(datum.max, value)
        datum.sample_count, datum.sum = datum.sample_count + 1, datum.sum + value
