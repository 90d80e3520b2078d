"""How large a model the functions hold: epsm.model_memory."""

import gc
from pathlib import Path

import pytest

from epsm.model_memory import HANDLER_MB, LARGEST_MODEL_BYTES, largest_model_bytes, left_for_the_engine_mb


def test_more_memory_takes_larger_models_up_to_what_can_be_checked_in_time() -> None:
    sizes = [largest_model_bytes(memory_mb) for memory_mb in (512, 1769, 3008, 10_240)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == LARGEST_MODEL_BYTES


def test_epjson_takes_less_memory_than_idf() -> None:
    assert largest_model_bytes(1769, epjson=True) > largest_model_bytes(1769)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="/proc")
def test_what_a_large_model_takes_is_the_engines_to_lack() -> None:
    gc.collect()
    ballast = bytearray(b"x") * (HANDLER_MB * 2**20)
    left_mb = left_for_the_engine_mb(1000)
    del ballast
    assert left_mb < 1000
