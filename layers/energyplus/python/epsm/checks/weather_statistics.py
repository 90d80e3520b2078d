"""The .stat beside an EPW: whether EnergyPlus can read it.

The engine reads a few lines of it for its tables (FillWeatherPredefinedEntries in OutputReportTabular.cc, 25.2), slices
them at fixed positions and expects whole numbers for monthly precipitation; a line that is too short or truncated ends
the run ("stoi", "basic_string::substr"). Only those lines are checked. A damaged file is rejected rather than left out:
without it the engine computes the water mains' temperature from the EPW, with a different result.
"""

import re
from collections.abc import Sequence

from epsm.checks.table_text import field_text
from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem
from epsm.text import fold_name

_SHORTEST = {
    "Statistics": 15,
    "Location": 11,
    "Elevation": 12,
    "Standard Pressure": 34,
    "Data Source": 15,
    "WMO Station": 12,
}
"""Start of a line -> the characters that it must have, because the engine slices it there."""
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,9}(?!\d)")
_MONTHS = 12
_DRY_BULB = "Monthly Statistics for Dry Bulb temperatures"
_ALLOWED = "the file as it was downloaded, or none"


def check_statistics(content: bytes, source: str, *, for_water_mains: bool = False) -> list[Problem]:
    """The first line of a .stat that would crash EnergyPlus.

    Args:
        content: The file's bytes.
        source: Its path in the study.
        for_water_mains: Whether a model reads the water mains' temperature from it (CorrelationFromWeatherFile).
    """
    lines = [line.rstrip("\r").strip(" ") for line in content.decode("latin-1").split("\n")]
    in_precipitation = after_koppen = False
    for number, line in enumerate(lines, start=1):
        where = f"{source}: line {number}"
        if after_koppen and len(line) < 2:
            return [Problem(where, "is empty, and should describe the climate type", _ALLOWED)]
        after_koppen = "ppen classification)" in line and "not shown" not in line
        start = next((prefix for prefix in _SHORTEST if line.startswith(prefix)), None)
        if start is not None and len(line) < _SHORTEST[start]:
            return [Problem(where, f"'{line[:40]}' is truncated", _ALLOWED)]
        if "Statistics for Liquid Precipitation" in line:
            in_precipitation = True
        elif in_precipitation and ("Total" in line or "Max Hourly" in line):
            in_precipitation = "Total" in line
            cells = ["".join(cell.split()) for cell in line.split("\t")]
            if not _has_months(cells):
                return [Problem(where, "does not have a whole number of mm for each month", _ALLOWED)]
    if for_water_mains and not any(_DRY_BULB in line for line in lines):
        # With a severe error the engine continues at 10 C; without any .stat it computes the means from the EPW.
        fault = f"has no '{_DRY_BULB}', from which Site:WaterMainsTemperature derives the water's temperature"
        return [Problem(source, fault, _ALLOWED)]
    return []


def _has_months(cells: Sequence[str]) -> bool:
    months = cells[2 : 2 + _MONTHS]
    return len(months) == _MONTHS and all(_WHOLE_NUMBER.match(cell) for cell in months)


def uses_weather_for_water_mains(outline: ModelOutline) -> bool:
    """Whether a model reads the water mains' temperature from the statistics of the weather file."""
    methods = (
        field_text(model_object, "Calculation Method")
        for model_object in outline.of_class("Site:WaterMainsTemperature")
    )
    return any(fold_name(method) in ("", "correlationfromweatherfile") for method in methods)
