"""Delivery of EventBridge events to the targets of rules. Completes moto/events/models.py.

moto supports no Lambda targets, matches every event with rules without a pattern and with disabled rules, delivers on
the caller's thread (in moto/s3/responses.py before an object is complete), and accepts invalid schedules.
epsm_local/aws/scheduler.py fires scheduled rules.
"""

import functools
import json
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule, events_backends
from moto.events.utils import EventTemplateParser
from moto.s3.responses import S3Response

from epsm_local.aws.processes import Stopped
from epsm_local.aws.schedules import parse
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.moto_patches import in_background, local_aws, promise, request_first
from epsm_local.moto_patches.functions import queue_url, run_event

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
_MOTO_S3_EVENT_ID = "17793124-05d4-b198-2fde-7ededc63b103"
"""The id that moto gives every S3 event."""


def install() -> None:
    Rule.send_to_targets = _send_to_targets
    EventsBackend.put_rule = _with_a_schedule_that_is_one(EventsBackend.put_rule)
    S3Response.key_response = _before_its_events(S3Response.key_response)
    S3Response.bucket_response = _before_its_events(S3Response.bucket_response)


def emit(source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()) -> None:
    """Send an event of an AWS service to the default bus, as that service does."""
    event = _event(source, detail_type, detail, resources, time.time())
    for rule in rules():
        rule.send_to_targets(event)


def send_scheduled(rule: Rule, due: datetime) -> None:
    """Send the event of a due time to a rule's targets."""
    event = _event("aws.events", "Scheduled Event", {}, [rule.arn], due.timestamp())
    _send(rule, event)


def rules() -> list[Rule]:
    """The rules of the default bus."""
    return list(events_backends[ACCOUNT][REGION].event_buses["default"].rules.values())


def _event(
    source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str], seconds: float
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": _iso(seconds),
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }


def _before_its_events(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def answered(*args: Any, **kwargs: Any) -> Any:
        with request_first():
            return stock(*args, **kwargs)

    return answered


def _with_a_schedule_that_is_one(stock: Callable[..., Rule]) -> Callable[..., Rule]:
    @functools.wraps(stock)
    def put_rule(self: EventsBackend, *args: Any, scheduled_expression: str | None = None, **more: Any) -> Rule:
        if scheduled_expression:
            try:
                parse(scheduled_expression)
            except ValueError as error:
                raise ValidationException(f"Parameter ScheduleExpression is not valid: {error}") from None
        return stock(self, *args, scheduled_expression=scheduled_expression, **more)

    return put_rule


def _send_to_targets(self: Rule, original_event: dict[str, Any], transform_input: bool = True) -> None:
    pattern = self.event_pattern
    if self.state != "ENABLED" or not pattern.get_pattern() or not pattern.matches_event(original_event):
        return
    event = {name: value for name, value in original_event.items() if name != "ingestion-time"}
    if event.get("id") == _MOTO_S3_EVENT_ID:
        event["id"] = str(uuid.uuid4())
    if isinstance(event.get("time"), int | float):
        event["time"] = _iso(event["time"])
    _send(self, event)


def _send(rule: Rule, event: dict[str, Any]) -> None:
    for target in rule.targets:
        deliver = functools.partial(_deliver_or_bury, rule.name, target, event)
        if _service(target["Arn"]) == "lambda":
            promise(target["Arn"], json.dumps(event), deliver)
        else:
            in_background(deliver)


def _deliver_or_bury(rule: str, target: dict[str, Any], event: dict[str, Any]) -> None:
    """Deliver an event to a target; after the last attempt send it to the target's dead-letter queue.

    Raises:
        Stopped: If the stack is being stopped, which is not a failure of the target.
    """
    stopping = local_aws().stopping
    for attempt in range(_ATTEMPTS):
        try:
            return _deliver(target["Arn"], _text_for(target, event))
        except Exception as error:
            if not stopping.is_set():
                logger.warning("rule %s, target %s, attempt %d: %s", rule, target["Arn"], attempt + 1, error)
            if stopping.wait(0.2 * 2**attempt):
                raise Stopped("the local stack is being stopped") from None
    if dead_letters := target.get("DeadLetterConfig", {}).get("Arn"):
        local_aws().client("sqs").send_message(QueueUrl=queue_url(dead_letters), MessageBody=json.dumps(event))
    return None


def _text_for(target: dict[str, Any], event: dict[str, Any]) -> str:
    """The target's input: the event, a constant, a part of the event, or a text with such parts."""
    if "Input" in target:
        return str(target["Input"])
    if path := target.get("InputPath"):
        part: Any = event
        for name in path.split(".")[1:]:
            part = part[name]
        return json.dumps(part)
    if transformer := target.get("InputTransformer"):
        made = EventTemplateParser.parse(
            transformer["InputTemplate"],
            transformer.get("InputPathsMap", {}),
            {**event, "ingestion-time": time.time()},
        )
        return made if isinstance(made, str) else json.dumps(made)
    return json.dumps(event)


def _deliver(arn: str, text: str) -> None:
    """Send a text to a target.

    Raises:
        NotImplementedError: For a kind of target that is not emulated.
    """
    local = local_aws()
    service = _service(arn)
    if service == "lambda":
        run_event(arn, text.encode())
    elif service == "sqs":
        local.client("sqs").send_message(QueueUrl=queue_url(arn), MessageBody=text)
    elif service == "sns":
        local.client("sns").publish(TopicArn=arn, Message=text)
    else:
        raise NotImplementedError(f"EventBridge targets of {service} are not emulated")


def _service(arn: str) -> str:
    return arn.split(":")[2]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
