"""Scheduled rules of EventBridge: epsm_local/aws/schedules.py and scheduler.py."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from epsm_local.aws.schedules import Timetable, parse
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws, Queue, unique

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""A Thursday."""
HOUR = timedelta(hours=1)


def due(expression: str, now: datetime = NOON) -> str | None:
    """When a schedule that begins at `now` is due first."""
    found = parse(expression).after(now, now)
    return found.strftime("%a %Y-%m-%d %H:%M") if found else None


# --- expressions


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("rate(1 minute)", "Thu 2026-01-01 12:01"),
        ("rate(5 minutes)", "Thu 2026-01-01 12:05"),
        ("rate(1 hour)", "Thu 2026-01-01 13:00"),
        ("rate(7 days)", "Thu 2026-01-08 12:00"),
    ],
)
def test_a_rate_counts_from_its_beginning(expression: str, first: str) -> None:
    assert due(expression) == first


def test_a_rate_keeps_its_beat_when_it_is_late() -> None:
    assert parse("rate(1 hour)").after(NOON + 2.5 * HOUR, since=NOON) == NOON + 3 * HOUR


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("cron(0 3 * * ? *)", "Fri 2026-01-02 03:00"),
        ("cron(30 12 * * ? *)", "Thu 2026-01-01 12:30"),
        ("cron(0/15 * * * ? *)", "Thu 2026-01-01 12:15"),
        ("cron(5/10 * * * ? *)", "Thu 2026-01-01 12:05"),
        ("cron(0 8 ? * MON-FRI *)", "Fri 2026-01-02 08:00"),
        ("cron(0 8 ? * 2-6 *)", "Fri 2026-01-02 08:00"),
        ("cron(0 8 ? * 1 *)", "Sun 2026-01-04 08:00"),
        ("cron(0 8 ? * 7 *)", "Sat 2026-01-03 08:00"),
        ("cron(0 8 ? * SUN,2 *)", "Sun 2026-01-04 08:00"),
        ("cron(0 8 ? * 2/2 *)", "Fri 2026-01-02 08:00"),
        ("cron(0 8 ? * 3#2 *)", "Tue 2026-01-13 08:00"),
        ("cron(0 8 ? * TUE#2 *)", "Tue 2026-01-13 08:00"),
        ("cron(0 8 ? * 6L *)", "Fri 2026-01-30 08:00"),
        ("cron(0 8 ? * L *)", "Sat 2026-01-03 08:00"),
        ("cron(0 8 L * ? *)", "Sat 2026-01-31 08:00"),
        ("cron(0 8 3W * ? *)", "Fri 2026-01-02 08:00"),
        ("cron(0 8 1 FEB ? *)", "Sun 2026-02-01 08:00"),
        ("cron(0 8 1 1 ? 2030)", "Tue 2030-01-01 08:00"),
        ("cron(0 8 1 1 ? 2027-2028)", "Fri 2027-01-01 08:00"),
        ("cron(0 8 1 1 ? 2025)", None),
    ],
)
def test_a_cron_expression_means_what_it_means_on_aws(expression: str, first: str | None) -> None:
    assert due(expression) == first


NO_EXPRESSIONS = [
    "rate(1 minutes)",
    "rate(5 minute)",
    "rate(0 minutes)",
    "rate(5 seconds)",
    "rate(5 minutes) ",
    "cron(0 3 * * *)",
    "cron(0 3 * * * *)",
    "cron(0 3 ? * ? *)",
    "cron(0 25 * * ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(a b c d ? e)",
    "every day",
]


@pytest.mark.parametrize("expression", NO_EXPRESSIONS)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(expression)


@pytest.mark.parametrize("expression", NO_EXPRESSIONS)
def test_a_rule_with_what_is_no_schedule_is_not_made(aws: Aws, expression: str) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*ScheduleExpression is not valid"):
        aws.client("events").put_rule(Name=unique("r"), ScheduleExpression=expression)


# --- which are due


def test_a_schedule_is_not_due_when_it_begins() -> None:
    assert Timetable().due({"a": "rate(1 hour)"}, NOON) == {}


def test_a_schedule_is_due_at_its_time() -> None:
    table = Timetable()
    table.due({"a": "rate(1 hour)", "b": "rate(2 hours)"}, NOON)
    assert table.due({"a": "rate(1 hour)", "b": "rate(2 hours)"}, NOON + HOUR) == {"a": NOON + HOUR}


def test_a_schedule_is_due_once_at_its_time() -> None:
    table = Timetable()
    for now in (NOON, NOON + HOUR):
        table.due({"a": "rate(1 hour)"}, now)
    assert table.due({"a": "rate(1 hour)"}, NOON + HOUR) == {}


@pytest.mark.parametrize("expression", ["rate(1 hour)", "cron(0 * * * ? *)"])
def test_what_was_missed_many_times_is_due_once(expression: str) -> None:
    table = Timetable()
    times = (NOON, NOON + 8.5 * HOUR, NOON + 8.6 * HOUR, NOON + 9 * HOUR)
    assert [len(table.due({"a": expression}, now)) for now in times] == [0, 1, 0, 1]


def test_a_changed_schedule_begins_anew() -> None:
    table = Timetable()
    table.due({"a": "rate(1 hour)"}, NOON)
    table.due({"a": "rate(2 hours)"}, NOON + HOUR)
    assert table.due({"a": "rate(2 hours)"}, NOON + 3 * HOUR) == {"a": NOON + 3 * HOUR}


@pytest.mark.parametrize("expression", ["rate(15 minutes)", "cron(*/15 * * * ? *)"])
def test_a_clock_that_is_set_back_does_not_delay_schedules_by_as_much(expression: str) -> None:
    table = Timetable()
    table.due({"a": expression}, NOON)
    yesterday = NOON - timedelta(days=1)
    assert table.due({"a": expression}, yesterday) == {}
    due = yesterday + timedelta(minutes=15)
    assert table.due({"a": expression}, due) == {"a": due}


def test_a_schedule_that_was_away_begins_anew() -> None:
    table = Timetable()
    for schedules, now in (({"a": "rate(1 hour)"}, NOON), ({}, NOON + 0.5 * HOUR)):
        table.due(schedules, now)
    assert table.due({"a": "rate(1 hour)"}, NOON + 2 * HOUR) == {}


# --- firing


@pytest.fixture
def queue(aws: Aws) -> Queue:
    return aws.queue()


@pytest.fixture
def rule(aws: Aws, queue: Queue) -> Iterator[str]:
    """Name of a rule that is not due before tomorrow."""
    name = unique("r")
    schedule(aws, name, queue)
    yield name
    aws.client("events").remove_targets(Rule=name, Ids=["1"])
    aws.client("events").delete_rule(Name=name)


def schedule(aws: Aws, name: str, queue: Queue, expression: str = "rate(1 day)", **target: str) -> None:
    aws.client("events").put_rule(Name=name, ScheduleExpression=expression)
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue.arn, **target}])


def test_a_rule_that_fires_says_so_as_documented(stack: LocalStack, aws: Aws, rule: str, queue: Queue) -> None:
    stack.fire(rule)
    event = aws.message(queue)
    assert {name: event[name] for name in event.keys() - {"id", "time"}} == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def test_a_rule_says_when_it_fired(stack: LocalStack, aws: Aws, rule: str, queue: Queue) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    stack.fire(rule)
    assert before <= datetime.fromisoformat(aws.message(queue)["time"]) <= datetime.now(UTC)


def test_a_rule_fires_with_its_constant_input(stack: LocalStack, aws: Aws, rule: str, queue: Queue) -> None:
    schedule(aws, rule, queue, Input=json.dumps({"task": "clean"}))
    stack.fire(rule)
    assert aws.message(queue) == {"task": "clean"}


def test_a_firing_that_cannot_be_delivered_goes_to_the_dead_letter_queue(
    stack: LocalStack, aws: Aws, rule: str, queue: Queue
) -> None:
    target = {"Id": "1", "Arn": aws.function_arn("not-there"), "DeadLetterConfig": {"Arn": queue.arn}}
    aws.client("events").put_targets(Rule=rule, Targets=[target])
    stack.fire(rule)
    assert aws.message(queue)["detail-type"] == "Scheduled Event"


def test_a_disabled_rule_cannot_fire(stack: LocalStack, aws: Aws, rule: str) -> None:
    aws.client("events").disable_rule(Name=rule)
    with pytest.raises(ValueError, match=rule):
        stack.fire(rule)


def test_a_rule_without_a_schedule_cannot_fire(stack: LocalStack, aws: Aws, queue: Queue) -> None:
    rule = aws.rule({"source": [unique("test")]}, queue.arn)
    with pytest.raises(ValueError, match=rule):
        stack.fire(rule)


def test_a_rule_that_is_not_there_cannot_fire(stack: LocalStack) -> None:
    with pytest.raises(ValueError, match="not-there"):
        stack.fire("not-there")


# --- when they are due


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def scheduler(clock: Clock) -> Iterator[None]:
    """A scheduler beside the stack's own, with a clock of its own."""
    from epsm_local.aws.scheduler import Scheduler  # once the stack has told moto its port

    own = Scheduler(clock)
    own.start()
    yield
    own.close()


def test_a_rule_fires_when_it_is_due(aws: Aws, rule: str, queue: Queue) -> None:
    schedule(aws, rule, queue, "rate(1 minute)")
    clock = Clock()
    due_at = (clock.now + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with scheduler(clock):
        clock.now += timedelta(seconds=90)
        assert aws.message(queue)["time"] == due_at


def test_a_disabled_rule_stays_silent_when_it_would_be_due(aws: Aws, rule: str, queue: Queue) -> None:
    other, silent = aws.queue(), unique("r")
    schedule(aws, silent, other, "rate(1 minute)")
    aws.client("events").disable_rule(Name=silent)
    schedule(aws, rule, queue, "rate(1 minute)")
    clock = Clock()
    with scheduler(clock):
        clock.now += timedelta(seconds=90)
        aws.message(queue)
    assert aws.received(other) == []
