"""Emissions and cost of the energy that a variant uses, from the factors by fuel that the study gives."""

import math
from collections.abc import Mapping
from typing import Any

from epsm.results.metrics import FUELS, snake
from epsm.study.impact import Impact

GWP = ("operational_gwp_kgco2e", "operational_gwp_kgco2e_m2", "operational_gwp_saved_kgco2e")
COST = ("energy_cost", "energy_cost_m2", "energy_cost_saved")
COLUMNS = (*GWP, *COST)
"""Columns that such factors add to the results table: total of the building, per floor area, savings."""
_FUELS = tuple(snake(fuel) for fuel in FUELS)


def operational_columns(impact: Impact | None) -> tuple[str, ...]:
    """The columns that a study's factors add to the results table."""
    if impact is None:
        return ()
    return (*(GWP if impact.has_gwp else ()), *(COST if impact.has_cost else ()))


def with_impact(row: dict[str, Any], impact: Impact | None, electricity_kgco2e: float | None = None) -> dict[str, Any]:
    """A row with the emissions and the cost of its energy.

    Every fuel that the variant uses counts with the energy of all its end uses; electricity generated on site is
    deducted. Where a factor or an energy is missing there is no number, and `missing` says why.

    Args:
        row: A row of the results table; only one with results gets numbers.
        impact: The study's factors; without them nothing is added.
        electricity_kgco2e: Emissions of its electricity, kg CO2e, where the study has a factor for each hour.
    """
    if impact is None or not row.get("period_days"):
        return row
    factors_by_fuel = impact.given
    missing = [row["missing"]] if row.get("missing") else []
    numbers: dict[str, float | None] = {}
    for columns, factor_name, has_factors in (
        (GWP, "gwp_kgco2e_per_kwh", impact.has_gwp),
        (COST, "cost_per_kwh", impact.has_cost),
    ):
        if not has_factors:
            continue
        factors = {fuel: getattr(fuel_factors, factor_name) for fuel, fuel_factors in factors_by_fuel.items()}
        hourly = impact.hourly_electricity is not None and factor_name == "gwp_kgco2e_per_kwh"
        total, reason = _total(row, factors, factor_name, hourly=hourly)
        if total is not None and hourly:
            # If it is None, `missing` of the run says why. It covers all electricity, so none is counted above.
            total = None if electricity_kgco2e is None else total + electricity_kgco2e
        if reason:
            missing.append(f"no {columns[0]}: {reason}")
        area = row.get("total_building_area_m2")
        numbers[columns[0]] = total
        numbers[columns[1]] = total / area if total is not None and area else None
    return row | numbers | {"missing": "; ".join(missing) or None}


def _total(
    row: Mapping[str, Any], factors: Mapping[str, float | None], factor_name: str, *, hourly: bool = False
) -> tuple[float | None, str]:
    """Sum of energy times factor over all fuels, without electricity if counted by hour; or None and the reason."""
    terms = []
    for fuel in _FUELS:
        if fuel == "electricity" and hourly:
            continue
        used = row.get(f"{fuel}_kwh")
        if used is None:
            return None, f"there is no {fuel}_kwh"
        factor = factors.get(fuel)
        if fuel == "electricity":
            gross, net = row.get("site_energy_kwh"), row.get("net_site_energy_kwh")
            if gross is not None and net is not None:
                used -= gross - net
            elif used:
                return None, "without net_site_energy_kwh it is not known how much electricity is generated on site"
        if used and factor is None:
            return None, f"impact.fuels has no {factor_name} of {fuel}, which the variant uses"
        terms.append(used * factor if factor is not None else 0.0)
    return math.fsum(terms), ""


def impact_savings(row: Mapping[str, Any], baseline: Mapping[str, Any], impact: Impact | None) -> dict[str, Any]:
    """Savings against the baseline of the same model and weather, over the period that both cover."""
    saved: dict[str, float | None] = {}
    for total, _, saving in (GWP, COST):
        if saving in operational_columns(impact):
            own, reference = row.get(total), baseline.get(total)
            comparable = own is not None and reference is not None and row.get("period") == baseline.get("period")
            saved[saving] = reference - own if own is not None and reference is not None and comparable else None
    return saved
