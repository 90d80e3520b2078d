"""Running the engine: its output, memory, environment and progress, its version and command line."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import pytest

from epsm.energyplus.engine import Engine, Progress, command, free_disk_mb, run
from tests.unit.energyplus.child_processes import FOREVER, lives, pid_in, python, shell

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")


# -- how a run ended ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [0, 1, 105])
def test_the_exit_code_is_reported(tmp_path: Path, code: int) -> None:
    assert shell(f"exit {code}", tmp_path).exit_code == code


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "KILL"])
def test_a_signal_is_reported_as_a_negative_exit_code(tmp_path: Path, name: str) -> None:
    assert shell(f"kill -{name} $$", tmp_path).exit_code == -getattr(signal, f"SIG{name}")


def test_a_run_that_ends_by_itself_was_not_ended(tmp_path: Path) -> None:
    ended = shell("exit 1", tmp_path, memory_limit_mb=4000)

    assert (ended.timed_out, ended.out_of_memory) == (False, False)


def test_a_program_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "no-such-program")], tmp_path, timeout_s=30)


def test_output_and_errors_are_kept_in_their_order(tmp_path: Path) -> None:
    assert shell("echo one; echo two >&2; echo three", tmp_path).last_lines == ("one", "two", "three")


def test_the_last_lines_are_kept(tmp_path: Path) -> None:
    lines = shell(
        "for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do echo $i$j; done; done", tmp_path
    ).last_lines

    assert (lines[-2:], len(lines) < 81) == (("98", "99"), True)


def test_a_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    assert shell("printf 'terminate called after throwing'", tmp_path).last_lines == (
        "terminate called after throwing",
    )


def test_output_that_is_no_text_is_kept_as_far_as_it_is(tmp_path: Path) -> None:
    assert shell(r"printf 'Zone \344\n'", tmp_path).last_lines == ("Zone \N{REPLACEMENT CHARACTER}",)


def test_more_output_than_a_pipe_holds_does_not_stop_the_run(tmp_path: Path) -> None:
    ended = python("print('x' * 99 + '\\n', end='', flush=True); print('y' * 10_000_000); print('last')", tmp_path)

    assert (ended.exit_code, ended.last_lines[-1]) == (0, "last")


def test_the_memory_at_its_highest_is_measured(tmp_path: Path) -> None:
    ended = python(
        """
        import time
        x = bytearray(150 * 2**20)
        del x
        print("done", flush=True)
        time.sleep(1)
        """,
        tmp_path,
    )

    assert 150 < ended.peak_memory_mb < 400


def test_the_memory_of_the_parent_is_not_counted(tmp_path: Path) -> None:
    ballast = bytearray(500 * 2**20)
    ended = python("import time; print('done', flush=True); time.sleep(1)", tmp_path)
    del ballast

    assert 0 < ended.peak_memory_mb < 100


def test_a_child_that_ends_before_it_is_seen_does_not_get_the_memory_of_its_parent(tmp_path: Path) -> None:
    ballast = bytearray(500 * 2**20)
    peaks_mb = [run(["/bin/true"], tmp_path, timeout_s=60).peak_memory_mb for _ in range(20)]
    del ballast

    assert max(peaks_mb) < 100


def test_the_processor_time_of_the_child_is_measured(tmp_path: Path) -> None:
    ended = python(
        """
        import time
        while time.process_time() < 0.3: pass
        """,
        tmp_path,
    )

    assert ended.cpu_seconds >= 0.3


def test_the_time_of_what_the_child_has_started_is_measured_too(tmp_path: Path) -> None:
    inner = "import time\nwhile time.process_time() < 0.3: pass"
    ended = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])", tmp_path)

    assert ended.cpu_seconds >= 0.3


# -- where a run works -------------------------------------------------------------------------------------------
def test_relative_names_are_found_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "schedule.csv").write_text("8760 values")

    assert shell("cat schedule.csv", tmp_path).last_lines == ("8760 values",)


def test_nobody_answers_a_question(tmp_path: Path) -> None:
    assert shell("read answer || echo no answer", tmp_path).last_lines == ("no answer",)


def test_the_child_sees_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("SOME_PASSWORD", "secret")

    assert "secret" not in " ".join(run(["env"], tmp_path, timeout_s=30).last_lines)


def test_the_child_writes_its_temporary_files_into_the_folder(tmp_path: Path) -> None:
    lines = run(["env"], tmp_path, timeout_s=30).last_lines

    assert {f"HOME={tmp_path}", f"TMPDIR={tmp_path}"} <= set(lines)


def test_the_child_asks_for_huge_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)

    assert "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in run(["env"], tmp_path, timeout_s=30).last_lines


def test_who_starts_the_stack_can_choose_how_memory_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")

    assert "GLIBC_TUNABLES=glibc.malloc.hugetlb=0" in run(["env"], tmp_path, timeout_s=30).last_lines


def test_the_child_finds_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere/lib")

    assert "LD_LIBRARY_PATH=/somewhere/lib" in run(["env"], tmp_path, timeout_s=30).last_lines


@pytest.mark.parametrize("behind", [":", "::", ":.", ":lib"])
def test_no_library_is_loaded_from_the_files_of_a_study(
    behind: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trailing colon means the working directory to the loader, and a study may bring files of any name."""
    for folder in (tmp_path, tmp_path / "lib"):
        folder.mkdir(exist_ok=True)
        (folder / "libstdc++.so.6").write_text("not the library")
    monkeypatch.setenv("LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH", "/nowhere") + behind)
    ran = run([*engine.start, "--version"], tmp_path, timeout_s=30)
    assert (ran.exit_code, "EnergyPlus, Version" in ran.last_lines[-1]) == (0, True)


# -- progress ----------------------------------------------------------------------------------------------------
PRINTED = """\
EnergyPlus Starting
Warming up {1}
Starting Simulation at 12/21 for CHICAGO ANN HTG 99.6% CONDNS DB
Starting Simulation at 01/01/2017 for WHOLE YEAR
Continuing Simulation at 12/31/2017 for WHOLE YEAR
Writing final SQL reports
"""


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    (tmp_path / "printed").write_text(PRINTED)
    return tmp_path


def test_progress_is_read_from_the_output(printed: Path) -> None:
    seen: list[Progress] = []

    shell("cat printed", printed, on_progress=seen.append)

    assert seen == [
        Progress("CHICAGO ANN HTG 99.6% CONDNS DB", 12, 21),
        Progress("WHOLE YEAR", 1, 1),
        Progress("WHOLE YEAR", 12, 31),
    ]


def test_progress_comes_while_the_run_is_under_way(printed: Path) -> None:
    def go_on(progress: Progress) -> None:
        (printed / "seen").touch()

    ended = shell("cat printed; while [ ! -e seen ]; do sleep 0.05; done", printed, on_progress=go_on)

    assert (ended.exit_code, ended.timed_out) == (0, False)


def test_a_callback_that_fails_does_not_harm_the_run(printed: Path) -> None:
    def fail(progress: Progress) -> None:
        raise RuntimeError("the table is throttled")

    # More than a pipe holds after the first failure: a reader that had died would stop the child.
    ended = shell("cat printed; seq 30000; echo done", printed, on_progress=fail)

    assert (ended.exit_code, ended.last_lines[-1]) == (0, "done")


class Interrupted(Exception):
    pass


def test_an_exception_while_waiting_ends_the_child(printed: Path) -> None:
    def raise_in_the_waiting_thread(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    def interrupt(progress: Progress) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, raise_in_the_waiting_thread)
    try:
        with pytest.raises(Interrupted):
            shell(
                f"echo $$ > pid; grep WHOLE printed | head -n 1; exec sleep {FOREVER}", printed, on_progress=interrupt
            )
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert not lives(pid_in(printed / "pid"))


# -- the installed engine ----------------------------------------------------------------------------------------
def test_the_engine_tells_its_version_with_its_build(engine: Engine) -> None:
    assert engine.version() == "25.2.0-cf7368216c"


def test_the_dictionary_stands_beside_the_engine(engine: Engine) -> None:
    with engine.idd.open(encoding="latin-1") as idd:
        assert idd.readline().strip() == "!IDD_Version 25.2.0"


def test_an_engine_that_does_not_start_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "energyplus"
    broken.write_text("#!/bin/sh\necho 'libX11.so.6: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)

    with pytest.raises(RuntimeError, match=r"does not start: libX11\.so\.6: cannot open shared object file"):
        Engine(broken).version()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"expand_objects": True}, ["--expandobjects"]),
        ({"run_period": "as_in_model"}, []),
        ({"run_period": "annual"}, ["--annual"]),
        ({"run_period": "design_days"}, ["--design-day"]),
        ({"run_period": "annual", "expand_objects": True}, ["--expandobjects", "--annual"]),
    ],
)
def test_the_command_line_says_what_the_study_asks_for(options: dict[str, object], expected: list[str]) -> None:
    line = command(Engine(Path("/ep/energyplus")), Path("in.idf"), Path("in.epw"), Path("out"), **options)  # type: ignore[arg-type]

    paths = ["/ep/energyplus", "--weather", "in.epw", "--output-directory", "out"]
    assert line == [*paths, *expected, "in.idf"]


def test_a_real_run_tells_the_dates_it_reaches(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    (tmp_path / "in.idf").write_text(one_day, encoding="utf-8")
    seen: list[Progress] = []

    run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=60, on_progress=seen.append)

    assert seen == [Progress("WHOLE YEAR", 1, 1)]


def test_free_disk_space_is_in_mebibytes(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)

    assert free_disk_mb(tmp_path) == pytest.approx(status.f_bavail * status.f_frsize / 2**20, rel=0.1)
