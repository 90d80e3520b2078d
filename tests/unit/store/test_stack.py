"""The parts of a stack: created with its settings at their first use, and only once."""

from typing import Any
from unittest.mock import Mock

import pytest

from epsm.settings import Settings
from epsm.store.notifications import Notification
from epsm.store.stack import Stack

SETTINGS = {
    "inputs_bucket": "in",
    "results_bucket": "out",
    "table_name": "studies",
    "state_machine_arn": "arn:machine",
    "cleanup_function": "cleanup",
    "topic_arn": "arn:topic",
}


class Made:
    """Makes clients that write down what they are asked.

    Attributes:
        services: Services that a client was made for.
        asked: Method and arguments.
    """

    def __init__(self) -> None:
        self.meta = Mock()
        self.services: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str, **_: Any) -> "Made":
        self.services.append(service)
        return self

    def __getattr__(self, name: str) -> Any:
        def ask(*names: str, **given: Any) -> Any:
            self.asked.append((name, given | ({"name": names[0]} if names else {})))
            return self

        return ask


def test_nothing_is_made_before_it_is_used_and_then_once() -> None:
    made = Made()
    stack = Stack(Settings(**SETTINGS), made, made)
    assert made.services == []
    stack.files.look()
    stack.inputs.look()
    stack.executions.look()
    stack.functions.ask_to_share()
    stack.notify(Notification("Subject", "Message"))
    assert stack.records is stack.records
    assert stack.accounts is stack.accounts
    assert made.services == ["s3", "stepfunctions", "lambda", "sns", "dynamodb"]
    asked = {name: given for name, given in made.asked if name != "head_bucket"}
    assert [given["Bucket"] for name, given in made.asked if name == "head_bucket"] == ["out", "in"]
    assert asked["describe_state_machine"] == {"stateMachineArn": "arn:machine"}
    assert asked["invoke"]["FunctionName"] == "cleanup"
    assert (asked["publish"]["TopicArn"], asked["Table"]) == ("arn:topic", {"name": "studies"})


def test_a_function_finds_its_stack_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name.upper(), value)
    assert Stack.from_environment().settings == Settings(**SETTINGS)
