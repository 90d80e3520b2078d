"""A function that does what its event says, and the log of it."""

from tests.moto_fixtures import Aws

HANDLER = """
import os, signal, subprocess, sys, tempfile, time
from pathlib import Path

calls = 0
loaded = time.time()

class OutOfLuck(Exception):
    pass

def handler(event, context):
    global calls
    calls += 1
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event["value"]

def fail(event, context):
    raise OutOfLuck("it rains")

def count(event, context):
    return {"calls": calls, "pid": os.getpid()}

def when_loaded(event, context):
    return loaded

def say(event, context):
    print(event["text"])

def where_prints_go(event, context):
    return os.path.exists(os.readlink("/proc/self/fd/1"))

def leave(event, context):
    os._exit(3)

def be_killed(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(event, context):
    child = subprocess.Popen(["sleep", "600"])
    Path(event["pids"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)

def environment(event, context):
    return dict(os.environ)

def keep(event, context):
    place = Path(tempfile.gettempdir(), "kept")
    before = place.exists()
    place.write_text("x")
    return {"folder": str(place.parent), "before": before}

def hold(event, context):
    command = [sys.executable, "-c", "import sys, time; held = b'x' * int(sys.argv[1]); time.sleep(float(sys.argv[2]))"]
    line = [*command, str(event["megabytes"] << 20), str(event["seconds"])]
    if event["by"] == "a child":
        subprocess.run(line, start_new_session=True)
    else:
        held = b"x" * (event["megabytes"] << 20)
        time.sleep(event["seconds"])
    return "held"

def reserve(event, context):
    import mmap
    space = mmap.mmap(-1, 4 << 30)
    space[:1000] = bytes(1000)
    time.sleep(1)
    return "reserved"

def meet(event, context):
    started, folder = time.monotonic(), Path(event["folder"])
    (folder / context.aws_request_id).touch()
    while len(list(folder.iterdir())) < event["number"] and time.monotonic() < started + 20:
        time.sleep(0.01)
    return [started, time.monotonic()]

def describe(event, context):
    return {
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "log_group": context.log_group_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }
"""


def lines_of(aws: Aws, function: str, part: str = "") -> list[str]:
    """Lines of the function's log group that contain `part`."""
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return [event["message"] for event in events if part in event["message"]]
