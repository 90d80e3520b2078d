"""Reading the output of a running engine."""

import os
import select
from collections.abc import Callable, Iterator
from typing import BinaryIO

_INTERVAL_S = 1.0
_BLOCK_BYTES = 65_536
"""The capacity of a pipe."""
_MUCH_BYTES = 16_384


def read_blocks(output: BinaryIO, *, at_once: bool, is_over: Callable[[], bool]) -> Iterator[bytes]:
    """The output of an engine, until the pipe is closed.

    An engine prints some hundred lines, each of which would wake this process: 0.1 ms of CPU time, in a short run as
    much as half of everything besides the engine. So they are read once a second and at the end, which `poll` reports
    also if it waits for nothing else. Programs in a model may print any amount, which is read at once.

    Args:
        output: The reading end of the pipe, unbuffered.
        at_once: Whether to read each line when it is printed.
        is_over: Whether the run has ended, after which a pipe that is still open is not waited for.
    """
    number = output.fileno()
    os.set_blocking(number, False)
    waiting = select.poll()
    waiting.register(number, select.POLLIN if at_once else 0)
    while True:
        waiting.poll(1000 * _INTERVAL_S)
        over = is_over()
        try:
            block = os.read(number, _BLOCK_BYTES)
        except BlockingIOError:
            block = b""
        else:
            if not block:
                return
            yield block
        if over:
            return
        if len(block) >= _MUCH_BYTES:  # an engine that prints much must not wait for this process
            waiting.modify(number, select.POLLIN)
