"""Models of other EnergyPlus versions, from upload to table, each with the real engine of its version.

As in test_truth: every metric is what the HTML report of the same run says, and the baseline's report is that of the
bare engine of that version on the very file that was uploaded.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.energyplus.engine import installed_engine_of
from epsm.study.records import StudyStatus
from epsm_local.energyplus.engines import install
from epsm_local.stack import LocalStack
from tests.conftest import study_document
from tests.e2e.html_report import Cells, comparable, read_html
from tests.e2e.test_truth import METRICS, number, with_every_fuel, with_html
from tests.support import result_file, result_json, results_table, run_study

VERSIONS = {"23.2": "23.2.0-7636e6b3e9", "25.1": "25.1.0-68a4a7c774", "26.1": "25.2.0-cf7368216c"}
"""Version of the model, and the engine that runs it. No engine of 26.1 can be had: its models run with 25.2."""


class Ran:
    """A study of one version that has ended: its table, result.json and reports."""

    def __init__(self, stack: LocalStack, version: str, model: str, weather: Path, folder: Path) -> None:
        runs_with = "25.2" if version == "26.1" else version
        install(runs_with)
        self.version = version
        # EnergyPlus before 25.2 rounds the tables in its database to two digits, too.
        self.half_a_digit_of_ours = 0.0 if runs_with == "25.2" else 0.0050001
        (folder / "room.idf").write_text(model, encoding="utf-8")
        (folder / "chicago.epw").write_bytes(weather.read_bytes())
        changes: dict[str, Any] = {"outputs": {"keep": ["err", "htm"], "meters": ["Electricity:Facility"]}}
        if version == "26.1":
            changes["energyplus"] = "25.2"
        (folder / "study.json").write_text(json.dumps(study_document(**changes)), encoding="utf-8")
        record = run_study(stack, folder, within_s=120)
        assert record.status is StudyStatus.COMPLETED, record
        name = record.simulation_id
        self.table: pd.DataFrame = results_table(stack, name)
        self.manifest = result_json(stack, name, "manifest.json")
        self.result = result_json(stack, name, "variants/0/result.json")
        self.edited = result_file(stack, name, "variants/1/in.idf").decode()
        self.errors = result_file(stack, name, "variants/0/eplusout.err").decode()
        self.printed = [
            read_html(result_file(stack, name, f"variants/{index}/eplustbl.htm").decode("utf-8", "replace"))
            for index in range(len(self.table))
        ]
        self.bare = bare(runs_with, folder / "room.idf", weather, folder)


def bare(version: str, model: Path, weather: Path, folder: Path) -> Cells:
    line = [*installed_engine_of(version).start, "-w", str(weather), "-d", str(folder / "out"), str(model)]
    assert subprocess.run(line, stdout=subprocess.DEVNULL, check=False, timeout=120).returncode == 0
    return read_html((folder / "out" / "eplustbl.htm").read_text(encoding="utf-8", errors="replace"))


@pytest.fixture(scope="module", params=list(VERSIONS))
def ran(
    request: pytest.FixtureRequest,
    stack: LocalStack,
    one_zone: str,
    chicago: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ran:
    version = request.param
    model = with_html(with_every_fuel(one_zone)).replace("Version,25.2", f"Version,{version}")
    assert f"Version,{version}" in model
    return Ran(stack, version, model, chicago, tmp_path_factory.mktemp(f"v{version}"))


def test_every_metric_is_what_the_report_of_the_same_run_says(ran: Ran) -> None:
    wrong = {}
    for index, cells in enumerate(ran.printed):
        for metric, place in METRICS.items():
            expected, half_a_digit = number(cells, *place)
            if not abs(ran.table[metric][index] - expected) <= half_a_digit + ran.half_a_digit_of_ours:
                wrong[index, metric] = (ran.table[metric][index], expected)
    assert wrong == {}


def test_the_baseline_is_the_bare_engine_of_that_version_to_the_last_digit(ran: Ran) -> None:
    expected, own = comparable(ran.bare), comparable(ran.printed[0])
    assert expected
    assert {key: own.get(key) for key in expected} == expected


def test_the_parameter_changes_the_result(ran: Ran) -> None:
    assert ran.table["site_energy_kwh"].nunique() == len(ran.table) == 3


def test_the_version_and_build_stand_beside_the_numbers(ran: Ran) -> None:
    assert ran.result["engine_version"] == VERSIONS[ran.version]
    assert ran.manifest["engine_version"] == VERSIONS[ran.version].split("-")[0]
    assert f"Version {VERSIONS[ran.version]}" in ran.errors


def test_the_engine_does_not_doubt_the_models_version(ran: Ran) -> None:
    assert "not the same as expected" not in ran.errors
