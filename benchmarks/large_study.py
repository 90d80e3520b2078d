"""A large study in which every variant has ended, on moto alone: submit, collect, list, find missing ones, remove.

Nothing stands in for DynamoDB or S3. The records of the variants are like that of one that was really run; each variant
has one small object.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from benchmarks.aws import files_on, local_aws, records_on
from benchmarks.finished_variants import item_of, like
from benchmarks.handlers import RESULTS, TABLE, variables
from benchmarks.output import print_machine, print_table
from benchmarks.scale import measured, real_record, upload
from epsm.results import rows
from epsm.store import keys
from epsm.store.removal import clear
from epsm_local.aws.session import ACCOUNT, REGION, client
from epsm_local.energyplus.system_libraries import prepare


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_study", description=__doc__)
    parser.add_argument("--variants", type=int, default=100_000)
    variants = parser.parse_args().variants
    prepare()
    print_machine()
    found: list[list[Any]] = []
    with local_aws() as endpoint, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records, files = records_on(endpoint), files_on(endpoint)

        def take(what: str, act: Callable[[], object]) -> Any:
            started, cpu_before = time.monotonic(), sum(os.times()[:4])
            answer = act()
            own = sum(os.times()[:4]) - cpu_before
            found.append([what, time.monotonic() - started, own, answer])
            print(f"{what}: {found[-1][1]:.0f} s", file=sys.stderr, flush=True)
            return answer

        source = upload(endpoint, folder / "large", variants)
        submit = take("submit", lambda: measured("submit", source.model_dump_json(), variables(endpoint)))
        simulation = submit["answer"]
        take("write records and objects", lambda: _end_variants(endpoint, simulation, variants, folder / "run"))
        take("aggregate", lambda: measured("aggregate", simulation, variables(endpoint)))
        manifest = files.read_manifest(simulation)
        take("the last 500 rows", lambda: len(rows.page(manifest, records, variants - 500, 500)))
        take("which have succeeded", lambda: len(records.succeeded_indices(simulation)))
        take("which are running", lambda: len(records.running_since(simulation)))
        take("remove objects", lambda: clear(client("s3", endpoint), RESULTS, keys.run_key(simulation))[0])
        take("remove records", lambda: records.remove_study(simulation))
    lines = [[*step[:3], *_summary(step[3])] for step in found]
    print_table([f"{variants:,} variants", "wall_seconds", "cpu_seconds", "peak_memory_mb", "answer"], lines)


def _summary(answer: Any) -> list[Any]:
    """Memory and answer of a step; those that run in a new process have both."""
    return [answer["peak_memory_mb"], answer["answer"]] if isinstance(answer, dict) else ["", answer]


def _end_variants(endpoint: str, simulation: str, variants: int, folder: Path) -> None:
    real = real_record(endpoint, simulation, folder)
    # Straight into moto, which answers requests in this process: a request for each object takes 3 ms.
    table, s3 = dynamodb_backends[ACCOUNT][REGION], s3_backends[ACCOUNT]["aws"]
    for index in range(variants):
        table.put_item(TABLE, item_of(simulation, like(real, index, variants)))
        s3.put_object(RESULTS, keys.variant_key(simulation, index, "result.json"), b"{}")


if __name__ == "__main__":
    main()
