"""Assignments: every target of a study with the levels that it gets, whether of a parameter or of a measure."""

from collections.abc import Iterator
from dataclasses import dataclass

from epsm.study.constructions import ConstructionEdit
from epsm.study.measures import MeasureVariant, ReadyEdit
from epsm.study.parameters import CoupledParameter, Dimension, MeasureParameter, Parameter
from epsm.study.schedule_targets import ScheduleTarget, ScheduleTargetEdit
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.setpoints import SetpointTarget, ThermostatEdit
from epsm.study.targets import Target, TargetEdit


@dataclass(frozen=True, slots=True)
class Assignment:
    """A target and the levels that it gets.

    Attributes:
        parameter: Name of the parameter; that of a measure's column.
        index: Of the parameter in the study.
        variant: Of the measure; empty for other parameters.
        position: Of the target among those of the parameter, or of the variant.
        count: How many edits these are, in a variant with those of constructions.
        target: The target.
        levels: Has the levels: the parameter, or for an edit of a measure one with its value.
        where: Place of the target in study.json.
        group: Place of the list of targets, or of the parameter with a single one, or of a ready edit.
        ready: Of one of several fields that a ready edit of loads or systems may mean, the key that has its number.
        last: Whether it is the last field of its group.
    """

    parameter: str
    index: int
    variant: str
    position: int
    count: int
    target: Target
    levels: Dimension
    where: str
    group: str
    ready: str = ""
    last: bool = False


def assignments(study: Study) -> Iterator[Assignment]:
    """Every assignment of a study, in the order of its parameters; unknown measures have none."""
    numbers = {measure.name: number for number, measure in enumerate(study.measures)}
    for index, parameter in enumerate(study.with_levels):
        place = f"{MANIFEST_NAME}: parameters[{index}]"
        if not isinstance(parameter, MeasureParameter):
            coupled = isinstance(parameter, CoupledParameter)
            targets = parameter.targets if isinstance(parameter, CoupledParameter) else parameter.all_targets
            for position, target in enumerate(targets):
                if not isinstance(target, Target):
                    continue
                where = f"{place}.targets[{position}]" if coupled else place
                group = f"{place}.targets" if coupled else place
                last, count = target is parameter.all_targets[-1], len(targets)
                yield Assignment(parameter.name, index, "", position, count, target, parameter, where, group, last=last)
            continue
        if parameter.bound is None:
            continue
        for number, variant in enumerate(parameter.bound.variants):
            place = f"{MANIFEST_NAME}: measures[{numbers[parameter.bound.name]}].variants[{number}]"
            count = len(variant.targets) + len(variant.constructions)
            fields = [number for number, edit in enumerate(variant.targets) if isinstance(edit, TargetEdit)]
            for position, edit in enumerate(variant.targets):
                if not isinstance(edit, TargetEdit):
                    continue
                where, levels = f"{place}.targets[{position}]", _of_one_value(parameter, edit)
                last = position == fields[-1] and count == len(variant.targets)
                yield Assignment(
                    *(parameter.name, index, variant.name, position, count, edit, levels),
                    *(where, f"{place}.targets"),
                    last=last,
                )
            yield from _of_ready_edits(parameter, index, variant, place)


def _of_ready_edits(
    parameter: MeasureParameter, index: int, variant: MeasureVariant, place: str
) -> Iterator[Assignment]:
    position = len(variant.targets) + len(variant.constructions)
    for where, ready in _placed(variant, place):
        targets = list(ready.targets)
        for own, edit in enumerate(targets):
            levels, last = _of_one_value(parameter, edit), own == len(targets) - 1
            yield Assignment(
                *(parameter.name, index, variant.name, position, len(targets), edit, levels),
                *(where, where),
                ready=ready.way,
                last=last,
            )
            position += 1


def _placed(variant: MeasureVariant, place: str) -> Iterator[tuple[str, ReadyEdit]]:
    for key, edits in variant.ready:
        for number, edit in enumerate(edits):
            yield f"{place}.{key}[{number}]", edit


def ready_edits(study: Study) -> Iterator[tuple[str, ReadyEdit]]:
    """Every ready edit of loads and systems that a parameter of the study may make, after its place in study.json."""
    numbers = {measure.name: number for number, measure in enumerate(study.measures)}
    for parameter in study.parameters:
        measure = parameter.bound if isinstance(parameter, MeasureParameter) else None
        for number, variant in enumerate(measure.variants if measure else ()):
            assert measure is not None
            yield from _placed(variant, f"{MANIFEST_NAME}: measures[{numbers[measure.name]}].variants[{number}]")


@dataclass(frozen=True, slots=True)
class ConstructionAssignment:
    """An edit of constructions in a study; attributes like those of `Assignment`, positions count on after its
    variant's targets."""

    parameter: str
    measure: str
    variant: str
    position: int
    count: int
    edit: ConstructionEdit
    where: str

    @property
    def label(self) -> str:
        """Begins the names of the objects that it adds to a model; its own among the edits of the study."""
        name = f"{self.measure} {self.variant}"
        return name if self.count == 1 else f"{name} {self.position + 1}"


def construction_assignments(study: Study) -> Iterator[ConstructionAssignment]:
    """Every edit of constructions that a parameter of the study may make in a model."""
    numbers = {measure.name: number for number, measure in enumerate(study.measures)}
    for parameter in study.parameters:
        measure = parameter.bound if isinstance(parameter, MeasureParameter) else None
        for number, variant in enumerate(measure.variants if measure else ()):
            assert measure is not None
            place = f"{MANIFEST_NAME}: measures[{numbers[measure.name]}].variants[{number}].constructions"
            before, count = len(variant.targets), len(variant.targets) + len(variant.constructions)
            for own, edit in enumerate(variant.constructions):
                where = f"{place}[{own}]"
                yield ConstructionAssignment(
                    parameter.name, measure.name, variant.name, before + own, count, edit, where
                )


@dataclass(frozen=True, slots=True)
class ScheduleAssignment:
    """An edit of schedules in a study; attributes like those of `Assignment`.

    Attributes:
        measure: Name of the measure; empty for other parameters.
        levels: Has the levels; those of measures have none, their edits have their values themselves.
    """

    parameter: str
    index: int
    measure: str
    variant: str
    position: int
    count: int
    edit: ScheduleTarget | ThermostatEdit
    levels: Dimension
    where: str
    group: str

    @property
    def label(self) -> str:
        """Begins the names of the objects that it adds to a model."""
        return f"{self.measure or self.parameter} {self.variant} {self.position + 1}".replace("  ", " ")


def schedule_assignments(study: Study) -> Iterator[ScheduleAssignment]:
    """Every edit of schedules that a parameter of the study may make in a model."""
    numbers = {measure.name: number for number, measure in enumerate(study.measures)}
    for index, parameter in enumerate(study.with_levels):
        if not isinstance(parameter, MeasureParameter):
            yield from _of_levels(parameter, index)
            continue
        for number, variant in enumerate(parameter.bound.variants if parameter.bound else ()):
            assert parameter.bound is not None
            place = f"{MANIFEST_NAME}: measures[{numbers[parameter.bound.name]}].variants[{number}]"
            yield from _of_variant(parameter, index, variant, place)


def _of_levels(parameter: Dimension, index: int) -> Iterator[ScheduleAssignment]:
    place = f"{MANIFEST_NAME}: parameters[{index}]"
    coupled = isinstance(parameter, CoupledParameter)
    single = (*parameter.all_schedules, *parameter.all_setpoints)
    targets = parameter.targets if isinstance(parameter, CoupledParameter) else single
    for position, edit in enumerate(targets):
        if isinstance(edit, ScheduleTarget | SetpointTarget):
            where = f"{place}.targets[{position}]" if coupled else place
            yield ScheduleAssignment(
                *(parameter.name, index, "", "", position, len(targets), edit, parameter),
                *(where, f"{place}.targets" if coupled else place),
            )


def _of_variant(
    parameter: MeasureParameter, index: int, variant: MeasureVariant, place: str
) -> Iterator[ScheduleAssignment]:
    before = (parameter.name, index, parameter.measure, variant.name)
    count = len(variant.targets) + len(variant.constructions)
    for position, edit in enumerate(variant.targets):
        if isinstance(edit, ScheduleTargetEdit):
            where = f"{place}.targets[{position}]"
            yield ScheduleAssignment(*before, position, count, edit, parameter, where, f"{place}.targets")
    position = count + sum(len(list(load.targets)) for load in variant.loads)
    for number, setpoints in enumerate(variant.setpoints):
        where = f"{place}.setpoints[{number}]"
        yield ScheduleAssignment(*before, position, 1, setpoints, parameter, where, where)
        position += len(setpoints.shifts)


def field_parameters(study: Study) -> tuple[Dimension, ...]:
    """The parameters with fields as their targets; each edit of a measure is one with a single value."""
    parameters: dict[int, Dimension] = {}
    for number, assignment in enumerate(assignments(study)):
        parameters.setdefault(-1 - number if assignment.variant else assignment.index, assignment.levels)
    return tuple(parameters.values())


def _of_one_value(parameter: MeasureParameter, edit: TargetEdit) -> Parameter:
    target = {name: getattr(edit, name) for name in Target.model_fields}
    return Parameter.model_construct(name=parameter.name, values=(edit.value,), **target)
