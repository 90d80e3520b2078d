"""State machines with a Distributed Map, and what their map runs come to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.moto_fixtures import Aws

ECHO = {"do": "echo"}
FAIL = {"do": "fail"}
PASS = {"Type": "Pass", "End": True}


def map_of(state: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """A machine of one Distributed Map over `$.items`; each child runs one state."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": state},
    }
    source = {} if "ItemReader" in options else {"ItemsPath": "$.items"}
    state = {"Type": "Map", "Label": "work", "ItemProcessor": processor, "End": True, **source, **options}
    return {"StartAt": "Map", "States": {"Map": state}}


def run_map(aws: Aws, state: Mapping[str, Any], content: Any, **options: Any) -> dict[str, Any]:
    """Run a map to its end; a list is the items."""
    return aws.run(aws.machine(map_of(state, **options)), {"items": content} if isinstance(content, list) else content)


def outputs(described: Mapping[str, Any]) -> Any:
    assert described["status"] == "SUCCEEDED", described
    return json.loads(described["output"])


def waiting(folder: Path) -> int:
    """How many invocations wait in a folder."""
    return sum(path.name != "go" for path in folder.iterdir())


def child_of(aws: Aws, map_run: str, status: str) -> dict[str, Any]:
    return aws.describe(aws.children(map_run, statusFilter=status)[0]["executionArn"])


def update(aws: Aws, execution: str, **changes: Any) -> None:
    (map_run,) = aws.map_runs(execution)
    aws.client("stepfunctions").update_map_run(mapRunArn=map_run, **changes)
