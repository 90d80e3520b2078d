"""The end of a run: time, memory, a stop, the death of its parent; and nothing is left running."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from epsm.energyplus.child_process import PeakMemory
from epsm.energyplus.engine import run
from tests.unit.energyplus.child_processes import FOREVER, lives, pid_in, python, shell, within_seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")


# -- the end of time ---------------------------------------------------------------------------------------------
def test_time_that_has_passed_ends_the_run(tmp_path: Path) -> None:
    ended = shell(f"exec sleep {FOREVER}", tmp_path, timeout_s=0.3)

    assert (ended.timed_out, ended.out_of_memory, ended.exit_code) == (True, False, -signal.SIGKILL)


def test_what_was_printed_before_the_end_of_time_is_kept(tmp_path: Path) -> None:
    assert shell(f"echo 'Warming up'; sleep {FOREVER}", tmp_path, timeout_s=1).last_lines == ("Warming up",)


def test_any_amount_of_output_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(PeakMemory, "look", lambda memory, pid: looks.append(pid))

    ended = shell("yes 'A plug-in prints' | head -n 500000; printf 'The end'", tmp_path)

    assert ended.last_lines == ("A plug-in prints",) * 39 + ("The end",)
    assert len(looks) < 20_000, "memory is looked at for each line"


def test_of_a_line_without_an_end_the_beginning_is_kept(tmp_path: Path) -> None:
    (line,) = shell("printf 'It begins '; head -c 5000000 /dev/zero | tr '\\0' x", tmp_path).last_lines

    assert line.startswith("It begins xxx")
    assert len(line) < 10_000


def test_a_child_that_ignores_a_polite_request_is_ended(tmp_path: Path) -> None:
    assert shell(f"trap '' TERM INT HUP; sleep {FOREVER}", tmp_path, timeout_s=0.3).exit_code == -signal.SIGKILL


def test_the_end_of_time_reaches_what_the_child_has_started(tmp_path: Path) -> None:
    script = f"""
        sh -c 'sleep {FOREVER} & echo $! > inner; wait' &
        echo $! > outer
        wait
    """
    shell(script, tmp_path, timeout_s=1)

    pids = [pid_in(tmp_path / name) for name in ("inner", "outer")]
    assert within_seconds(lambda: not any(map(lives, pids)))


def test_what_an_ended_child_has_left_running_is_ended(tmp_path: Path) -> None:
    shell(f"sleep {FOREVER} >/dev/null 2>&1 & echo $! > left; exit 0", tmp_path)

    pid = pid_in(tmp_path / "left")
    assert within_seconds(lambda: not lives(pid))


def test_a_child_that_closes_its_output_and_continues_is_ended_too(tmp_path: Path) -> None:
    assert shell("exec >&- 2>&-; exec sleep 1", tmp_path, timeout_s=0.3).timed_out


def test_a_child_that_closes_its_output_early_is_waited_for(tmp_path: Path) -> None:
    assert shell("exec >&- 2>&-; sleep 0.5; exit 7", tmp_path).exit_code == 7


def test_a_run_has_ended_when_its_process_has(tmp_path: Path) -> None:
    assert not shell("sleep 2 & exit 0", tmp_path, timeout_s=1).timed_out


# -- the end of memory -------------------------------------------------------------------------------------------
GREEDY = """
    import time
    x = bytearray(200 * 2**20)
    time.sleep(60)
"""


def test_too_much_memory_ends_the_run(tmp_path: Path) -> None:
    ended = python(GREEDY, tmp_path, memory_limit_mb=100)

    assert (ended.out_of_memory, ended.timed_out, ended.exit_code) == (True, False, -signal.SIGKILL)


def test_memory_below_the_limit_does_not(tmp_path: Path) -> None:
    program = "import time; x = bytearray(50 * 2**20); time.sleep(0.6)"

    assert not python(program, tmp_path, memory_limit_mb=500).out_of_memory


def test_memory_is_limited_while_nobody_answers_whether_to_stop(tmp_path: Path) -> None:
    answers = threading.Event()

    def stalls() -> bool:
        return answers.wait(FOREVER)

    try:
        ended = python(GREEDY, tmp_path, memory_limit_mb=100, should_stop=stalls)
    finally:
        answers.set()

    assert (ended.out_of_memory, ended.timed_out, ended.stopped) == (True, False, False)


# -- nothing is left behind --------------------------------------------------------------------------------------
PARENT = """
    import sys
    from pathlib import Path
    from epsm.energyplus.engine import run
    run(["sh", "-c", "echo $$ > pid; exec sleep 60"], Path(sys.argv[1]), timeout_s=60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that waits for a run in `tmp_path`."""
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_the_child_dies_with_the_process_that_runs_it(
    parent: subprocess.Popen[bytes], tmp_path: Path, name: str
) -> None:
    child = pid_in(tmp_path / "pid")

    parent.send_signal(getattr(signal, name))

    assert within_seconds(lambda: not lives(child))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_run_leaves_no_file_open(tmp_path: Path) -> None:
    before = open_files()

    for _ in range(5):
        shell("echo something", tmp_path)

    assert open_files() <= before


def test_an_answer_that_does_not_come_suspends_no_limit(tmp_path: Path) -> None:
    let_go = threading.Event()
    asked = []

    def stalling() -> bool:
        asked.append(1)
        let_go.wait(40)
        return False

    try:
        ended = run(["sleep", "60"], tmp_path, timeout_s=1, should_stop=stalling)
    finally:
        let_go.set()
    assert ended.timed_out
    assert ended.wall_seconds < 10, "it waited for the answer"
    assert len(asked) == 1, "one question is open at a time"


def test_a_late_yes_ends_the_run(tmp_path: Path) -> None:
    def slow() -> bool:
        time.sleep(0.3)
        return True

    ended = run(["sleep", "60"], tmp_path, timeout_s=30, should_stop=slow)
    assert ended.stopped
    assert not ended.timed_out


def test_what_a_question_raises_is_raised(tmp_path: Path) -> None:
    def broken() -> bool:
        raise KeyError("table")

    with pytest.raises(KeyError, match="table"):
        run(["sleep", "60"], tmp_path, timeout_s=30, should_stop=broken)
