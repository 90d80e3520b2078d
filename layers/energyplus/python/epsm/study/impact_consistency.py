"""Consistency of the emissions and costs of measures with the study's `impact`."""

from collections.abc import Iterator
from datetime import date

from epsm.problems import Problem
from epsm.study.constructions import ConstructionEdit
from epsm.study.impact import Impact
from epsm.study.measures import MeasureVariant
from epsm.study.schema import MANIFEST_NAME, Study


def impact_problems(study: Study) -> Iterator[Problem]:
    """Costs without a currency, service lives without a study period, a study period that nothing uses."""
    impact = study.impact or Impact.model_construct()
    for number, measure in enumerate(study.measures):
        for position, variant in enumerate(measure.variants):
            place = f"{MANIFEST_NAME}: measures[{number}].variants[{position}]"
            yield from _of_part(place, variant, impact)
            for own, edit in enumerate(variant.constructions):
                yield from _of_part(f"{place}.constructions[{own}]", edit, impact)
    if impact.study_period_years is not None and not study.has_measure_gwp and not study.has_measure_cost:
        fault = "is not used: no measure has 'gwp' or 'cost'"
        yield Problem(f"{MANIFEST_NAME}: impact.study_period_years", fault, "measures with 'gwp' or 'cost'")


def _of_part(where: str, part: MeasureVariant | ConstructionEdit, impact: Impact) -> Iterator[Problem]:
    if part.cost is not None and impact.currency is None:
        yield Problem(f"{where}.cost", "has no currency", 'impact with "currency", e.g. "EUR"')
    if part.service_life_years is not None and impact.study_period_years is None:
        fault = "has no study period to be replaced within"
        yield Problem(f"{where}.service_life_years", fault, "impact with 'study_period_years'")


def impact_remarks(study: Study, today: date) -> list[str]:
    """Remarks for readers of the numbers: expired declarations, and emissions of different life-cycle stages.

    Args:
        study: The study.
        today: The day on which it is submitted.
    """
    remarks: list[str] = []
    stages: dict[str, None] = {}
    for measure in study.measures:
        for variant in measure.variants:
            layers = [layer for edit in variant.constructions for layer in edit.carbon_layers]
            all_gwp = (variant.gwp, *(edit.gwp for edit in variant.constructions), *(layer.gwp for layer in layers))
            all_costs = (variant.cost, *(edit.cost for edit in variant.constructions))
            carbon = [stated for stated in all_gwp if stated is not None]
            costs = [stated for stated in all_costs if stated is not None]
            stages |= dict.fromkeys(stated.stages or "no stages stated" for stated in carbon)
            for name, all_stated in (("gwp", carbon), ("cost", costs)):
                days = [stated.valid_until for stated in all_stated if stated.valid_until is not None]
                if days and min(days) < today:
                    remark = f"{measure.name} '{variant.name}': a '{name}' was valid until {min(days)}."
                    remarks.append(remark)
    if len(stages) > 1:
        remarks.append(f"Emissions of measures cover different stages, which are added up: {'; '.join(stages)}.")
    return remarks
