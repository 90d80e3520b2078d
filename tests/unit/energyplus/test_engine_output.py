"""Reading what an engine prints, through the pipe of a process that is not read line by line."""

import os
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from epsm.energyplus.engine_output import read_blocks


class Pipe:
    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self.output: BinaryIO = os.fdopen(reading, "rb", buffering=0)

    def prints(self, content: bytes) -> None:
        os.write(self.writing, content)

    def close(self) -> None:
        number, self.writing = self.writing, -1
        if number >= 0:
            os.close(number)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()
    made.output.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_the_output_of_a_closed_pipe_is_read(pipe: Pipe, at_once: bool) -> None:
    pipe.prints(b"one\nlast")
    pipe.close()

    assert b"".join(read_blocks(pipe.output, at_once=at_once, is_over=lambda: False)) == b"one\nlast"


def test_output_comes_before_the_pipe_is_closed(pipe: Pipe) -> None:
    blocks = read_blocks(pipe.output, at_once=False, is_over=lambda: False)
    pipe.prints(b"one\n")

    assert next(blocks) == b"one\n"


def test_an_engine_that_prints_more_than_a_pipe_holds_is_not_held_up(pipe: Pipe) -> None:
    def print_much() -> None:
        for _ in range(1000):
            pipe.prints(b"x" * 4096)
        pipe.close()

    threading.Thread(target=print_much, daemon=True).start()

    assert sum(map(len, read_blocks(pipe.output, at_once=False, is_over=lambda: False))) == 4_096_000


def test_a_pipe_that_another_process_keeps_open_is_not_waited_for(pipe: Pipe) -> None:
    pipe.prints(b"one\ntwo")

    assert list(read_blocks(pipe.output, at_once=False, is_over=lambda: True)) == [b"one\ntwo"]
