"""What a user waits for: `epsm run` on a running stack, against `xargs` on the owner's own files."""

import argparse
import os
import re
import resource
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.output import print_machine, print_table
from benchmarks.studies import LARGE_OFFICE, ONE_ZONE, SMALL_OFFICE, WEATHER, Model, one_parameter, write_study
from epsm.energyplus.engine import installed_engine
from epsm_local.energyplus.system_libraries import prepare
from epsm_local.provider import connection

_MODELS = {"one-zone": ONE_ZONE, "small-office": SMALL_OFFICE, "large-office": LARGE_OFFICE}
_RUNS = ["one-zone:20", "one-zone:200", "small-office:8"]
_READY = re.compile(r"The local stack is running at (http://\S+)")
_SIMULATION = re.compile(r"Simulation (\S+?),")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to run the same models.

    Attributes:
        wall_seconds: Wall-clock time of the command.
        cpu_seconds: CPU time of it, and of the stack with all its processes meanwhile.
        tail_seconds: From the end of the last variant to the end of the command; 0 for the bare engine.
        files: Number of files on disk at the end.
    """

    wall_seconds: float
    cpu_seconds: float
    tail_seconds: float
    files: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.user_run", description=__doc__)
    parser.add_argument(
        "--runs", nargs="+", default=_RUNS, metavar="MODEL:N", help=f"models ({', '.join(_MODELS)}) with their variants"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn with the bare engine")
    parser.add_argument("--same-folder", action="store_true", help="--to is the folder that `epsm up` copies to")
    chosen = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user does not compile the command at each start
    prepare()
    print_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _stack(folder) as stack:
            _epsm(stack, folder, ONE_ZONE, 8, "warm-up", same_folder=chosen.same_folder)
            for run in chosen.runs:
                model, _, variants = run.partition(":")
                _compare(stack, folder, _MODELS[model], int(variants), chosen.rounds, same_folder=chosen.same_folder)


@dataclass(frozen=True, slots=True)
class _Stack:
    """A running `epsm up`."""

    pid: int
    endpoint: str
    results: Path
    environment: Mapping[str, str]


@contextmanager
def _stack(folder: Path) -> Iterator[_Stack]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    results = folder / "mirror"
    line = [_command(), "up", "--port", str(_free_port()), "--api-port", str(_free_port()), "--to", str(results)]
    log = folder / "up.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(line, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (ready := _READY.search(log.read_text())):
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)
        yield _Stack(process.pid, ready[1], results, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _compare(stack: _Stack, folder: Path, model: Model, variants: int, rounds: int, *, same_folder: bool) -> None:
    """Studies and bare engines in turn; each goes first in every other round, in case the machine gets slower."""
    name = f"{model.name.replace(' ', '-')}-{variants}"
    studies: list[Measured] = []
    bare: list[Measured] = []
    for number in range(rounds):
        for kind in ("study", "bare") if number % 2 == 0 else ("bare", "study"):
            if kind == "study":
                studies.append(_epsm(stack, folder, model, variants, f"{name}-{number}", same_folder=same_folder))
            else:
                bare.append(_bare(folder / "bare", model, variants))
    print(f"{model.name}, {variants} variants, {rounds} rounds, {os.cpu_count()} engines at a time:\n")
    columns = ("wall_seconds", "cpu_seconds", "tail_seconds", "files")
    print_table(
        ["", *columns, "wall_seconds of all"],
        [
            [kind, *(statistics.median(getattr(run, column) for run in runs) for column in columns), _walls(runs)]
            for kind, runs in (("epsm run", studies), ("bare", bare))
        ],
    )
    pairs = [study.wall_seconds / alone.wall_seconds for study, alone in zip(studies, bare, strict=True)]
    cpu = [study.cpu_seconds / alone.cpu_seconds for study, alone in zip(studies, bare, strict=True)]
    print(f"ratio of wall {statistics.median(pairs):.3f} ({min(pairs):.3f} to {max(pairs):.3f}), ", end="")
    print(f"of CPU {statistics.median(cpu):.3f} ({min(cpu):.3f} to {max(cpu):.3f})\n", flush=True)


def _epsm(stack: _Stack, folder: Path, model: Model, variants: int, name: str, *, same_folder: bool) -> Measured:
    """A study with `epsm run`, from the start of the command to its end."""
    write_study(folder / name, model, one_parameter(variants))
    to = stack.results if same_folder else folder / "results"
    line = [_command(), "run", str(folder / name), "--to", str(to), "--no-cache"]
    cpu_before = _cpu_seconds(stack.pid)
    children_before = _children_cpu_seconds()
    started = time.time()
    done = subprocess.run(line, env=stack.environment, capture_output=True, text=True, check=False)
    ended = time.time()
    cpu_seconds = _cpu_seconds(stack.pid) - cpu_before + _children_cpu_seconds() - children_before
    if done.returncode:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}")
    simulation = _SIMULATION.search(done.stdout)
    assert simulation is not None, done.stdout
    records = connection(stack.endpoint).stack.records.variants(simulation[1])
    last = max(datetime.fromisoformat(record.ended_at).timestamp() for record in records)
    files = sum(path.is_file() for path in (to / name).rglob("*"))
    _wait_for_copies(stack, name)
    return Measured(ended - started, cpu_seconds, ended - last, files)


def _wait_for_copies(stack: _Stack, name: str) -> None:
    """`epsm up` copies the results of the study too; the next measurement starts after that."""
    while not (stack.results / name / "results.csv").is_file():
        time.sleep(0.1)
    quiet, before = 0, -1.0
    while quiet < 4:
        time.sleep(0.5)
        now = _cpu_seconds(stack.pid)
        quiet = quiet + 1 if now - before < 0.1 else 0
        before = now


def _bare(folder: Path, model: Model, variants: int) -> Measured:
    """The model as its owner has it, with its own outputs, by `xargs` with one engine per core."""
    shutil.rmtree(folder, ignore_errors=True)
    folders = [folder / str(index) for index in range(variants)]
    for each in folders:
        each.mkdir(parents=True)
        shutil.copyfile(model.path, each / "in.idf")
        shutil.copyfile(WEATHER, each / "in.epw")
        shutil.copyfile(WEATHER.with_suffix(".stat"), each / "in.stat")
    annual = ["-a"] if model.run_period == "annual" else []
    engine = shlex.join([*installed_engine().start, "-w", "in.epw", "-d", "out", *annual, "in.idf"])
    line = ["xargs", "-P", str(os.cpu_count()), "-n", "1", "sh", "-c", f'cd "$1" && exec {engine} >printed.txt 2>&1']
    cpu_before, started = _children_cpu_seconds(), time.time()
    subprocess.run([*line, "sh"], input="\n".join(map(str, folders)), text=True, check=True)
    wall_seconds, cpu_seconds = time.time() - started, _children_cpu_seconds() - cpu_before
    for each in folders:
        if "Completed Successfully" not in (each / "out" / "eplusout.end").read_text():
            raise RuntimeError(f"the bare engine failed in {each}")
    return Measured(wall_seconds, cpu_seconds, 0.0, sum(path.is_file() for path in folder.rglob("*")))


def _command() -> str:
    return str(Path(sys.executable).with_name("epsm"))


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children_cpu_seconds() -> float:
    """CPU time of the ended child processes of this one, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_seconds(pid: int) -> float:
    """CPU time of a process, its living descendants, and their ended children."""
    total, waiting = 0.0, [pid]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            tasks = list((process / "task").iterdir())
        except OSError:
            continue  # it has ended
        total += sum(map(int, fields[11:15])) / _TICKS
        for task in tasks:
            try:
                waiting.extend(map(int, (task / "children").read_text().split()))
            except OSError:
                continue  # the thread has ended
    return total


def _walls(runs: Sequence[Measured]) -> str:
    return ", ".join(f"{run.wall_seconds:.2f}" for run in runs)


if __name__ == "__main__":
    main()
