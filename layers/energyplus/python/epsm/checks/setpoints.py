"""Thermostats whose heating setpoints would exceed their cooling setpoints: EnergyPlus ends such runs with an error."""

from collections.abc import Iterator, Sequence

from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.schedule_changes import Change
from epsm.energyplus.schedule_plans import Plans
from epsm.energyplus.schedule_values import edited
from epsm.energyplus.schedules import CannotRead, ModelSchedule, Profile, date_of
from epsm.energyplus.setpoints import ONE_FOR_BOTH, Thermostat, schedule_of, thermostats_of
from epsm.study.assignments import ScheduleAssignment
from epsm.study.day_types import DAY_TYPES
from epsm.study.setpoints import Side
from epsm.text import fold_name

_SIDES: tuple[Side, Side] = ("heating", "cooling")
_TOLERANCE_K = 1e-9
_Edit = tuple[ScheduleAssignment, Change]


def levels_of(assignment: ScheduleAssignment, change: Change) -> list[float]:
    """The levels of a change that are checked: all, or the ends of a continuous parameter."""
    if change.level is not None:
        return [change.level]
    return [level for level in assignment.levels.extremes if isinstance(level, float)]


def crossings_alone(outline: ModelOutline, plans: Plans) -> Iterator[tuple[ScheduleAssignment, Change, float, str]]:
    """Levels of one parameter, or variants of a measure, that alone put heating above cooling setpoints.

    Args:
        outline: The model.
        plans: Of the model.

    Yields:
        The edit, its change of a schedule, the level, and what was found; one for each edit and side of thermostats.
    """
    seen: set[tuple[str, str]] = set()
    for pair in _pairs(outline, plans):
        for edits in pair.by_parameter:
            assignment, change = edits[0]
            for level in _ends(assignment, change):
                found = pair.crossing([(own, level) for own in edits])
                if found and (assignment.where, change.side or "") not in seen:
                    seen.add((assignment.where, change.side or ""))
                    yield assignment, change, level, found


def crossings_together(outline: ModelOutline, source: str, plans: Plans) -> tuple[str, ...]:
    """A sentence for each pair of parameters of which some levels together put heating above cooling setpoints.

    Args:
        outline, source: The model and its path in the study.
        plans: Of the model.
    """
    remarks: dict[tuple[str, str], str] = {}
    for pair in _pairs(outline, plans):
        for number, second in enumerate(pair.by_parameter):
            for first in pair.by_parameter[:number]:
                (one, change), (other, other_change) = first[0], second[0]
                names = (one.parameter, other.parameter)
                if names in remarks or one.parameter == other.parameter:
                    continue
                for level in _ends(one, change):
                    for other_level in _ends(other, other_change):
                        levels = [(own, level) for own in first], [(own, other_level) for own in second]
                        if any(pair.crossing(part) for part in levels):
                            continue  # refused
                        if found := pair.crossing([*levels[0], *levels[1]]):
                            remark = f"{source}: with some values of '{names[0]}' and '{names[1]}' together, {found}"
                            remarks.setdefault(names, f"{remark}; EnergyPlus ends such variants with an error.")
    return tuple(remarks.values())


def _ends(assignment: ScheduleAssignment, change: Change) -> list[float]:
    """The smallest and the largest level: the effect of a level on a value is monotonic."""
    levels = levels_of(assignment, change)
    return sorted({min(levels), max(levels)}) if levels else []


class _Pair:
    """The two schedules of a thermostat, and the edits of either."""

    def __init__(self, thermostat: Thermostat, schedules: tuple[ModelSchedule, ModelSchedule], plans: Plans) -> None:
        self._thermostat, self._schedules = thermostat, schedules
        grouped: dict[tuple[str, str], list[_Edit]] = {}
        for assignment, plan in plans:
            for change in plan.changes if not plan.faults else ():
                if any(self._follows(side, change) for side in _SIDES):
                    grouped.setdefault((assignment.parameter, assignment.variant), []).append((assignment, change))
        self.by_parameter = list(grouped.values())

    def _follows(self, side: Side, change: Change) -> bool:
        if change.uses is not None:
            return self._thermostat.key(side) in change.uses
        own = self._schedules[_SIDES.index(side)]
        return fold_name(own.name) == fold_name(change.schedule.name)

    def crossing(self, levels: Sequence[tuple[_Edit, float]]) -> str:
        """Where heating exceeds cooling setpoints with some edits at some levels, in words; empty if nowhere."""
        heating, cooling = (
            edited(own, [change.new_values(level) for (_, change), level in levels if self._follows(side, change)])
            for side, own in zip(_SIDES, self._schedules, strict=True)
        )
        found = _first_crossing((heating, cooling), self._schedules)
        name = f"{self._thermostat.class_name} '{self._thermostat.object.name}'"
        return f"{name} would heat to {found[0]:g} C and cool to {found[1]:g} C on {found[2]}" if found else ""


def _pairs(outline: ModelOutline, plans: Plans) -> Iterator[_Pair]:
    if not any(plan.changes for _, plan in plans):
        return
    for thermostat in thermostats_of(outline):
        if len(thermostat.fields) < 2 or thermostat.class_name == ONE_FOR_BOTH:
            continue
        try:
            heating, cooling = (schedule_of(outline, thermostat, side) for side in _SIDES)
        except CannotRead:
            continue
        if heating is None or cooling is None:
            continue
        pair = _Pair(thermostat, (heating, cooling), plans)
        if pair.by_parameter:
            yield pair


def _first_crossing(
    new: tuple[ModelSchedule, ModelSchedule], old: tuple[ModelSchedule, ModelSchedule]
) -> tuple[float, float, str] | None:
    """The first heating setpoint above the cooling setpoint: both, and when; not where the model has that itself."""
    begin = 1
    for end in sorted({span.until_day for schedule in new for span in schedule.spans}):
        for day in DAY_TYPES:
            profiles, before = (tuple(_profile(own, end, day) for own in pair) for pair in (new, old))
            if None in profiles:
                continue
            warm, cool = (own for own in profiles if own)
            minute = 0
            for until in sorted({*warm.until_min, *cool.until_min}):
                if _crosses(profiles, until) and not _crosses(before, until):
                    when = f"{day} at {minute // 60:02d}:{minute % 60:02d} from {'/'.join(map(str, date_of(begin)))}"
                    return _value(warm, until), _value(cool, until), when
                minute = until
        begin = end + 1
    return None


def _profile(schedule: ModelSchedule, until_day: int, day: str) -> Profile | None:
    blocks = next(span.blocks for span in schedule.spans if span.until_day >= until_day)
    return next((block.profile for block in blocks if day in block.days), None)


def _value(profile: Profile, until_min: int) -> float:
    return next(value for end, value in zip(profile.until_min, profile.values, strict=True) if end >= until_min)


def _crosses(profiles: Sequence[Profile | None], until_min: int) -> bool:
    values = [_value(own, until_min) for own in profiles if own is not None]
    return len(values) == len(_SIDES) and values[0] > values[1] + _TOLERANCE_K
