"""What there is to see of a study that has ended, and where two emulations of AWS differ in it."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from epsm.client.connection import Connection
from epsm.store import keys

MISSING = "(nothing)"
_TIMES = re.compile(r"seconds|_at$|^created|peak_memory")
"""Columns that differ between two runs anywhere."""


def subscribe(connection: Connection) -> str:
    """URL of a queue that gets what the stack publishes to its topic."""
    topic = _output(connection, "TopicArn")
    sqs = connection.client("sqs")
    url = str(sqs.create_queue(QueueName="second-opinion")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    connection.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def upload(connection: Connection, study: Path) -> tuple[str, dict[str, Any]]:
    """Upload a study's folder with study.json last; the name of the simulation that this starts, and S3's event."""
    s3, bucket = connection.client("s3"), connection.stack.settings.inputs_bucket
    uploaded: dict[str, Any] = {}
    for path in sorted(study.iterdir(), key=lambda path: path.name == "study.json"):
        key, content = f"{study.name}/{path.name}", path.read_bytes()
        version = s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
        uploaded = {"key": key, "size": len(content), "version-id": version}
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": uploaded},
    }
    return keys.simulation_id(bucket, uploaded["key"], uploaded["version-id"]), event


def observed(connection: Connection, simulation: str, results: Path, queue: str) -> dict[str, Any]:
    """Everything that should be the same wherever the study ran, by a name for it."""
    return {
        **_records(connection, simulation),
        **_executions(connection, simulation),
        **_files(connection, simulation),
        **_table(results / "results.csv"),
        **_messages(connection, queue),
        **_logs(connection),
    }


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """A line for each observation in which two emulations differ."""
    return [
        f"{name}: {_shown(ours.get(name, MISSING))} | {_shown(theirs.get(name, MISSING))}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name, MISSING) != theirs.get(name, MISSING)
    ]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 300 else f"{text[:300]} ..."


def _output(connection: Connection, name: str) -> str:
    described = connection.client("cloudformation").describe_stacks(StackName=connection.name)["Stacks"][0]
    return str(next(output["OutputValue"] for output in described["Outputs"] if output["OutputKey"] == name))


def _records(connection: Connection, simulation: str) -> dict[str, Any]:
    records = connection.stack.records
    record = records.study(simulation)
    assert record is not None
    variants = list(records.variants(simulation))
    return {
        "study: status": record.status.value,
        "study: variants, succeeded, failed": [record.variants, record.succeeded, record.failed],
        "study: error": record.error,
        **{f"variant {variant.index}: status": variant.status.value for variant in variants},
        **{f"variant {variant.index}: stage": variant.stage for variant in variants},
    }


def _executions(connection: Connection, simulation: str) -> dict[str, Any]:
    step_functions = connection.client("stepfunctions")
    record = connection.stack.records.study(simulation)
    assert record is not None
    arn = record.execution_arn
    described = step_functions.describe_execution(executionArn=arn)
    found: dict[str, Any] = {"execution: status": described["status"], "execution: error": described.get("error", "")}
    events = step_functions.get_paginator("get_execution_history").paginate(executionArn=arn)
    found["execution: history"] = dict(Counter(event["type"] for page in events for event in page["events"]))
    runs = step_functions.list_map_runs(executionArn=arn)["mapRuns"]
    found["map runs"] = len(runs)
    for run in runs:
        about = step_functions.describe_map_run(mapRunArn=run["mapRunArn"])
        found["map run: status"] = about["status"]
        found["map run: itemCounts"] = {name: number for name, number in about["itemCounts"].items() if number}
        children = step_functions.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        found["map run: children"] = dict(Counter(child["status"] for child in children))
    return found


def _files(connection: Connection, simulation: str) -> dict[str, Any]:
    prefix = f"runs/{simulation}/"
    pages = connection.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=connection.stack.settings.results_bucket, Prefix=prefix)
    names = [entry["Key"].removeprefix(prefix) for page in listed for entry in page.get("Contents", [])]
    return {f"file: {_without_ids(name)}": "there" for name in names}


def _without_ids(name: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", name)


def _table(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {
            f"row {row['variant_index']}: {column}": value
            for row in csv.DictReader(file)
            for column, value in row.items()
            if not _TIMES.search(column)
        }


def _messages(connection: Connection, queue: str) -> dict[str, Any]:
    sqs = connection.client("sqs")
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    result: dict[str, Any] = {"messages": len(found)}
    for number, message in enumerate(found):
        result[f"message {number}: fields"] = sorted(message)
        result[f"message {number}: subject"] = message.get("Subject")
        result[f"message {number}: attributes"] = message.get("MessageAttributes")
    return result


def _logs(connection: Connection) -> dict[str, Any]:
    """For each function whether it was invoked, by what Lambda writes into its log group itself."""
    logs = connection.client("logs")
    found = {}
    for function in ("submit", "run-variant", "aggregate"):
        group = f"/aws/lambda/{connection.name}-{function}"
        events = logs.filter_log_events(logGroupName=group, filterPattern="").get("events", [])
        starts = [event for event in events if event["message"].startswith("REPORT RequestId")]
        found[f"log of {function}: REPORT lines"] = len(starts)
    return found
