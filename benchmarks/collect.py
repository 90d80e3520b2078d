"""Aggregate alone, of up to a million records that are made in its process when it reads them."""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmarks.aws import files_on, local_aws
from benchmarks.finished_variants import like
from benchmarks.handlers import variables
from benchmarks.measured import peak_memory_mb
from benchmarks.output import print_machine, print_table
from benchmarks.scale import measured, real_record, upload
from benchmarks.studies import several_parameters
from epsm.pipeline.aggregate import aggregate
from epsm.store import attributes, keys
from epsm.store.files import Files
from epsm.store.items import packed, variant_record
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, now
from epsm.study.schema import Study
from epsm_local.energyplus.system_libraries import prepare
from infra.tools.packaging import ROOT

_DESIGNS = ("grid", "sobol")
_SOBOL_PARAMETERS = 13
"""15 samples for each of 65,536 base points are 983,040, the largest design below a million."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collect", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="+", default=[1_000_000], metavar="N")
    parser.add_argument("--designs", nargs="+", choices=_DESIGNS, default=list(_DESIGNS))
    parser.add_argument("--of", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.of is not None:
        print(json.dumps(_measure(chosen.of, chosen.designs[0], chosen.variants[0])))
        return
    prepare()
    print_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_example(folder)
        rows = []
        for design in chosen.designs:
            for variants in chosen.variants:
                measures = _in_new_process(folder, design, variants)
                rows.append([design, *measures.values()])
        print_table(["design", *measures], rows)


def _in_new_process(folder: Path, design: str, variants: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.collect", "--of", str(folder)]
    command += ["--designs", design, "--variants", str(variants)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return cast(dict[str, Any], json.loads(done.stdout.splitlines()[-1]))


def _write_example(folder: Path) -> None:
    """Run one variant of the small office; write its manifest, and its record as the table stores it."""
    with local_aws() as endpoint:
        source = upload(endpoint, folder / "small-office", 17)
        simulation = measured("submit", source.model_dump_json(), variables(endpoint))["answer"]
        record = real_record(endpoint, simulation, folder / "run")
        manifest = files_on(endpoint).read_manifest(simulation)
    (folder / "manifest.json").write_text(manifest.model_dump_json(by_alias=True), encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(record.summary), encoding="utf-8")


def _measure(folder: Path, design: str, variants: int) -> dict[str, Any]:
    manifest = RunManifest.model_validate_json((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest = manifest.model_copy(update={"study": _study(manifest.study, design, variants)})
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    files = _Files(manifest)
    cpu_before = time.process_time()
    with tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary
        disk = _Disk(Path(temporary))
        records = cast(Records, _Records(summary, manifest.study))
        aggregate(cast(Files, files), records, manifest.simulation_id)
        tempfile.tempdir = None
    return {
        "variants": manifest.study.variant_count,
        "cpu_seconds": time.process_time() - cpu_before,
        "peak_memory_mb": peak_memory_mb(),
        "largest_disk_mb": disk.largest_bytes / 1e6,
        "results_mb": files.bytes / 1e6,
    }


def _study(study: Study, design: str, variants: int) -> Study:
    """The example's study with another design: a grid of exactly so many variants, or Sobol with factors of energy, of
    at most so many, with its analysis and Pareto ranks."""
    document = study.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if design == "grid":
        levels = several_parameters(variants)
        for parameter, count in zip(document["parameters"], levels, strict=False):
            parameter["multiply"] = [round(0.5 + step / count, 6) for step in range(count)]
        document["parameters"] = document["parameters"][: len(levels)]
        return Study.model_validate(document)
    first = document["parameters"][0] | {"range": {"from": 0.5, "to": 1.5, "steps": 5}}
    del first["multiply"]
    names = [f"factor_{number}" for number in range(_SOBOL_PARAMETERS)]
    document["parameters"] = [first | {"name": name, "object": name} for name in names]
    base_points = 1 << (variants // (len(names) + 2)).bit_length() - 1
    document["sampling"] = {"method": "sobol", "samples": base_points, "seed": 1}
    document["analysis"] = {"metrics": ["site_eui_kwh_m2", "heating_kwh", "cooling_kwh"]}
    document["impact"] = {
        "fuels": {name: {"gwp_kgco2e_per_kwh": 0.3, "cost_per_kwh": 0.1} for name in ("electricity", "natural_gas")},
        "pareto": ["site_eui_kwh_m2", "electricity_kwh", "unmet_heating_hours"],
    }
    return Study.model_validate(document)


class _Records:
    """Takes the place of the store's records, with the methods that aggregate calls.

    Each record is decoded from an item as the table returns it, and gets numbers and remarks of its own.
    """

    def __init__(self, summary: dict[str, Any], study: Study) -> None:
        self._study = study
        self._item = {
            "sk": keys.variant_sort_key(0),
            "status": "succeeded",
            "verdict": "ok",
            attributes.SUMMARY: packed(summary),
        }

    def study(self, simulation: str) -> StudyRecord:
        return StudyRecord(simulation, simulation, StudyStatus.RUNNING, now())

    def variants(self, _: str) -> Iterator[VariantRecord]:
        chance = random.Random(1)
        count = self._study.variant_count
        for index in range(count):
            record = like(variant_record(self._item), index, count)
            if record.summary:
                factor = chance.uniform(0.5, 1.5)
                metrics = {name: value * factor for name, value in record.summary["metrics"].items()}
                note = f"The first severe error of variant {index}, with names of objects and numbers. " * 2
                record = replace(
                    record, summary=record.summary | {"metrics": metrics, "severe_errors": 1, "note": note}
                )
            yield record

    def recount_failures(self, *_: Any) -> int:
        return 0

    def note_run_time(self, *_: Any) -> None: ...

    def finish_study(self, *_: Any, **__: Any) -> bool:
        return True


class _Files:
    """Takes the place of the store's files: takes the results, and notes their size."""

    results_bucket = "results"

    def __init__(self, manifest: RunManifest) -> None:
        self._manifest = manifest
        self.bytes = 0

    def read_manifest(self, _: str) -> RunManifest:
        return self._manifest

    def collected(self, _: int) -> "_Files":
        return self

    def put(self, _: str, content: bytes | Path, __: str) -> bool:
        self.bytes += len(content) if isinstance(content, bytes) else content.stat().st_size
        return True


class _Disk:
    """The largest sum of the sizes of the files in a folder, looked at twice a second."""

    def __init__(self, folder: Path) -> None:
        self.largest_bytes = 0
        self._folder = folder
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            sizes = 0
            for path in self._folder.rglob("*"):
                with contextlib.suppress(FileNotFoundError):
                    sizes += path.stat().st_size
            self.largest_bytes = max(self.largest_bytes, sizes)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
