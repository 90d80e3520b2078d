"""The DATA PERIODS line of an EPW: the order of the days."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

_COMMON_YEAR, _LEAP_YEAR = 2023, 2024


@dataclass(frozen=True, slots=True)
class Day:
    """One day of records: month, day of month, and the year if the header gives it, otherwise None."""

    month: int
    day: int
    year: int | None

    def __str__(self) -> str:
        return f"{self.month}/{self.day}" + (f"/{self.year}" if self.year else "")


def declared_days(periods: Sequence[str]) -> list[list[Day]]:
    """The days of a DATA PERIODS line, in order.

    Args:
        periods: The line's values, the first being the keyword.

    Returns:
        One list of days; two if 29 February is optional; none if the line has no dates.
    """
    try:
        count = int(periods[1])
    except (ValueError, IndexError):
        return []
    if count < 1 or len(periods) < 3 + 4 * count:
        return []
    readings = []
    for year in (_COMMON_YEAR, _LEAP_YEAR):
        days: list[Day] = []
        for index in range(count):
            first, last = (periods[3 + 4 * index + offset] for offset in (2, 3))
            days += _days(first, last, year)
        if days and days not in readings:
            readings.append(days)
    return readings


def _days(first: str, last: str, year: int) -> list[Day]:
    start, end = _date(first, year), _date(last, year)
    if start is None or end is None:
        return []
    if end < start:  # over New Year
        end = _date(last, year + 1) or end
    length = (end - start).days + 1
    has_year = first.count("/") == 2
    days = (start + datetime.timedelta(days=number) for number in range(min(length, 100 * 366)))
    return [Day(day.month, day.day, day.year if has_year else None) for day in days]


def _date(text: str, default_year: int) -> datetime.date | None:
    """A date as `1/31` or `1/31/2017`; 29 February counts as the 28th where the year has none."""
    try:
        month, day, *year = (int(part) for part in text.split("/"))
        year_text = year[0] if year else default_year
        if (month, day) == (2, 29) and not year:
            day = 28 if year_text % 4 else 29
        return datetime.date(year_text, month, day)
    except (ValueError, OverflowError):
        return None
