"""Connections to a stack: one in an AWS account, or the local one."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from epsm.client.aws_faults import line, one_line
from epsm.client.local import LOCAL, NOT_RUNNING, local_stacks
from epsm.errors import NoStack
from epsm.settings import Settings
from epsm.store.stack import Stack
from epsm.study.records import StudyStatus

if TYPE_CHECKING:
    from epsm.client.run import Run


@dataclass(frozen=True, slots=True)
class Connection:
    """A stack and the clients to use it.

    Attributes:
        name: Name of the CloudFormation stack.
        client: Makes a boto3 client onto it by service name.
        stack: Its settings and what it stores.
        poll_s: Shortest polling interval, seconds.
        patience_s: Time without a response after which following a study is abandoned, seconds.
        wait_for_change: Waits until the status of a simulation differs from the given one (None: there is no record),
            at most for a number of seconds; None if the stack does not report changes, as on AWS.
    """

    name: str
    client: Callable[..., Any] = field(repr=False)
    stack: Stack = field(repr=False)
    poll_s: float = field(repr=False)
    patience_s: float = field(default=900.0, repr=False)
    wait_for_change: Callable[[str, StudyStatus | None, float], None] | None = field(default=None, repr=False)

    def wait(self, simulation_id: str, status: StudyStatus | None, seconds: float) -> None:
        """Wait between two polls, or until the status of a simulation differs from the given one."""
        if self.wait_for_change is None:
            time.sleep(seconds)
        else:
            self.wait_for_change(simulation_id, status, seconds)

    def runs(self, limit: int = 50) -> "list[Run]":
        """The newest runs of the stack, the newest first.

        Args:
            limit: How many to return at most.

        Raises:
            StackError: If the stack does not answer.
        """
        from epsm.client import run

        return run.newest(self, limit)

    def run(self, simulation_id: str) -> "Run":
        """One run of the stack.

        Args:
            simulation_id: Its name, or a prefix that only one of the 50 newest runs has.

        Raises:
            NotFound: If there is none, or several have the prefix.
            StackError: If the stack does not answer.
        """
        from epsm.client import run

        return run.find(self, simulation_id)


def connect(stack: str = LOCAL) -> Connection:
    """Connect to a running stack.

    Args:
        stack: ``local`` for the one that ``epsm up`` keeps running on this machine; otherwise the name of a
            CloudFormation stack in the AWS account and region of the usual settings (``AWS_PROFILE``, ``AWS_REGION``,
            ...).

    Raises:
        NoStack: If there is none; the message says what to do.
    """
    if stack == LOCAL:
        connection = local_stacks().running()
        if connection is None:
            raise NoStack(NOT_RUNNING)
        return connection
    # boto3 reads AWS_DEFAULT_REGION only; the AWS command and the CDK read AWS_REGION too.
    try:
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
        if not session.region_name:
            raise NoRegionError
    except (BotoCoreError, ValueError) as error:
        raise NoStack(_why(stack, error)) from error
    return connection_to(stack, session, poll_s=3.0)


def any_stack(stack: str | Connection, energyplus: str) -> Connection:
    """The stack for a study; for ``local`` the running local stack, or one started by this program.

    Args:
        stack: Its name, or a connection.
        energyplus: EnergyPlus version of the study; it is installed if the stack is on this machine.

    Raises:
        NoStack: If there is none.
        EngineMissing: If the version cannot be installed.
    """
    if stack != LOCAL:
        return stack if isinstance(stack, Connection) else connect(stack)
    local = local_stacks()
    local.install_engine(energyplus)
    return local.running() or local.start()


def lasting_stack(stack: str | Connection, energyplus: str) -> Connection:
    """The stack for a study that continues after this program; as `any_stack`, but no stack is started.

    Raises:
        NoStack, EngineMissing: As for `any_stack`.
    """
    if stack != LOCAL:
        return stack if isinstance(stack, Connection) else connect(stack)
    connection = connect(LOCAL)
    local_stacks().install_engine(energyplus)
    return connection


def connection_to(
    stack: str, session: boto3.Session, *, poll_s: float, patience_s: float = 900.0, endpoint: str | None = None
) -> Connection:
    """A connection to a CloudFormation stack by its outputs.

    Args:
        stack: Its name.
        session: The account and region.
        poll_s, patience_s: As in `Connection`.
        endpoint: Endpoint URL of an emulated AWS.

    Raises:
        NoStack: If there is none, or it is another project's.
    """

    client = _clients(session, endpoint)
    try:
        described = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise NoStack(_why(stack, error)) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "InputsBucket" not in outputs:
        raise NoStack(f"{stack} is not a stack of this project: it has no output InputsBucket")
    settings = Settings(
        inputs_bucket=outputs["InputsBucket"],
        results_bucket=outputs["ResultsBucket"],
        table_name=outputs["TableName"],
        state_machine_arn=outputs["StateMachineArn"],
        fargate_vcpus=int(outputs.get("FargateVcpus", "0")),
    )
    return connection_with(stack, settings, session, poll_s=poll_s, patience_s=patience_s, endpoint=endpoint)


def connection_with(
    stack: str,
    settings: Settings,
    session: boto3.Session,
    *,
    poll_s: float,
    patience_s: float = 900.0,
    endpoint: str | None = None,
    wait_for_change: Callable[[str, StudyStatus | None, float], None] | None = None,
) -> Connection:
    """A connection to a stack with known settings; the arguments are those of `connection_to` and `Connection`."""
    client = _clients(session, endpoint)
    any_service: Any = session

    def resource(service: str) -> Any:
        return any_service.resource(service, endpoint_url=endpoint)

    return Connection(stack, client, Stack(settings, client, resource), poll_s, patience_s, wait_for_change)


def _clients(session: boto3.Session, endpoint: str | None) -> Callable[..., Any]:
    """Makes clients; those without a configuration of their own are made once: each takes 10 to 25 ms."""
    any_service: Any = session  # its type stubs need literal service names
    made: dict[str, Any] = {}

    def client(service: str, config: Config | None = None) -> Any:
        if config is not None:
            return any_service.client(service, endpoint_url=endpoint, config=config)
        if service not in made:
            made[service] = any_service.client(service, endpoint_url=endpoint)
        return made[service]

    return client


def _why(stack: str, error: Exception) -> str:
    return f"stack {stack}: {line(error) or one_line(error)}"
