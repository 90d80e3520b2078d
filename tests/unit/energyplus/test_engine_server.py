"""The server that forks engines: the same numbers and ends as the program's. With the real engine."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from epsm.energyplus import engine_launcher, engine_process
from epsm.energyplus.engine import Engine, EngineRun, Progress, command, installed_engine_of, run
from epsm.energyplus.engine_process import served_command
from epsm.energyplus.engine_server import EngineServer, EngineServers
from epsm_local.energyplus.engines import install
from tests.unit.energyplus.child_processes import lives, pid_in, within_seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")
CRASHES = "\nLights,No Schedule,Room,Missing,LightingLevel,1;\n"
_TIME = re.compile(r"YMD=[\d.]+ \d\d:\d\d|Elapsed Time=.*")


class Served:
    """Runs by a server, of a process that has run the engine before."""

    def __init__(self) -> None:
        self.servers = EngineServers()

    def server(self, line: Sequence[str]) -> EngineServer:
        found = served_command(line)
        assert found is not None
        self.servers.get(found[0], {"PATH": os.environ["PATH"]})
        server = self.servers.get(found[0], {"PATH": os.environ["PATH"]})
        assert server is not None
        return server


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    made = Served()
    monkeypatch.setattr(engine_process, "_servers", made.servers)
    yield made
    made.servers.close()


def line_of(engine: Engine, model: str, weather: Path, folder: Path) -> list[str]:
    folder.mkdir()
    (folder / "in.idf").write_text(model, encoding="utf-8")
    return command(engine, folder / "in.idf", weather, folder / "out")


def rows(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "out" / "eplusout.sql")) as database:
        database.text_factory = lambda raw: raw.decode("latin-1")
        return [_TIME.sub("", row) for row in database.iterdump()]


def text(folder: Path, name: str) -> str:
    return _TIME.sub("", (folder / "out" / name).read_text(encoding="latin-1"))


@pytest.mark.parametrize("version", ["23.2", "25.1", "25.2"])
def test_a_server_computes_what_the_program_does(
    version: str, one_day: str, chicago: Path, tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    if version != "25.2":
        install(version)
    engine = installed_engine_of(version)
    model = one_day.replace("Version,25.2", f"Version,{version}") + "\nOutput:SQLite,SimpleAndTabular;\n"
    bare = line_of(engine, model, chicago, tmp_path / "program")
    with monkeypatch.context() as first:
        first.setattr(EngineServers, "get", lambda *_: None)
        assert run(bare, tmp_path / "program", timeout_s=60).exit_code == 0
    for name in ("once", "again"):
        line = line_of(engine, model, chicago, tmp_path / name)
        served.server(line)
        ended = run(line, tmp_path / name, timeout_s=60)
        assert (ended.exit_code, ended.cpu_seconds > 0.1, 100 < ended.peak_memory_mb < 400) == (0, True, True)
        assert "EnergyPlus Completed Successfully." in ended.last_lines
        assert rows(tmp_path / name) == rows(tmp_path / "program")
        for file in ("eplusout.err", "eplusout.eio", "eplusout.end"):
            assert text(tmp_path / name, file) == text(tmp_path / "program", file)


def test_a_crash_ends_one_run_only(engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served) -> None:
    line = line_of(engine, one_day + CRASHES, chicago, tmp_path / "crashes")
    server = served.server(line)
    assert run(line, tmp_path / "crashes", timeout_s=60).exit_code == -signal.SIGSEGV
    line = line_of(engine, one_day, chicago, tmp_path / "after")
    assert run(line, tmp_path / "after", timeout_s=60).exit_code == 0
    assert served.server(line) is server
    assert lives(server.pid)


def test_a_run_can_be_killed_as_soon_as_it_is_started(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served
) -> None:
    server = served.server(line_of(engine, one_day, chicago, tmp_path / "run"))
    with Path(os.devnull).open("w") as nothing:
        for _ in range(20):
            pid = server.start(["--version"], tmp_path, {}, nothing.fileno())
            try:
                assert os.getpgid(pid) == pid
            finally:
                os.kill(pid, signal.SIGKILL)
                server.collect(pid)


def of_missing_files(engine: Engine, one_day: str, chicago: Path, folder: Path) -> list[EngineRun]:
    good = line_of(engine, one_day, chicago, folder)
    no_model = [*good[:-1], str(folder / "no.idf")]
    no_weather = [str(folder / "no.epw") if word == str(chicago) else word for word in good]
    return [run(line, folder, timeout_s=60) for line in (no_model, no_weather, [*good, "--no-such-option"])]


def test_a_run_without_its_files_ends_as_the_programs(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.server(command(engine, tmp_path, tmp_path, tmp_path))
    by_server = of_missing_files(engine, one_day, chicago, tmp_path / "run")
    monkeypatch.setattr(EngineServers, "get", lambda *_: None)
    by_program = of_missing_files(engine, one_day, chicago, tmp_path / "program")
    assert [ended.exit_code for ended in by_server] == [ended.exit_code for ended in by_program]
    assert all(ended.exit_code > 0 and ended.last_lines for ended in by_server)


def test_limits_and_a_stop_end_a_run_of_a_server(
    engine: Engine, one_zone: str, chicago: Path, tmp_path: Path, served: Served
) -> None:
    line = line_of(engine, one_zone, chicago, tmp_path / "run")
    server = served.server(line)
    timed_out = run(line, tmp_path, timeout_s=0.1)
    too_large = run(line, tmp_path, timeout_s=60, memory_limit_mb=20)
    stopped = run(line, tmp_path, timeout_s=60, should_stop=lambda: True)
    assert [timed_out.timed_out, too_large.out_of_memory, stopped.stopped] == [True] * 3
    assert {timed_out.exit_code, too_large.exit_code, stopped.exit_code} == {-signal.SIGKILL}
    assert lives(server.pid)


def test_runs_of_a_server_overlap(
    engine: Engine, one_zone: str, one_day: str, chicago: Path, tmp_path: Path, served: Served
) -> None:
    line = line_of(engine, one_zone, chicago, tmp_path / "long")
    served.server(line)
    begun, done = threading.Event(), threading.Event()
    long: list[EngineRun] = []

    def run_long() -> None:
        long.append(run(line, tmp_path, timeout_s=60, on_progress=lambda _: begun.set(), should_stop=done.is_set))

    thread = threading.Thread(target=run_long)
    thread.start()
    assert begun.wait(60)
    short = line_of(engine, one_day, chicago, tmp_path / "short")
    assert run(short, tmp_path / "short", timeout_s=60).exit_code == 0
    done.set()
    thread.join()
    assert long[0].exit_code in (0, -signal.SIGKILL)


def test_a_server_that_has_died_is_replaced_by_the_program(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served
) -> None:
    line = line_of(engine, one_day, chicago, tmp_path / "run")
    os.kill(served.server(line).pid, signal.SIGKILL)
    assert [run(line, tmp_path, timeout_s=60).exit_code for _ in range(2)] == [0, 0]


def test_a_run_whose_server_dies_is_repeated_by_the_program(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served
) -> None:
    line = line_of(engine, one_day, chicago, tmp_path / "run")
    server = served.server(line)
    killed = threading.Event()

    def kill(_: Progress) -> None:
        if not killed.is_set():
            killed.set()
            os.kill(server.pid, signal.SIGKILL)

    ended = run(line, tmp_path, timeout_s=60, on_progress=kill)
    assert (killed.is_set(), ended.exit_code, ended.timed_out) == (True, 0, False)
    assert "EnergyPlus Completed Successfully." in ended.last_lines


def test_a_server_that_cannot_fork_ends_no_run_and_the_program_runs(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = line_of(engine, one_day, chicago, tmp_path / "run")
    server = served.server(line)

    def refuse() -> int:
        raise BlockingIOError

    with monkeypatch.context() as full:
        full.setattr(os, "fork", refuse)
        answer = {"pid": engine_launcher._start(None, None, {}, 1)}  # type: ignore[arg-type]
    monkeypatch.setattr(server, "_ask", lambda *_: answer)
    assert run(line, tmp_path, timeout_s=60).exit_code == 0
    assert lives(server.pid)


def test_a_library_that_cannot_be_loaded_is_left_to_the_program(tmp_path: Path, served: Served) -> None:
    (tmp_path / "libenergyplusapi.so.1").write_text("no library")
    (tmp_path / "energyplus").write_text("#!/bin/sh\necho the program\n")
    (tmp_path / "energyplus").chmod(0o755)
    lines = [run([str(tmp_path / "energyplus")], tmp_path, timeout_s=60).last_lines for _ in range(2)]
    assert lines == [("the program",)] * 2


def test_a_server_sees_no_credentials(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    servers = EngineServers()
    monkeypatch.setattr(engine_process, "_servers", servers)
    line = command(engine, tmp_path / "no.idf", tmp_path / "no.epw", tmp_path)
    for _ in range(2):
        run(line, tmp_path, timeout_s=60)
    found = served_command(line)
    assert found is not None
    server = servers.get(found[0], {})
    assert server is not None
    seen = Path(f"/proc/{server.pid}/environ").read_bytes()
    servers.close()
    assert b"PATH=" in seen
    assert b"GLIBC_TUNABLES=" in seen  # read when a process starts: its runs are forked and have what it has
    assert b"secret" not in seen


PARENT = """
import os, sys
from pathlib import Path
from epsm.energyplus import engine_launcher, engine_process
from epsm.energyplus.engine import run
from epsm.energyplus.engine_process import served_command
line, folder = sys.argv[1:-1], Path(sys.argv[-1])
library = served_command(line)[0]
for _ in range(2):
    server = engine_process._servers.get(library, {"PATH": os.environ["PATH"]})
(folder / "server").write_text(f"{server.pid}\\n")
own = engine_process._Forked.__init__
def noted(self, *arguments):
    own(self, *arguments)
    (folder / "engine").write_text(f"{self.pid}\\n")
engine_process._Forked.__init__ = noted
run(line, folder, timeout_s=60)
"""


def test_server_and_engine_die_with_the_process_that_runs_them(
    engine: Engine, one_zone: str, chicago: Path, tmp_path: Path
) -> None:
    line = line_of(engine, one_zone, chicago, tmp_path / "run")
    arguments = [sys.executable, "-c", textwrap.dedent(PARENT), *line, str(tmp_path)]
    with subprocess.Popen(arguments) as parent:
        try:
            pids = [pid_in(tmp_path / name) for name in ("server", "engine")]
        finally:
            parent.kill()
    assert all(within_seconds(lambda pid=pid: not lives(pid)) for pid in pids)  # type: ignore[misc]


def test_templates_are_expanded_by_the_program(engine: Engine, tmp_path: Path) -> None:
    assert served_command(command(engine, tmp_path, tmp_path, tmp_path)) is not None
    assert served_command(command(engine, tmp_path, tmp_path, tmp_path, expand_objects=True)) is None
