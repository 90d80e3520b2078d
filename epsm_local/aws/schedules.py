"""Due times of EventBridge's schedule expressions: `rate(5 minutes)`, `cron(0 3 * * ? *)`. All times are UTC."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from croniter import CroniterBadDateError, croniter

_RATE = re.compile(r"rate\((?P<number>[1-9]\d*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON = re.compile(r"cron\((?P<fields>[^()]+)\)")
_FIELDS = 6


class Schedule(Protocol):
    """A parsed schedule expression."""

    def after(self, now: datetime, since: datetime) -> datetime | None:
        """The first due time after `now` of a schedule that began at `since`; None if there are no more."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Due at a fixed interval, counted from the beginning."""

    every: timedelta

    def after(self, now: datetime, since: datetime) -> datetime:
        return since + ((now - since) // self.every + 1) * self.every


@dataclass(frozen=True, slots=True)
class Cron:
    """Due at times of the calendar.

    Attributes:
        expression: In croniter's format, seconds first.
    """

    expression: str

    def after(self, now: datetime, since: datetime) -> datetime | None:
        try:
            next_time: datetime = croniter(self.expression, now, second_at_beginning=True).get_next(datetime)
        except CroniterBadDateError:
            return None
        return next_time


def parse(expression: str) -> Schedule:
    """Parse a schedule expression.

    Raises:
        ValueError: If EventBridge would refuse it.
    """
    if rate := _RATE.fullmatch(expression):
        number = int(rate["number"])
        if (number == 1) is bool(rate["plural"]):
            raise ValueError(f"{expression}: one {rate['unit']}, several {rate['unit']}s")
        return Rate(number * timedelta(**{f"{rate['unit']}s": 1}))
    if cron := _CRON.fullmatch(expression):
        return Cron(_for_croniter(cron["fields"].split()))
    raise ValueError(f"{expression} is neither rate(...) nor cron(...)")


@dataclass(frozen=True, slots=True)
class _Entry:
    expression: str
    since: datetime
    due: datetime | None


class Timetable:
    """Keeps track of due schedules.

    A schedule that was missed while the machine slept is due once, however often it was missed. A new schedule begins
    when it is first passed; a changed expression starts over. All start over if the clock is set back: otherwise they
    would not be due until it has caught up.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._latest = datetime.min.replace(tzinfo=UTC)

    def due(self, expressions: Mapping[str, str], now: datetime) -> dict[str, datetime]:
        """The names that are due now, with their due times.

        Args:
            expressions: Schedule expressions by name; schedules that are no longer listed are discarded.
            now: Current time.
        """
        if now < self._latest:
            self._entries = {}
        self._latest = now
        due_times: dict[str, datetime] = {}
        entries: dict[str, _Entry] = {}
        for name, expression in expressions.items():
            entry = self._entries.get(name)
            if entry is None or entry.expression != expression:
                entry = _Entry(expression, now, parse(expression).after(now, now))
            elif entry.due is not None and entry.due <= now:
                due_times[name] = entry.due
                entry = _Entry(expression, entry.since, parse(expression).after(now, entry.since))
            entries[name] = entry
        self._entries = entries
        return due_times


def _for_croniter(fields: list[str]) -> str:
    """A cron expression of AWS in croniter's format.

    Raises:
        ValueError: If it is invalid.
    """
    if len(fields) != _FIELDS:
        raise ValueError("a cron expression must have the fields minutes, hours, day, month, day of the week and year")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") is (weekday == "?"):
        raise ValueError("exactly one of day and day of the week must be '?'")
    expression = " ".join(("0", minutes, hours, day, month, _weekday(weekday), year)).replace("?", "*")
    if not croniter.is_valid(expression, second_at_beginning=True):
        raise ValueError(f"{' '.join(fields)} is not a cron expression")
    return expression


def _weekday(field: str) -> str:
    """Days of the week, converted from Sunday as 1 (AWS) to Sunday as 0."""
    last = re.fullmatch(r"([1-7])L", field)
    if last:
        return f"L{int(last[1]) - 1}"
    if field == "L":
        return "6"
    # The week's number after '#' and the step after '/' are not converted.
    return re.sub(r"(?<![#/\d])\d+", lambda day: str(int(day[0]) - 1) if day[0] in "1234567" else "none", field)
