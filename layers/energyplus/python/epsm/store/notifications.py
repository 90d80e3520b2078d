"""Outgoing messages: notifications through SNS, events on EventBridge."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sns import SNSClient

logger = logging.getLogger(__name__)

EVENT_SOURCE = "epsm"
BUDGET_SPENT = "Budget Spent"
TOO_MANY_FAILURES = "Too Many Failures"


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail.

    Attributes:
        subject: At most 99 printable ASCII characters without a leading space, as SNS requires.
        message: Its text.
    """

    subject: str
    message: str


def event_publisher(events: "EventBridgeClient", detail_type: str) -> Callable[[str], None]:
    """Publishes an event about a simulation.

    Args:
        events: A boto3 EventBridge client.
        detail_type: `BUDGET_SPENT` or `TOO_MANY_FAILURES`.
    """

    def announce(simulation: str) -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "Source": EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps({"simulation_id": simulation}),
        }
        answer = events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge rejected the event: {answer['Entries']}")

    return announce


def sns_notifier(sns: "SNSClient", topic_arn: str) -> Callable[[Notification], None]:
    """Publishes notifications to a topic. A failure to publish must not lose a study.

    Args:
        sns: A boto3 SNS client.
        topic_arn: The topic.
    """

    def notify(notification: Notification) -> None:
        try:
            sns.publish(TopicArn=topic_arn, Subject=notification.subject, Message=notification.message)
        except (BotoCoreError, ClientError):
            logger.exception("notification could not be sent", extra={"subject": notification.subject})

    return notify
