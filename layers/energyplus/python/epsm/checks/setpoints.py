"""Thermostats whose heating setpoints would exceed their cooling setpoints: EnergyPlus ends such runs with an error."""

from collections.abc import Iterator, Sequence

from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.schedule_changes import Change
from epsm.energyplus.schedule_plans import Plans
from epsm.energyplus.schedule_values import edited
from epsm.energyplus.schedules import Block, CannotRead, ModelSchedule, date_of
from epsm.energyplus.setpoints import ONE_FOR_BOTH, Thermostat, schedule_of, thermostats_of
from epsm.study.assignments import ScheduleAssignment
from epsm.study.day_types import DAY_TYPES
from epsm.study.setpoints import Side
from epsm.text import fold_name

_SIDES: tuple[Side, Side] = ("heating", "cooling")
_TOLERANCE_K = 1e-9
_Edit = tuple[ScheduleAssignment, Change]


def levels_of(each: ScheduleAssignment, change: Change) -> list[float]:
    """The levels of a change that are checked: all, or the ends of a continuous parameter."""
    if change.level is not None:
        return [change.level]
    return [level for level in each.levels.extremes if isinstance(level, float)]


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
            each, change = edits[0]
            for level in _ends(each, change):
                found = pair.crossing([(own, level) for own in edits])
                if found and (each.where, change.side or "") not in seen:
                    seen.add((each.where, change.side or ""))
                    yield each, change, level, found


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
                            what = f"{source}: with some values of '{names[0]}' and '{names[1]}' together, {found}"
                            remarks.setdefault(names, f"{what}; EnergyPlus ends such variants with an error.")
    return tuple(remarks.values())


def _ends(each: ScheduleAssignment, change: Change) -> list[float]:
    """The smallest and the largest level: what a level does to a value rises or falls with it."""
    levels = levels_of(each, change)
    return sorted({min(levels), max(levels)}) if levels else []


class _Pair:
    """The two schedules of a thermostat, and the edits of either."""

    def __init__(self, thermostat: Thermostat, schedules: tuple[ModelSchedule, ModelSchedule], plans: Plans) -> None:
        self._thermostat, self._schedules = thermostat, schedules
        grouped: dict[tuple[str, str], list[_Edit]] = {}
        for each, plan in plans:
            for change in plan.changes if not plan.faults else ():
                if any(self._follows(side, change) for side in _SIDES):
                    grouped.setdefault((each.parameter, each.variant), []).append((each, change))
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
        found = _first_crossing(heating, cooling)
        name = f"{self._thermostat.class_name} '{self._thermostat.object.name}'"
        return f"{name} would heat to {found[0]:g} C and cool to {found[1]:g} C on {found[2]}" if found else ""


def _pairs(outline: ModelOutline, plans: Plans) -> Iterator[_Pair]:
    if not any(plan.changes for _, plan in plans):
        return
    known: dict[tuple[str, str], bool] = {}
    for thermostat in thermostats_of(outline):
        if len(thermostat.fields) < 2 or thermostat.class_name == ONE_FOR_BOTH:
            continue
        try:
            heating, cooling = (schedule_of(outline, thermostat, side) for side in _SIDES)
        except CannotRead:
            continue
        if heating is None or cooling is None:
            continue
        names = (fold_name(heating.name), fold_name(cooling.name))
        if names not in known:
            known[names] = _first_crossing(heating, cooling) is not None
        pair = _Pair(thermostat, (heating, cooling), plans)
        if pair.by_parameter and not known[names]:  # what crosses in the model itself is not the study's
            yield pair


def _first_crossing(heating: ModelSchedule, cooling: ModelSchedule) -> tuple[float, float, str] | None:
    ends = sorted({span.until_day for schedule in (heating, cooling) for span in schedule.spans})
    begin = 1
    for end in ends:
        blocks = [next(span.blocks for span in own.spans if span.until_day >= end) for own in (heating, cooling)]
        for day in DAY_TYPES:
            warm, cool = (next((block for block in own if day in block.days), None) for own in blocks)
            if warm and cool and (found := _crossing_of_day(warm, cool)):
                return *found[:2], f"{day} at {found[2]} from {'/'.join(map(str, date_of(begin)))}"
        begin = end + 1
    return None


def _crossing_of_day(heating: Block, cooling: Block) -> tuple[float, float, str] | None:
    begin = 0
    for until in sorted({*heating.profile.until_min, *cooling.profile.until_min}):
        warm, cool = (
            next(value for end, value in zip(own.profile.until_min, own.profile.values, strict=True) if end >= until)
            for own in (heating, cooling)
        )
        if warm > cool + _TOLERANCE_K:
            return warm, cool, f"{begin // 60:02d}:{begin % 60:02d}"
        begin = until
    return None
