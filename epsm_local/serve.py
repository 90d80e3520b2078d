"""A local stack for the program that has started this process: `python -m epsm_local.serve`.

Prints a line of JSON with its endpoint when it is ready, and ends when its standard input is closed: the kernel closes
it when the program ends, in any way.
"""

import json
import os
import signal
import sys

from epsm_local.aws.session import leave_user_settings


def main() -> None:
    """Serve until standard input is closed."""
    from epsm_local.stack import LocalStack

    leave_user_settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Output of functions and libraries must not mix with the line that the program reads.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with LocalStack() as stack:
        answer.write(json.dumps({"endpoint": stack.endpoint}) + "\n")
        answer.close()
        stack.start_workers()
        while sys.stdin.buffer.read(1024):
            pass


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # threads of state machines may be sleeping between attempts; they are no longer needed
