"""Metrics that depend on how a model is built: energy delivered to zones, design, adaptive comfort.

A model without sizing has no design loads, one without an adaptive comfort model no hours outside its limits. This is
not a fault of the run, so these reasons are kept separate from those of metrics that every run should have.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from epsm.results.metrics import (
    ADAPTIVE_COMFORT,
    ADAPTIVE_HOURS,
    ANNUAL_GAINS,
    ANNUAL_VALUE,
    DELIVERED,
    DEMAND_METERS,
    DESIGN_SUMS,
    FUELS,
    HEAT_GAINS,
    METERS,
    PERFORMANCE,
    PERFORMANCE_METRICS,
    TOTAL_END_USES,
    Cell,
)
from epsm.results.reports import Reports
from epsm.text import fold_name

_WHOLE_BUILDING = "Total Facility"
_SAME = Decimal("0.001")
"""Relative difference between two reports of the same energy that is explained by rounding and accounting."""
_NO_EQUIPMENT = {
    "zone_heating_design_load_w": "no zone was sized for heating",
    "zone_cooling_design_load_w": "no zone was sized for cooling",
    "heating_coil_capacity_w": "the model has no heating coils",
    "cooling_coil_capacity_w": "the model has no cooling coils",
    "boiler_capacity_w": "the model has no boilers",
    "chiller_capacity_w": "the model has no chillers",
}


@dataclass(frozen=True, slots=True)
class BuildingPerformance:
    """Numbers by metric name, and the reason for every None."""

    numbers: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, number: Decimal | None, reason: str) -> None:
        self.numbers[name] = None if number is None else float(number)
        if number is None:
            self.reasons[name] = reason


def building_performance(reports: Reports, floor_area_m2: float | None, *, simulated: bool) -> BuildingPerformance:
    """Read `PERFORMANCE_METRICS`.

    Args:
        reports: The run's reports.
        floor_area_m2: `total_building_area_m2`.
        simulated: Whether a run period of the weather file was simulated; without one, only design values are known.
    """
    found = BuildingPerformance()
    area = Decimal(floor_area_m2) if floor_area_m2 else None
    not_simulated = "" if simulated else "no run period of the weather file was simulated"
    for name, (sign, columns) in DELIVERED.items():
        total, reason = _sum_of_columns(reports, columns)
        total, reason = (None, not_simulated) if not_simulated else (total, reason)
        found.put(name, None if total is None else sign * total, reason)
        _put_intensity(found, f"{name}_m2", None if total is None else sign * total, area, reason)
    meters = _metered(reports)
    too_much = _counts_sizing(reports, meters)
    for name, names in DEMAND_METERS.items():
        output, reason = (None, too_much) if too_much else _sum_of_meters(reports, meters, names)
        output, reason = (None, not_simulated) if not_simulated else (output, reason)
        _put_intensity(found, name, output, area, reason)
    for name, column in ADAPTIVE_HOURS.items():
        hours = [] if not_simulated else list(_numbers(reports, ADAPTIVE_COMFORT, "", column, "hours"))
        reason = not_simulated or "no People object of the model has this adaptive comfort model"
        found.put(name, max(hours, default=None), reason)
    for name, (report, table, column, kind) in DESIGN_SUMS.items():
        sizes = list(_numbers(reports, report, table, column, "w", kind))
        found.put(name, sum(sizes, Decimal(0)) if sizes else None, _NO_EQUIPMENT[name])
    numbers = {name: found.numbers[name] for name in PERFORMANCE_METRICS}
    return BuildingPerformance(numbers, found.reasons)


def _counts_sizing(reports: Reports, meters: Sequence[tuple[str, str, str]]) -> str:
    """The reason why the annual values of the meters are wrong; empty if they are right.

    With HVAC sizing simulations EnergyPlus adds their energy to this report (25.2: 5 % of the gas of
    RefBldgLargeOffice), not to the end uses.
    """
    for fuel in FUELS:
        used, _ = reports.number(Cell(PERFORMANCE, "End Uses", TOTAL_END_USES, fuel, "kwh"))
        metered, _ = _sum_of_meters(reports, meters, (f"{fuel.replace(' ', '')}:Facility",))
        if used and metered and abs(metered - used) > _SAME * abs(used):
            return f"{METERS} counts the HVAC sizing simulation, too; reduce the meters instead (outputs.reduced)"
    return ""


def _put_intensity(
    found: BuildingPerformance, name: str, energy: Decimal | None, area: Decimal | None, reason: str
) -> None:
    intensity = None if energy is None or area is None else energy / area
    found.put(name, intensity, reason or "the building has no floor area")


def _sum_of_columns(reports: Reports, columns: tuple[str, ...]) -> tuple[Decimal | None, str]:
    if any(fold_name(zone) == fold_name(_WHOLE_BUILDING) for zone in reports.zones):
        return None, f"a zone is named '{_WHOLE_BUILDING}', like the row of the whole building in {HEAT_GAINS}"
    total = Decimal(0)
    for column in columns:
        number, reason = reports.number(Cell(HEAT_GAINS, ANNUAL_GAINS, _WHOLE_BUILDING, column, "kwh"))
        if number is None:
            return None, reason
        total += number
    return total, ""


def _metered(reports: Reports) -> Sequence[tuple[str, str, str]]:
    """Table, row and column of the annual value of each meter: the table and the prefix of the column depend on the
    resource."""
    annual = fold_name(ANNUAL_VALUE)
    return [place for place in reports.places(METERS) if place[2].endswith(annual)]


def _sum_of_meters(
    reports: Reports, meters: Sequence[tuple[str, str, str]], names: Iterable[str]
) -> tuple[Decimal | None, str]:
    """The meters of a run, each once."""
    if not reports.has(METERS):
        return None, f"the run has no report {METERS}"
    total = Decimal(0)
    folded_names = {fold_name(name) for name in names}
    for table, row, column in meters:
        if row in folded_names:
            number, reason = reports.number(Cell(METERS, table, row, column, "kwh"))
            if number is None:
                return None, reason
            folded_names.remove(row)
            total += number
    return total, ""


def _numbers(reports: Reports, report: str, table: str, column: str, unit: str, kind: str = "") -> Iterator[Decimal]:
    """The numbers in a column of a table, or of all tables of a report; rows without a number are left out."""
    for place, row in reports.rows(report, table):
        of_kind = not kind or (reports.text(report, place, row, "Type") or "").startswith(kind)
        number, _ = reports.number(Cell(report, place, row, column, unit))
        if of_kind and number is not None:
            yield number
