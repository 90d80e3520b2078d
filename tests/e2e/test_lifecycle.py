"""How the `epsm` command ends: Ctrl-C, signals, a killed process, faults of the machine and of AWS."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import StudyMaker
from tests.support import wait_for

EPSM = Path(sys.executable).with_name("epsm")
_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
"""Of an account on AWS that does not answer."""


@pytest.fixture
def slow(make_study: StudyMaker, one_zone: str) -> Path:
    """A study that takes longer than any test here."""
    return make_study("slow", files={"room.idf": one_zone.replace("Timestep,4;", "Timestep,60;")})


def start(tmp_path: Path, *arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(temporary(tmp_path))}
    with (tmp_path / "printed").open("w", encoding="utf-8") as printed:
        return subprocess.Popen(
            [EPSM, *arguments],
            env={**environment, "COLUMNS": "200", **variables},
            cwd=tmp_path,
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - CI may ignore it
        )


@pytest.fixture(autouse=True)
def _end_what_a_failed_test_left(tmp_path: Path) -> Iterator[None]:
    yield
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"XDG_STATE_HOME={tmp_path}/state".encode() in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue


def temporary(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return tmp_path / "tmp"


def printed(tmp_path: Path) -> str:
    return (tmp_path / "printed").read_text(encoding="utf-8", errors="replace")


def started_below(folder: Path) -> dict[int, str]:
    """Processes that work for a local stack whose folder is below this one: its workers and engines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{temporary(folder)}/epsm-local-".encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def engine_runs(tmp_path: Path) -> bool:
    return any("energyplus" in line for line in started_below(tmp_path).values())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_engine_and_no_worker_outlives_a_run_on_a_stack_of_its_own(
    how: signal.Signals, slow: Path, tmp_path: Path
) -> None:
    running = start(tmp_path, "run", slow)
    wait_for(lambda: engine_runs(tmp_path) or running.poll() is not None, "an engine", within_s=120)
    running.send_signal(how)
    code = running.wait(timeout=20)
    wait_for(lambda: not started_below(tmp_path), "the end of workers and engines", within_s=10)
    wait_for(lambda: not list((tmp_path / "tmp").glob("epsm-local-*")), "the end of the folder", within_s=10)
    assert "Traceback" not in printed(tmp_path)
    if how == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 128 + how
        assert "had succeeded, and their results are lost" in printed(tmp_path)


def test_a_second_interrupt_ends_at_once_without_a_traceback(slow: Path, tmp_path: Path) -> None:
    running = start(tmp_path, "run", slow)
    wait_for(lambda: engine_runs(tmp_path) or running.poll() is not None, "an engine", within_s=120)
    for _ in range(2):
        running.send_signal(signal.SIGINT)
        wait_for(lambda: "Interrupted" in printed(tmp_path) or running.poll() is not None, "the message")
    assert running.wait(timeout=10) == 130
    wait_for(lambda: not started_below(tmp_path), "the end of workers and engines", within_s=10)
    assert "Traceback" not in printed(tmp_path)


def test_an_interrupt_at_the_very_start_is_silent(slow: Path, tmp_path: Path) -> None:
    running = start(tmp_path, "run", slow)
    # SIGHUP as well: what is done then is the same as for SIGTERM.
    wait_for(lambda: all(_handles(running.pid, each) for each in (signal.SIGINT, signal.SIGHUP)), "the command to load")
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) == 130
    assert "Traceback" not in printed(tmp_path)


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for SIGTERM too: Python's own is for SIGINT alone."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1) and bool(caught >> (number - 1) & 1)


# --- settings of a machine that a local run does not need


def test_a_local_run_needs_no_settings_of_the_users(make_study: StudyMaker, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default\nbroken", encoding="utf-8")
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    variables = {
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        "AWS_PROFILE": "nowhere",
        "AWS_CONFIG_FILE": str(config),
        "AWS_CA_BUNDLE": str(tmp_path / "none.pem"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_MAX_ATTEMPTS": "many",
        "PYTHONIOENCODING": "ascii",
        "HOME": "/nonexistent",
        "COLUMNS": "40",
    }
    running = start(tmp_path, "run", make_study("Gerät", parameters=[]), **variables)
    assert running.wait(timeout=100) == 0, printed(tmp_path)
    assert (tmp_path / "results" / "Gerät" / "results.csv").is_file()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_PROFILE": "nowhere"}, "nowhere"),
        ({"AWS_CONFIG_FILE": "broken"}, "broken"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "region"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials"),
    ],
)
def test_with_a_stack_s_name_one_line_says_what_is_wrong(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[default\nbroken", encoding="utf-8")
    assert start(tmp_path, "status", "--stack", "epsm-dev", **(_SETTINGS | variables)).wait(timeout=60) == 1
    assert "epsm-dev" in printed(tmp_path)
    assert said in printed(tmp_path)
    assert len(printed(tmp_path).strip().splitlines()) == 1


# --- following a study on AWS


class _Aws(BaseHTTPRequestHandler):
    """A stack with one running study: CloudFormation and DynamoDB, as far as `epsm status --watch` asks them."""

    answers: list[tuple[int, bytes]]
    """What DynamoDB answers, one after the other; the last one for ever."""
    last: threading.Event
    """Set as soon as the last one is asked for."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"DescribeStacks" in body:
            return self._send(200, _STACKS)
        if len(self.answers) == 1:
            self.last.set()
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return self._send(status, answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


_OUTPUTS = {"InputsBucket": "in", "ResultsBucket": "out", "TableName": "studies", "StateMachineArn": "arn:machine"}
_STACKS = (
    "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>dev</StackName><Outputs>"
    + "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in _OUTPUTS.items()
    )
    + "</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
).encode()
_EXPIRED = (400, json.dumps({"__type": "com.amazon.coral#ExpiredTokenException", "message": "expired"}).encode())
_BROKEN = (500, json.dumps({"__type": "com.amazon.coral#InternalServerError", "message": "later"}).encode())


def _running(simulation: str) -> tuple[int, bytes]:
    """A running study's item, which has no execution yet: nobody is asked for its counts."""
    values = {
        "simulation_id": simulation,
        "name": "Office",
        "status": "running",
        "created_at": "2026-05-01T12:00:00Z",
    }
    return 200, json.dumps({"Item": {name: {"S": value} for name, value in values.items()}}).encode()


@pytest.fixture
def aws() -> Iterator[Callable[..., str]]:
    """Starts an AWS whose DynamoDB gives these answers; its address."""
    servers = []

    def serve(*answers: tuple[int, bytes], last: threading.Event | None = None) -> str:
        handler = type("Aws", (_Aws,), {"answers": list(answers), "last": last or threading.Event()})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def watch(tmp_path: Path, endpoint: str) -> subprocess.Popen[str]:
    settings = _SETTINGS | {"AWS_ENDPOINT_URL": endpoint}
    return start(tmp_path, "status", "office-1", "--watch", "--stack", "dev", **settings)


def test_credentials_that_expire_while_a_study_is_followed(aws: Callable[..., str], tmp_path: Path) -> None:
    running = _running("office-1")
    assert watch(tmp_path, aws(running, running, _EXPIRED)).wait(timeout=60) == 1
    said = printed(tmp_path)
    assert "Your AWS credentials have expired" in said
    assert "The study continues" in said
    assert "epsm status office-1 --watch --stack dev" in said
    assert "Traceback" not in said


def test_faults_of_the_service_are_waited_out(aws: Callable[..., str], tmp_path: Path) -> None:
    running = _running("office-1")
    # Each question is asked several times by boto3 itself; what remains is the command's to wait out.
    ended = (200, running[1].replace(b'"running"', b'"cancelled"'))
    assert watch(tmp_path, aws(running, running, *[_BROKEN] * 12, ended)).wait(timeout=100) == 1
    assert "cancelled" in printed(tmp_path)
    assert "Traceback" not in printed(tmp_path)


def test_an_interrupt_while_a_study_is_followed_says_that_it_continues(aws: Callable[..., str], tmp_path: Path) -> None:
    follows = threading.Event()
    running = watch(tmp_path, aws(*[_running("office-1")] * 3, last=follows))
    assert follows.wait(timeout=100)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=20) == 130
    assert "The study continues" in printed(tmp_path)
    assert "epsm cancel office-1 --stack dev" in printed(tmp_path)
