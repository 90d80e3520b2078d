"""The model of benchmarks.cloud_model, compared with studies on the local stack.

A study of 20 variants gives the parameters that are not known beforehand: the engine's run time beside another engine,
its spread, and the time that a variant takes besides. The model then predicts larger studies, which are run.
"""

import argparse
import json
import math
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.cloud_model import Account, predict
from benchmarks.output import print_machine, print_table
from benchmarks.studies import ONE_ZONE, one_parameter, write_study
from benchmarks.study_run import run_study
from epsm_local.stack import LocalStack
from tests.support import records_of

_CALIBRATION = 20
_MEMORY_MB = 1769


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_check", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="+", default=[40, 200], metavar="N")
    chosen = parser.parse_args()
    print_machine()
    engines = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name, LocalStack(engines=engines) as stack:
        folder = Path(name)
        for study, variants in (("warm-up", 4 * engines), ("calibration", _CALIBRATION)):
            _write(folder / study, variants)
            calibration = run_study(stack, folder / study, engines)
        records = records_of(stack).variants(calibration.simulation)
        runs = [record.summary["engine_seconds"] for record in records]
        spread = statistics.stdev(map(math.log, runs))
        around_s = calibration.map_seconds * engines / _CALIBRATION - statistics.mean(runs)
        # All workers are warm, and the local map starts children without a limit.
        account = Account(engines, _MEMORY_MB, math.inf, 0.0, around_s, 0.0)
        rows = []
        for variants in chosen.variants:
            _write(folder / str(variants), variants)
            measured = run_study(stack, folder / str(variants), engines).map_seconds
            found = predict(variants, statistics.mean(runs), account, spread=spread)
            rows.append([variants, found.children, found.wall_seconds, measured, found.wall_seconds / measured])
    print(f"One zone, {statistics.mean(runs):.3f} s an engine, {around_s:.3f} s around it, {engines} at a time:\n")
    print_table(["variants", "children", "predicted seconds", "measured seconds", "ratio"], rows)


def _write(folder: Path, variants: int) -> None:
    """A study in which every variant runs: none reuses earlier results."""
    write_study(folder, ONE_ZONE, one_parameter(variants))
    path = folder / "study.json"
    document = json.loads(path.read_bytes())
    document["options"] = document.get("options", {}) | {"cache": False}
    path.write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
