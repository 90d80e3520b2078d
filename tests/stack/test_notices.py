"""Notifications about the end of studies."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.moto_fixtures import unique
from tests.stack import faults
from tests.stack.clients import LAYERS
from tests.support import (
    records_of,
    run_study,
    upload_study,
    wait_for,
    wait_for_execution,
)


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture
def subscriber(stack: LocalStack) -> Iterator[str]:
    """URL of a queue that is subscribed to the ends of studies."""
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName=unique("told"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = stack.client("sns").subscribe(TopicArn=stack.outputs.topic_arn, Protocol="sqs", Endpoint=arn)
    yield str(url)
    stack.client("sns").unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])


def told(stack: LocalStack, subscriber: str, about: str) -> dict[str, Any]:
    """The notice on a study, which its simulation names; those on others, of earlier tests, are passed over."""
    return wait_for(lambda: notice_on(stack, subscriber, about), "a notice")


def notice_on(stack: LocalStack, subscriber: str, about: str) -> dict[str, Any] | None:
    for message in stack.client("sqs").receive_message(QueueUrl=subscriber, MaxNumberOfMessages=10).get("Messages", ()):
        notice: dict[str, Any] = json.loads(message["Body"])
        if about in notice["Message"]:
            return notice
    return None


def test_a_notice_has_the_numbers_that_matter_and_the_reasons(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("told-numbers", name="Telling", parameters=[LAYERS]))
    notice = told(stack, subscriber, record.simulation_id)
    assert notice["Subject"] == "Telling: partial, 2 of 3 variants succeeded"
    message = notice["Message"]
    assert re.search(r"^Site EUI: +\d+\.\d to \d+\.\d kWh/m2$", message, re.MULTILINE)
    assert re.search(r"^  1 x .+$", message, re.MULTILINE)
    assert "/executions/details/arn:aws:states:" in message


def test_subscribers_are_notified_of_an_upload_that_was_refused(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("told-refused", models=["hall.idf"]))
    notice = told(stack, subscriber, record.simulation_id)
    assert notice["Subject"] == "told-refused: rejected, 1 problem"
    assert "'hall.idf' is not in s3://" in notice["Message"]


def test_subscribers_are_notified_of_a_study_that_was_stopped(
    stack: LocalStack, make_study: StudyMaker, subscriber: str, one_zone: str
) -> None:
    slow = one_zone.replace("Timestep,4;", "Timestep,60;")
    simulation = upload_study(stack, make_study("told-stopped", files={"room.idf": slow}, parameters=[]))
    wait_for(lambda: list(records_of(stack).variants(simulation)), "a running variant")
    record = records_of(stack).study(simulation)
    assert record is not None
    stack.client("stepfunctions").stop_execution(executionArn=record.execution_arn)
    assert told(stack, subscriber, simulation)["Subject"].startswith("told-stopped: cancelled, ")


def test_nobody_is_notified_of_a_study_that_wants_no_notice(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("untold", parameters=[], options={"notify": False}))
    assert wait_for_execution(stack, record.execution_arn)["status"] == "SUCCEEDED"
    assert notice_on(stack, subscriber, record.simulation_id) is None
