"""Results of one run, from its eplusout.sql.

One source of truth: the tabular reports as the engine stored them in `TabularDataWithStrings`, found by report,
table, row and column **name** and converted from the **unit** given with each number. A missing value is None
with a reason, never 0.
"""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from epsm.energyplus.sql import bytes_of
from epsm.energyplus.verdict import Environment
from epsm.results.areas import EnvelopeArea, area_metrics, envelope_coefficients, envelope_of
from epsm.results.metrics import (
    CELLS,
    DEMAND,
    ECONOMICS,
    END_USES,
    ENVELOPE_AREAS,
    FUELS,
    INTENSITIES,
    METRICS,
    PEAK_TIMES,
    PERFORMANCE,
    SUMS,
    TIME_OF_PEAK,
    UTILITY_BILLS,
    Cell,
    snake,
)
from epsm.results.monthly import MonthlyUse
from epsm.results.performance import building_performance
from epsm.results.quantities import Quantities
from epsm.results.reports import Reports, plain_number, read_reports
from epsm.results.zones import Zone, zones_of

_TWO_YEARS = 730
_IMPOSSIBLE = 1e15
_ROUNDING = 1e-6
_DAYS_OF_A_SIZING_PERIOD = 20
"""Maximum number of passes: a design day is simulated again in every sizing pass, and its unmet hours may be
counted."""
_END_USE_CELLS = {
    (end_use, fuel): Cell(PERFORMANCE, "End Uses", end_use, fuel, "kwh") for end_use in END_USES for fuel in FUELS
}
_AREAS = frozenset(name for name, cell in CELLS.items() if cell.unit == "m2")
_HOURS = frozenset(name for name, cell in CELLS.items() if cell.unit == "hours")


class ImpossibleResult(Exception):
    """A physically impossible number: the results of the run cannot be used."""


_WITHOUT_ENERGY = frozenset({"total_building_area_m2", "conditioned_area_m2", "unconditioned_area_m2", *ENVELOPE_AREAS})


@dataclass(frozen=True, slots=True)
class EndUse:
    """Energy of one end use by one fuel, kWh."""

    end_use: str
    fuel: str
    energy_kwh: float

    @property
    def metric(self) -> str:
        """Column name in the results table, e.g. ``heating_natural_gas_kwh``."""
        return f"{snake(self.end_use)}_{snake(self.fuel)}_kwh"


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a run.

    Attributes:
        metrics: Value by metric name, or None; the unit is in the name.
        missing: The reason for every None.
        end_uses: Energy by end use and fuel, if it is not zero.
        zones: All zones.
        envelope: Areas of the envelope by kind, boundary and orientation.
        utility_bills: Charges of the model's tariffs for the period, in its currency; empty without tariffs.
        monthly: Energy and peaks of each month by fuel and end use, if the study asks for them.
        not_applicable: The reason for every None of `OPTIONAL_METRICS`, which not every model can have.
        texts: Text by column name, or None: times of peaks, and cells that the study requests.
        measure_remarks: Differences between the coefficients that EnergyPlus reports and the targets of measures.
        period: The period that the energy numbers cover: ``annual``, ``31 days (01/01-01/31)``, ``none``.
        quantities: Areas, volumes and masses of measures, by parameter; see `epsm.results.quantities`.
        electricity_gwp_kgco2e: Emissions of electricity by factors for each hour, if the study has them.
        period_days: Days they cover; 0 if no weather-file period was simulated.
    """

    metrics: dict[str, float | None]
    missing: dict[str, str]
    end_uses: tuple[EndUse, ...]
    zones: tuple[Zone, ...]
    period: str
    period_days: int
    envelope: tuple[EnvelopeArea, ...] = ()
    utility_bills: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str | None] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    monthly: tuple[MonthlyUse, ...] = ()
    measure_remarks: tuple[str, ...] = ()
    quantities: dict[str, list[Quantities]] = field(default_factory=dict)
    electricity_gwp_kgco2e: float | None = None


def read_results(database: Path, environments: Sequence[Environment]) -> Results:
    """Read the results of a run that succeeded.

    Args:
        database: The run's eplusout.sql.
        environments: The simulated environments, from `epsm.energyplus.verdict`.

    Raises:
        sqlite3.Error: If the database cannot be read.
        ImpossibleResult: If a number is physically impossible."""
    with closing(bytes_of(database)) as connection:
        tables = read_reports(connection)
        envelope, no_surfaces = envelope_of(connection, tables)
    run_periods = [environment for environment in environments if environment.from_weather_file]
    period, days = _period(run_periods)
    found = _Metrics(simulated=bool(run_periods))
    for name, cell in CELLS.items():
        found.put(name, *tables.number(cell))
    end_uses = _add_sums(tables, found)
    _leave_out_false_net(tables, found.metrics, found.missing)
    _add_intensities(found)
    zones = zones_of(tables, simulated=bool(run_periods))
    areas = area_metrics(envelope)
    for name in ENVELOPE_AREAS:
        found.put(name, None if no_surfaces else Decimal(areas[name]), no_surfaces)
    coefficients, no_coefficients = envelope_coefficients(envelope)
    metrics, area = found.metrics, found.metrics["total_building_area_m2"]
    performance = building_performance(tables, area, simulated=bool(run_periods))
    _check_possible({**metrics, **performance.numbers}, end_uses, zones, environments)
    return Results(
        metrics={**{name: metrics[name] for name in METRICS}, **performance.numbers, **coefficients},
        missing=found.missing,
        not_applicable=performance.reasons | no_coefficients,
        end_uses=end_uses,
        zones=zones,
        period=period,
        period_days=days,
        envelope=envelope,
        utility_bills=_utility_bills(tables) if run_periods else {},
        texts={
            name: _peak_time(tables, fuel, metrics[f"{snake(fuel)}_peak_w"]) if run_periods else None
            for name, fuel in PEAK_TIMES.items()
        },
    )


class _Metrics:
    """Metrics as they are found, and the reason for each that is missing.

    Args:
        simulated: Whether a run period was simulated; without one there is no energy.
    """

    def __init__(self, *, simulated: bool) -> None:
        self.simulated = simulated
        self.metrics: dict[str, float | None] = {}
        self.missing: dict[str, str] = {}

    def put(self, name: str, value: Decimal | None, reason: str) -> None:
        if not self.simulated and name not in _WITHOUT_ENERGY:
            value, reason = None, "no run period of the weather file was simulated"
        self.metrics[name] = None if value is None else float(value)
        if value is None:
            self.missing[name] = reason


def _add_sums(tables: Reports, found: _Metrics) -> tuple[EndUse, ...]:
    """Add the end uses, each summed over the fuels; returns those that are not zero."""
    end_uses: list[EndUse] = []
    for name, end_use in SUMS.items():
        total: Decimal | None = Decimal(0)
        missing_reason = ""
        for fuel in FUELS:
            value, reason = tables.number(_END_USE_CELLS[end_use, fuel])
            if value is None:
                total, missing_reason = None, reason
                break
            total = total + value if total is not None else None
            if value and found.simulated:
                end_uses.append(EndUse(end_use, fuel, float(value)))
        found.put(name, total, missing_reason)
    return tuple(end_uses)


def _add_intensities(found: _Metrics) -> None:
    """Add the end uses by floor area."""
    missing, area = found.missing, found.metrics["total_building_area_m2"]
    no_area = "the building has no floor area"
    if area == 0 and found.simulated:
        missing |= {name: no_area for name in missing if name.endswith("_eui_kwh_m2")}
    for name, energy_name in INTENSITIES.items():
        energy = found.metrics[energy_name]
        if energy is None or not area:
            found.put(name, None, missing.get(energy_name, missing.get("total_building_area_m2", no_area)))
        else:
            found.put(name, Decimal(energy) / Decimal(area), "")


def _utility_bills(tables: Reports) -> dict[str, float]:
    """The bills of a run. Their unit is the currency's sign as in the model."""
    texts = {name: tables.text(ECONOMICS, "Annual Cost", *place) for name, place in UTILITY_BILLS.items()}
    numbers = {name: plain_number(text) for name, text in texts.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _period(run_periods: Sequence[Environment]) -> tuple[str, int]:
    """The period that the tables cover: everything, or the time after the engine's last reset of its tables.

    In an environment of 730 days or more the engine resets its tables 365 days before the end (SimulationManager.cc:
    `DayOfSim > 365` and `NumOfDayInEnvrn - DayOfSim == 364`), with all that earlier environments had added.
    """
    if not run_periods:
        return "none", 0
    if len(run_periods) == 1 and run_periods[0].days in (365, 366):
        return "annual", run_periods[0].days
    days, parts = 0, list[str]()
    for environment in run_periods:
        if environment.days >= _TWO_YEARS:
            days, parts = 365, [f"the last 365 of {environment.days} days simulated, to {environment.end}"]
        else:
            days += environment.days
            parts.append(f"{environment.start[:5]}-{environment.end[:5]}")
    return f"{days} day{'' if days == 1 else 's'} ({', '.join(parts)})", days


def _check_possible(
    metrics: dict[str, float | None],
    end_uses: Sequence[EndUse],
    zones: Sequence[Zone],
    environments: Sequence[Environment],
) -> None:
    """Refuse physically impossible numbers.

    The world's electricity use is about 3e13 kWh a year, so no building's energy in kWh, intensity in kWh/m2 (also of a
    plant without floor area to speak of), power in W, water in m3 or area in m2 comes near the limit. Rounding errors
    are tolerated.
    """
    values = {**metrics, **{end_use.metric: end_use.energy_kwh for end_use in end_uses}}
    for zone in zones:
        values |= {f"area_m2 of zone {zone.name}": zone.area_m2, f"volume_m3 of zone {zone.name}": zone.volume_m3}
        values[f"multiplier of zone {zone.name}"] = zone.multiplier
    for name, value in values.items():
        if value is not None and abs(value) > _IMPOSSIBLE:
            raise ImpossibleResult(f"{name} is {value:g}, which is beyond what is physically possible (1e15)")
    rounding_m2 = _ROUNDING * (1 + abs(metrics["total_building_area_m2"] or 0.0))
    most_hours = 24 * sum(
        environment.days if environment.from_weather_file else environment.days * _DAYS_OF_A_SIZING_PERIOD
        for environment in environments
    )
    for names, rounding in ((_AREAS, rounding_m2), (_HOURS, _ROUNDING)):
        for name in sorted(names):
            value = metrics[name]
            if value is not None and value < -rounding:
                raise ImpossibleResult(f"{name} is {value:g}, which cannot be negative")
    for name in sorted(_HOURS):
        value = metrics[name]
        if value is not None and value > most_hours * (1 + _ROUNDING):
            raise ImpossibleResult(f"{name} is {value:g}, more than the {most_hours} hours that were simulated")


def _leave_out_false_net(tables: Reports, metrics: dict[str, float | None], missing: dict[str, str]) -> None:
    """Without a meter of purchased electricity the engine omits all electricity from Net, so Net is not net energy."""
    generated, _ = tables.number(
        Cell(PERFORMANCE, "Electric Loads Satisfied", "Total On-Site Electric Sources", "Electricity", "kwh")
    )
    if generated != 0:
        return
    for name in ("site_energy_kwh", "source_energy_kwh"):
        gross, net = metrics[name], metrics[f"net_{name}"]
        if gross is not None and net is not None and gross - net > 1e-6 * abs(gross):
            kind = name.partition("_")[0]
            for metric in (f"net_{name}", f"net_{kind}_eui_kwh_m2"):
                metrics[metric] = None
                missing[metric] = (
                    f"net {kind} energy is below {kind} energy although nothing is generated: the table leaves out "
                    "purchased electricity, for which the model has no meter"
                )


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def _peak_time(tables: Reports, fuel: str, peak_w: float | None) -> str | None:
    """Month, day and time of a fuel's peak demand, from EnergyPlus's `02-JAN-08:30`; None if the fuel is not used.

    EnergyPlus prints the end of the next time step, but within the hour of the peak: `02-JAN-08:30` for the quarter
    that ends at 08:15, `07-JAN-06:15` for the one that ends at 07:00, a minute less where it rounds (23.2 to 25.2).
    """
    found = re.fullmatch(r"(\d\d)-([A-Z]{3})-(\d\d):(\d\d)", tables.text(DEMAND, "End Uses", TIME_OF_PEAK, fuel) or "")
    if found is None or found[2] not in _MONTHS or not peak_w or not tables.steps_per_hour:
        return None
    step = 60 // tables.steps_per_hour
    hour, minute = int(found[3]), round(int(found[4]) / step) * step - step
    hour, minute = (hour, minute) if minute > 0 else (hour + 1, 0)
    return f"{_MONTHS.index(found[2]) + 1:02d}-{found[1]} {hour:02d}:{minute:02d}"
