"""Time and memory of a run, as its variant's result has them."""

from epsm.energyplus.engine import EngineRun
from epsm.pipeline.variant_documents import measures_of


def test_times_are_kept_to_the_millisecond_and_memory_to_a_tenth_of_a_mib() -> None:
    run = EngineRun(0, False, False, False, 1.23456, 0.98765, 210.4567, ())
    assert measures_of(run, 2.34567) == {
        "seconds": 2.346,
        "engine_seconds": 1.235,
        "engine_cpu_seconds": 0.988,
        "peak_memory_mb": 210.5,
    }


def test_a_variant_whose_engine_did_not_run_took_none_of_it() -> None:
    assert measures_of(None, 0.1) == {
        "seconds": 0.1,
        "engine_seconds": 0.0,
        "engine_cpu_seconds": 0.0,
        "peak_memory_mb": 0.0,
    }
