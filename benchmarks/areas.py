"""Areas that measures are counted by, against EnergyPlus's own Envelope Summary, on the models of pyenergyplus-lbnl."""

import argparse
import math
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pyenergyplus

from benchmarks.output import print_machine, print_table
from epsm.energyplus import dictionary
from epsm.energyplus.amounts import SurfaceAmounts
from epsm.energyplus.engine import command, installed_engine, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.surfaces import surfaces_of
from epsm.energyplus.versions import DEFAULT
from epsm.results.quantities import measured_quantities
from epsm.study.schema import Study
from epsm.text import fold_name

DATA = Path(pyenergyplus.__file__).parent / "data"
_SLOTS = {
    "wall": ("wall",),
    "floor": ("floor",),
    "roof_ceiling": ("roof",),
    "door": ("door",),
    "window": ("window", "skylight"),
}
_CHECKED = ("exterior", "ground")
_TOLERANCE = 1e-6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.areas", description=__doc__)
    parser.add_argument("models", nargs="*", help="names without ending; all of them by default")
    chosen = parser.parse_args()
    print_machine()
    names = chosen.models or sorted(path.stem for path in (DATA / "model").glob("*.idf"))
    lines = []
    with dictionary.of_version(DEFAULT), tempfile.TemporaryDirectory() as folder:
        for name in names:
            (place := Path(folder) / name).mkdir()
            lines.append([name, *_compare(DATA / "model" / f"{name}.idf", place)])
            print(*lines[-1], flush=True)
    print_table(["model", "slots", "surfaces", "largest relative difference"], lines)
    good = sum(isinstance(line[-1], float) and line[-1] <= _TOLERANCE for line in lines)
    print(f"\n{good} of {len(lines)} models agree to {_TOLERANCE:g}.")


def _compare(model: Path, folder: Path) -> tuple[int, int, float | str]:
    """Slots and surfaces that were compared, and the largest difference; or the reason why there is none."""
    content = model.read_bytes()
    outline = read_outline(content, model.name)
    study = Study.model_validate(
        {"models": [model.name], "weather": ["x.epw"], "options": {"run_period": "design_days"}}
    )
    engine = installed_engine()
    prepared = prepare(content, model.name, study, engine.idd)
    (folder / "in.idf").write_text(prepared.render({}), encoding="utf-8")
    weather = next(iter(sorted((DATA / "weather").glob("*.epw"))))
    line = command(
        engine,
        folder / "in.idf",
        weather,
        folder,
        expand_objects=prepared.needs_expansion,
        run_period="design_days",
    )
    if (ended := run(line, folder, timeout_s=900)).exit_code != 0:
        return 0, 0, f"exit code {ended.exit_code}"
    air = {fold_name(each.name) for each in outline.of_class("Construction:AirBoundary")}
    by_slot: dict[tuple[str, str], list[str]] = {}
    for surface in surfaces_of(outline):
        boundary = "ground" if surface.boundary == "foundation" else surface.boundary
        element = "window" if surface.element == "skylight" else surface.element
        if boundary in _CHECKED and element in _SLOTS and fold_name(surface.construction) not in air:
            by_slot.setdefault((element, boundary), []).append(surface.name)
    amounts = {"all": [tuple(SurfaceAmounts(name) for name in names) for names in by_slot.values()]}
    database = folder / "eplusout.sql"
    found = measured_quantities(amounts, database)["all"]
    reported = _reported(database)
    worst = 0.0
    for names, quantities in zip(by_slot.values(), found, strict=True):
        wanted = math.fsum(reported[fold_name(name)] for name in names)
        if quantities["area_m2"] is None:
            return len(by_slot), len(names), "no area"
        worst = max(worst, abs(quantities["area_m2"] - wanted) / wanted)
    return len(by_slot), sum(map(len, by_slot.values())), worst


def _reported(database: Path) -> Mapping[str, float]:
    """Net area of each surface in the Envelope Summary, times multipliers, by name."""
    with closing(sqlite3.connect(database)) as connection:
        cells = connection.execute(
            "SELECT RowName, Value FROM TabularDataWithStrings WHERE ReportName = 'EnvelopeSummary' "
            "AND ColumnName IN ('Net Area', 'Area of Multiplied Openings', 'Gross Area') AND TRIM(Value) <> '' "
            "ORDER BY ColumnName = 'Gross Area'"  # which doors have instead of a net area
        ).fetchall()
    areas: dict[str, float] = {}
    for name, value in cells:
        areas.setdefault(fold_name(name), float(value))
    return areas


if __name__ == "__main__":
    main()
