"""One execution environment of Lambda: the image's entry point in the image's file system, talking to a Runtime API."""

import json
import os
import queue
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from epsm_local.aws.runtime_api import Answer, Request, RuntimeApi
from tests.image.building import BuiltImage

MEMORY_MB = 1769
_TIMEOUT_S = 300.0

# In a mount namespace of its own, so that nothing is left mounted however it ends. As on Lambda nothing but /tmp can be
# written and there is no /dev/shm.
_ENTER = """
set -eu
root=$1 uid=$2 gid=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind /proc "$root/proc"
mount -t tmpfs -o mode=755,size=1m dev "$root/dev"
for node in null zero full random urandom; do
    : > "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mount -o remount,ro "$root/dev"
mount -t tmpfs -o mode=1777,size=2g tmp "$root/tmp"
exec chroot --userspec="$uid:$gid" --groups="$gid" "$root" env -i "$@"
"""


def command_inside(
    image: BuiltImage, user: tuple[int, int], variables: Mapping[str, str], command: Sequence[str]
) -> list[str]:
    """The command line that runs `command` inside the image as `user`, in its working directory and environment."""
    environment = {**image.environment, **variables}
    uid, gid = map(str, user)
    return ["unshare", "--mount", "sh", "-c", _ENTER, "enter", str(image.root), uid, gid,
            f"--chdir={image.config['WorkingDir']}", *(f"{name}={value}" for name, value in environment.items()),
            *command]  # fmt: skip


class LambdaEnvironment:
    """Starts the image with a command and invokes it.

    Attributes:
        cold_start_s: From the start of the process to its first request for work, seconds.
    """

    def __init__(
        self, image: BuiltImage, handler: str, user: tuple[int, int], variables: Mapping[str, str], log: Path
    ) -> None:
        self._api = RuntimeApi()
        self._log = log
        name = handler.split(".")[1]
        given = {
            "_HANDLER": handler,
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "POWERTOOLS_SERVICE_NAME": name,
            "POWERTOOLS_METRICS_NAMESPACE": "epsm-image-test",
            **variables,
        }
        command = [*image.config["Entrypoint"], handler]
        started = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command_inside(image, user, given, command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not self._api.asked.wait(0.01):
            if self._process.poll() is not None or time.monotonic() - started > 60:
                self.close()
                raise AssertionError(f"{handler} did not start:\n{self.log}")
        self.cold_start_s = time.monotonic() - started

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke the function and return its answer.

        Raises:
            AssertionError: If it fails or does not answer; the message holds what it has logged.
        """
        request = str(uuid.uuid4())
        deadline_ms = int((time.time() + _TIMEOUT_S) * 1000)
        arn = "arn:aws:lambda:us-east-1:123456789012:function:epsm-image-test"
        self._api.requests.put(Request(request, json.dumps(event).encode(), deadline_ms, arn))
        try:
            answer = self._api.answers.get(timeout=_TIMEOUT_S)
        except queue.Empty:
            raise AssertionError(f"no answer within {_TIMEOUT_S:.0f} s:\n{self.log}") from None
        if not isinstance(answer, Answer) or answer.error:
            raise AssertionError(f"the function failed: {answer}\n{self.log}")
        value: dict[str, Any] = json.loads(answer.body)
        return value

    @property
    def user(self) -> tuple[int, int]:
        status = Path(f"/proc/{self._process.pid}").stat()
        return status.st_uid, status.st_gid

    @property
    def peak_memory_mb(self) -> float:
        """Largest resident size so far of the Python process, without the engine, MiB."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def close(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._api.close()
