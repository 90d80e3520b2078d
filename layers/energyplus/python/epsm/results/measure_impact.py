"""Emissions and costs of a variant's measures, by element of the building and in total.

The study states emissions per net area, mass or volume, whose amounts come from the engine's geometry (EN 15978:
quantity times impact); they are counted again for each replacement within the study period.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from epsm.results.quantities import Quantities
from epsm.study.constructions import ConstructionEdit, Element
from epsm.study.measures import MeasureVariant
from epsm.study.parameters import MeasureParameter
from epsm.study.schema import Study

OTHER = "other"
"""Element of emissions and costs that are stated for a variant as a whole."""
ELEMENTS: tuple[str, ...] = (*get_args(Element), OTHER)
EMBODIED = "embodied_gwp"
COST = "measure_cost"
_ANY_CURRENCY = "currency"


_Known = float | str
"""A number, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a variant: emissions, kg CO2e, and cost of one installation; number of installations."""

    element: str
    gwp: _Known
    cost: _Known
    times: int


def elements_of(study: Study) -> tuple[str, ...]:
    """The elements of the building that the study's measures concern."""
    variants = [variant for measure in study.measures for variant in measure.variants if variant.changes]
    found: set[str] = {edit.element for variant in variants for edit in variant.constructions}
    if any(_stated_as_a_whole(variant) for variant in variants):
        found = {*found, OTHER}
    return tuple(element for element in ELEMENTS if element in found)


def embodied_columns(study: Study) -> tuple[str, ...]:
    """Columns with emissions of measures; none if no measure states any."""
    if not study.has_measure_gwp:
        return ()
    by_element = (f"{EMBODIED}_{element}_kgco2e" for element in elements_of(study))
    return tuple(f"{name}{by}" for name in (f"{EMBODIED}_kgco2e", *by_element) for by in ("", "_m2"))


def cost_columns(study: Study) -> tuple[str, ...]:
    """Columns with costs of measures; none if no measure states any."""
    if not study.has_measure_cost:
        return ()
    currency = currency_of(study)
    by_element = (f"{COST}_{element}_{currency}" for element in elements_of(study))
    columns = tuple(f"{name}{by}" for name in (f"{COST}_{currency}", *by_element) for by in ("", "_m2"))
    return (*columns, f"replacement_cost_{currency}") if _replaced(study) else columns


def currency_of(study: Study) -> str:
    """The currency in names of columns."""
    currency = study.impact.currency if study.impact else None
    return currency.lower() if currency else _ANY_CURRENCY


def measure_impact(
    study: Study, values: Mapping[str, Any], quantities: Mapping[str, Sequence[Quantities]], area_m2: float | None
) -> tuple[dict[str, float | None], list[str]]:
    """Numbers for `embodied_columns` and `cost_columns`, and the reason for each missing total.

    Args:
        study: The study.
        values: The variant's value of each parameter; empty for the baseline, which has no measures.
        quantities: Of the variant's measures, see `epsm.results.quantities`.
        area_m2: Total building area.
    """
    numbers: dict[str, float | None] = {}
    reasons: list[str] = []
    if not study.has_measure_gwp and not study.has_measure_cost:
        return numbers, reasons
    parts = list(_parts(study, values, quantities, area_m2))

    def put(column: str, known: Iterable[_Known]) -> str:
        total, reason = _sum(known)
        numbers[column] = total
        numbers[f"{column}_m2"] = total / area_m2 if total is not None and area_m2 else None
        return f"no {column}: {reason}" if reason else ""

    elements = elements_of(study)
    if study.has_measure_gwp:
        reasons.append(put(f"{EMBODIED}_kgco2e", [_times(part.gwp, part.times) for part in parts]))
        for element in elements:
            own = [_times(part.gwp, part.times) for part in parts if part.element == element]
            put(f"{EMBODIED}_{element}_kgco2e", own)
    if study.has_measure_cost:
        currency = currency_of(study)
        reasons.append(put(f"{COST}_{currency}", [part.cost for part in parts]))
        for element in elements:
            put(f"{COST}_{element}_{currency}", [part.cost for part in parts if part.element == element])
        if _replaced(study):
            later, _ = _sum(_times(part.cost, part.times - 1) for part in parts)
            numbers[f"replacement_cost_{currency}"] = later
    return numbers, [reason for reason in reasons if reason]


def _sum(known: Iterable[_Known]) -> tuple[float | None, str]:
    numbers = []
    for number in known:
        if isinstance(number, str):
            return None, number
        numbers.append(number)
    return math.fsum(numbers), ""


def _times(known: _Known, times: int) -> _Known:
    return known if isinstance(known, str) else known * times


def _parts(
    study: Study, values: Mapping[str, Any], quantities: Mapping[str, Sequence[Quantities]], area_m2: float | None
) -> Iterator[_Part]:
    for parameter in study.parameters:
        measure = parameter.bound if isinstance(parameter, MeasureParameter) else None
        variant = measure.variant(values[parameter.name]) if measure and parameter.name in values else None
        if variant is None:
            continue
        label = f"{parameter.name} '{variant.name}'"
        own = quantities.get(parameter.name, ())
        for place, edit in enumerate(variant.constructions):
            place_label = f"{label}, constructions[{place}]"
            life = edit.service_life_years or variant.service_life_years
            found = own[place] if place < len(own) else None
            if found is None or found["area_m2"] is None:
                unknown = f"{place_label}: the run has no area of its surfaces"
                yield _Part(edit.element, unknown, unknown, 1)
            elif found["area_m2"] > 0:
                gwp, cost = (
                    _gwp_of(variant, edit, found, place_label),
                    _cost_of(variant, edit, found["area_m2"], place_label),
                )
                yield _Part(edit.element, gwp, cost, installations(study, life))
        if _stated_as_a_whole(variant):
            gwp, cost = _gwp_as_a_whole(variant, area_m2, label), _cost_as_a_whole(variant, area_m2, label)
            yield _Part(OTHER, gwp, cost, installations(study, variant.service_life_years))


def _stated_as_a_whole(variant: MeasureVariant) -> bool:
    return bool(variant.gwp or variant.cost or _edits_besides(variant))


def _edits_besides(variant: MeasureVariant) -> list[str]:
    """Names of its edits of anything but constructions."""
    edits = (("targets", variant.targets), ("setpoints", variant.setpoints), *variant.ready)
    return [name for name, content in edits if content]


def _gwp_of(variant: MeasureVariant, edit: ConstructionEdit, found: Quantities, label: str) -> _Known:
    area, layers = found["area_m2"], found["layers"]
    if area is None:
        return f"{label}: the run has no area of its surfaces"
    stated = [] if edit.gwp is None else [(edit.gwp, layers[0] if layers else (None, None))]
    for layer, amounts in zip(edit.carbon_layers, layers, strict=False):
        if layer.gwp is not None:
            stated.append((layer.gwp, amounts))
        elif edit.gwp is None and variant.gwp is None:
            return f"{label}: '{getattr(layer, 'name', '') or getattr(layer, 'material', '')}' has no 'gwp'"
    if not stated and variant.gwp is None:
        return f"{label} has no 'gwp'"
    terms = []
    for gwp, (m3, kg) in stated:
        amount = {"m2": area, "m3": m3, "kg": kg}[gwp.amount]
        if amount is None:
            return f"{label}: the run has no {gwp.amount} of the layer"
        terms.append(gwp.kgco2e * amount)
    return math.fsum(terms)


def _cost_of(variant: MeasureVariant, edit: ConstructionEdit, area_m2: float, label: str) -> _Known:
    if edit.cost is None:
        return 0.0 if variant.cost is not None else f"{label} has no 'cost'"
    return (edit.cost.per_m2 or 0.0) * area_m2 + (edit.cost.one_off or 0.0)


def _gwp_as_a_whole(variant: MeasureVariant, area_m2: float | None, label: str) -> _Known:
    gwp, besides = variant.gwp, _edits_besides(variant)
    if gwp is None:
        return f"{label} has no 'gwp' for its {' and '.join(besides)}" if besides else 0.0
    if gwp.kgco2e_per_m2_floor and area_m2 is None:
        return f"{label}: there is no total_building_area_m2"
    return (gwp.kgco2e or 0.0) + (gwp.kgco2e_per_m2_floor or 0.0) * (area_m2 or 0.0)


def _cost_as_a_whole(variant: MeasureVariant, area_m2: float | None, label: str) -> _Known:
    cost, besides = variant.cost, _edits_besides(variant)
    if cost is None:
        return f"{label} has no 'cost' for its {' and '.join(besides)}" if besides else 0.0
    if cost.per_m2_floor and area_m2 is None:
        return f"{label}: there is no total_building_area_m2"
    return (cost.one_off or 0.0) + (cost.per_m2_floor or 0.0) * (area_m2 or 0.0)


def installations(study: Study, life_years: float | None) -> int:
    """How often something is installed within the study period: once, and at every replacement.

    EN 15978:2011, 9.3.3: the number of replacements is the period divided by the service life, less 1, rounded up.
    """
    period = study.impact.study_period_years if study.impact else None
    if period is None or life_years is None:
        return 1
    return max(1, math.ceil(period / life_years - 1e-9))


def _replaced(study: Study) -> bool:
    """Whether there is a study period, and anything with a service life that may be replaced in it."""
    if study.impact is None or study.impact.study_period_years is None:
        return False
    variants = [variant for measure in study.measures for variant in measure.variants]
    return any(
        variant.service_life_years or any(edit.service_life_years for edit in variant.constructions)
        for variant in variants
    )
