"""Criteria for comparing variants: emissions over the study period, simple payback, objectives of Pareto ranks."""

from collections.abc import Mapping
from typing import Any

from epsm.results.impact import operational_columns
from epsm.results.measure_impact import COST, EMBODIED, cost_columns, currency_of, embodied_columns
from epsm.study.schema import Study

WHOLE_LIFE = ("whole_life_gwp_kgco2e", "whole_life_gwp_kgco2e_m2")
PAYBACK = "simple_payback_years"
RANK = "pareto_rank"
_ANNUAL = "annual"


def impact_columns(study: Study) -> tuple[str, ...]:
    """The columns for a study's factors and for its measures' emissions and costs, except `RANK`."""
    return (
        *operational_columns(study.impact),
        *embodied_columns(study),
        *(WHOLE_LIFE if _has_whole_life(study) else ()),
        *cost_columns(study),
        *((PAYBACK,) if study.has_measure_cost else ()),
    )


def own_columns(study: Study) -> frozenset[str]:
    """All columns beyond those that every study has; no parameter can have one of these names."""
    return frozenset((*impact_columns(study), *((RANK,) if objectives(study) else ())))


def objectives(study: Study) -> tuple[str, ...]:
    """The columns that Pareto ranks minimise; empty if the study has no such ranks."""
    if study.impact is not None and study.impact.pareto is not None:
        return study.impact.pareto
    if not study.has_measure_cost and not study.has_measure_gwp:
        return ()
    cost = (f"{COST}_{currency_of(study)}",) if study.has_measure_cost else ()
    operational = operational_columns(study.impact)[:1] if study.impact and study.impact.has_gwp else ()
    embodied = (f"{EMBODIED}_kgco2e",) if study.has_measure_gwp else operational
    return ("site_eui_kwh_m2", *cost, *(WHOLE_LIFE[:1] if _has_whole_life(study) else embodied))


def _has_whole_life(study: Study) -> bool:
    impact = study.impact
    return impact is not None and bool(impact.study_period_years and impact.has_gwp and study.has_measure_gwp)


def compared(row: dict[str, Any], study: Study) -> dict[str, Any]:
    """A row with emissions over the study period, payback, and the reason if it cannot have a Pareto rank.

    Args:
        row: A row of the results table with its savings; only one with results gets numbers.
        study: The study.
    """
    if row["status"] != "succeeded":
        return row
    numbers: dict[str, float | None] = {}
    reasons: list[str] = []
    if _has_whole_life(study):
        numbers |= _whole_life(row, study, reasons)
    if study.has_measure_cost:
        saving = "energy_cost_saved" if study.impact is not None and study.impact.has_cost else "utility_bill_saved"
        payback = _payback(row, f"{COST}_{currency_of(study)}", saving)
        numbers[PAYBACK] = payback if isinstance(payback, float) else None
        reasons += [f"no {PAYBACK}: {payback}"] if isinstance(payback, str) else []
    row = row | numbers
    absent = [name for name in objectives(study) if row.get(name) is None]
    reasons += [f"no {RANK}: there is no {' and no '.join(absent)}"] if absent else []
    return row | {"missing": "; ".join([*([row["missing"]] if row.get("missing") else []), *reasons]) or None}


def objectives_of(row: Mapping[str, Any], study: Study) -> list[float] | None:
    """The objectives of a row that can be ranked; None for any other, such as a variant that failed."""
    found = [row.get(name) for name in objectives(study)]
    numbers = [float(number) for number in found if number is not None]
    return numbers if found and row["status"] == "succeeded" and len(numbers) == len(found) else None


def _whole_life(row: Mapping[str, Any], study: Study, reasons: list[str]) -> dict[str, float | None]:
    embodied, operational = row.get(f"{EMBODIED}_kgco2e"), row.get("operational_gwp_kgco2e")
    years = study.impact.study_period_years if study.impact else None
    total: float | None = None
    if row.get("period") != _ANNUAL:
        reasons.append(f"no {WHOLE_LIFE[0]}: the energy covers {row.get('period')}, not a year")
    elif embodied is not None and operational is not None and years is not None:
        total = embodied + years * operational
    area = row.get("total_building_area_m2")
    return dict(zip(WHOLE_LIFE, (total, total / area if total is not None and area else None), strict=True))


def _payback(row: Mapping[str, Any], cost_column: str, saving: str) -> float | str | None:
    """Cost divided by annual saving, years; a reason where there is none, and None for the baseline.

    A missing saving is not replaced by the saving in utility bills: these are in the model's currency.
    """
    cost, saved = row.get(cost_column), row.get(saving)
    if row.get("baseline") or cost is None:
        return None
    if row.get("period") != _ANNUAL:
        return f"the energy covers {row.get('period')}, not a year"
    if saved is None:
        return f"there is no {saving}"
    return float(cost) / float(saved) if saved > 0 else "it saves no energy cost"
