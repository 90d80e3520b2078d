"""New values for chosen days and hours of a schedule, and the object that has them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from epsm.energyplus.schedules import COMPACT, CONSTANT, Block, ModelSchedule, Profile, date_of
from epsm.study.day_types import in_words
from epsm.study.schedule_targets import Period


@dataclass(frozen=True, slots=True)
class NewValues:
    """The change of the values of a period: a function of the old value."""

    period: Period
    function: Callable[[float], float]


def edited(schedule: ModelSchedule, edits: Sequence[NewValues]) -> ModelSchedule:
    """The schedule with new values; days of one block that get different ones become several blocks.

    Args:
        schedule: The schedule.
        edits: Of days and hours that do not overlap.
    """
    spans = tuple(
        replace(span, blocks=tuple(part for block in span.blocks for part in _parts(block, edits)))
        for span in schedule.spans
    )
    return replace(schedule, spans=spans)


def _parts(block: Block, edits: Sequence[NewValues]) -> Iterator[Block]:
    chosen = [edit.period.chosen(block.days, others=block.others) for edit in edits]
    groups: dict[tuple[int, ...], set[str]] = {}
    for day in sorted(block.days):
        groups.setdefault(tuple(number for number, days in enumerate(chosen) if day in days), set()).add(day)
    for numbers, days in groups.items():
        profile = block.profile
        for number in numbers:
            profile = _changed(profile, edits[number])
        yield Block(frozenset(days), profile)


def _changed(profile: Profile, edit: NewValues) -> Profile:
    times, values = [], []
    begin = 0
    for until, value in zip(profile.until_min, profile.values, strict=True):
        cuts = sorted({until, *(cut for window in edit.period.windows for cut in window if begin < cut < until)})
        for cut in cuts:
            inside = any(first < cut <= last for first, last in edit.period.windows)
            times.append(cut)
            values.append(edit.function(value) if inside else value)
        begin = until
    return replace(profile, until_min=tuple(times), values=tuple(values))


def values_in(schedule: ModelSchedule, period: Period) -> list[float]:
    """The values that a schedule has on chosen days and hours."""
    found: dict[float, None] = {}
    for block in schedule.blocks:
        if period.chosen(block.days, others=block.others):
            begin = 0
            for until, value in zip(block.profile.until_min, block.profile.values, strict=True):
                if any(begin < last and first < until for first, last in period.windows):
                    found[value] = None
                begin = until
    return list(found)


def written(schedule: ModelSchedule) -> tuple[str, list[str | float]]:
    """The object that defines a schedule: its class, and its values in their order, the name first."""
    values = {value for block in schedule.blocks for value in block.profile.values}
    if schedule.class_name == CONSTANT and len(values) == 1:
        return CONSTANT, [schedule.name, schedule.limits, values.pop()]
    fields: list[str | float] = [schedule.name, schedule.limits]
    for span in schedule.spans:
        month, day = date_of(span.until_day)
        fields.append(f"Through: {month}/{day}")
        grouped: dict[Profile, frozenset[str]] = {}
        for block in span.blocks:
            grouped[block.profile] = grouped.get(block.profile, frozenset()) | block.days
        for profile, days in grouped.items():
            if days:
                fields += [f"For: {in_words(days)}", *_lines(profile)]
    return COMPACT, fields


def _lines(profile: Profile) -> Iterator[str | float]:
    yield f"Interpolate: {profile.interpolate}"
    for until, value in zip(profile.until_min, profile.values, strict=True):
        yield f"Until: {until // 60:02d}:{until % 60:02d}"
        yield value
