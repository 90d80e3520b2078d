"""Messages to users about faults of AWS: epsm.client.aws_faults."""

from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.exceptions import ClientError

from epsm.client import aws_faults as faults


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "said\nby AWS"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetItem")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused("ExpiredTokenException"), "have expired"),
        (refused("ExpiredToken"), "have expired"),
        (aws.UnauthorizedSSOTokenError(), "have expired"),
        (refused("UnrecognizedClientException"), "does not accept your credentials"),
        (refused("AccessDeniedException"), "denies access"),
        (refused("ThrottlingException"), "throttling"),
        (aws.NoCredentialsError(), "are not available"),
        (aws.NoRegionError(), "AWS_REGION"),
        (aws.ProfileNotFound(profile="nowhere"), "nowhere"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), "does not answer"),
        (PermissionError(13, "Permission denied", "/results"), "/results: Permission denied"),
    ],
)
def test_known_kinds_are_one_line(error: Exception, said: str) -> None:
    line = faults.line(error)
    assert line is not None
    assert said in line
    assert "\n" not in line


def test_what_is_not_known_has_no_line() -> None:
    assert faults.line(ZeroDivisionError("division by zero")) is None


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (aws.ConnectTimeoutError(endpoint_url="https://x"), True),
        (aws.EndpointConnectionError(endpoint_url="https://x"), True),
        (refused("ThrottlingException"), True),
        (refused("InternalServerError", 500), True),
        (refused("ExpiredTokenException"), False),
        (refused("AccessDeniedException"), False),
        (aws.NoCredentialsError(), False),
    ],
)
def test_only_what_may_pass_is_waited_out(error: Exception, passing: bool) -> None:
    assert faults.is_passing(error) is passing
