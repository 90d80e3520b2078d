"""The values that a model has, before anything is varied, in the fields that a study's parameters write to."""

import math
from collections.abc import Mapping

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.schedule_values import values_in
from epsm.energyplus.schedules import SCHEDULES, CannotRead, read_schedule
from epsm.energyplus.targets import is_blank, selected_objects
from epsm.study.measures import NONE
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.schedule_targets import ScheduleTarget
from epsm.study.schema import Study
from epsm.study.whole_files import Whole

BaselineValues = Mapping[str, Mapping[str, float | str]]
"""Model -> parameter -> value."""


def baseline_values(outline: ModelOutline, study: Study) -> dict[str, float | str]:
    """The model's own value for each parameter of a study, for the baseline's row in the table.

    It is 1 for a factor, 0 for an addend, `none` for a measure, and for a file the replaced one. It exists only if it
    is unique: a parameter that writes to several objects has none where they differ, and neither has a field that is
    blank and has no default, or that holds a text (`autosize`) where the study gives numbers. Nor has a schedule that
    is set where its values on the chosen days differ.

    Args:
        outline: The model.
        study: The study.
    """
    values = {parameter.name: _value(outline, parameter, study.numeric(parameter)) for parameter in study.parameters}
    return {name: value for name, value in values.items() if value is not None}


def _value(outline: ModelOutline, parameter: Dimension, numeric: bool) -> float | str | None:
    if isinstance(parameter, MeasureParameter):
        return NONE
    if isinstance(parameter, Whole):
        return parameter.own
    levels: set[float | str | None] = set()
    for target in parameter.all_targets:
        rule = dictionary.load().find_class(target.class_name)
        place = rule.find_field(target.field) if rule else None
        if rule is None or place is None:
            return None
        if target.relative:
            levels.add(target.level_of(0.0))
            continue
        for model_object in selected_objects(target, rule, outline.of_class(rule.name)):
            value = model_object.value(place)
            own = _plain(place.rule.default if is_blank(value) else value, numeric)
            levels.add(None if own is None else _rounded(target.level_of(own), exact=target.way == "set"))
    levels |= {0.0 for _ in parameter.all_setpoints}
    for schedule in parameter.all_schedules:
        levels |= _of_schedules(outline, schedule)
    return levels.pop() if len(levels) == 1 else None


def _of_schedules(outline: ModelOutline, target: ScheduleTarget) -> set[float | str | None]:
    """The levels that leave the schedules of a target as they are."""
    if target.relative:
        return {target.level_of(0.0)}
    levels: set[float | str | None] = set()
    for schedule in (
        schedule for kind in SCHEDULES for schedule in outline.of_class(kind) if target.matches(schedule.name)
    ):
        try:
            values = values_in(read_schedule(outline, schedule), target)
        except CannotRead:
            return {None}
        levels |= {_rounded(target.level_of(value), exact=target.way == "set") for value in values}
    return levels


def _rounded(level: float | str | None, *, exact: bool) -> float | str | None:
    return level if exact or not isinstance(level, float) else float(f"{level:.12g}")


def _plain(value: object, numeric: bool) -> float | str | None:
    if not numeric:
        return str(value).strip() or None if value is not None else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
