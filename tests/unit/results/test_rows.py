"""Pages of a results table: epsm.results.rows.page."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from epsm.results import rows
from epsm.store.records import Records
from epsm.study.parsing import parse_study
from epsm.study.records import CANCELLED_STAGE, VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.fakes import fake
from tests.unit.manifests import manifest_of


class Table(Records):
    """Variants in memory.

    Attributes:
        read: Indices of the variants that were read.
    """

    def __init__(self, *variants: VariantRecord) -> None:
        super().__init__(table=fake(None))
        self._variants = {each.index: each for each in variants}
        self.read: list[int] = []

    def variants(self, simulation: str, first: int = 0) -> Iterator[VariantRecord]:
        for index in sorted(self._variants):
            if index >= first:
                self.read.append(index)
                yield self._variants[index]

    def variant(self, simulation: str, index: int) -> VariantRecord | None:
        self.read.append(index)
        return self._variants.get(index)


def succeeded(index: int, eui: float | None = None, period: str = "annual") -> VariantRecord:
    metrics = {"site_eui_kwh_m2": 100.0 - index if eui is None else eui}
    return VariantRecord(index, VariantStatus.SUCCEEDED, summary={"metrics": metrics, "period": period})


def study(levels: int = 9, **changes: Any) -> Study:
    """A baseline and so many samples, for every model and weather file."""
    parameter = study_document()["parameters"][0]
    values = [number / 100 for number in range(1, levels + 1)]
    return parse_study(json.dumps(study_document(parameters=[{**parameter, "values": values}], **changes)))


def page(
    table: Records, start: int, count: int, of: Study | None = None, *, about: Any = None, **options: Any
) -> list[dict[str, Any]]:
    return rows.page(manifest_of(of or study(), input_remarks=about or {}), table, start, count, **options)


ALL = Table(*(succeeded(index) for index in range(10)))


def test_a_page_holds_the_variants_that_were_asked_for() -> None:
    assert [row["variant_index"] for row in page(ALL, 3, 4)] == [3, 4, 5, 6]


def test_the_last_page_holds_what_is_left() -> None:
    assert [row["variant_index"] for row in page(ALL, 8, 100)] == [8, 9]


@pytest.mark.parametrize("start", [10, 11, 10**6, 10**30])
def test_behind_the_last_variant_there_are_no_rows(start: int) -> None:
    assert page(ALL, start, 100) == []


def test_pages_together_are_the_table() -> None:
    of = study(models=["room.idf", "hall.idf"], weather=["a.epw", "b.epw"])
    records = [succeeded(index) for index in range(40) if index % 3]
    pages = [row for start in range(0, 40, 7) for row in page(Table(*records), start, 7, of)]
    assert pages == list(rows.rows(manifest_of(of), records))


def test_savings_are_against_a_baseline_outside_the_page() -> None:
    assert [row["site_eui_saved_kwh_m2"] for row in page(ALL, 5, 2)] == [5.0, 6.0]


def test_savings_are_against_the_baseline_of_the_same_model() -> None:
    table = Table(succeeded(9), succeeded(10, eui=50.0), succeeded(11, eui=40.0))
    of = study(models=["room.idf", "hall.idf"])
    assert page(table, 9, 3, of)[2]["site_eui_saved_percent"] == 20.0


def test_without_a_result_of_the_baseline_there_are_no_savings() -> None:
    (row,) = page(Table(succeeded(5)), 5, 1)
    assert row["site_eui_saved_kwh_m2"] is None


@pytest.mark.parametrize("eui", [0.0, None])
def test_a_baseline_without_energy_use_gives_no_savings(eui: float | None) -> None:
    baseline = VariantRecord(0, VariantStatus.SUCCEEDED, summary={"metrics": {"site_eui_kwh_m2": eui}})
    (row,) = page(Table(baseline, succeeded(5)), 5, 1)
    assert row["site_eui_saved_percent"] is None


def test_runs_of_different_periods_are_not_compared() -> None:
    (row,) = page(Table(succeeded(0, period="design_days"), succeeded(5)), 5, 1)
    assert row["site_eui_saved_kwh_m2"] is None


def test_a_variant_without_a_record_was_not_run() -> None:
    (row,) = page(Table(succeeded(0)), 5, 1)
    assert (row["status"], row["error"]) == ("not_run", rows.NOT_STARTED)


def test_a_cancelled_variant_was_not_run() -> None:
    cancelled = VariantRecord(5, VariantStatus.FAILED, stage=CANCELLED_STAGE, error="Cancelled by its owner.")
    (row,) = page(Table(cancelled), 5, 1)
    assert (row["status"], row["error"]) == ("not_run", "Cancelled by its owner.")


@pytest.mark.parametrize("variants", [(), (VariantRecord(5, VariantStatus.RUNNING),)], ids=["waits", "runs"])
def test_a_variant_of_a_cancelled_study_was_not_run(variants: tuple[VariantRecord, ...]) -> None:
    (row,) = page(Table(*variants), 5, 1, stopped=rows.CANCELLED)
    assert row["status"] == "not_run"
    assert row["error"].startswith("The study was cancelled")


def test_a_variant_that_runs_when_its_study_has_ended_was_lost() -> None:
    (row,) = page(Table(VariantRecord(5, VariantStatus.RUNNING)), 5, 1)
    assert (row["status"], row["error_stage"]) == ("failed", "worker")


def test_a_variant_of_a_study_that_runs_may_run() -> None:
    (row,) = page(Table(VariantRecord(5, VariantStatus.RUNNING)), 5, 1, ended=False)
    assert (row["status"], row["error_stage"], row["error"]) == ("running", None, None)


def test_a_variant_of_a_study_that_runs_may_wait() -> None:
    (row,) = page(Table(), 5, 1, ended=False)
    assert (row["status"], row["error_stage"], row["error"]) == ("not_run", None, rows.NOT_STARTED_YET)


def test_a_failure_in_a_study_that_runs_is_a_failure() -> None:
    failed = VariantRecord(5, VariantStatus.FAILED, stage="engine", error="Severe")
    (row,) = page(Table(failed), 5, 1, ended=False)
    assert (row["status"], row["error_stage"], row["error"]) == ("failed", "engine", "Severe")


def test_a_page_reads_no_more_records_than_it_needs() -> None:
    table = Table(*(succeeded(index) for index in range(1000)))
    page(table, 500, 10, study(levels=999))
    assert sorted(table.read) == [0, *range(500, 511)]


def test_rows_carry_the_remarks_about_their_model_and_weather() -> None:
    of = study(levels=1, weather=["a.epw", "b.epw"])
    about = {"b.epw": ("b.epw: 3 hours are missing.", "b.epw: its hours are shifted."), "room.idf": ("room.idf: old.",)}
    found = [row["input_remarks"] for row in page(Table(succeeded(0)), 0, 4, of, about=about)]
    assert found[:2] == ["room.idf: old."] * 2
    assert found[2:] == ["room.idf: old. b.epw: 3 hours are missing. b.epw: its hours are shifted."] * 2
    assert page(ALL, 0, 1)[0]["input_remarks"] is None


def test_with_another_weather_than_the_baseline_there_are_no_savings() -> None:
    climate = {"name": "climate", "weather": ["chicago.epw", "golden.epw"]}
    wall = study_document()["parameters"][0]
    of = parse_study(json.dumps(study_document(parameters=[wall, climate])))
    found = page(ALL, 0, 5, of)
    assert [each["weather"] for each in found] == ["chicago.epw", *(["chicago.epw", "golden.epw"] * 2)]
    assert [each["site_eui_saved_kwh_m2"] for each in found] == [0, 1, None, 3, None]
    assert found == list(rows.rows(manifest_of(of), ALL.variants("")))[:5]
    assert page(ALL, 2, 1, of) == found[2:3], "a page alone knows the baseline's weather"
