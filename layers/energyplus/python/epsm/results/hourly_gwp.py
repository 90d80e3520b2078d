"""Emissions of a run's electricity, hour by hour."""

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from epsm.energyplus.sql import WEATHER_FILE_PERIOD, read_only
from epsm.study.hourly_factors import HourlyFactors
from epsm.study.impact import NET_ELECTRICITY as METER

_J_PER_KWH = 3_600_000
_TOLERANCE = 1e-4
_HOURS = """
SELECT t.Month, t.Day, t.Hour, r.Value FROM ReportData r JOIN Time t USING (TimeIndex)
JOIN EnvironmentPeriods p USING (EnvironmentPeriodIndex)
WHERE p.EnvironmentType = ? AND coalesce(t.WarmupFlag, 0) = 0 AND r.ReportDataDictionaryIndex = (
    SELECT min(ReportDataDictionaryIndex) FROM ReportDataDictionary
    WHERE IsMeter = 1 AND Name = ? AND ReportingFrequency = 'Hourly')
"""


def electricity_gwp_kgco2e(
    database: Path, factors: HourlyFactors, metrics: Mapping[str, float | None]
) -> tuple[float | None, str]:
    """The electricity of each hour times its factor, kg CO2e, or None and the reason.

    The factor of an hour is found by its month, day and hour in local standard time, as EnergyPlus reports them,
    regardless of the day of the week and of daylight saving.

    Args:
        database: The run's eplusout.sql, with the hourly meter.
        factors: Factor of each hour, kg CO2e per kWh.
        metrics: Metrics of the run; the hours must add up to its electricity.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    with closing(read_only(database)) as connection:
        hours: list[tuple[int, int, int, float]] = connection.execute(_HOURS, (WEATHER_FILE_PERIOD, METER)).fetchall()
    if not hours:
        return None, f"the run has no hours of the meter {METER}"
    terms = []
    for month, day, hour, joules in hours:
        factor = factors.at(month, day, hour)
        if factor is None:
            return None, "29 February was simulated, and impact.hourly_electricity has no rows for it"
        terms.append(joules / _J_PER_KWH * factor)
    net_kwh, total = math.fsum(joules for *_, joules in hours) / _J_PER_KWH, metrics.get("electricity_kwh")
    gross, net = metrics.get("site_energy_kwh"), metrics.get("net_site_energy_kwh")
    if total is None or gross is None or net is None:
        return None, "without net_site_energy_kwh it is not known how much electricity is generated on site"
    bought = total - (gross - net)
    if abs(net_kwh - bought) > _TOLERANCE * max(abs(total), 1.0):
        return None, f"the hours of {METER} add up to {net_kwh:,.1f} kWh, the tables to {bought:,.1f} kWh"
    return math.fsum(terms), ""
