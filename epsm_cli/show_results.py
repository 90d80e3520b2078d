"""Terminal output: the results table, and the reasons for failures.

They are shown from `overview.json`. Results of stacks before 0.3 have none: it is made from the table then, with
pandas, which takes 0.4 s of CPU to import.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from epsm.energyplus.versions import DEFAULT
from epsm.results.comparison import PAYBACK, RANK
from epsm.results.measure_impact import COST, currency_of
from epsm.results.result_files import OVERVIEW
from epsm.results.rows import NOT_RUN
from epsm.study.schema import Study
from epsm.text import file_labels, middle_cut

_MAX_NAME = 24
_MIN_COLUMN_WIDTH = 8
_EDGES = 2
_HEADINGS = {
    "site EUI": "site\nEUI",
    "saved %": "saved\n%",
    "heating": "heat-\ning",
    "cooling": "cool-\ning",
    "unmet hours": "unmet\nhours",
}
_MIN_NEEDED = ("unmet hours", "cooling", "heating", "period", "payback", "cost", "Pareto")


def show_results(console: Console, parquet: Path, study: Study, energyplus: str = DEFAULT) -> None:
    """The results table: EUI and savings by variant, then the reasons for failures.

    Columns with the same value in every row are left out, and those for which the terminal is too narrow.
    """
    overview = _overview(parquet, study)
    shown = overview["rows"]
    names = [parameter.name for parameter in study.parameters]
    places = [name for name in ("model", "weather") if len(_values(shown, name)) > 1]
    periods = _values(shown, "period")
    extra = [name for name, column in _of_measures(study).items() if shown and column in shown[0]]
    extra += [] if periods == {"annual"} else ["period"]
    extra += [] if all(row["verdict"] == "ok" for row in shown) else ["result"]
    table = Table(
        title=f"{study.name}: kWh/m2"
        + (" a year" if periods == {"annual"} else "")
        + ("" if energyplus == DEFAULT else f", EnergyPlus {energyplus}"),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("#", justify="right", no_wrap=True)
    for name in places:
        table.add_column(name, no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", min_width=_MIN_COLUMN_WIDTH, overflow="fold")
    files = {"model": overview["models"], "weather": overview["weather"]}
    labels = {place: file_labels(files[place]) for place in places}
    rows = [_cells(row, names, labels, study) for row in shown]
    columns = _that_fit(console.width, rows, extra)
    for heading in columns:
        table.add_column(_HEADINGS.get(heading, heading), justify="right", no_wrap=True)
    for cells, row in zip(rows, shown, strict=True):
        failed = row["status"] != "succeeded"
        table.add_row(
            *cells.fixed,
            *(cells.others[name] for name in columns),
            style="red" if failed else "bold" if row["baseline"] else None,
        )
    console.print(table)
    if left_out := [name for name in (*_HEADINGS, *extra) if name not in columns]:
        console.print(f"Not shown (terminal too narrow): {', '.join(left_out)}; all columns are in results.csv.")
    if len(shown) < overview["variants"]:
        console.print(
            f"The baselines and the {sum(not row['baseline'] for row in shown)} variants with the lowest EUI of "
            f"{overview['variants']}; all are in results.csv."
        )
    if reported := overview["engine_messages"]:
        console.print(Text(reported, style="yellow"))
    for remark in overview["remarks"]:
        console.print(Text(remark, style="yellow"))
    _show_failures(console, overview["failures"])


def _overview(parquet: Path, study: Study) -> Mapping[str, Any]:
    """The overview beside a results table, or one that is made from it."""
    try:
        written: dict[str, Any] = json.loads((parquet.parent / OVERVIEW).read_text(encoding="utf-8"))
    except FileNotFoundError:
        import pandas as pd

        from epsm.results.overview import overview
        from epsm.results.remarks import remarks

        table = pd.read_parquet(parquet)
        return overview(table, study, remarks(table, study))
    return written


def _values(rows: Sequence[Mapping[str, Any]], column: str) -> set[Any]:
    return {row[column] for row in rows} - {None}


@dataclass(frozen=True, slots=True)
class _Cells:
    """A row: the fixed cells, and the others by column name."""

    fixed: tuple[str, ...]
    others: dict[str, str]


def _of_measures(study: Study) -> dict[str, str]:
    """Columns of the results table with the cost of measures and what follows from it, by their headings."""
    return {"cost": f"{COST}_{currency_of(study)}", "payback": PAYBACK, "Pareto": RANK}


def _cells(
    row: Mapping[str, Any], parameters: Sequence[str], labels: Mapping[str, Mapping[str, str]], study: Study
) -> _Cells:
    levels = [_text(row[name]) for name in parameters]
    if row["baseline"] and levels:
        levels[0] = "baseline"
    others = {
        "site EUI": _text(row["site_eui_kwh_m2"], 1),
        "saved %": "" if row["baseline"] else _text(row["site_eui_saved_percent"], 1),
        "heating": _text(row["heating_kwh_m2"], 1),
        "cooling": _text(row["cooling_kwh_m2"], 1),
        "unmet hours": _text(_sum(row["unmet_heating_hours"], row["unmet_cooling_hours"]), 0),
        "period": _text(row["period"]),
        "result": _text(row["verdict"]) or row["status"],
        **{name: _text(row.get(column), int(column == PAYBACK)) for name, column in _of_measures(study).items()},
    }
    names = (middle_cut(of_files[row[place]], _MAX_NAME) for place, of_files in labels.items())
    return _Cells((str(row["variant_index"]), *names, *levels), others)


def _that_fit(width: int, rows: Sequence[_Cells], extra: Sequence[str]) -> list[str]:
    """The optional columns that fit into the terminal; the least important ones are left out."""
    columns = [*_HEADINGS, *extra]

    def needed(names: Sequence[str]) -> int:
        fixed = sum(
            max(_MIN_COLUMN_WIDTH, *map(len, cells)) for cells in zip(*(row.fixed for row in rows), strict=True)
        )
        others = sum(max([_width_of_heading(name), *(len(row.others[name]) for row in rows)]) for name in names)
        return fixed + others + len(rows[0].fixed) + len(names) + _EDGES

    for name in _MIN_NEEDED:
        if needed(columns) <= width:
            break
        columns = [column for column in columns if column != name]
    return columns


def _width_of_heading(name: str) -> int:
    return max(len(line) for line in _HEADINGS.get(name, name).splitlines())


def _show_failures(console: Console, failures: Sequence[Mapping[str, Any]]) -> None:
    if not failures:
        return
    table = Table(
        "variants",
        "first variant",
        "result",
        "reason",
        title="Failed or not run" if any(failure["status"] == NOT_RUN for failure in failures) else "Failed",
        title_style="bold red",
        box=box.SIMPLE_HEAD,
    )
    for failure in failures:
        result = failure["verdict"] or failure["status"]
        table.add_row(str(failure["variants"]), str(failure["first_variant"]), result, Text(failure["error"]))
    console.print(table)


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _text(value: Any, digits: int | None = None) -> str:
    if value is None:
        return "" if digits is None else "-"
    if isinstance(value, float):
        return f"{value:,.{digits}f}" if digits is not None else f"{value:g}"
    return str(value)
