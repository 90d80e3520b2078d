"""energytool: a `Building`, relative parameters, and the sampler of corrai, which simulates on all cores.

It reads meters from eplusout.csv, has no option for an annual run, and looks for EnergyPlus in /usr/local alone; that
path is replaced here. Where a model has an HVAC sizing simulation, its hours come before those of the year and are left
out.
"""

import json
import sys
from pathlib import Path
from typing import Any

import eppy.runner.run_functions as eppy_runner
import numpy as np
from corrai.base.parameter import Parameter
from corrai.base.simulate import run_simulations
from corrai.sampling import Sample
from energytool.building import Building
from eppy.modeleditor import IDF

from benchmarks.peers.scripts import collect

_J_PER_KWH = 3.6e6


class _Building(Building):  # type: ignore[misc]
    """Its worker processes know neither the version nor the path, which are set in classes and modules of eppy."""

    folder = ""
    version: Any = None

    def simulate(self, *given: Any, **named: Any) -> Any:
        folder = self.folder
        eppy_runner.paths_from_version = lambda version: (f"{folder}/energyplus", folder)
        IDF.idd_version = self.version
        return super().simulate(*given, **named)


def _parameter(building: Any, number: int, fields: list[list[str]]) -> Parameter:
    properties = []
    for class_name, field in fields:
        name = field.replace(" ", "_")
        for item in building.idf.idfobjects[class_name.upper()]:
            if item[name] != "":
                properties.append(f"idf.{class_name}.{item.Name}.{name}")
    return Parameter(f"factor_{number}", interval=(0.0, 10.0), relabs="Relative", model_property=tuple(properties))


def _prepare(building: Any, case: dict[str, Any]) -> None:
    idf = building.idf
    idf.outputtype = "nocomment"
    if case["annual"]:
        control = idf.idfobjects["SIMULATIONCONTROL"][0]
        control.Run_Simulation_for_Sizing_Periods = "No"
        control.Run_Simulation_for_Weather_File_Run_Periods = "Yes"
    asked = {item.Key_Name.upper() for item in idf.idfobjects["OUTPUT:METER"]}
    for meter, _ in case["meters"]:
        if meter.upper() not in asked:
            idf.newidfobject("OUTPUT:METER", Key_Name=meter, Reporting_Frequency="Hourly")


def _results(series: Any, case: dict[str, Any]) -> dict[str, float]:
    names = {name.split(" [")[0].upper(): name for name in series.columns if "(Hourly)" in name}
    found = {
        head: float(series[names[meter.upper()]].tail(case["hours"]).sum()) / _J_PER_KWH
        for meter, head in case["meters"]
    }
    return {"site_eui_kwh_m2": sum(found.values()) / case["area_m2"], **{k: v for k, v in found.items() if v}}


def main() -> None:
    case, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    Building.set_idd(Path(case["engine_folder"]))
    building = _Building(case["model"])
    building.folder, building.version = case["engine_folder"], IDF.idd_version
    _prepare(building, case)
    parameters = [_parameter(building, number, fields) for number, fields in enumerate(case["fields"])]
    sample = Sample(parameters)
    sample.add_samples(np.array(case["factors"]))
    options = {"epw_file": case["weather"], "outputs": "RAW", "verbose": "q"}
    series = run_simulations(
        building, sample.get_list_parameter_value_pairs(slice(None)), options, n_cpu=case["places"]
    )
    collect.write_table(out / "table.csv", (_results(each, case) for each in series))


if __name__ == "__main__":
    main()
