"""A large study in which every variant has ended, on moto alone: submit, collect, list, find missing ones, remove.

Nothing stands in for DynamoDB or S3. The records of the variants are like that of one that was really run; each variant
has one small object.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.aws import files_on, local_aws, records_on
from benchmarks.finished_variants import item_of, like
from benchmarks.handlers import RESULTS, TABLE, variables
from benchmarks.output import print_machine, print_table
from benchmarks.scale import measured, real_record, upload
from epsm.results import rows
from epsm.store import keys
from epsm.store.removal import clear
from epsm_local.aws.session import client
from epsm_local.energyplus.system_libraries import prepare

_ITEMS_OF_A_WRITE = 25


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

        def take(what: str, act: Callable[[], object]) -> None:
            started = time.monotonic()
            answer = act()
            found.append([what, time.monotonic() - started, "", answer])

        source = upload(endpoint, folder / "large", variants)
        submit = measured("submit", source.model_dump_json(), variables(endpoint))
        found.append(["submit", submit["wall_seconds"], submit["peak_memory_mb"], ""])
        simulation = submit["answer"]
        _end_variants(endpoint, simulation, variants, folder / "run")
        aggregate = measured("aggregate", simulation, variables(endpoint))
        found.append(["aggregate", aggregate["wall_seconds"], aggregate["peak_memory_mb"], aggregate["answer"]])
        manifest = files.read_manifest(simulation)
        take("the last 500 rows", lambda: len(rows.page(manifest, records, variants - 500, 500)))
        take("which have succeeded", lambda: len(records.succeeded_indices(simulation)))
        take("which are running", lambda: len(records.running_since(simulation)))
        take("remove objects", lambda: clear(client("s3", endpoint), RESULTS, keys.run_key(simulation))[0])
        take("remove records", lambda: records.remove_study(simulation))
    print_table([f"{variants:,} variants", "wall_seconds", "peak_memory_mb", "answer"], found)


def _end_variants(endpoint: str, simulation: str, variants: int, folder: Path) -> None:
    real = real_record(endpoint, simulation, folder)
    dynamodb, s3 = client("dynamodb", endpoint), client("s3", endpoint)

    def write(first: int) -> None:
        indices = range(first, min(first + _ITEMS_OF_A_WRITE, variants))
        items = [item_of(simulation, like(real, index, variants)) for index in indices]
        dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in items]})
        for index in indices:
            s3.put_object(Bucket=RESULTS, Key=keys.variant_key(simulation, index, "result.json"), Body=b"{}")

    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(write, range(0, variants, _ITEMS_OF_A_WRITE)):
            pass


if __name__ == "__main__":
    main()
