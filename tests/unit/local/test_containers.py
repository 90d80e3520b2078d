"""Containers of the local stack: processes that are signalled as their host would."""

import sys
from pathlib import Path

from epsm_local.aws.containers import Containers

PROGRAM = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, lambda number, frame: None)
child = subprocess.Popen([sys.executable, "-c", "import time; print('started', flush=True); time.sleep(1)"],
                         stdout=subprocess.PIPE)
child.stdout.readline()
open("READY", "w").close()
sys.exit(child.wait())
"""


def test_a_container_that_is_stopped_is_signalled_without_its_children(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()

    def keep_running() -> bool:
        return not (code / "READY").exists()

    ended = Containers(tmp_path, "http://127.0.0.1:1").run(
        [sys.executable, "-c", PROGRAM], [code], {}, keep_running, stop_timeout_s=20.0
    )

    assert ended.exit_code == 0
