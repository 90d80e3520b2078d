"""How large a model the functions hold: epsm.model_memory."""

import gc
from pathlib import Path

import pytest

from epsm.model_memory import (
    HANDLER_MB,
    MAX_MODEL_BYTES,
    KeptModels,
    edited_mb,
    kept_models_mb,
    largest_model_bytes,
    left_for_the_engine_mb,
)


def test_more_memory_takes_larger_models_up_to_what_can_be_checked_in_time() -> None:
    sizes = [largest_model_bytes(memory_mb) for memory_mb in (512, 1769, 3008, 10_240)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == MAX_MODEL_BYTES


def test_epjson_takes_more_memory_than_idf() -> None:
    assert largest_model_bytes(512, epjson=True) == largest_model_bytes(512)
    assert largest_model_bytes(1024, epjson=True) < largest_model_bytes(1024)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="/proc")
def test_what_a_large_model_takes_is_the_engines_to_lack() -> None:
    gc.collect()
    ballast = bytearray(b"x") * (HANDLER_MB * 2**20)
    left_mb = left_for_the_engine_mb(1000)
    del ballast
    assert left_mb < 1000


def parsed_of(names: list[str], size_bytes: int, engine_limit_mb: float) -> list[str]:
    """The models that were parsed, in order, when they were asked for in the order of `names`."""
    kept: KeptModels[str] = KeptModels()
    parsed: list[str] = []

    for name in names:

        def parse(content: bytes, name: str = name) -> str:
            parsed.append(name)
            return f"model {name} of {len(content)}"

        assert kept.get(name, lambda: bytes(size_bytes), parse, engine_limit_mb) == f"model {name} of {size_bytes}"
    return parsed


def test_small_models_are_parsed_once() -> None:
    assert parsed_of(["a.idf", "b.idf", "c.idf"] * 3, 1_000_000, 1400) == ["a.idf", "b.idf", "c.idf"]


def test_models_that_do_not_fit_together_are_parsed_again() -> None:
    limit_mb = 1400.0
    large = int(0.6 * kept_models_mb(limit_mb) / edited_mb("a.idf", 1_000_000) * 1e6)
    assert parsed_of(["a.idf", "a.idf", "b.idf", "a.idf"], large, limit_mb) == ["a.idf", "b.idf", "a.idf"]


def test_a_model_larger_than_all_that_may_be_kept_is_kept_alone() -> None:
    assert parsed_of(["a.idf", "a.idf", "b.idf"], 40_000_000, 1400) == ["a.idf", "b.idf"]


def test_a_smaller_limit_keeps_fewer_models() -> None:
    names = ["a.idf", "b.idf", "a.idf"]
    assert len(parsed_of(names, 3_000_000, 200)) > len(parsed_of(names, 3_000_000, 1400))
