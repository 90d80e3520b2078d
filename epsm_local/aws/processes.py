"""Processes that stand for execution environments of Lambda and for containers of ECS.

Each has an environment of its own: only the variables that AWS sets and those that it is given, a folder of its own for
/tmp, a process group of its own. It ends with all that it has started.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from epsm_local.aws.janitor import end_processes_of
from epsm_local.aws.output import Output
from epsm_local.aws.session import CREDENTIALS

_PASSED_ON = ("LD_LIBRARY_PATH",)
"""Where the engine's system libraries are, on a machine that has them in an unusual place."""


class Stopped(Exception):
    """The stack is being stopped: nothing more is started."""


class IsolatedProcess:
    """A process that runs from now on.

    Args:
        command: Program and arguments.
        code: Folders with its code, first the working directory.
        variables: Its own environment variables.
        folder: A folder that does not exist yet; removed at the end.
        endpoint: The local AWS.

    Attributes:
        output: What it prints.

    Raises:
        OSError: If there is no room for the folder, or the process cannot be started.
    """

    def __init__(
        self, command: Sequence[str], code: Sequence[Path], variables: Mapping[str, str], folder: Path, endpoint: str
    ) -> None:
        self._folder = folder
        self.output = Output()
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        try:
            self._process = subprocess.Popen(
                command,
                cwd=code[0],
                env={**_clean_environment(code, temporary, endpoint), **variables},
                stdin=subprocess.DEVNULL,
                stdout=self.output.number,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait until it has ended; its exit status, below 0 for a signal."""
        return self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it has started, if they still run."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def end(self) -> None:
        """End it and what it has started, and remove its folder."""
        self.signal(signal.SIGKILL)
        self.wait()
        end_processes_of(self._folder)  # the engine and what it has started have groups of their own
        shutil.rmtree(self._folder, ignore_errors=True)


def _clean_environment(code: Sequence[Path], temporary: Path, endpoint: str) -> dict[str, str]:
    """What every such process has, and nothing of this process's own."""
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **CREDENTIALS,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "PYTHONPATH": os.pathsep.join(map(str, code)),
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": endpoint,
    }
