"""What the tests on moto share: the running stack, and short ways to small functions, machines and queues on it."""

import io
import json
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.stack import LocalStack
from tests.stack.clients import Client
from tests.support import wait_for

_ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


@pytest.fixture(scope="session")
def aws(stack: LocalStack) -> "Aws":
    """Short ways to things of a test's own beside the product's stack."""
    return Aws(stack)


@pytest.fixture(scope="module")
def anna(stack: LocalStack) -> Client:
    assert stack.api_url is not None
    return Client(stack.api_url, "anna")


@pytest.fixture(scope="module")
def ben(stack: LocalStack) -> Client:
    assert stack.api_url is not None
    return Client(stack.api_url, "ben")


@pytest.fixture(scope="module")
def room(one_day: str, chicago: Path) -> dict[str, bytes]:
    """The files of the small study."""
    return {"room.idf": one_day.encode(), "chicago.epw": chicago.read_bytes()}


def unique(prefix: str) -> str:
    """A name that nothing else has."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip with these files. The same files give the same bytes, so the stack's code store keeps them once."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a synchronous invocation returned.

    Attributes:
        value: The result, or the error as Lambda describes it.
        error: None, or Lambda's word for how it failed.
    """

    value: Any
    error: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue."""

    url: str
    arn: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack from a template.

    Attributes:
        name: Of the stack.
        ids: Physical id of each resource by its logical one, as Ref gives it.
    """

    name: str
    ids: dict[str, str]


class Aws:
    """Makes and uses things on the running stack through its AWS APIs."""

    def __init__(self, stack: LocalStack) -> None:
        self.client = stack.client
        role = stack.client("iam").create_role(
            RoleName=unique("role"),
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ],
                }
            ),
        )
        self._role = role["Role"]["Arn"]

    # --- CloudFormation

    def deploy(self, template: Mapping[str, Any], **outputs: Any) -> Deployed:
        """A new stack with these resources.

        Args:
            template: The resources.
            outputs: Values of outputs beside the resources' physical ids; they are in `ids` as well.
        """
        cloudformation, name = self.client("cloudformation"), unique("stack")
        values = {resource: {"Value": {"Ref": resource}} for resource in template}
        values |= {each: {"Value": value} for each, value in outputs.items()}
        body = json.dumps({"Resources": template, "Outputs": values})
        cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        (described,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert described["StackStatus"] == "CREATE_COMPLETE"
        return Deployed(name, {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]})

    # --- Lambda

    def function(
        self,
        source: str,
        *,
        timeout: int = 20,
        variables: Mapping[str, str] | None = None,
        layers: Sequence[str] = (),
        name: str | None = None,
        handler: str = "handler.handler",
    ) -> str:
        """The name of a new function whose handler.py is `source`."""
        name = name or unique("f")
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role,
            Handler=handler,
            Code={"ZipFile": zipped({"handler.py": source})},
            Timeout=timeout,
            MemorySize=256,
            Environment={"Variables": dict(variables or {})},
            Layers=list(layers),
        )
        return name

    def invoke(self, function: str, event: Any = None) -> Answer:
        """Invoke a function and wait for its answer."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return Answer(json.loads(answer["Payload"].read()), answer.get("FunctionError"))

    def function_arn(self, function: str) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"

    # --- SQS

    def queue(self) -> Queue:
        name = unique("q")
        url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        return Queue(url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")

    def received(self, queue: Queue) -> list[Any]:
        """What is in the queue now, taken out of it."""
        sqs = self.client("sqs")
        bodies = []
        while found := sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def messages(self, queue: Queue, number: int = 1) -> list[Any]:
        """The next messages, as soon as there are `number` of them or more."""
        found: list[Any] = []

        def enough() -> bool:
            found.extend(self.received(queue))
            return len(found) >= number

        wait_for(enough, f"{number} messages")
        return found

    def message(self, queue: Queue) -> Any:
        """The next message, which is the only one."""
        (message,) = self.messages(queue)
        return message

    # --- S3

    def bucket(self, *, versioned: bool = False, to_eventbridge: bool = False) -> str:
        s3, name = self.client("s3"), unique("b")
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if to_eventbridge:
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        return name

    def json_object(self, bucket: str, key: str) -> Any:
        return json.loads(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    # --- EventBridge

    def send_event(self, source: str, detail: Any) -> None:
        """Put an event on the default bus."""
        entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail), "EventBusName": "default"}
        self.client("events").put_events(Entries=[entry])

    def rule(self, pattern: Mapping[str, Any], target: str, *, state: str = "ENABLED", **target_options: Any) -> str:
        """The name of a new rule on the default bus with one target."""
        events, name = self.client("events"), unique("r")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), State=state)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **target_options}])
        return name

    # --- Step Functions

    def machine(self, definition: Mapping[str, Any]) -> str:
        """The ARN of a new state machine."""
        created = self.client("stepfunctions").create_state_machine(
            name=unique("m"), definition=json.dumps(definition), roleArn=self._role, type="STANDARD"
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, content: Any = None, name: str | None = None) -> str:
        """The ARN of a new execution."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name or unique("x"), input=json.dumps({} if content is None else content)
        )
        return str(started["executionArn"])

    def describe(self, execution: str) -> dict[str, Any]:
        return dict(self.client("stepfunctions").describe_execution(executionArn=execution))

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution's description, as soon as it has ended."""

        def look() -> dict[str, Any] | None:
            described = self.describe(execution)
            return described if described["status"] in _ENDED else None

        return wait_for(look, f"the end of {execution}")

    def run(self, machine: str, content: Any = None) -> dict[str, Any]:
        """Start an execution and wait for its end."""
        return self.ended(self.start(machine, content))

    def map_runs(self, execution: str) -> list[str]:
        """ARNs of the execution's map runs; waits for the first."""
        sfn = self.client("stepfunctions")
        wait_for(lambda: sfn.get_execution_history(executionArn=execution)["events"], "the beginning of the execution")

        def look() -> list[str]:
            return [run["mapRunArn"] for run in sfn.list_map_runs(executionArn=execution)["mapRuns"]]

        return wait_for(look, "a map run")

    def map_run(self, execution: str) -> dict[str, Any]:
        """Description of the execution's only map run."""
        (arn,) = self.map_runs(execution)
        return dict(self.client("stepfunctions").describe_map_run(mapRunArn=arn))

    def children(self, map_run: str, **options: Any) -> list[dict[str, Any]]:
        """Every child execution of a map run, over all pages."""
        sfn, found = self.client("stepfunctions"), []
        page = sfn.list_executions(mapRunArn=map_run, **options)
        found += page["executions"]
        while token := page.get("nextToken"):
            page = sfn.list_executions(mapRunArn=map_run, nextToken=token, **options)
            found += page["executions"]
        return found
