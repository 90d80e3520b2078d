"""The table of results of a folder of EnergyPlus runs, with the standard library alone.

Used by the runners that have no reader of their own for the tables that the model writes. Every runner ends with a
`table.csv` of the same columns: `variant_index`, `site_eui_kwh_m2`, and one column for each end use and fuel that is
not zero, e.g. `heating_natural_gas_kwh`; here also `area_m2`, of the building.
"""

import contextlib
import csv
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_REPORT = "Annual Building Utility Performance Summary"
_GJ_TO_KWH = 1 / 0.0036
_TAG = re.compile(r"<[^>]*>")


def column(end_use: str, fuel: str) -> str:
    """Name of the column of an end use and a fuel, e.g. ``interior_lighting_electricity_kwh``."""
    return f"{end_use.strip()}_{fuel.strip()}_kwh".lower().replace(" ", "_").replace("-", "_")


def results_of(folder: Path) -> dict[str, float]:
    """Cells of a run, from its database if that has tables, else from eplustbl.htm or eplustbl.csv.

    Raises:
        ValueError: If the run did not complete, or has none of them.
    """
    end = folder / "eplusout.end"
    if not end.exists() or "Completed Successfully" not in end.read_text(encoding="latin-1"):
        raise ValueError(f"{folder}: the run did not complete")
    database, page, text = (folder / name for name in ("eplusout.sql", "eplustbl.htm", "eplustbl.csv"))
    if database.exists() and (tables := _from_database(database)):
        return cells(*tables)
    if page.exists():
        content = page.read_text(encoding="latin-1")
        return cells(*(_page_table(content, name) for name in TABLES))
    if text.exists():
        content = text.read_text(encoding="latin-1")
        return cells(*(_text_table(content, name) for name in TABLES))
    raise ValueError(f"{folder}: the run has no table of results")


Table = list[list[str]]
TABLES = ("Site and Source Energy", "End Uses", "Building Area")


def cells(*tables: Table) -> dict[str, float]:
    """Cells from `TABLES`, each with its heads in the first row."""
    energy, end_uses, areas = ([row for row in table if any(row)] for table in tables)
    heads = energy[0]
    site = next(row for row in energy if row[0] == "Total Site Energy")
    place = next(place for place, head in enumerate(heads) if head.startswith("Energy Per Total Building Area"))
    found = {"site_eui_kwh_m2": float(site[place]) * (_GJ_TO_KWH / 1000 if "[MJ/m2]" in heads[place] else 1)}
    found["area_m2"] = float(next(row[1] for row in areas if row[0] == "Total Building Area"))
    for row in end_uses[1:]:
        if row[0] == "Total End Uses":
            continue
        for head, cell in zip(end_uses[0][1:], row[1:], strict=False):
            fuel, _, unit = head.rpartition(" [")
            if unit in {"GJ]", "kWh]"} and float(cell):
                found[column(row[0], fuel)] = float(cell) * (_GJ_TO_KWH if unit == "GJ]" else 1)
    return found


def _from_database(path: Path) -> list[Table] | None:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if not connection.execute("select 1 from sqlite_master where name = 'TabularDataWithStrings'").fetchone():
            return None
        rows = connection.execute(
            "select TableName, RowName, ColumnName, Units, Value from TabularDataWithStrings"
            " where ReportName = 'AnnualBuildingUtilityPerformanceSummary'"
            " and TableName in ('Site and Source Energy', 'End Uses', 'Building Area')"
        ).fetchall()
    return [table_of(row[1:] for row in rows if row[0] == name) for name in TABLES] if rows else None


def table_of(cells_of_table: Iterable[Sequence[str]]) -> Table:
    """A table from its cells: row, column, unit, value."""
    values = {(row, f"{head} [{unit}]"): value.strip() for row, head, unit, value in cells_of_table if head}
    heads = list(dict.fromkeys(head for _, head in values))
    names = list(dict.fromkeys(row for row, _ in values))
    return [["", *heads], *([row, *(values.get((row, head), "0") for head in heads)] for row in names)]


def _page_table(page: str, name: str) -> Table:
    start = page.index(f"<b>{name}</b>", page.index(_REPORT))
    body = page[start : page.index("</table>", start)]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body.split("<tr>")[1:]]
    return [[_TAG.sub("", cell).replace("&nbsp;", "").strip() for cell in row] for row in rows]


def _text_table(text: str, name: str) -> Table:
    lines = text[text.index(_REPORT) :].splitlines()
    start = lines.index(name) + 1
    while not lines[start].strip():
        start += 1
    end = next(number for number in range(start, len(lines)) if not lines[number].strip())
    return [row[1:] for row in csv.reader(lines[start:end])]


def write_table(path: Path, rows: Iterable[Mapping[str, float]]) -> None:
    """Write the cells of all variants, in their order."""
    found = list(rows)
    heads = ["variant_index", "site_eui_kwh_m2", *sorted({head for row in found for head in row} - {"site_eui_kwh_m2"})]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, heads, restval="")
        writer.writeheader()
        writer.writerows({"variant_index": index, **row} for index, row in enumerate(found))
