"""Names of the columns that every results table has; a parameter cannot have one of these names."""

from epsm.results import impact
from epsm.results.metrics import END_USES, FUELS, METRICS, OPTIONAL_METRICS, PEAK_TIMES, UTILITY_BILLS, snake

VARIANT = ("variant_index", "model", "weather", "baseline")
SAVINGS = ("site_eui_saved_kwh_m2", "site_eui_saved_percent")
PERIOD = ("period", "period_days", "zone_count")
RUN = (
    "warnings",
    "severe_errors",
    "engine_seconds",
    "engine_cpu_seconds",
    "peak_memory_mb",
    "status",
    "verdict",
    "error_stage",
    "error",
    "note",
    "missing",
    "input_remarks",
    "measure_remarks",
    "cached_from",
)
END_USES_BY_FUEL = tuple(f"{snake(end_use)}_{snake(fuel)}_kwh" for end_use in END_USES for fuel in FUELS)

BILLS = (*UTILITY_BILLS, "utility_bill_saved")
"""Columns of studies in which a model has tariffs."""

NUMBERS = (*METRICS, *OPTIONAL_METRICS, *SAVINGS, *END_USES_BY_FUEL, *BILLS)
"""The columns that can be analysed for sensitivity."""

RESERVED = frozenset((*VARIANT, *NUMBERS, *PEAK_TIMES, *PERIOD, *RUN, *impact.COLUMNS, "end_uses"))
