"""Steps of commands: waiting until the stack has noticed an upload."""

from typing import Any
from unittest.mock import Mock

from botocore.exceptions import ClientError

from epsm_cli import steps


def target(*answers: Any) -> tuple[Any, Mock]:
    study = Mock(side_effect=answers)
    return Mock(stack=Mock(records=Mock(study=study)), poll_s=0.0), study


def test_a_study_is_waited_for_until_other_commands_find_it() -> None:
    stack, study = target(None, None, Mock())
    steps.await_record(stack, "office-1")
    assert study.call_count == 3


def test_a_stack_that_cannot_be_asked_does_not_fail_an_upload() -> None:
    stack, study = target(ClientError({"Error": {"Code": "AccessDenied"}}, "GetItem"))
    steps.await_record(stack, "office-1")
    assert study.call_count == 1
