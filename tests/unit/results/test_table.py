"""Rows of the results table: one per variant, whatever its outcome."""

from pathlib import Path

import pytest

from epsm.results.metrics import METRICS
from epsm.results.rows import CANCELLED, GIVEN_UP, rows
from epsm.results.table import OutcomeCounts
from tests.unit.manifests import manifest_of
from tests.unit.results.result_tables import Table, failed, lost, parameter, study, succeeded


# -- rows --------------------------------------------------------------------------------------------------------
def test_every_variant_is_a_row_in_the_order_of_the_study(tmp_path: Path) -> None:
    both = study(parameter(), models=["a.idf", "b.idf"])

    table = Table(tmp_path, both, [succeeded(index) for index in range(6)])

    assert list(table.frame["variant_index"]) == [0, 1, 2, 3, 4, 5]
    assert list(table.frame["model"]) == ["a.idf"] * 3 + ["b.idf"] * 3
    assert list(table.frame["baseline"]) == [True, False, False] * 2


def test_a_row_says_what_was_varied(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(index) for index in range(3)])

    assert [table.row(index)["insulation_m"] for index in range(3)] == [None, 0.1, 0.2]


def test_a_row_holds_what_was_measured(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, eui=123.456)]).row(0)

    expected = {
        "site_eui_kwh_m2": 123.456,
        "period": "annual",
        "period_days": 365,
        "zone_count": 1,
        "warnings": 3,
        "severe_errors": 0,
        "engine_seconds": 1.5,
        "engine_cpu_seconds": 1.25,
        "peak_memory_mb": 211.0,
        "status": "succeeded",
        "verdict": "ok",
        "error_stage": None,
        "error": None,
        "note": None,
        "missing": None,
    }
    assert {name: row[name] for name in expected} == expected


def test_a_failed_variant_is_a_row_with_its_reason(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0, "No such schedule.", stage="input")]).row(0)

    expected = {"status": "failed", "verdict": "crashed", "error_stage": "input", "error": "No such schedule."}
    assert {name: row[name] for name in expected} == expected


def test_a_failed_variant_has_no_numbers(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0)]).row(0)

    assert {row[name] for name in (*METRICS, "period", "period_days", "zone_count")} == {None}


def test_a_failed_variant_keeps_its_counts_and_times(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0)]).row(0)

    assert (row["warnings"], row["severe_errors"], row["engine_seconds"]) == (3, 2, 1.5)


def test_a_lost_variant_is_a_failed_row(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [lost(0)]).row(0)

    assert (row["status"], row["error_stage"], row["error"]) == (
        "failed",
        "worker",
        "The variant was started but has no result: its worker was lost or stopped.",
    )


@pytest.mark.parametrize("stopped", [GIVEN_UP, CANCELLED])
def test_a_variant_that_ran_when_its_study_was_stopped_has_not_failed(stopped: str) -> None:
    (row,) = rows(manifest_of(study()), [lost(0)], stopped=stopped)
    assert (row["status"], row["error"]) == ("not_run", f"{stopped} while this variant ran.")


def test_a_variant_that_was_not_started_is_a_row(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), []).row(0)

    assert (row["status"], row["error_stage"], row["error"]) == ("not_run", "worker", "The variant was not started.")


def test_the_rows_keep_their_places_when_some_are_not_there(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter(values=[1, 2, 3, 4])), [succeeded(1, eui=11.0), succeeded(3, eui=33.0)])

    assert list(table.frame["status"]) == ["not_run", "succeeded", "not_run", "succeeded", "not_run"]
    assert (table.row(1)["site_eui_kwh_m2"], table.row(3)["site_eui_kwh_m2"]) == (11.0, 33.0)


def test_records_of_no_variant_of_the_study_are_left_out(tmp_path: Path) -> None:
    assert Table(tmp_path, study(), [succeeded(0), succeeded(7)]).counts == OutcomeCounts(1, 0, 0)


def test_the_ends_are_counted(tmp_path: Path) -> None:
    records = [succeeded(0), failed(1), lost(2), succeeded(3)]

    assert Table(tmp_path, study(parameter(values=[1, 2, 3, 4, 5])), records).counts == OutcomeCounts(2, 2, 2)


def test_the_total_is_the_sum_of_the_ends() -> None:
    assert OutcomeCounts(succeeded=5, failed=3, not_run=2).total == 10


def test_a_value_that_is_missing_is_empty_and_says_why(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, eui=None)]).row(0)

    assert (row["site_eui_kwh_m2"], row["missing"]) == (None, "there is no such row")


def test_what_is_doubtful_about_a_success_is_noted(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, note="CheckWarmupConvergence: did not converge")]).row(0)

    assert (row["note"], row["error"]) == ("CheckWarmupConvergence: did not converge", None)


def test_a_reason_is_given_once(tmp_path: Path) -> None:
    reasons = {"heating_kwh": "no table", "cooling_kwh": "no table", "water_m3": "no column"}

    row = Table(tmp_path, study(), [succeeded(0, missing=reasons)]).row(0)

    assert row["missing"] == "no table; no column"


def test_a_study_of_which_nothing_was_started_is_a_table(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [])

    assert (table.counts, len(table.frame)) == (OutcomeCounts(0, 0, 3), 3)
