"""The catalogue of metrics: names, units, and the cells of tabular reports that they are read from."""

import re
from dataclasses import dataclass
from decimal import Decimal

EXTRACTION_VERSION = 3
"""Increased with every change of a metric's meaning or source."""


PERFORMANCE = "AnnualBuildingUtilityPerformanceSummary"


VERIFICATION = "InputVerificationandResultsSummary"


DEMAND = "DemandEndUseComponentsSummary"


END_USES = (
    "Heating",
    "Cooling",
    "Interior Lighting",
    "Exterior Lighting",
    "Interior Equipment",
    "Exterior Equipment",
    "Fans",
    "Pumps",
    "Heat Rejection",
    "Humidification",
    "Heat Recovery",
    "Water Systems",
    "Refrigeration",
    "Generators",
)


ECONOMICS = "Economics Results Summary Report"


HEAT_GAINS = "SensibleHeatGainSummary"


ANNUAL_GAINS = "Annual Building Sensible Heat Gain Components"


METERS = "EnergyMeters"


ADAPTIVE_COMFORT = "AdaptiveComfortSummary"


SIZING = "HVACSizingSummary"


EQUIPMENT = "EquipmentSummary"


SYSTEMS = "SystemSummary"


ENVELOPE = "EnvelopeSummary"


READ_REPORTS = (
    PERFORMANCE,
    VERIFICATION,
    DEMAND,
    ECONOMICS,
    HEAT_GAINS,
    METERS,
    ADAPTIVE_COMFORT,
    SIZING,
    EQUIPMENT,
    SYSTEMS,
    ENVELOPE,
)
"""The reports from which metrics are read, by the names under which they are stored."""


READ_WHOLLY = (METERS, ADAPTIVE_COMFORT, ENVELOPE)
ANNUAL_VALUE = "Annual Value"
"""The end of the name of a column of `METERS`, after the resource: `Electricity Annual Value`. No other is read."""
TIME_OF_PEAK, TOTAL_END_USES = "Time of Peak", "Total End Uses"
DEMAND_ROWS = (TIME_OF_PEAK, TOTAL_END_USES)
"""The rows of `DEMAND` that are read."""
ENVELOPE_COLUMNS: dict[str, tuple[str, str]] = {
    "U-Factor with Film": ("u_w_m2k", "w_m2k"),
    "U-Factor no Film": ("u_without_films_w_m2k", "w_m2k"),
    "Glass U-Factor": ("u_w_m2k", "w_m2k"),
    "Glass SHGC": ("shgc", ""),
    "Glass Visible Transmittance": ("visible_transmittance", ""),
    "Area of Multiplied Openings": ("net_area_m2", "m2"),
    "Area of Openings": ("net_area_m2", "m2"),
}
"""The columns of `ENVELOPE` that are read: attribute of `epsm.results.areas.EnvelopeSurface`, and its unit."""
READ_TABLES = (
    "Site and Source Energy",
    "Building Area",
    "End Uses",
    "Comfort and Setpoint Not Met Summary",
    "Electric Loads Satisfied",
    "Annual Cost",
    ANNUAL_GAINS,
    "Zone Summary",
    "Zone Sensible Heating",
    "Zone Sensible Cooling",
    "Time Setpoint Not Met",
    "Time Not Comfortable Based on Simple ASHRAE 55-2004",
    "Heating Coils",
    "Cooling Coils",
    "Central Plant",
)
"""The reports of which all tables are read, and the tables that are read of the others."""


FUELS = (
    "Electricity",
    "Natural Gas",
    "Gasoline",
    "Diesel",
    "Coal",
    "Fuel Oil No 1",
    "Fuel Oil No 2",
    "Propane",
    "Other Fuel 1",
    "Other Fuel 2",
    "District Cooling",
    "District Heating Water",
    "District Heating Steam",
)


_INTENSITIES = ("Heating", "Cooling", "Interior Lighting", "Interior Equipment", "Fans", "Pumps", "Water Systems")


# To the unit in a metric's name. J-based and IP units are exact by definition (BIPM SI brochure; ASHRAE Fundamentals,
# "Units and Conversions": 1 Btu(IT) = 1055.05585262 J, 1 ft = 0.3048 m).
_TO_KWH = {
    "kWh": Decimal(1),
    "J": 1 / Decimal(3_600_000),
    "MJ": 1 / Decimal("3.6"),
    "GJ": 1000 / Decimal("3.6"),
    "kBtu": Decimal("1055.05585262") / 3600,
}


_SQUARE_FOOT = Decimal("0.3048") ** 2


FACTORS: dict[str, dict[str, Decimal]] = {
    "kwh": _TO_KWH,
    "kwh_m2": {
        **{f"{unit}/m2": factor for unit, factor in _TO_KWH.items()},
        "kBtu/ft2": _TO_KWH["kBtu"] / _SQUARE_FOOT,
        "kWh/ft2": 1 / _SQUARE_FOOT,
    },
    "m2": {"m2": Decimal(1), "ft2": _SQUARE_FOOT},
    "m3": {"m3": Decimal(1), "ft3": Decimal("0.3048") ** 3, "gal": Decimal("0.003785411784")},
    "w": {"W": Decimal(1), "kW": Decimal(1000), "kBtuh": Decimal("1055.05585262") / Decimal("3.6")},
    "": {"": Decimal(1)},
    "w_m2k": {"W/m2-K": Decimal(1)},
    "hours": {"Hours": Decimal(1), "hrs": Decimal(1), "hr": Decimal(1)},
}


def snake(name: str) -> str:
    """`Fuel Oil No 1` -> `fuel_oil_no_1`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


@dataclass(frozen=True, slots=True)
class Cell:
    """The source of a metric: one cell of a tabular report, and the unit of the metric (a key of the factors)."""

    report: str
    table: str
    row: str
    column: str
    unit: str


def _cells() -> dict[str, Cell]:
    """Every metric that is one cell of a report, by metric name."""
    cells: dict[str, Cell] = {}
    for prefix, row in (
        ("site", "Total Site Energy"),
        ("net_site", "Net Site Energy"),
        ("source", "Total Source Energy"),
        ("net_source", "Net Source Energy"),
    ):
        table = "Site and Source Energy"
        cells[f"{prefix}_eui_kwh_m2"] = Cell(PERFORMANCE, table, row, "Energy Per Total Building Area", "kwh_m2")
        cells[f"{prefix}_energy_kwh"] = Cell(PERFORMANCE, table, row, "Total Energy", "kwh")
    for name, row in (
        ("total_building_area_m2", "Total Building Area"),
        ("conditioned_area_m2", "Net Conditioned Building Area"),
        ("unconditioned_area_m2", "Unconditioned Building Area"),
    ):
        cells[name] = Cell(PERFORMANCE, "Building Area", row, "Area", "m2")
    for fuel in FUELS:
        cells[f"{snake(fuel)}_kwh"] = Cell(PERFORMANCE, "End Uses", TOTAL_END_USES, fuel, "kwh")
    cells["water_m3"] = Cell(PERFORMANCE, "End Uses", TOTAL_END_USES, "Water", "m3")
    for name, row in (
        ("unmet_heating_hours", "Time Setpoint Not Met During Occupied Heating"),
        ("unmet_cooling_hours", "Time Setpoint Not Met During Occupied Cooling"),
        ("not_comfortable_hours", "Time Not Comfortable Based on Simple ASHRAE 55-2004"),
    ):
        cells[name] = Cell(PERFORMANCE, "Comfort and Setpoint Not Met Summary", row, "Facility", "hours")
    for fuel in FUELS:
        cells[f"{snake(fuel)}_peak_w"] = Cell(DEMAND, "End Uses", TOTAL_END_USES, fuel, "w")
    return cells


CELLS = _cells()


SUMS = {f"{snake(end_use)}_kwh": end_use for end_use in END_USES}
"""Metrics that add up one end use over all fuels."""


INTENSITIES = {f"{snake(end_use)}_kwh_m2": f"{snake(end_use)}_kwh" for end_use in _INTENSITIES}
"""Metrics that divide an end use by `total_building_area_m2`."""


ENVELOPE_AREAS = {
    "exterior_wall_area_m2": ("wall", "exterior"),
    "ground_wall_area_m2": ("wall", "ground"),
    "roof_area_m2": ("roof", "exterior"),
    "exterior_floor_area_m2": ("floor", "exterior"),
    "ground_floor_area_m2": ("floor", "ground"),
    "window_area_m2": ("window", "exterior"),
    "skylight_area_m2": ("skylight", "exterior"),
    "exterior_door_area_m2": ("door", "exterior"),
}
"""Metrics that add up the surfaces of one kind and boundary, net of openings; see `epsm.results.areas`."""


_COEFFICIENTS_OF = {
    "exterior_wall": ("wall", "exterior"),
    "ground_wall": ("wall", "ground"),
    "roof": ("roof", "exterior"),
    "exterior_floor": ("floor", "exterior"),
    "ground_floor": ("floor", "ground"),
    "exterior_door": ("door", "exterior"),
}
_GLAZED = {"window": ("window", "exterior"), "skylight": ("skylight", "exterior")}
ENVELOPE_COEFFICIENTS = {
    f"{name}_{attribute}": (*surfaces, attribute)
    for names, attributes in (
        (_COEFFICIENTS_OF, ("u_w_m2k", "u_without_films_w_m2k")),
        (_GLAZED, ("u_w_m2k", "shgc", "visible_transmittance")),
    )
    for name, surfaces in names.items()
    for attribute in attributes
}
"""Means over surfaces by net area: kind, boundary and attribute of `epsm.results.areas.EnvelopeArea`."""


UTILITY_BILLS = {
    "utility_bill": ("Cost", "Total"),
    "utility_bill_electricity": ("Cost", "Electricity"),
    "utility_bill_natural_gas": ("Cost", "Natural Gas"),
    "utility_bill_other": ("Cost", "Other"),
    "utility_bill_m2": ("Cost per Total Building Area", "Total"),
}
"""Row and column of the table Annual Cost, which only runs of models with tariffs have."""


PEAK_TIMES = {f"{snake(fuel)}_peak_time": fuel for fuel in FUELS}
"""Columns with the time of each fuel's peak demand: month, day and end of the time step, in local standard time."""


DELIVERED = {
    "zone_heating_kwh": (
        1,
        (
            "HVAC Zone Eq & Other Sensible Air Heating",
            "HVAC Terminal Unit Sensible Air Heating",
            "HVAC Input Heated Surface Heating",
        ),
    ),
    "zone_cooling_kwh": (
        -1,
        (
            "HVAC Zone Eq & Other Sensible Air Cooling",
            "HVAC Terminal Unit Sensible Air Cooling",
            "HVAC Input Cooled Surface Cooling",
        ),
    ),
}
"""Sensible energy that equipment delivers to zones: sign and columns of `HEAT_GAINS`, which are added up."""


DEMAND_METERS = {
    "tedi_kwh_m2": ("HeatingCoils:EnergyTransfer", "Baseboard:EnergyTransfer", "DistrictHeatingWater:HVAC"),
    "cedi_kwh_m2": ("CoolingCoils:EnergyTransfer", "DistrictCooling:HVAC"),
}
"""Output of all heating and cooling equipment: coils and radiant systems, baseboards, ideal loads. The meters of
`METERS` to add up; a run lacks the meters of equipment that its model lacks."""


ADAPTIVE_HOURS = {
    "adaptive_ashrae55_90_hours": "ASHRAE55 90% Acceptability Limits",
    "adaptive_ashrae55_80_hours": "ASHRAE55 80% Acceptability Limits",
    "adaptive_en15251_category_1_hours": "CEN15251 Category I Acceptability Limits",
    "adaptive_en15251_category_2_hours": "CEN15251 Category II Acceptability Limits",
    "adaptive_en15251_category_3_hours": "CEN15251 Category III Acceptability Limits",
}
"""Occupied hours outside the limits: columns of `ADAPTIVE_COMFORT`, the largest of all People objects."""


DESIGN_SUMS = {
    "zone_heating_design_load_w": (SIZING, "Zone Sensible Heating", "Calculated Design Load", ""),
    "zone_cooling_design_load_w": (SIZING, "Zone Sensible Cooling", "Calculated Design Load", ""),
    "heating_coil_capacity_w": (EQUIPMENT, "Heating Coils", "Nominal Total Capacity", ""),
    "cooling_coil_capacity_w": (EQUIPMENT, "Cooling Coils", "Nominal Total Capacity", ""),
    "boiler_capacity_w": (EQUIPMENT, "Central Plant", "Reference Capacity", "Boiler:"),
    "chiller_capacity_w": (EQUIPMENT, "Central Plant", "Reference Capacity", "Chiller"),
}
"""Sized equipment: report, table, the column to add up over its rows, and the prefix of their Type."""


PERFORMANCE_METRICS = (
    *DELIVERED,
    *(f"{name}_m2" for name in DELIVERED),
    *DEMAND_METERS,
    *ADAPTIVE_HOURS,
    *DESIGN_SUMS,
)
"""Metrics that depend on how a model is built: see `epsm.results.performance`."""


METRICS = (*CELLS, *SUMS, *INTENSITIES, *ENVELOPE_AREAS)
"""Names of all metrics that every variant has, in the order of the results table, before `OPTIONAL_METRICS`."""


OPTIONAL_METRICS = (*PERFORMANCE_METRICS, *ENVELOPE_COEFFICIENTS)
"""Metrics that a model may lack; the reason is then in `not_applicable`."""
