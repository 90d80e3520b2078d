"""Schedules as periods of the year, day types and values, for all kinds of objects that define them.

How EnergyPlus reads each kind (ScheduleManager.cc, 25.2): `AllOtherDays` are the day types that no `For:` before it
names, 29 February takes the values of 28 February where a Schedule:Year leaves it out, and a Schedule:Day:List has no
ramps, whatever its interpolation.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.targets import number_in
from epsm.study.day_types import DAY_TYPES, OTHER_DAYS, in_words, named_days
from epsm.study.schedule_targets import DAY_MIN
from epsm.text import fold_name

CONSTANT, COMPACT, YEAR = "Schedule:Constant", "Schedule:Compact", "Schedule:Year"
_WEEK_DAILY, _WEEK_COMPACT = "Schedule:Week:Daily", "Schedule:Week:Compact"
_DAYS = ("Schedule:Day:Hourly", "Schedule:Day:Interval", "Schedule:Day:List")
SCHEDULES = (CONSTANT, COMPACT, YEAR)
"""The classes of schedules whose values can be edited."""
_LINEAR, _STEPS = "Linear", "No"
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FEB_28, _FEB_29, LAST_DAY = 59, 60, 366
_TIME = re.compile(r"(?:until:?)?\s*(\d{1,2})\s*:\s*(\d{1,2})", re.IGNORECASE)


class CannotRead(ValueError):
    """A schedule whose values cannot be read from the model."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The values of a day.

    Attributes:
        until_min: Where each interval ends, minutes since midnight; ascending, the last one 1,440.
        values: For each interval its value.
        interpolate: `No`, `Average` or `Linear`, as EnergyPlus has it.
    """

    until_min: tuple[int, ...]
    values: tuple[float, ...]
    interpolate: str = _STEPS

    @property
    def ramps(self) -> bool:
        """Whether a value is that of the interval's end, towards which the schedule rises or falls."""
        return self.interpolate == _LINEAR


@dataclass(frozen=True, slots=True)
class Block:
    """The day types that have the same values; `others` if the schedule calls them `AllOtherDays`."""

    days: frozenset[str]
    profile: Profile
    others: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the year, up to a day that belongs to it: 1 to 366 in a leap year."""

    until_day: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ModelSchedule:
    """A schedule of a model.

    Attributes:
        name, class_name: Of the object.
        limits: Name of its ScheduleTypeLimits.
        spans: Parts of the year, in order.
        reads: The objects that define it, by class and name in lower case.
    """

    name: str
    class_name: str
    limits: str
    spans: tuple[Span, ...]
    reads: frozenset[tuple[str, str]] = frozenset()

    @property
    def blocks(self) -> Iterator[Block]:
        for span in self.spans:
            yield from span.blocks


def constant(name: str, limits: str, value: float, class_name: str = CONSTANT) -> ModelSchedule:
    """A schedule with one value."""
    whole_year = Span(LAST_DAY, (Block(frozenset(DAY_TYPES), Profile((DAY_MIN,), (value,))),))
    return ModelSchedule(name, class_name, limits, (whole_year,), frozenset({(fold_name(class_name), fold_name(name))}))


def find_schedule(outline: ModelOutline, name: str) -> ModelObject | None:
    """The object of any class of schedules with values that has a name, if there is one."""
    name_key = fold_name(name)
    return next(
        (schedule for kind in SCHEDULES for schedule in outline.of_class(kind) if fold_name(schedule.name) == name_key),
        None,
    )


def read_schedule(outline: ModelOutline, schedule: ModelObject) -> ModelSchedule:
    """The schedule that an object of one of `SCHEDULES` defines.

    Args:
        outline: The model.
        schedule: The object.

    Raises:
        CannotRead: If EnergyPlus could not read it either, or its reading is unknown.
    """
    kind = fold_name(schedule.class_name)
    plain, repeated = _values(schedule)
    limits = str(plain[1] or "") if len(plain) > 1 else ""
    if kind == fold_name(CONSTANT):
        value = number_in(plain[2]) if len(plain) > 2 else None
        return constant(schedule.name, limits, 0.0 if value is None else value)
    reads = {(kind, fold_name(schedule.name))}
    spans = _compact(repeated) if kind == fold_name(COMPACT) else _year(outline, repeated, reads)
    rule = dictionary.load().find_class(schedule.class_name)
    assert rule is not None
    return ModelSchedule(schedule.name, rule.name, limits, spans, frozenset(reads))


def _values(schedule: ModelObject) -> tuple[list[object], list[object]]:
    """The values of an object's fields, and of its repeated fields, without blanks at their end."""
    rule = dictionary.load().find_class(schedule.class_name)
    assert rule is not None
    plain: list[object] = [schedule.value(FieldPlace(own, place)) for place, own in enumerate(rule.fields)]
    repeated: list[object] = []
    for group in range(schedule.group_count(rule)):
        start = len(rule.fields) + group * len(rule.repeats)
        repeated += [schedule.value(FieldPlace(own, start + place, group)) for place, own in enumerate(rule.repeats)]
    while repeated and str(repeated[-1] if repeated[-1] is not None else "").strip() == "":
        repeated.pop()
    return plain, repeated


def _compact(fields: Sequence[object]) -> tuple[Span, ...]:
    spans: list[Span] = []
    texts = [str(field if field is not None else "").strip() for field in fields]
    number = 0

    def begins(word: str) -> bool:
        return number < len(texts) and fold_name(texts[number]).startswith(word)

    while number < len(texts):
        if not begins("through"):
            raise CannotRead(f"has '{texts[number]}' where 'Through:' is expected")
        until_day = _ordinal(texts[number])
        number += 1
        blocks: list[Block] = []
        while begins("for"):
            days, others = _days_of(texts[number], frozenset().union(*(block.days for block in blocks)))
            number += 1
            interpolate = _STEPS
            if number < len(texts) and not begins("until"):
                interpolate = _interpolation(texts[number])
                number += 1
            times: list[int] = []
            values: list[float] = []
            while begins("until"):
                times.append(_minutes(texts[number]))
                value = number_in(fields[number + 1]) if number + 1 < len(fields) else None
                if value is None:
                    raise CannotRead(f"has no number after '{texts[number]}'")
                values.append(value)
                number += 2
            blocks.append(Block(days, _profile(times, values, interpolate), others))
        if spans and spans[-1].until_day >= until_day:
            raise CannotRead("has 'Through:' dates that do not follow each other")
        spans.append(Span(until_day, tuple(blocks)))
    if not spans or spans[-1].until_day != LAST_DAY:
        raise CannotRead("does not go through 12/31")
    return tuple(spans)


def _year(outline: ModelOutline, fields: Sequence[object], reads: set[tuple[str, str]]) -> tuple[Span, ...]:
    weeks: list[str] = [""] * (LAST_DAY + 1)
    for start in range(0, len(fields), 5):
        name, *dates = fields[start : start + 5]
        numbers = [number_in(date) for date in dates]
        if len(numbers) < 4 or None in numbers:
            raise CannotRead(f"has no dates for the week '{name}'")
        begin, end = (_day_of_year(int(numbers[k] or 0), int(numbers[k + 1] or 0)) for k in (0, 2))
        days = range(begin, end + 1) if begin <= end else [*range(begin, LAST_DAY + 1), *range(1, end + 1)]
        for day in days:
            if weeks[day]:
                raise CannotRead("has weeks that overlap")
            weeks[day] = str(name)
    weeks[_FEB_29] = weeks[_FEB_29] or weeks[_FEB_28]
    if not all(weeks[1:]):
        raise CannotRead("has no week for a part of the year")
    known = {name: _week(outline, name, reads) for name in dict.fromkeys(weeks[1:])}
    ends = [day for day in range(1, LAST_DAY + 1) if day == LAST_DAY or weeks[day + 1] != weeks[day]]
    return tuple(Span(day, known[weeks[day]]) for day in ends)


def _week(outline: ModelOutline, name: str, reads: set[tuple[str, str]]) -> tuple[Block, ...]:
    week = _named(outline, (_WEEK_DAILY, _WEEK_COMPACT), name, reads)
    plain, repeated = _values(week)
    if fold_name(week.class_name) == fold_name(_WEEK_DAILY):
        lists = [(frozenset({day}), False, own) for day, own in zip(DAY_TYPES, plain[1:], strict=False)]
    else:
        lists = []
        for words, own in zip(repeated[::2], repeated[1::2], strict=False):
            days, others = _days_of(str(words), frozenset().union(*(before for before, _, _ in lists)))
            lists.append((days, others, own))
    grouped: dict[tuple[str, bool], frozenset[str]] = {}
    for days, others, own in lists:
        key = (str(own or ""), others)
        grouped[key] = grouped.get(key, frozenset()) | days
    return tuple(Block(days, _day(outline, own, reads), others) for (own, others), days in grouped.items())


def _day(outline: ModelOutline, name: str, reads: set[tuple[str, str]]) -> Profile:
    day = _named(outline, _DAYS, name, reads)
    plain, repeated = _values(day)
    kind = _DAYS.index(next(own for own in _DAYS if fold_name(own) == fold_name(day.class_name)))
    interpolate = _interpolation(str(plain[2] or "")) if kind else _STEPS
    if kind == 0:
        numbers = [number_in(value) for value in plain[2:]]
        times = [60 * hour for hour in range(1, 25)]
        numbers = [0.0 if number is None else number for number in numbers]
    elif kind == 1:
        times = [_minutes(str(time)) for time in repeated[::2]]
        numbers = [number_in(value) for value in repeated[1::2]]
    else:
        step = int(number_in(plain[3]) or 0)
        numbers = [number_in(value) for value in repeated]
        if step <= 0 or step * len(numbers) != DAY_MIN:
            raise CannotRead(f"has {len(numbers)} values of {step} minutes in its day '{name}'")
        times = [step * (place + 1) for place in range(len(numbers))]
        interpolate = _STEPS if interpolate == _LINEAR else interpolate
    if None in numbers:
        raise CannotRead(f"has a value that is not a number in its day '{name}'")
    return _profile(times, [number for number in numbers if number is not None], interpolate)


def _named(outline: ModelOutline, kinds: Sequence[str], name: str, reads: set[tuple[str, str]]) -> ModelObject:
    for kind in kinds:
        for schedule in outline.of_class(kind):
            if fold_name(schedule.name) == fold_name(name):
                reads.add((fold_name(kind), fold_name(name)))
                return schedule
    raise CannotRead(f"refers to '{name}', which is not in the model")


def _profile(times: Sequence[int], values: Sequence[float], interpolate: str) -> Profile:
    if not times or len(times) != len(values) or times[-1] != DAY_MIN or list(times) != sorted(times):
        raise CannotRead("has a day whose hours do not follow each other up to 24:00")
    if interpolate == _LINEAR:  # an interval without length is a jump
        return Profile(tuple(times), tuple(values), interpolate)
    # Elsewhere EnergyPlus leaves it out, with a warning; neighbours with the same value are one interval.
    steps: list[tuple[int, float]] = []
    for time, value in zip(times, values, strict=True):
        if time == (steps[-1][0] if steps else 0):
            continue
        if steps and steps[-1][1] == value:
            steps.pop()
        steps.append((time, value))
    return Profile(tuple(time for time, _ in steps), tuple(value for _, value in steps), interpolate)


def _minutes(text: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found[2]) > 59:
        raise CannotRead(f"has '{text}' where a time is expected")
    return min(60 * int(found[1]) + int(found[2]), DAY_MIN) if int(found[1]) <= 24 else DAY_MIN + 1


def _interpolation(text: str) -> str:
    folded = fold_name(text)
    # In the order in which EnergyPlus looks for the words.
    if "average" in folded:
        return "Average"
    if "linear" in folded:
        return _LINEAR
    if "no" in folded or not folded:
        return _STEPS
    raise CannotRead(f"has '{text}' where 'Until:' or 'Interpolate:' is expected")


def _days_of(text: str, before: frozenset[str]) -> tuple[frozenset[str], bool]:
    """The day types of a `For:`, and whether they are `AllOtherDays`."""
    folded = fold_name(text)
    days: frozenset[str] = frozenset()
    for word in ("Weekdays", "Weekends", "AllDays", *DAY_TYPES):
        sign = {"SummerDesignDay": "summer", "WinterDesignDay": "winter"}.get(word, fold_name(word))
        if sign.removesuffix("s") in folded:
            days |= named_days([word])
    others = fold_name(OTHER_DAYS).removesuffix("s") in folded
    if others:
        days |= frozenset(DAY_TYPES) - before
    if not days and not others:
        raise CannotRead(f"has '{text}' where day types are expected")
    if days & before:
        raise CannotRead(f"has {in_words(days & before)} twice in one period")
    return days, others


def _ordinal(text: str) -> int:
    words = re.findall(r"\d+|[a-z]+", fold_name(text).removeprefix("through"))
    numbers = [int(word) for word in words if word.isdigit()]
    months = [_MONTHS.index(word[:3]) + 1 for word in words if word[:3] in _MONTHS]
    if len(words) == 2 and len(numbers) == 2:
        return _day_of_year(*numbers)
    if len(words) == 2 and len(numbers) == 1 and months:
        return _day_of_year(months[0], numbers[0])
    raise CannotRead(f"has '{text}' where 'Through:' and a date are expected")


def _day_of_year(month: int, day: int) -> int:
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        raise CannotRead(f"has the date {month}/{day}")
    return sum(_MONTH_DAYS[: month - 1]) + day


def date_of(day: int) -> tuple[int, int]:
    """Month and day of the month of a day of a leap year.

    >>> date_of(60), date_of(366)
    ((2, 29), (12, 31))
    """
    month = 0
    while day > _MONTH_DAYS[month]:
        day -= _MONTH_DAYS[month]
        month += 1
    return month + 1, day
