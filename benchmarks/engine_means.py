"""Means that make the engine itself faster without changing a number: each in turn with the engine as it comes."""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.output import print_machine, print_table
from benchmarks.studies import LARGE_OFFICE, ONE_ZONE, SMALL_OFFICE, WEATHER, Model
from epsm.energyplus.engine import command, installed_engine
from epsm.energyplus.engine_process import served_command
from epsm.energyplus.engine_server import EngineServer
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.sql import read_only
from epsm.study.schema import Study

_TUNABLES = "GLIBC_TUNABLES"
_HUGE = "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:glibc.malloc.trim_threshold=4294967296"
_LOOK_INTERVAL_S = 0.005
_TIME = re.compile(r"YMD=[\d.]+ \d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Mean:
    """A way to run the engine.

    Attributes:
        name: What it is called in the table.
        variables: Environment variables of its process.
        server: Whether its process is forked by a server.
        memory_disk: Whether its files are on a disk in memory.
    """

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    server: bool = False
    memory_disk: bool = False


MEANS = (
    Mean("as it comes"),
    Mean("as it comes, again"),
    Mean("server", server=True),
    Mean("server, huge pages", {_TUNABLES: "glibc.malloc.hugetlb=1"}, server=True),
    Mean("server, mxfast=0", {_TUNABLES: "glibc.malloc.mxfast=0"}, server=True),
    Mean("mxfast=0", {_TUNABLES: "glibc.malloc.mxfast=0"}),
    Mean("tcache", {_TUNABLES: "glibc.malloc.tcache_count=127:glibc.malloc.tcache_max=1032"}),
    Mean("no trim", {_TUNABLES: "glibc.malloc.trim_threshold=4294967296:glibc.malloc.mmap_threshold=33554432"}),
    Mean("top_pad", {_TUNABLES: "glibc.malloc.top_pad=67108864"}),
    Mean("huge pages", {_TUNABLES: "glibc.malloc.hugetlb=1"}),
    Mean("huge pages, no trim", {_TUNABLES: _HUGE}),
    Mean("bind now", {"LD_BIND_NOW": "1"}),
    Mean("locale C", {"LC_ALL": "C"}),
    Mean("disk in memory", memory_disk=True),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run: CPU seconds, of these in the kernel, wall-clock seconds, page faults."""

    cpu_seconds: float
    system_seconds: float
    wall_seconds: float
    page_faults: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_means", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of all means; every other one in reverse order")
    parser.add_argument("--models", nargs="+", default=["one zone"], help="one zone, small office, large office")
    parser.add_argument("--means", nargs="+", metavar="NAME", help="some of the table's; the first is compared with")
    parser.add_argument("--preload", nargs="+", default=[], metavar="LIBRARY", help="allocators to load beforehand")
    chosen = parser.parse_args()
    print_machine()
    means = [*MEANS, *(Mean(Path(path).name, {"LD_PRELOAD": path}) for path in chosen.preload)]
    if chosen.means:
        means = [mean for name in chosen.means for mean in means if mean.name == name]
    for model in (ONE_ZONE, SMALL_OFFICE, LARGE_OFFICE):
        if model.name in chosen.models:
            _compare(model, means, chosen.rounds)


def _compare(model: Model, means: list[Mean], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        runners = [_Runner(mean, model, Path(memory if mean.memory_disk else disk)) for mean in means]
        for runner in runners:  # the files are in the page cache from here on
            runner.run()
        expected = runners[0].rows()
        for runner in runners:
            if runner.rows() != expected:
                print(f"{runner.mean.name}: OTHER NUMBERS", file=sys.stderr)
        runs: list[list[Ran]] = [[] for _ in runners]
        for number in range(rounds):
            order = range(len(runners)) if number % 2 == 0 else reversed(range(len(runners)))
            for index in order:
                runs[index].append(runners[index].run())
        for runner in runners:
            runner.close()
    print(f"{model.name}, {rounds} rounds:\n")
    rows: list[list[object]] = []
    for mean, own in zip(means, runs, strict=True):
        ratios = [ran.cpu_seconds / first.cpu_seconds for ran, first in zip(own, runs[0], strict=True)]
        rows.append(
            [
                mean.name,
                statistics.median(ran.cpu_seconds for ran in own),
                statistics.median(ran.system_seconds for ran in own),
                statistics.median(ran.wall_seconds for ran in own),
                own[0].page_faults,
                f"{statistics.median(ratios):.3f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
            ]
        )
    heads = ["mean", "cpu_seconds", "of these system", "wall_seconds", "page faults", "cpu ratio", "least to most"]
    print_table(heads, rows)


class _Runner:
    """Runs a model by one of the means."""

    def __init__(self, mean: Mean, model: Model, folder: Path) -> None:
        self.mean = mean
        self._folder = folder / re.sub(r"\W+", "-", mean.name)
        self._folder.mkdir()
        study = {"name": "engine", "models": ["model.idf"], "weather": ["in.epw"]}
        options = {"options": {"run_period": model.run_period}}
        engine = installed_engine()
        prepared = prepare(model.path.read_bytes(), "model.idf", Study.model_validate(study | options), engine.idd)
        (self._folder / "in.idf").write_text(prepared.render({}), encoding="utf-8")
        for suffix in (".epw", ".stat"):
            shutil.copyfile(WEATHER.with_suffix(suffix), self._folder / f"in{suffix}")
        self._line = command(engine, Path("in.idf"), Path("in.epw"), Path("out"), run_period=model.run_period)
        self._variables = {"PATH": os.environ["PATH"], "HOME": str(self._folder), **mean.variables}
        if "LD_LIBRARY_PATH" in os.environ:
            self._variables["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        served = served_command(self._line)
        assert served is not None
        library, self._arguments = served
        self._server = EngineServer(library, self._variables) if mean.server else None

    def run(self) -> Ran:
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        with (self._folder / "printed.txt").open("w") as printed:
            started = time.perf_counter()
            if self._server is not None:
                pid = self._server.start(self._arguments, self._folder, self._variables, printed.fileno())
                while not self._server.has_ended(pid):
                    time.sleep(_LOOK_INTERVAL_S)
                ended = self._server.collect(pid)
                ran = Ran(ended.cpu_seconds, 0.0, time.perf_counter() - started, 0)
                status = ended.status
            else:
                process = subprocess.Popen(
                    self._line, cwd=self._folder, env=self._variables, stdout=printed, stderr=subprocess.STDOUT
                )
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                cpu_seconds = used.ru_utime + used.ru_stime
                ran = Ran(cpu_seconds, used.ru_stime, time.perf_counter() - started, used.ru_minflt)
        if status:
            raise RuntimeError(f"{self.mean.name}: {(self._folder / 'printed.txt').read_text()[-500:]}")
        return ran

    def rows(self) -> list[str]:
        """All that the last run has written into its database, without the time of day."""
        with closing(read_only(self._folder / "out" / "eplusout.sql")) as database:
            database.text_factory = lambda raw: raw.decode("latin-1")
            return [_TIME.sub("", row) for row in database.iterdump()]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


if __name__ == "__main__":
    main()
