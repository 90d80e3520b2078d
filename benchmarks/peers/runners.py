"""The runners that are compared. Each gets the same case and leaves its table of results in a folder."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import measure
from benchmarks.peers.cases import SCRIPTS, Case
from benchmarks.peers.environments import Environment, disk_mb
from benchmarks.peers.measure import Measurement
from benchmarks.peers.results import Row, read_table
from benchmarks.studies import ONE_ZONE, one_parameter, write_study
from infra.tools.packaging import ROOT

BARE_OWNER = "bare engine, owner's file"
BARE_EDITED = "bare engine, EPSM's file"
COLD, WARM, CACHED = "EPSM, cold", "EPSM, warm", "EPSM, cached"
_START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a runner needed and what it found."""

    runner: str
    measured: Measurement
    table: list[Row]


Runner = Callable[[Case, Path], Iterator[Outcome]]
"""Runs a case with its output below a folder, which exists; more than one outcome if one needs the other before it."""


def bare(name: str, kind: str) -> Runner:
    """The bare engine on files edited beforehand: `owner` or `edited`."""

    def run(case: Case, out: Path) -> Iterator[Outcome]:
        yield _script(name, Path(sys.executable), "bare.py", case.written(files=case.files(kind)), out)

    return run


def peer(environment: Environment) -> Runner:
    """Another tool, with its script under `scripts/`."""
    name = f"{environment.name} {environment.version}"

    def run(case: Case, out: Path) -> Iterator[Outcome]:
        yield _script(name, environment.python, f"with_{environment.name}.py", case.written(), out)

    return run


def _script(name: str, python: Path, script: str, case: Path, out: Path) -> Outcome:
    environment = {**os.environ, "TMPDIR": str(out), "PYTHONPATH": str(ROOT)}
    command = [str(python), str(SCRIPTS / script), str(case), str(out)]
    wall, cpu, memory = measure.run(command, out, environment, out.with_suffix(".log"))
    return Outcome(name, Measurement(wall, cpu, memory, disk_mb(out)), read_table(out / "table.csv"))


def project_cold(case: Case, out: Path) -> Iterator[Outcome]:
    """`epsm run` with no stack running: it starts one for this study."""
    yield _epsm_run(COLD, case, out, _environment(out))


def project_running(case: Case, out: Path) -> Iterator[Outcome]:
    """`epsm run` beside a running stack, then the same study again.

    The stack is new, so it has no results to reuse, and another study has started its workers. Both commands have their
    defaults, and therefore the same folder for results.
    """
    environment = _environment(out)
    write_study(out / "warm-up", ONE_ZONE, one_parameter(4 * case.content["places"]))
    with _stack(out, environment):
        warm_up = [*_EPSM, "run", str(out / "warm-up")]
        subprocess.run(warm_up, cwd=out, env=environment, check=True, stdout=subprocess.DEVNULL)
        measure.settle()
        for name in (WARM, CACHED):
            yield _epsm_run(name, case, out, environment)


_EPSM = (str(Path(sys.executable).with_name("epsm")),)


def _environment(out: Path) -> dict[str, str]:
    """With a state folder of its own: no stack of the user's takes part, and none is disturbed."""
    return {**os.environ, "XDG_STATE_HOME": str(out / "state")}


def _epsm_run(name: str, case: Case, out: Path, environment: dict[str, str]) -> Outcome:
    """From the start of the command to its end; what the stack still does afterwards counts as CPU time and disk."""
    before_mb = disk_mb(out)
    command = [*_EPSM, "run", str(case.folder / "study")]
    wall, cpu, memory = measure.run(command, out, environment, out.with_suffix(".log"))
    cpu += measure.settle()
    # An earlier run of the same study is renamed.
    table = read_table(out / "results" / "study" / "results.csv")
    return Outcome(name, Measurement(wall, cpu, memory, disk_mb(out) - before_mb), table)


@contextmanager
def _stack(out: Path, environment: dict[str, str]) -> Iterator[None]:
    """`epsm up`, until the end of the block."""
    ports = [str(_free_port()) for _ in range(2)]
    command = [*_EPSM, "up", "--port", ports[0], "--api-port", ports[1]]
    ready = Path(environment["XDG_STATE_HOME"]) / "epsm" / "local.json"
    log = out / "up.log"
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command, env=environment, cwd=out, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the local stack has not started:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run(runner: Runner, case: Case, out: Path) -> list[Outcome]:
    """Run a case in a new folder, which is removed afterwards."""
    out.mkdir(parents=True)
    try:
        return list(runner(case, out))
    finally:
        shutil.rmtree(out, ignore_errors=True)
