"""What the stack itself can do: a large study with an engine that takes no time, and the same study again, for which no
variant is run."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Self

from benchmarks.output import print_machine, print_table
from benchmarks.studies import ONE_ZONE, WEATHER, one_parameter, write_study
from benchmarks.study_run import run_study
from epsm.energyplus import engine
from epsm.energyplus.model_editor import prepare
from epsm.study.parsing import parse_study
from epsm_local.moto_patches import local_aws
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from infra.tools.packaging import ROOT

_STAND_IN = Path(__file__).parent / "stand_in"
_FUNCTION = f"{STACK_NAME}-run-variant"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_FILES = ("eplusout.sql", "eplusout.err", "eplusout.end", "eplusout.eio")
"""What the verdict and the results are read from, and what a study keeps."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--engines", type=int, help="at a time; without it one per core, then 8")
    chosen = parser.parse_args()
    if chosen.engines:
        _measure(chosen.variants, chosen.engines)
        return
    print_machine()
    for engines in dict.fromkeys((os.cpu_count() or 1, 8)):
        # A process can hold one stack in its life: moto's state is the process's.
        line = [sys.executable, "-m", "benchmarks.orchestration"]
        subprocess.run([*line, "--variants", str(chosen.variants), "--engines", str(engines)], cwd=ROOT, check=True)


def _measure(variants: int, engines: int) -> None:
    with tempfile.TemporaryDirectory() as name, LocalStack(engines=engines) as stack:
        folder = Path(name)
        write_study(folder / "warm-up", ONE_ZONE, one_parameter(4 * engines))
        write_study(folder / "study", ONE_ZONE, one_parameter(variants))
        stand_in = folder / "stand-in"
        _make_stand_in(stand_in, folder / "warm-up")
        _use_stand_in(stack, stand_in)
        run_study(stack, folder / "warm-up", engines)
        runs, uses = [], [_use()]
        for _ in range(2):
            runs.append(run_study(stack, folder / "study", engines))
            uses.append(_use())
    print(f"{variants} variants, {engines} engines at a time:\n")
    print_table(
        [
            "study",
            "variants a second",
            "wall_seconds",
            "submit_seconds",
            "map_seconds",
            "finish_seconds",
            "seconds in run_variant, a variant",
            "of that the stand-in engine",
        ],
        [
            [
                name,
                run.variants / run.map_seconds,
                run.wall_seconds,
                run.submit_seconds,
                run.map_seconds,
                run.finish_seconds,
                f"{(run.engine_seconds + run.edit_and_read_seconds + run.store_seconds) * engines / run.variants:.4f}",
                f"{run.engine_seconds * engines / run.variants:.4f}",
            ]
            for name, run in zip(("first", "again"), runs, strict=True)
        ],
    )
    print_table(
        [
            "processes",
            "CPU ms a variant",
            "again",
            "resident_mb before",
            "first",
            "again",
            "descriptors before",
            "again",
        ],
        [
            [
                kind,
                *(1000 * (now[kind].cpu_seconds - was[kind].cpu_seconds) / variants for was, now in pairwise(uses)),
                *(f"{use[kind].resident_mb:.0f}" for use in uses),
                *(use[kind].descriptors for use in uses),
            ]
            for kind in uses[0]
        ],
    )


@dataclass(frozen=True, slots=True)
class _Use:
    """What processes have used: their CPU time so far, with that of their ended children; the resident size and the
    open descriptors of the largest of them."""

    cpu_seconds: float = 0.0
    resident_mb: float = 0.0
    descriptors: int = 0

    def with_process(self, process: Path) -> Self:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return replace(
            self,
            cpu_seconds=self.cpu_seconds + sum(map(int, fields[11:13])) / _TICKS,
            resident_mb=max(self.resident_mb, int(fields[21]) * _PAGE_MB),
            descriptors=max(self.descriptors, sum(1 for _ in (process / "fd").iterdir())),
        )

    def with_ended_children(self, process: Path) -> Self:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return replace(self, cpu_seconds=self.cpu_seconds + sum(map(int, fields[13:15])) / _TICKS)


def _use() -> dict[str, _Use]:
    """Of this process, which is the stack; the workers that run variants; and their engines with the servers."""
    workers, engines = _Use(), _Use()
    for worker in _children(Path("/proc/self")):
        if b"run_variant" not in (worker / "cmdline").read_bytes():
            continue
        workers, engines = workers.with_process(worker), engines.with_ended_children(worker)
        for server in _children(worker):
            engines = engines.with_process(server).with_ended_children(server)
    return {"the stack": _Use().with_process(Path("/proc/self")), "workers": workers, "engines": engines}


def _children(process: Path) -> list[Path]:
    found = []
    for other in Path("/proc").glob("[0-9]*"):
        try:
            parent = (other / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it has ended
        if parent == process.resolve().name:
            found.append(other)
    return found


def _make_stand_in(folder: Path, study_folder: Path) -> None:
    """A folder with the stand-in, compiled, and beside it what it needs: the output of one real run, and the IDD."""
    real = engine.installed_engine()
    shutil.copytree(_STAND_IN, folder)
    (folder / real.idd.name).symlink_to(real.idd)
    study = parse_study((study_folder / "study.json").read_bytes())
    text = prepare(ONE_ZONE.path.read_bytes(), ONE_ZONE.path.name, study, real.idd).render({})
    with tempfile.TemporaryDirectory() as name:
        model, output = Path(name) / "in.idf", Path(name) / "out"
        model.write_text(text, encoding="utf-8")
        line = engine.command(real, model, WEATHER, output, run_period=ONE_ZONE.run_period)
        engine.run(line, model.parent, timeout_s=300)
        (folder / "output").mkdir()
        for file in _FILES:
            shutil.copyfile(output / file, folder / "output" / file)
    texts = {"VERSION": f"EnergyPlus, Version {real.version()}", "FILES": str(folder / "output")}
    compiler = [shutil.which("cc") or "cc", "-O2", *(f"-D{name}={json.dumps(text)}" for name, text in texts.items())]
    for kind, name in (([], "energyplus"), (["-shared", "-fPIC"], "libenergyplusapi.so.stand-in")):
        subprocess.run([*compiler, *kind, "-o", folder / name, folder / "engine.c"], check=True)


def _use_stand_in(stack: LocalStack, stand_in: Path) -> None:
    """Put the stand-in first on the Python path of the deployed function, as anyone could configure a function."""
    functions = stack.client("lambda")
    image = functions.get_function(FunctionName=_FUNCTION)["Code"]["ImageUri"]
    variables = functions.get_function_configuration(FunctionName=_FUNCTION)["Environment"]["Variables"]
    path = os.pathsep.join(map(str, (stand_in, *local_aws().code.image(image))))
    functions.update_function_configuration(
        FunctionName=_FUNCTION, Environment={"Variables": {**variables, "PYTHONPATH": path}}
    )


if __name__ == "__main__":
    main()
