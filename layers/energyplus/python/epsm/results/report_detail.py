"""The report's tables of the baselines' zones and months, from the files that a study requests."""

from html import escape
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from epsm.results.report_cells import number_table
from epsm.study.schema import Study

_MAX_BASELINES = 4
_MAX_ZONES = 40
_ZONE_COLUMNS = (
    *("area_m2", "multiplier", "heating_kwh", "cooling_kwh", "heating_design_load_w", "cooling_design_load_w"),
    *("unmet_heating_hours", "unmet_cooling_hours", "not_comfortable_hours"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TOTAL = "total"


def detail_section(folder: Path, study: Study) -> str:
    """Zones and months of the first baselines; empty if the study requests neither.

    Args:
        folder: Folder with `zones.parquet` and `monthly.parquet`, if they exist.
        study: The study.
    """
    first = range(0, study.variant_count, study.sample_count)[:_MAX_BASELINES]
    parts = []
    for index in first:
        zones, months = (_rows(folder / f"{name}.parquet", index) for name in ("zones", "monthly"))
        shown = _zones(zones) + _months(months)
        if shown:
            of = (zones if not zones.empty else months).iloc[0]
            parts.append(f"<h3>{escape(f'{of.model}, {of.weather}')}: baseline</h3>{shown}")
    more = study.variant_count > len(first)
    note = "<p class='facts'>The other variants are in zones.parquet and monthly.parquet.</p>" if parts and more else ""
    return f"<h2>Zones and months</h2>{''.join(parts)}{note}" if parts else ""


def _rows(path: Path, index: int) -> pd.DataFrame:
    """The rows of one variant; none if there is no such file."""
    if not path.is_file():
        return pd.DataFrame()
    found: pd.DataFrame = pq.read_table(path, filters=pc.field("variant_index") == index).to_pandas()
    return found


def _zones(zones: pd.DataFrame) -> str:
    if zones.empty:
        return ""
    shown = zones.head(_MAX_ZONES)
    rest = len(zones) - len(shown)
    more = f"<p class='facts'>{rest} further zones are in zones.parquet.</p>" if rest else ""
    return number_table(shown, _ZONE_COLUMNS, shown["zone"], of="zone") + more


def _months(months: pd.DataFrame) -> str:
    """Energy and peak demand of each month by fuel, over all run periods."""
    if months.empty:
        return ""
    totals = months[months["end_use"] == _TOTAL]
    fuels = list(totals["fuel"].unique())
    by_month = totals.groupby(["month", "fuel"], sort=True).agg(
        energy=("energy_kwh", lambda values: values.sum(min_count=1)), peak=("peak_w", "max")
    )
    wide = by_month.unstack("fuel")
    table = pd.DataFrame(
        {f"{fuel}_{unit}": wide[kind, fuel] for fuel in fuels for kind, unit in (("energy", "kwh"), ("peak", "peak_w"))}
    )
    return number_table(table, list(table.columns), [_MONTHS[int(month) - 1] for month in table.index], of="month")
