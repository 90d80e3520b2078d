"""Calls of the stack's functions, and what Lambda reports about the account."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.store.functions import FunctionFailed, Functions
from tests.unit.fakes import fake


class Lambda:
    """Lambda, which writes down what it is asked.

    Attributes:
        invoked: Function, kind of invocation and payload of each request.
        error: What the functions fail with; empty if they succeed.
        limits: Of the account; None if Lambda refuses to tell.
    """

    def __init__(self) -> None:
        self.invoked: list[tuple[str, str, Any]] = []
        self.error = ""
        self.limits: dict[str, int] | None = {"ConcurrentExecutions": 1000}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.invoked.append((FunctionName, InvocationType, json.loads(Payload)))
        answer: dict[str, Any] = {"Payload": io.BytesIO(self.error.encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.error else {})

    def get_account_settings(self) -> dict[str, Any]:
        if self.limits is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetAccountSettings")
        return {"AccountLimit": self.limits}


@pytest.fixture
def deployed() -> Lambda:
    return Lambda()


@pytest.fixture
def functions(deployed: Lambda) -> Functions:
    return Functions(fake(deployed), "cleanup")


def test_sharing_and_removing_are_asked_for_and_not_waited_for(deployed: Lambda, functions: Functions) -> None:
    deployed.error = "of no interest"
    functions.ask_to_share()
    functions.ask_to_remove("office-1")
    assert deployed.invoked == [
        ("cleanup", "Event", {"task": "share"}),
        ("cleanup", "Event", {"task": "remove", "simulation_id": "office-1"}),
    ]


def test_a_removal_is_waited_for(deployed: Lambda, functions: Functions) -> None:
    functions.remove("office-1")
    assert deployed.invoked == [("cleanup", "RequestResponse", {"task": "remove", "simulation_id": "office-1"})]


def test_a_removal_that_failed_says_why_shortly(deployed: Lambda, functions: Functions) -> None:
    deployed.error = "it rains" * 100
    with pytest.raises(FunctionFailed) as fault:
        functions.remove("office-1")
    assert str(fault.value) == ("it rains" * 100)[:500]


def test_a_limit_of_the_account_is_a_number_or_not_known(deployed: Lambda, functions: Functions) -> None:
    assert functions.account_limit("ConcurrentExecutions") == 1000
    assert functions.account_limit("AnotherLimit") is None
    deployed.limits = None
    assert functions.account_limit("ConcurrentExecutions") is None
