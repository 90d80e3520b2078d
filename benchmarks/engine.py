"""A study on the local stack against the bare engine on the same files."""

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import print_machine, print_table
from benchmarks.studies import LARGE_OFFICE, ONE_ZONE, SMALL_OFFICE, WEATHER, Model, one_parameter, write_study
from benchmarks.study_run import StudyRun, run_study
from epsm.energyplus.engine import command, installed_engine
from epsm_local.stack import LocalStack
from tests.support import result_file

MODELS = (ONE_ZONE, SMALL_OFFICE, LARGE_OFFICE)
_VARIANTS = [20, 8, 4]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    names = ", ".join(model.name for model in MODELS)
    parser.add_argument(
        "--variants", type=int, nargs=3, default=_VARIANTS, metavar="N", help=f"for {names}; 0 leaves a model out"
    )
    parser.add_argument("--rounds", type=int, default=2, help="of a study and the bare engine, for each model")
    chosen = parser.parse_args()
    print_machine()
    places = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name, LocalStack(engines=places) as stack:
        folder = Path(name)
        _warm_up(stack, folder, places)
        for model, variants in zip(MODELS, chosen.variants, strict=True):
            if variants:
                _compare(stack, folder / model.name.replace(" ", "-"), model, variants, chosen.rounds, places)


def _warm_up(stack: LocalStack, folder: Path, places: int) -> None:
    """The first study of a stack starts its workers, reported separately; then every worker gets something to do."""
    write_study(folder / "one", ONE_ZONE, one_parameter(1))
    write_study(folder / "warm-up", ONE_ZONE, one_parameter(4 * places))
    cold = run_study(stack, folder / "one", places)
    run_study(stack, folder / "warm-up", places)
    warm = run_study(stack, folder / "one", places)
    print("One variant of the one-zone model:\n")
    print_table(
        ["workers", "wall_seconds", "submit_seconds", "finish_seconds"],
        [
            [kind, run.wall_seconds, run.submit_seconds, run.finish_seconds]
            for kind, run in (("cold", cold), ("warm", warm))
        ],
    )


def _compare(stack: LocalStack, folder: Path, model: Model, variants: int, rounds: int, places: int) -> None:
    """Studies and bare engines in turn; each goes first in every other round, in case the machine gets slower."""
    write_study(folder, model, one_parameter(variants))
    studies: list[StudyRun] = []
    bare_seconds: list[float] = []
    for number in range(rounds):
        # The files for the bare engine come from the first study, so it is the study that begins.
        for kind in ("study", "bare") if number % 2 == 0 else ("bare", "study"):
            if kind == "study":
                studies.append(run_study(stack, folder, places))
            else:
                bare_seconds.append(_run_bare(stack, studies[0], model, places))
    study = statistics.median(run.wall_seconds for run in studies)
    bare = statistics.median(bare_seconds)
    print(f"{model.name}, {variants} variants, {rounds} rounds, {places} engines at a time:\n")
    print_table(
        ["study wall_seconds", "bare wall_seconds", "ratio", "all studies", "all bare"],
        [[study, bare, study / bare, _list([run.wall_seconds for run in studies]), _list(bare_seconds)]],
    )
    run = sorted(studies, key=lambda candidate: candidate.wall_seconds)[(len(studies) - 1) // 2]
    parts = ("submit", "engine", "edit_and_read", "store", "between", "finish")
    print(f"Where the {run.wall_seconds:.2f} s of one of these studies are:\n")
    print_table(
        ["part", "seconds", "share"],
        [
            [part, seconds, f"{100 * seconds / run.wall_seconds:.1f} %"]
            for part, seconds in ((part, getattr(run, f"{part}_seconds")) for part in parts)
        ],
    )


def _run_bare(stack: LocalStack, study: StudyRun, model: Model, places: int) -> float:
    """Run the study's own in.idf files with the executable alone, with the same options; wall-clock seconds."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(index) for index in range(study.variants)]
        for index, folder in enumerate(folders):
            folder.mkdir()
            (folder / "in.idf").write_bytes(result_file(stack, study.simulation, f"variants/{index}/in.idf"))
            shutil.copyfile(WEATHER, folder / "in.epw")
            shutil.copyfile(WEATHER.with_suffix(".stat"), folder / "in.stat")
        # None of the models has templates to expand.
        line = command(installed_engine(), Path("in.idf"), Path("in.epw"), Path("out"), run_period=model.run_period)
        seconds = _timed_xargs(line, folders, places)
        for folder in folders:
            if "Completed Successfully" not in (folder / "out" / "eplusout.end").read_text():
                raise RuntimeError(f"the bare engine failed on variant {folder.name}")
    return seconds


def _timed_xargs(line: Sequence[str], folders: Sequence[Path], places: int) -> float:
    """Run a command line in each folder, `places` at a time; wall-clock seconds."""
    script = f'cd "$1" && exec {shlex.join(line)} >printed.txt 2>&1'
    started = time.monotonic()
    subprocess.run(
        ["xargs", "-P", str(places), "-n", "1", "sh", "-c", script, "sh"],
        input="\n".join(map(str, folders)),
        text=True,
        check=True,
    )
    return time.monotonic() - started


def _list(seconds: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in seconds)


if __name__ == "__main__":
    main()
