"""The report's section of further metrics: demand of the zones, peaks, design."""

from collections.abc import Sequence

import pandas as pd

from epsm.results.metrics import DELIVERED, DEMAND_METERS, DESIGN_SUMS, FUELS, PEAK_TIMES, snake
from epsm.results.report_cells import levels, number_table
from epsm.results.table_rows import Complete, as_they_are
from epsm.study.records import VariantStatus
from epsm.study.schema import Study
from epsm.text import file_labels

_DEMAND = (*DEMAND_METERS, *(f"{name}_m2" for name in DELIVERED), "net_site_eui_kwh_m2", "source_eui_kwh_m2")
_PEAKS = tuple(name for fuel in FUELS for name in (f"{snake(fuel)}_peak_w", f"{snake(fuel)}_peak_time"))
_DESIGN = tuple(DESIGN_SUMS)
METRICS_SHOWN = (*_DEMAND, *(name for name in _PEAKS if name not in PEAK_TIMES), *PEAK_TIMES, *_DESIGN)
"""The columns of the results table that the section is made from, besides those of every report."""
_MAX_ROWS = 30


def metrics_section(table: pd.DataFrame, study: Study, places: Sequence[str], complete: Complete = as_they_are) -> str:
    """Tables of energy demand, peak demand and design of the baselines and the variants with the lowest site EUI.

    Args:
        table: At least `METRICS_SHOWN`, `site_eui_kwh_m2` and the parameters of the results table.
        study: The study.
        places: Which of `model` and `weather` distinguish variants.
        complete: Reads `METRICS_SHOWN`, if the table has them not.
    """
    success = table["status"] == VariantStatus.SUCCEEDED.value
    done = table[["variant_index", "baseline", "site_eui_kwh_m2"]][success]
    baselines = done[done["baseline"]].head(_MAX_ROWS // 2)
    best = done[~done["baseline"]].nsmallest(_MAX_ROWS - len(baselines), "site_eui_kwh_m2")
    chosen = pd.concat([baselines, best]).sort_values("variant_index")
    rows = complete(table.loc[chosen.index], METRICS_SHOWN)
    labels = variant_labels(rows, study, places)
    parts = [
        (title, number_table(rows, columns, labels))
        for title, columns in (
            ("Energy demand and primary energy", _DEMAND),
            ("Peak demand, with month, day and end of the time step", _PEAKS),
            ("Design loads and capacities", _DESIGN),
        )
    ]
    shown = "".join(f"<h3>{title}</h3>{part}" for title, part in parts if part)
    if not shown:
        return ""
    which = "" if len(rows) == len(done) else f": baselines and the {len(best)} variants with the lowest site EUI"
    return f"<h2>Demand and peaks{which}</h2>{shown}"


def variant_labels(rows: pd.DataFrame, study: Study, places: Sequence[str]) -> list[str]:
    """The label of each row: its number, files that distinguish it, and levels."""
    names = {place: file_labels(rows[place].unique()) for place in places}
    return [
        f"{row['variant_index']}: "
        + ", ".join(
            [*(of_files[row[place]] for place, of_files in names.items()), levels(row, study.parameters, study)]
        )
        for _, row in rows.iterrows()
    ]
