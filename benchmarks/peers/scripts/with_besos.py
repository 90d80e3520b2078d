"""besos: an `EvaluatorEP` with meters as objectives, applied to all rows on all cores.

It has no option for an annual run, so the model's own SimulationControl asks for one. Models are epJSON, its default.
Where a model has an HVAC sizing simulation, its hours come before those of the year and are left out.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from besos.evaluator import EvaluatorEP
from besos.objectives import MeterReader
from besos.parameters import GenericSelector, Parameter, RangeParameter
from besos.problem import EPProblem

from benchmarks.peers.scripts import collect

_J_PER_KWH = 3.6e6


def _building(case: dict[str, Any], out: Path) -> Any:
    command = [f"{case['engine_folder']}/energyplus", "--convert-only", "--output-directory", str(out), case["model"]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    building = json.loads((out / "model.epJSON").read_text())
    if case["annual"]:
        for control in building["SimulationControl"].values():
            control["run_simulation_for_sizing_periods"] = "No"
            control["run_simulation_for_weather_file_run_periods"] = "Yes"
    # Its own way to add meters overwrites those of an epJSON model, and it knows "Hourly", not "HOURLY".
    asked = {meter.upper() for meter, _ in case["meters"]}
    kept = {
        name: item for name, item in building.get("Output:Meter", {}).items() if item["key_name"].upper() not in asked
    }
    added = {f"asked {meter}": {"key_name": meter, "reporting_frequency": "Hourly"} for meter, _ in case["meters"]}
    building["Output:Meter"] = {**kept, **added}
    return building


def _multiply(fields: list[list[str]]) -> Any:
    def edit(building: Any, factor: float) -> None:
        for class_name, field in fields:
            for item in building.get(class_name, {}).values():
                name = field.lower().replace(" ", "_")
                if name in item:
                    item[name] *= factor

    return edit


def main() -> None:
    warnings.simplefilter("ignore")
    case, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    names = [f"factor_{number}" for number in range(len(case["fields"]))]
    parameters = [
        Parameter(GenericSelector(set=_multiply(fields)), RangeParameter(0.0, 10.0, name=name))
        for name, fields in zip(names, case["fields"], strict=True)
    ]

    def total(results: Any) -> float:
        return float(results.data["Value"].tail(case["hours"]).sum())

    meters = [MeterReader(meter, frequency="Hourly", func=total, name=head) for meter, head in case["meters"]]
    evaluator = EvaluatorEP(
        EPProblem(parameters, meters),
        _building(case, out),
        epw=case["weather"],
        err_dir=out / "errors",
        progress_bar=False,
        ep_path=case["engine_folder"],
    )
    rows = pd.DataFrame(case["factors"], columns=names)
    table = evaluator.df_apply(rows, processes=case["places"], keep_dirs=True, out_dir=out)
    found = [{head: row[head] / _J_PER_KWH for _, head in case["meters"] if row[head]} for _, row in table.iterrows()]
    collect.write_table(
        out / "table.csv", ({"site_eui_kwh_m2": sum(row.values()) / case["area_m2"], **row} for row in found)
    )


main()
