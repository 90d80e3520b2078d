"""Requests that variants make, as estimates count them."""

import pytest

from epsm.footprint import large_files, puts_of_a_batch, puts_of_a_variant, record_writes, writes_of_a_variant
from epsm.study.schema import Outputs

DEFAULT = Outputs().keep


def test_a_variant_alone_stores_its_model_its_results_and_the_files_that_its_study_keeps() -> None:
    assert puts_of_a_variant(DEFAULT, series=False) == 4
    assert puts_of_a_variant((), series=True) == 3


@pytest.mark.parametrize(
    ("variants", "seconds", "large", "puts"),
    [
        (100, 5.0, 0, 100 / 64),  # a pack for 64 variants
        (96, 420.0, 1, 42 + 96),  # a pack every 10 s, and the databases
        (4, 400.0, 0, 4),  # a pack has at least one variant
        (1, 2.0, 0, 1),
    ],
)
def test_a_batch_stores_packs_and_large_files(variants: int, seconds: float, large: int, puts: float) -> None:
    assert puts_of_a_batch(variants, seconds, large) == puts


def test_only_files_that_fit_are_packed() -> None:
    assert [large_files(seconds, DEFAULT, series=False) for seconds in (1.0, 25.0)] == [0, 1]
    assert large_files(1.0, DEFAULT, series=True) == 1


def test_only_variants_that_take_longer_are_recorded_as_running() -> None:
    assert [record_writes(seconds, batched=True) for seconds in (2.9, 3.1)] == [2, 3]
    assert record_writes(1.0, batched=False) == 3
    assert writes_of_a_variant(1.0, batched=False) == 4
