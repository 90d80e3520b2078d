"""The zones of a run, from its tabular reports."""

import math
from collections import Counter
from dataclasses import dataclass

from epsm.results.metrics import ANNUAL_GAINS, DELIVERED, HEAT_GAINS, SIZING, SYSTEMS, VERIFICATION, Cell
from epsm.results.reports import Reports, plain_number
from epsm.text import fold_name

_NOT_MET, _NOT_COMFORTABLE = "Time Setpoint Not Met", "Time Not Comfortable Based on Simple ASHRAE 55-2004"
_CELLS = {
    "heating_design_load_w": (SIZING, "Zone Sensible Heating", "Calculated Design Load", "w"),
    "cooling_design_load_w": (SIZING, "Zone Sensible Cooling", "Calculated Design Load", "w"),
    "unmet_heating_hours": (SYSTEMS, _NOT_MET, "During Occupied Heating", "hours"),
    "unmet_cooling_hours": (SYSTEMS, _NOT_MET, "During Occupied Cooling", "hours"),
    "not_comfortable_hours": (SYSTEMS, _NOT_COMFORTABLE, "Summer or Winter Clothes", "hours"),
}
"""Attribute of `Zone`: report, table, column and unit."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the model, from the Zone Summary.

    Attributes:
        name: Zone name, in capitals as the engine prints it.
        area_m2, volume_m3: Floor area and volume of one such zone.
        multiplier: Number of such zones in the building.
        conditioned: Whether it is heated or cooled; None if unknown.
        part_of_total_area: Whether its area is part of the building area; None if unknown.
        missing: The reason if any of these is None; otherwise empty.
        heating_kwh, cooling_kwh: Sensible energy that equipment delivers to all such zones together; None without a run
            period of the weather file.
        heating_design_load_w, cooling_design_load_w: Calculated sensible design loads of all such zones together,
            without sizing factors; None if it was not sized.
        unmet_heating_hours, unmet_cooling_hours: Occupied hours in which the setpoint is not met.
        not_comfortable_hours: Occupied hours that are not comfortable in summer or winter clothes (simple ASHRAE 55).
    """

    name: str
    area_m2: float | None
    volume_m3: float | None
    multiplier: float | None
    conditioned: bool | None
    part_of_total_area: bool | None
    missing: str = ""
    heating_kwh: float | None = None
    cooling_kwh: float | None = None
    heating_design_load_w: float | None = None
    cooling_design_load_w: float | None = None
    unmet_heating_hours: float | None = None
    unmet_cooling_hours: float | None = None
    not_comfortable_hours: float | None = None


def zones_of(tables: Reports, *, simulated: bool) -> tuple[Zone, ...]:
    table = "Zone Summary"
    shared = Counter(fold_name(_row_name(name)) for name in tables.zones)
    zones = []
    for name in tables.zones:
        row = _row_name(name)

        def number(column: str, unit: str, row: str = row) -> float | None:
            return _number(tables, Cell(VERIFICATION, table, row, column, unit))

        def yes(column: str, row: str = row) -> bool | None:
            text = tables.text(VERIFICATION, table, row, column)
            return text == "Yes" if text in ("Yes", "No") else None

        if shared[fold_name(row)] > 1:
            count = shared[fold_name(row)]
            reason = f"EnergyPlus truncates zone names at '[' in its tables; {count} zones are '{row}' there"
            zones.append(Zone(name, None, None, None, None, None, reason))
            continue
        exists = tables.text(VERIFICATION, table, row, "Area") is not None
        zones.append(
            Zone(
                name=name,
                area_m2=number("Area", "m2"),
                volume_m3=number("Volume", "m3"),
                multiplier=plain_number(tables.text(VERIFICATION, table, row, "Multipliers")),
                conditioned=yes("Conditioned (Y/N)"),
                part_of_total_area=yes("Part of Total Floor Area (Y/N)"),
                missing="" if exists else f"there is no {VERIFICATION}, {table}, row '{row}'",
                **_performance(tables, row, simulated=simulated),
            )
        )
    return tuple(zones)


def _performance(tables: Reports, row: str, *, simulated: bool) -> dict[str, float | None]:
    """The attributes of `Zone` that are read from the run; a run of design days only has no others than design
    loads."""
    cells = {
        name: Cell(report, table, row, column, unit)
        for name, (report, table, column, unit) in _CELLS.items()
        if simulated or report == SIZING
    }
    numbers = {name: _number(tables, cell) for name, cell in cells.items()}
    if simulated:
        for name, (sign, columns) in DELIVERED.items():
            parts = [_number(tables, Cell(HEAT_GAINS, ANNUAL_GAINS, row, column, "kwh")) for column in columns]
            known = [part for part in parts if part is not None]
            numbers[name.removeprefix("zone_")] = sign * math.fsum(known) if len(known) == len(parts) else None
    return numbers


def _number(tables: Reports, cell: Cell) -> float | None:
    value, _ = tables.number(cell)
    return None if value is None else float(value)


def _row_name(zone: str) -> str:
    """A zone's name as the engine stores it with the numbers, where it treats `[...]` as a unit.

    From SQLite::parseUnitsAndDescription: the character before the bracket, usually a blank, is also removed.

    >>> _row_name("ROOM [A]"), _row_name("ROOM[A] B"), _row_name("[ROOM]"), _row_name("ROOM]X[")
    ('ROOM', 'ROO', '[ROOM]', 'ROOM]X[')
    """
    left, right = zone.find("["), zone.find("]")
    return zone[: left - 1] if 0 < left < right else zone
