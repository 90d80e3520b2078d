"""Starts an EnergyPlus that is a library, like the executable: `python engine_launcher.py LIBRARY ARGUMENT...`.

`python engine_launcher.py --serve SOCKET LIBRARY` loads the library once and forks a process for each run; see
`epsm.energyplus.engine_server`. A separate program that imports nothing of this project: a crash ends a run and not a
worker, and it is the only thread of its process, so that forking is safe.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

_MAIN = "_Z13EnergyPlusPgmRKSt6vectorINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEESaIS5_EERKS5_"
"""EnergyPlusPgm(const std::vector<std::string> &arguments, const std::string &folder), the function that the
executable's own main calls. The C interface's energyplus() calls the energy management system's hooks in every time
step, also in models without one, which takes 10 % of a short run."""
_MAX_REQUEST_BYTES = 100_000
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_NOT_STARTED = 127


class _String(ctypes.Structure):
    """A std::string of GCC's C++ library that owns nothing."""

    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_size_t), ("local", ctypes.c_size_t * 2))

    def __init__(self, text: bytes) -> None:
        super().__init__(text, len(text), (ctypes.c_size_t * 2)(len(text)))


class _Strings(ctypes.Structure):
    """A std::vector<std::string> of the same kind."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("begin", "end", "end_of_storage"))

    def __init__(self, strings: ctypes.Array[_String]) -> None:
        begin = ctypes.addressof(strings)
        end = begin + ctypes.sizeof(strings)
        super().__init__(begin, end, end)


def load(library: str) -> ctypes.CDLL:
    """Load the engine. Its own Python, for plug-ins, is not to be mistaken for the one that runs this program: the
    engine would finalise it at the end of a run. Therefore it searches symbols in its own libraries first."""
    return ctypes.CDLL(library, mode=os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))


def run(engine: ctypes.CDLL, arguments: Sequence[str]) -> int:
    """Run EnergyPlus with the arguments of a command line; return its exit code."""
    if list(arguments) == ["--version"]:  # the program prints it after parsing its schema
        engine.energyPlusVersion.restype = ctypes.c_char_p
        os.write(1, engine.energyPlusVersion() + b"\n")
        return 0
    line = [b"energyplus", *map(os.fsencode, arguments)]
    strings = (_String * len(line))(*map(_String, line))
    code = engine[_MAIN](ctypes.byref(_Strings(strings)), ctypes.byref(_String(b"")))
    ctypes.CDLL(None).fflush(None)
    return int(code)


def serve(requests: socket.socket, engine: ctypes.CDLL) -> None:
    """Answer requests, one at a time, until the other end is closed: also when its process was killed."""
    # Creating a state parses the engine's embedded schema, which stays for all runs; each run has a state of its own.
    engine.stateNew.restype = ctypes.c_void_p
    engine.stateDelete.argtypes = [ctypes.c_void_p]
    engine.stateDelete(engine.stateNew())
    requests.send(b"{}")
    while True:
        message, files, *_ = socket.recv_fds(requests, _MAX_REQUEST_BYTES, 1)
        if not message:
            return
        request = json.loads(message)
        answer: dict[str, Any]
        match request["do"]:
            case "run":
                answer = {"pid": _start(requests, engine, request, files[0])}
                os.close(files[0])
            case "look":
                flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
                answer = {"ended": os.waitid(os.P_PID, request["pid"], flags) is not None}
            case _:
                _, status, usage = os.wait4(request["pid"], 0)
                cpu_seconds = usage.ru_utime + usage.ru_stime
                answer = {"status": status, "cpu_seconds": cpu_seconds, "peak_kb": usage.ru_maxrss}
        requests.send(json.dumps(answer).encode())


def _start(requests: socket.socket, engine: ctypes.CDLL, request: dict[str, Any], output: int) -> int:
    """Start a run in a process and a process group of its own; returns its number, or 0 if the system has no room for
    a further process: that must not end the server, and with it the other runs."""
    server = os.getpid()
    try:
        child = os.fork()
    except OSError:
        return 0
    if child:
        _lead_group(child)
        return child
    code = _NOT_STARTED
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(code)
        _lead_group(0)
        requests.close()
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):  # as after exec
            signal.signal(number, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        code = run(engine, request["arguments"]) & 0xFF
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
    finally:
        # Neither the library's static objects, which the kernel frees sooner, nor this interpreter.
        os._exit(code)


def _lead_group(process: int) -> None:
    """Make a run the leader of a process group, by which it is killed. Server and run both do that: whichever comes
    first, the group exists when the run can be killed, and before it starts a process."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(process, process)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(socket.socket(fileno=int(sys.argv[2])), load(sys.argv[3]))
    else:
        sys.exit(run(load(sys.argv[1]), sys.argv[2:]))
