"""Measures: named bundles of edits with variants, which a study uses as the levels of a parameter."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from epsm.study.constructions import ConstructionEdit
from epsm.study.loads import LoadEdit
from epsm.study.measure_impact import ServiceLife, VariantCost, VariantGwp
from epsm.study.schedule_targets import ScheduleTargetEdit
from epsm.study.setpoints import SetpointEdit
from epsm.study.systems import EfficiencyEdit, IdealLoadsEdit
from epsm.study.target_kinds import AnyEdit
from epsm.study.targets import TargetEdit
from epsm.study.values import Strict, Text, Value
from epsm.text import fold_name

ReadyEdit = LoadEdit | EfficiencyEdit | IdealLoadsEdit
NONE = "none"
"""The variant that leaves the model as it is. Every measure has it."""


def _variant_name(name: str) -> str:
    if not name[:1].isalpha():
        raise ValueError(f"'{name}' does not begin with a letter")
    return name


def _own_names(variants: "tuple[MeasureVariant, ...]") -> "tuple[MeasureVariant, ...]":
    names = [fold_name(variant.name) for variant in variants]
    if again := sorted({variant.name for variant in variants if names.count(fold_name(variant.name)) > 1}):
        raise ValueError(f"{', '.join(again)}: the same name is there more than once")
    if set(names) == {NONE}:
        raise ValueError(f"has no variant but '{NONE}', which every measure has")
    return variants


class MeasureVariant(Strict):
    """One form of a measure: all of its edits together."""

    name: Annotated[Text, Field(max_length=60), AfterValidator(_variant_name)] = Field(
        description="Level of the parameter and value in the results table."
    )
    description: str = Field(default="", max_length=1000, description="For readers; not read.")
    targets: tuple[AnyEdit, ...] = Field(
        default=(), max_length=200, description="Fields, and values of schedules, to change."
    )
    constructions: tuple[ConstructionEdit, ...] = Field(
        default=(), max_length=50, description="Surfaces to give another construction."
    )
    loads: tuple[LoadEdit, ...] = Field(
        default=(), max_length=50, description="Lighting, equipment and infiltration to multiply."
    )
    setpoints: tuple[SetpointEdit, ...] = Field(
        default=(), max_length=50, description="Setpoints of thermostats to shift."
    )
    efficiencies: tuple[EfficiencyEdit, ...] = Field(
        default=(), max_length=50, description="Efficiencies and COPs to set or multiply."
    )
    ideal_loads: tuple[IdealLoadsEdit, ...] = Field(
        default=(), max_length=50, description="Heat recovery and economizer of ideal loads air systems."
    )
    gwp: VariantGwp | None = Field(
        default=None, description="Emissions of the variant, besides those that its constructions state."
    )
    cost: VariantCost | None = Field(
        default=None, description="Price of the variant, besides those that its constructions state."
    )
    service_life_years: ServiceLife | None = Field(
        default=None, description="Years after which it is replaced, unless a construction states its own."
    )

    @model_validator(mode="after")
    def _require_changes(self) -> Self:
        if fold_name(self.name) == NONE and self.changes:
            raise ValueError(f"is called '{NONE}', which leaves the model as it is, and has edits")
        if fold_name(self.name) == NONE and (self.gwp or self.cost or self.service_life_years):
            raise ValueError(f"is called '{NONE}', which leaves the model as it is, and has 'gwp', 'cost' or a life")
        if fold_name(self.name) != NONE and not self.changes:
            kinds = "'targets', 'constructions', 'loads', 'setpoints', 'efficiencies' or 'ideal_loads'"
            raise ValueError(f"has no edits; give {kinds}")
        return self

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return bool(self.targets or self.constructions or self.setpoints or any(edits for _, edits in self.ready))

    @property
    def ready(self) -> tuple[tuple[str, tuple[ReadyEdit, ...]], ...]:
        """Its ready edits of fields, by key."""
        return ("loads", self.loads), ("efficiencies", self.efficiencies), ("ideal_loads", self.ideal_loads)

    @property
    def states_gwp(self) -> bool:
        """Whether it, or a part of it, states emissions."""
        return self.gwp is not None or any(edit.states_gwp for edit in self.constructions)

    @property
    def states_cost(self) -> bool:
        """Whether it, or a part of it, states a cost."""
        return self.cost is not None or any(edit.cost is not None for edit in self.constructions)

    @property
    def all_targets(self) -> tuple[TargetEdit, ...]:
        """Its targets that are fields, and those of its ready edits."""
        fields = (entry for entry in self.targets if isinstance(entry, TargetEdit))
        return (*fields, *(target for _, edits in self.ready for edit in edits for target in edit.targets))

    @property
    def all_schedules(self) -> tuple[ScheduleTargetEdit, ...]:
        """Its targets that are schedules."""
        return tuple(target for target in self.targets if isinstance(target, ScheduleTargetEdit))


class Measure(Strict):
    """A named bundle of edits, in one or several variants."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60, description="Name by which a parameter refers to it."
    )
    description: str = Field(default="", max_length=1000, description="For readers; not read.")
    variants: Annotated[tuple[MeasureVariant, ...], AfterValidator(_own_names)] = Field(
        min_length=1,
        max_length=1000,
        description=f"Its forms. '{NONE}', the model as it is, is always one of them.",
    )

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of its variants, `none` first."""
        return (NONE, *(variant.name for variant in self.variants if fold_name(variant.name) != NONE))

    def variant(self, name: Value) -> MeasureVariant | None:
        """The variant of that name, in any case; None for `none` and unknown ones."""
        return next(
            (
                variant
                for variant in self.variants
                if variant.changes and fold_name(variant.name) == fold_name(str(name))
            ),
            None,
        )

    def has(self, name: Value) -> bool:
        """Whether there is a variant of that name."""
        return isinstance(name, str) and fold_name(name) in map(fold_name, self.levels)
