"""idfkit: one model read, edited for each variant, `simulate_batch` on all cores, results with its own readers."""

import json
import sys
from pathlib import Path
from typing import Any

from idfkit import load_idf
from idfkit.simulation import SimulationJob, simulate_batch
from idfkit.simulation.config import EnergyPlusConfig

from benchmarks.peers.scripts import collect


def _job(case: dict[str, Any], model: Any, index: int, out: Path) -> SimulationJob:
    variant = model.copy()
    for factor, fields in zip(case["factors"][index], case["fields"], strict=True):
        for class_name, field in fields:
            name = field.lower().replace(" ", "_")
            for item in variant[class_name]:
                if isinstance(value := getattr(item, name), float):
                    setattr(item, name, value * factor)
    return SimulationJob(
        variant, case["weather"], label=str(index), output_dir=out / f"{index:04}", annual=case["annual"]
    )


def _results(result: Any) -> dict[str, float]:
    if not result.success:
        raise ValueError(f"{result.run_dir}: {result.stderr}")
    with result:
        database = result.sql
        # The office models ask for a database without tables; idfkit leaves such a request as it is.
        if database is not None and database.query("select 1 from sqlite_master where name like 'TabularData%'"):
            return collect.cells(*(_table(database, name) for name in collect.TABLES))
        return collect.cells(*(result.html.tablebyname(name).rows for name in collect.TABLES))


def _table(database: Any, name: str) -> list[list[str]]:
    rows = database.get_tabular_data(report_name="AnnualBuildingUtilityPerformanceSummary", table_name=name)
    return collect.table_of((row.row_name, row.column_name, row.units, row.value) for row in rows)


def main() -> None:
    case, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    model = load_idf(case["model"])
    jobs = [_job(case, model, index, out) for index in range(len(case["factors"]))]
    engine = EnergyPlusConfig.from_path(case["engine_folder"])
    batch = simulate_batch(jobs, energyplus=engine, max_workers=case["places"])
    collect.write_table(out / "table.csv", map(_results, batch))


main()
