"""The rows of a study's results: every variant, with or without a record. Without pandas, for the API."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from epsm.results.columns import PERIOD, RUN, SAVINGS
from epsm.results.comparison import compared
from epsm.results.impact import impact_savings, with_impact
from epsm.results.measure_impact import measure_impact
from epsm.study.manifest import RunManifest
from epsm.study.records import CANCELLED_STAGE, LOST_STAGE, VariantRecord, VariantStatus
from epsm.study.schema import Study
from epsm.study.variants import Variant, expand

NOT_RUN = "not_run"
QUANTITIES, HOURLY_GWP = "quantities", "electricity_gwp_kgco2e"
"""In the summary of a variant's record: quantities of its measures, and emissions of its electricity by hour."""
SERIES_COLUMNS = "series_columns"
"""In the summary of a variant's record: a hash of the columns of its series."""
NOT_STARTED = "The variant was not started."
NOT_STARTED_YET = "The variant was not started yet."
GIVEN_UP = "The study was given up"
CANCELLED = "The study was cancelled"


class VariantReader(Protocol):
    """Reads the records of variants; an `epsm.store.records.Records`."""

    def variant(self, simulation: str, index: int) -> VariantRecord | None: ...
    def variants(self, simulation: str, first: int = 0) -> Iterator[VariantRecord]: ...


def rows(
    manifest: RunManifest,
    records: Iterable[VariantRecord],
    why_not_run: str = NOT_STARTED,
    *,
    stopped: str = "",
) -> Iterator[dict[str, Any]]:
    """The table's rows in the order of the variants: every variant of the study, with or without a record.

    Args:
        manifest: The run's manifest; the study's variants are expanded again, so that a lost one is still a row.
        records: The variants' records, in the order of their index.
        why_not_run: The error given for a variant without a record.
        stopped: `GIVEN_UP` or `CANCELLED` if the study was: a variant without a result was stopped with the study and
            counts as not run."""
    study = manifest.study
    remaining = iter(records)
    record = next(remaining, None)
    baseline: dict[str, Any] = {}
    for variant in expand(study):
        while record is not None and record.index < variant.index:
            record = next(remaining, None)
        own = record if record is not None and record.index == variant.index else None
        row = _row(variant, own, why_not_run, stopped, manifest)
        if variant.is_baseline:
            baseline = row
        yield _with_savings(row, _reference(row, baseline), study)


def page(
    manifest: RunManifest,
    records: VariantReader,
    start: int,
    count: int,
    *,
    ended: bool = True,
    stopped: str = "",
) -> list[dict[str, Any]]:
    """Consecutive rows of a study, which may still be running, without reading the others.

    Args:
        manifest: The run's manifest.
        records: Reads the records of variants.
        start: Index of the first variant.
        count: Number of variants.
        ended: Whether the study has ended; until then, a variant without a result is not a failure.
        stopped: `GIVEN_UP` or `CANCELLED` if the study was.
    """
    study, simulation = manifest.study, manifest.simulation_id
    if start >= study.variant_count:
        return []
    variants = list(expand(study, start, start + count))
    absent = f"{CANCELLED}." if stopped == CANCELLED else NOT_STARTED if ended else NOT_STARTED_YET
    last = variants[-1].index
    found: dict[int, VariantRecord] = {}
    for record in records.variants(simulation, first=start):
        if record.index > last:
            break
        found[record.index] = record
    samples = study.sample_count
    baselines: dict[int, dict[str, Any]] = {}
    for first in {variant.index // samples * samples for variant in variants}:
        baseline = found.get(first) or records.variant(simulation, first)
        (where,) = expand(study, first, first + 1)
        baselines[first] = _row(where, baseline, absent, stopped, manifest)
    page_rows = []
    for variant in variants:
        own = found.get(variant.index)
        row = _row(variant, own, absent, stopped, manifest)
        if not ended and own is None:
            row |= {"error_stage": None}
        elif not ended and own is not None and own.status is VariantStatus.RUNNING:
            row |= {"status": VariantStatus.RUNNING.value, "error_stage": None, "error": None}
        reference = _reference(row, baselines[variant.index // samples * samples])
        page_rows.append(_with_savings(row, reference, study))
    return page_rows


def _row(
    variant: Variant,
    record: VariantRecord | None,
    why_not_run: str,
    stopped: str,
    manifest: RunManifest,
) -> dict[str, Any]:
    about = [remark for file in (variant.model, variant.weather) for remark in manifest.input_remarks.get(file, ())]
    row: dict[str, Any] = {
        "variant_index": variant.index,
        "model": variant.model,
        "weather": variant.weather,
        "baseline": variant.is_baseline,
        **manifest.baseline_values.get(variant.model, {}),
        **variant.values,
        "input_remarks": " ".join(about) or None,
    }
    if record is None:
        return row | {"status": NOT_RUN, "error_stage": LOST_STAGE, "error": why_not_run}
    if record.stage == CANCELLED_STAGE:
        return row | {"status": NOT_RUN, "error_stage": record.stage, "error": record.error}
    if record.status is VariantStatus.RUNNING and stopped:
        message = f"{stopped} while this variant ran."
        return row | {"status": NOT_RUN, "error_stage": LOST_STAGE, "error": message}
    if record.status is VariantStatus.RUNNING:
        message = "The variant was started but has no result: its worker was lost or stopped."
        return row | {"status": VariantStatus.FAILED.value, "error_stage": LOST_STAGE, "error": message}
    summary = record.summary
    row |= {name: summary[name] for name in (*PERIOD, *RUN) if name in summary}
    row |= summary.get("texts", {}) | summary.get("metrics", {}) | {"end_uses": summary.get("end_uses", {})}
    row |= summary.get("utility_bills", {})
    reasons = dict.fromkeys(summary.get("missing", {}).values())
    row |= {
        "status": record.status.value,
        "verdict": record.verdict or None,
        "error_stage": record.stage or None,
        "error": record.error or None,
        "note": summary.get("note") or None,
        "measure_remarks": " ".join(summary.get("measure_remarks", ())) or None,
        "missing": "; ".join(reasons) or None,
    }
    return _with_impact(row, variant, summary, manifest.study)


def _with_impact(row: dict[str, Any], variant: Variant, summary: Mapping[str, Any], study: Study) -> dict[str, Any]:
    """A row with emissions and costs of its energy and of its measures."""
    if row["status"] != VariantStatus.SUCCEEDED.value:
        return row
    row = with_impact(row, study.impact, summary.get(HOURLY_GWP))
    area = row.get("total_building_area_m2")
    numbers, reasons = measure_impact(study, variant.values, summary.get(QUANTITIES, {}), area)
    known = [row["missing"]] if row.get("missing") else []
    return row | numbers | {"missing": "; ".join([*known, *reasons]) or None}


def _with_savings(row: dict[str, Any], baseline: dict[str, Any], study: Study) -> dict[str, Any]:
    """A row with what it saves against the baseline of the same model and weather, and what follows from that."""
    row |= _savings(row, baseline) | impact_savings(row, baseline, study.impact)
    return compared(row, study)


def _reference(row: dict[str, Any], baseline: dict[str, Any]) -> dict[str, Any]:
    """What savings are computed against: the baseline, or nothing for a variant with another weather."""
    return baseline if row["weather"] == baseline.get("weather") else {}


def _savings(row: dict[str, Any], baseline: dict[str, Any]) -> dict[str, float | None]:
    """Savings against the baseline of the same model and weather; None if the two cover different periods."""
    same_period = row.get("period") == baseline.get("period")
    own, reference = row.get("site_eui_kwh_m2"), baseline.get("site_eui_kwh_m2")
    savings: dict[str, float | None] = dict.fromkeys(SAVINGS)
    if own is not None and reference and same_period:
        saved = float(reference) - float(own)
        savings = dict(zip(SAVINGS, (saved, 100 * saved / float(reference)), strict=True))
    own_bill, bill = row.get("utility_bill"), baseline.get("utility_bill")
    if own_bill is not None and bill is not None and same_period:
        savings["utility_bill_saved"] = float(bill) - float(own_bill)
    return savings
