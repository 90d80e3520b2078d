"""Checks of edits of systems on a model: faults, and edits that would change nothing."""

from collections.abc import Iterator, Mapping

from epsm.checks.table_text import field_text
from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.problems import Problem
from epsm.study.assignments import ready_edits
from epsm.study.schema import Study
from epsm.study.systems import IDEAL_LOADS, EfficiencyEdit, EfficiencyKind, IdealLoadsEdit
from epsm.study.targets import fits
from epsm.text import fold_name, listed

_MAX_NAMED = 10
_SIZING = "Design Power Sizing Method"
_PUMP_POWER = ("Design Power Consumption", "PowerPerFlowPerPressure")
_POWER_BY_EFFICIENCY = {
    "Fan:SystemModel": ("Design Electric Power Consumption", "TotalEfficiencyAndPressure"),
    "Pump:VariableSpeed": _PUMP_POWER,
    "Pump:ConstantSpeed": _PUMP_POWER,
    "HeaderedPumps:VariableSpeed": _PUMP_POWER,
    "HeaderedPumps:ConstantSpeed": _PUMP_POWER,
}
"""Class -> its power field, and the sizing method that uses the efficiency. A power that is given, or sized otherwise,
does not depend on the efficiency (the IDD's notes on these fields)."""
_FURNACES = ("Heating Coil Type", ("gas", "multistagegas"))
_USED_BY: Mapping[EfficiencyKind, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "boiler_efficiency": {"HVACTemplate:Plant:Boiler": ("Boiler Type", ("hotwaterboiler", "condensinghotwaterboiler"))},
    "chiller_cop": {
        "HVACTemplate:Plant:Chiller": (
            "Chiller Type",
            ("electriccentrifugalchiller", "electricreciprocatingchiller", "electricscrewchiller"),
        )
    },
    "furnace_efficiency": {
        "HVACTemplate:Zone:PTAC": _FURNACES,
        "HVACTemplate:System:DedicatedOutdoorAir": _FURNACES,
        "HVACTemplate:System:Unitary": _FURNACES,
        "HVACTemplate:System:VAV": _FURNACES,
        "HVACTemplate:System:PackagedVAV": _FURNACES,
        "HVACTemplate:System:ConstantVolume": _FURNACES,
        "HVACTemplate:System:UnitarySystem": _FURNACES,
    },
}
"""Class of template -> the field that chooses its equipment, and the choices that use the efficiency: district heating
has a field for a boiler's efficiency too, which is not read."""


def check_systems_on(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    """Faults of a study's edits of efficiencies and ideal loads on a model.

    Args:
        outline, source: The model and its path in the study.
        study: The study.
    """
    for where, ready in ready_edits(study):
        match ready:
            case EfficiencyEdit() as edit:
                for class_name in edit.staged:
                    names = [found.name for found in _chosen(outline, class_name, edit)]
                    if names:
                        fault = f"{source}: {class_name} {listed(names, most=_MAX_NAMED)} has a number for each speed"
                        yield Problem(f"{where}.value", fault, "'multiply', or 'except' for these")
                if others := list(_of_another_type(outline, edit)):
                    names = [f"{found.class_name} '{found.name}' ({kind})" for found, kind in others]
                    fault = f"{source}: {', '.join(names[:_MAX_NAMED])} would use the same energy"
                    yield Problem(where, f"{fault}: its type has no {edit.kind}", "'except' for these")
                if fixed := list(_with_fixed_power(outline, edit)):
                    names = [f"{found.class_name} '{found.name}'" for found in fixed]
                    fault = f"{source}: {', '.join(names[:_MAX_NAMED])} would use the same electricity"
                    reason = "its power is given, or sized by a method that does not use the efficiency"
                    yield Problem(where, f"{fault}: {reason}", "'except' for these, and targets for their power")
            case IdealLoadsEdit() as edit:
                chosen = [found for class_name in IDEAL_LOADS for found in _chosen(outline, class_name, edit)]
                closed = [found.name for found in chosen if not _takes_outdoor_air(found)]
                needs_outdoor_air = edit.sensible_heat_recovery or edit.economizer not in (None, "NoEconomizer")
                if closed and needs_outdoor_air:
                    fault = f"{source}: ideal loads {listed(closed, most=_MAX_NAMED)} take no outdoor air"
                    yield Problem(where, f"{fault}: nothing would change", "'object' or 'except' for the others")
            case _:
                pass


def _chosen(outline: ModelOutline, class_name: str, edit: EfficiencyEdit | IdealLoadsEdit) -> list[ModelObject]:
    return [
        model_object
        for model_object in outline.of_class(class_name)
        if fits(model_object.name, edit.object_name) and not fits(model_object.name, edit.except_)
    ]


def _of_another_type(outline: ModelOutline, edit: EfficiencyEdit) -> Iterator[tuple[ModelObject, str]]:
    """The templates of an edit with equipment that does not have the efficiency, each with its type."""
    for class_name, (field, types) in _USED_BY.get(edit.kind, {}).items():
        for model_object in _chosen(outline, class_name, edit):
            kind = _text_or_default(model_object, field)
            if fold_name(kind) not in types:
                yield model_object, f"{field} {kind or 'blank'}"


def _with_fixed_power(outline: ModelOutline, edit: EfficiencyEdit) -> Iterator[ModelObject]:
    """The fans and pumps of an edit whose power does not depend on their efficiency."""
    for class_name in dict.fromkeys(target.class_name for target in edit.targets):
        power, method = _POWER_BY_EFFICIENCY.get(class_name, ("", ""))
        for model_object in _chosen(outline, class_name, edit) if power else ():
            sized = fold_name(_text_or_default(model_object, power)) == "autosize"
            if not sized or fold_name(_text_or_default(model_object, _SIZING)) != fold_name(method):
                yield model_object


def _text_or_default(model_object: ModelObject, field: str) -> str:
    rule = dictionary.load().find_class(model_object.class_name)
    place = rule.find_field(field) if rule else None
    return field_text(model_object, field) or str((place.rule.default if place else None) or "")


def _takes_outdoor_air(model_object: ModelObject) -> bool:
    if fold_name(model_object.class_name) == fold_name(IDEAL_LOADS[0]):
        return bool(field_text(model_object, "Design Specification Outdoor Air Object Name"))
    return fold_name(field_text(model_object, "Outdoor Air Method") or "None") != "none"
