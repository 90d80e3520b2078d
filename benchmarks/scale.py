"""Submitting and collecting large studies: time and memory of these two functions alone."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.aws import files_on, local_aws, records_on
from benchmarks.finished_variants import served, write_pages
from benchmarks.handlers import INPUTS, variables
from benchmarks.output import print_machine, print_table
from benchmarks.studies import SMALL_OFFICE, several_parameters, write_study
from epsm.energyplus.engine import installed_engine
from epsm.pipeline.run_variant import VariantRunner
from epsm.study.manifest import Source
from epsm.study.records import VariantRecord
from epsm.study.variants import Variant
from epsm_local.aws.session import client
from epsm_local.energyplus.system_libraries import prepare
from infra.tools.packaging import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="+", default=[1_000, 10_000, 100_000], metavar="N")
    chosen = parser.parse_args()
    prepare()
    print_machine()
    with local_aws() as endpoint:
        real: VariantRecord | None = None
        for variants in chosen.variants:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                source = upload(endpoint, folder / f"scale-{variants}", variants)
                submit = measured("submit", source.model_dump_json(), variables(endpoint))
                simulation = submit["answer"]
                real = real or real_record(endpoint, simulation, folder / "run")
                write_pages(folder / "pages", simulation, real, variants)
                with served(folder / "pages") as dynamodb:
                    environment = {**variables(endpoint), "AWS_ENDPOINT_URL_DYNAMODB": dynamodb}
                    aggregate = measured("aggregate", simulation, environment)
            _print(variants, submit, aggregate)


def upload(endpoint: str, folder: Path, variants: int) -> Source:
    """Upload a study of that many variants; where its study.json is."""
    write_study(folder, SMALL_OFFICE, several_parameters(variants))
    version = ""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == "study.json"):
        answer = client("s3", endpoint).put_object(
            Bucket=INPUTS, Key=f"{folder.name}/{path.name}", Body=path.read_bytes()
        )
        version = answer["VersionId"]
    return Source(bucket=INPUTS, key=f"{folder.name}/study.json", version_id=version)


def real_record(endpoint: str, simulation: str, folder: Path) -> VariantRecord:
    """Run the study's baseline as run_variant does; the record that this leaves."""
    records = records_on(endpoint)
    runner = VariantRunner(files_on(endpoint), records, folder, installed_engine())
    runner.run(simulation, Variant(0, "model.idf", "chicago.epw"), seconds_left=lambda: 600.0)
    record = records.variant(simulation, 0)
    assert record is not None
    return record


def measured(function: str, argument: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What `benchmarks.measured` prints, from a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measured", function, argument],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _print(variants: int, submit: dict[str, Any], aggregate: dict[str, Any]) -> None:
    print(f"{aggregate['answer']}:\n")
    names = ("wall_seconds", "cpu_seconds", "waiting_seconds", "peak_memory_mb")
    rows = []
    for function, measures in (("submit", submit), ("aggregate", aggregate)):
        # The longest first; from sending to the parsed answer.
        calls = sorted(measures["calls"].items(), key=lambda item: -item[1][1])
        slowest = "; ".join(f"{operation} {number}, {seconds:.2f}" for operation, (number, seconds) in calls[:4])
        rows.append([function, variants, *(measures[name] for name in names), slowest])
    print_table(["function", "variants", *names, "AWS calls: number, seconds"], rows)


if __name__ == "__main__":
    main()
