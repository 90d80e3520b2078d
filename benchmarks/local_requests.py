"""What a request to the local stack costs: CPU time of moto, and of client and server together."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.output import print_machine, print_table
from epsm_local.stack import LocalStack

_WARM_UP = 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_requests", description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="of each kind, one after the other")
    requests = parser.parse_args().requests
    print_machine()
    with tempfile.TemporaryDirectory() as folder, LocalStack(data=Path(folder)) as stack:
        rows = [[name, *_measured(call, requests)] for name, call in _kinds(stack).items()]
    print_table(["request", "cpu_ms of moto", "cpu_ms", "wall_ms"], rows)
    sys.stdout.flush()
    os._exit(0)


def _kinds(stack: LocalStack) -> dict[str, Callable[[], object]]:
    dynamodb, s3, sfn = stack.client("dynamodb"), stack.client("s3"), stack.client("stepfunctions")
    table, bucket = stack.outputs.table_name, stack.outputs.results_bucket
    key = {"pk": {"S": "SIM#x"}, "sk": {"S": "SIM"}}
    item = key | {"state": {"S": "b"}, "summary": {"M": {str(name): {"N": "1.5"} for name in range(30)}}}
    target = {"Bucket": bucket, "Key": "runs/x/result.json"}
    return {
        "DynamoDB GetItem": lambda: dynamodb.get_item(TableName=table, Key=key),
        "DynamoDB PutItem with a condition": lambda: dynamodb.put_item(
            TableName=table, Item=item, ConditionExpression="attribute_not_exists(expires_at)"
        ),
        "S3 PutObject, 3 KB": lambda: s3.put_object(**target, Body=b"x" * 3000),
        "S3 GetObject, 3 KB": lambda: len(s3.get_object(**target)["Body"].read()),
        "Step Functions ListStateMachines": sfn.list_state_machines,
    }


def _measured(call: Callable[[], object], requests: int) -> tuple[float, float, float]:
    """CPU time of moto, CPU time of this process, wall-clock time; milliseconds of one request."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    stock = DomainDispatcherApplication.__call__
    in_moto = 0.0

    def timed(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Any:
        nonlocal in_moto
        before = time.thread_time()
        try:
            return stock(self, environ, start_response)
        finally:
            in_moto += time.thread_time() - before

    DomainDispatcherApplication.__call__ = timed
    try:
        for _ in range(_WARM_UP):
            call()
        in_moto, cpu, wall = 0.0, time.process_time(), time.perf_counter()
        for _ in range(requests):
            call()
        return tuple(
            1000 * seconds / requests for seconds in (in_moto, time.process_time() - cpu, time.perf_counter() - wall)
        )  # type: ignore[return-value]
    finally:
        DomainDispatcherApplication.__call__ = stock


if __name__ == "__main__":
    main()
