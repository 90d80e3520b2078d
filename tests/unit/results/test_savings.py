"""Savings against the baseline."""

from pathlib import Path
from typing import Any

from tests.unit.results.result_tables import Table, failed, lost, parameter, study, succeeded


# -- savings -----------------------------------------------------------------------------------------------------
def savings(table: Table, index: int) -> tuple[float | None, float | None]:
    row = table.row(index)
    return row["site_eui_saved_kwh_m2"], row["site_eui_saved_percent"]


def test_savings_are_against_the_baseline(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, 100.0), succeeded(1, 80.0), succeeded(2, 125.0)])

    assert [savings(table, index) for index in range(3)] == [(0.0, 0.0), (20.0, 20.0), (-25.0, -25.0)]


def test_every_model_and_weather_has_its_own_baseline(tmp_path: Path) -> None:
    four = study(parameter(values=[0.1]), models=["a.idf", "b.idf"], weather=["x.epw", "y.epw"])
    euis = [100.0, 50.0, 200.0, 150.0, 300.0, 225.0, 400.0, 400.0]

    table = Table(tmp_path, four, [succeeded(index, eui) for index, eui in enumerate(euis)])

    assert [savings(table, index)[1] for index in (1, 3, 5, 7)] == [50.0, 25.0, 25.0, 0.0]


def test_a_failed_baseline_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [failed(0), succeeded(1), succeeded(2)])

    assert savings(table, 1) == (None, None)


def test_a_baseline_that_was_lost_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [lost(0), succeeded(1)])

    assert savings(table, 1) == (None, None)


def test_a_lost_baseline_is_not_replaced_by_that_of_another_model(tmp_path: Path) -> None:
    both = study(parameter(values=[0.1]), models=["a.idf", "b.idf"])

    table = Table(tmp_path, both, [succeeded(0), succeeded(1), succeeded(3)])

    assert savings(table, 3) == (None, None)


def test_a_failed_variant_has_saved_nothing(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0), failed(1)])

    assert savings(table, 1) == (None, None)


def test_other_periods_are_not_compared(tmp_path: Path) -> None:
    january: dict[str, Any] = {"period": "31 days (01/01-01/31)", "period_days": 31}

    table = Table(tmp_path, study(parameter()), [succeeded(0), succeeded(1, **january)])

    assert savings(table, 1) == (None, None)


def test_a_baseline_that_uses_nothing_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, 0.0), succeeded(1, 10.0)])

    assert savings(table, 1) == (None, None)
