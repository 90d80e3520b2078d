"""Processes that emulate Lambda's execution environments and ECS containers.

Each has its own environment: only the variables that AWS sets and those of its configuration, its own folder for /tmp,
and its own process group. It ends with all its child processes.
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
"""Location of the engine's system libraries, if it is not a standard one."""


class Stopped(Exception):
    """The stack is being stopped and starts no further processes."""


class IsolatedProcess:
    """A running process, started by the constructor.

    Args:
        command: Program and arguments.
        code: Folders with its code, first the working directory.
        variables: Its own environment variables.
        folder: A folder that does not exist yet; it is removed at the end.
        endpoint: The local AWS.

    Attributes:
        output: Its output.

    Raises:
        OSError: If the folder cannot be created (full disk), or the process cannot be started.
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
        """Wait until it has ended; return its exit status, negative for a signal."""
        return self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to it and its child processes, if they still run."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def terminate(self) -> None:
        """Send SIGTERM to it alone, as a container's host signals only the main process."""
        self._process.terminate()

    def end(self) -> None:
        """End it and its child processes, and remove its folder."""
        self.signal(signal.SIGKILL)
        self.wait()
        end_processes_of(self._folder)  # the engine and its children have their own process groups
        shutil.rmtree(self._folder, ignore_errors=True)


def _clean_environment(code: Sequence[Path], temporary: Path, endpoint: str) -> dict[str, str]:
    """Variables of every such process; none are inherited from this process."""
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
