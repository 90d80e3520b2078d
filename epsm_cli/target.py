"""Which stack a command talks to: one in an AWS account, or the one on this machine."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from epsm.settings import Settings
from epsm.store.stack import Stack
from epsm_cli.running import LOCAL, running_local_endpoint
from epsm_local.aws.session import session as local_session


class NoStack(Exception):
    """The stack that was asked for is not there; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stack with what is needed to use it.

    Attributes:
        name: Name of the CloudFormation stack.
        client: Makes a boto3 client onto it by service name.
        stack: Its settings and what it stores.
        poll_s: How often to look for news, seconds.
        patience_s: How long a study is followed without an answer, seconds.
    """

    name: str
    client: Callable[..., Any]
    stack: Stack
    poll_s: float
    patience_s: float = 900.0


def find_target(stack: str) -> Target:
    """The stack of that name: `local` for the one kept running by `epsm up`, else one of the AWS account.

    Raises:
        NoStack: If there is none.
    """
    if stack != LOCAL:
        # boto3 reads AWS_DEFAULT_REGION only; the AWS command and the CDK read AWS_REGION too.
        try:
            session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
            if not session.region_name:
                raise NoRegionError
        except (BotoCoreError, ValueError) as error:
            raise NoStack(_why(stack, error)) from error
        return _target(stack, session, None, poll_s=3.0)
    endpoint = running_local_endpoint()
    if endpoint is None:
        raise NoStack("no local stack is running: start one with 'epsm up', or name one of your account with --stack")
    return local_target(endpoint)


def local_target(endpoint: str) -> Target:
    """The local stack at an endpoint."""
    from epsm_local.stack import STACK_NAME

    return _target(STACK_NAME, local_session(), endpoint, poll_s=0.3)


def _target(stack: str, session: boto3.Session, endpoint: str | None, poll_s: float) -> Target:
    def client(service: str, config: Config | None = None) -> Any:
        return session.client(service, endpoint_url=endpoint, config=config)

    try:
        described = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise NoStack(_why(stack, error)) from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    if "InputsBucket" not in outputs:
        raise NoStack(f"{stack} is not a stack of this project: it has no output InputsBucket")
    settings = Settings(
        inputs_bucket=outputs["InputsBucket"],
        results_bucket=outputs["ResultsBucket"],
        table_name=outputs["TableName"],
        state_machine_arn=outputs["StateMachineArn"],
    )

    def resource(service: str) -> Any:
        return session.resource(service, endpoint_url=endpoint)

    return Target(
        name=stack,
        client=client,
        stack=Stack(settings, client, resource),
        poll_s=poll_s,
        # What runs on this machine answers, or has ended.
        patience_s=900.0 if endpoint is None else 5.0,
    )


def _why(stack: str, error: Exception) -> str:
    from epsm_cli import faults  # it names faults of fetching, which needs a target

    return f"stack {stack}: {faults.line(error) or ' '.join(str(error).split())}"
