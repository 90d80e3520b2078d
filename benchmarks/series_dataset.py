"""The series of a whole study: writing its parts, and reading them from disk and from the local stack's S3."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from benchmarks.handlers import variables
from benchmarks.output import print_machine, print_table
from benchmarks.series_reader import WAYS
from benchmarks.studies import ONE_ZONE, WEATHER
from epsm.energyplus.engine import command, installed_engine, run
from epsm.energyplus.model_editor import prepare as prepare_model
from epsm.results.series import read_series
from epsm.results.series_parts import with_index, write_columns, write_part
from epsm.store import keys
from epsm.study.schema import Outputs, Study
from epsm_local.energyplus.system_libraries import prepare
from epsm_local.stack import LocalStack
from infra.tools.packaging import ROOT

_OUTPUTS = Outputs(
    meters=("Electricity:Facility", "Heating:EnergyTransfer", "Cooling:EnergyTransfer"),
    variables=("Zone Mean Air Temperature", "Zone Air Relative Humidity"),
)
_RUN = "runs/benchmark/"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.series_dataset", description=__doc__)
    parser.add_argument("--variants", type=int, default=1_000, metavar="N")
    parser.add_argument("--python", default="", metavar="PATH", help="Python of an environment with polars and DuckDB.")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    prepare()
    print_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        year = _year(folder)
        _write(folder, year, chosen.variants)
        ways = [way for way in chosen.ways if chosen.python or not way.startswith(("polars", "DuckDB"))]
        with LocalStack() as stack:
            s3, bucket = stack.client("s3"), stack.outputs.results_bucket
            with ThreadPoolExecutor(4) as pool:
                for path in (folder / "series").iterdir():
                    pool.submit(s3.put_object, Bucket=bucket, Key=f"{_RUN}series/{path.name}", Body=path.read_bytes())
            for where, place in (("disk", f"{folder}/"), ("S3", f"s3://{bucket}/{_RUN}")):
                print(f"From {where}:\n")
                _read(ways, place, stack.endpoint, chosen.python, chosen.rounds)


def _year(folder: Path) -> pd.DataFrame:
    """Five hourly series of a year of the one-zone model."""
    engine, work = installed_engine(), folder / "run"
    work.mkdir()
    study = {"name": "a", "models": ["room.idf"], "weather": ["c.epw"], "outputs": _OUTPUTS.model_dump(mode="json")}
    model = prepare_model(
        ONE_ZONE.path.read_bytes(), "room.idf", Study.model_validate({"schema": 1, **study}), engine.idd
    )
    (work / "in.idf").write_text(model.render({}), encoding="utf-8")
    run(command(engine, work / "in.idf", WEATHER, work), work, timeout_s=120)
    series = read_series(work / "eplusout.sql", _OUTPUTS)
    assert series is not None
    return series


def _write(folder: Path, year: pd.DataFrame, variants: int) -> None:
    (folder / "series").mkdir()
    values = year.columns[3:]
    cpu = started = 0.0
    for index in range(variants):
        own = year.copy()
        own[values] *= 1 + index / 7919  # other digits in every variant
        started = time.process_time()
        write_part(own, index, folder / keys.series_part(index))
        cpu += time.process_time() - started
    first = (folder / keys.series_part(0)).read_bytes()
    started = time.process_time()
    for index in range(100):
        with_index(first, index)
    copy_ms = (time.process_time() - started) * 10
    write_columns([(folder / keys.series_part(0)).open("rb")], folder / keys.SERIES_COLUMNS)
    total = sum(path.stat().st_size for path in (folder / "series").iterdir())
    print(f"{variants:,} parts x {len(year):,} intervals x {len(values)} series: {total / 1e6:.0f} MB")
    print(f"writing {cpu / variants * 1e3:.1f} ms of CPU a part, giving a copy another index {copy_ms:.1f} ms\n")


def _read(ways: Sequence[str], place: str, endpoint: str, python: str, rounds: int) -> None:
    """Each way in a process of its own; the ways take turns."""
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            executable = python if way.startswith(("polars", "DuckDB")) else sys.executable
            done = subprocess.run(
                [executable, str(ROOT / "benchmarks" / "series_reader.py"), way, place],
                cwd=ROOT,
                env=variables(endpoint) | {"PYTHONPATH": f"{ROOT}/layers/energyplus/python"},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            measured[way].append(json.loads(done.stdout))
    rows = []
    for way, measures in measured.items():
        middle = sorted(measures, key=lambda one: one["wall"])[len(measures) // 2]
        rows.append([way, int(middle["rows"]), middle["wall"], middle["cpu"], int(middle["memory"])])
    print_table(["read with", "rows", "seconds", "CPU seconds", "peak memory, MiB"], rows)


if __name__ == "__main__":
    main()
