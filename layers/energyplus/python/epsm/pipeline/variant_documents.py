"""The documents of a finished variant: its result.json and its record."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsm.energyplus.engine import EngineRun
from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.pipeline.workspace import RunFolder
from epsm.results.reader import Results
from epsm.results.rows import HOURLY_GWP, QUANTITIES, SERIES_COLUMNS
from epsm.study.manifest import RunManifest
from epsm.study.records import CANCELLED_STAGE, VariantRecord, VariantStatus, now
from epsm.study.variants import Variant

RESULT_SCHEMA = 1
CACHED_FROM = "cached_from"
"""Of copied results: simulation and index of the variant that they were computed for."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run, successful or not.

    Attributes:
        diagnosis, run, results: Outcome of the engine, and the results that were read.
        files, series: Files of the run.
        series_columns: A hash of the columns of the series.
        measures: Its times and its memory, from `measures_of`.
        engine_version: The engine's version, with its build.
        etags: The ETag of each file that is stored as an object, by name.
        packed: The files that are to be stored in a pack, by name.
        content_key: Key under which the results can be found again; see `epsm.pipeline.run_content`.
        reused: The summary of the earlier run whose results were copied, if no engine ran.
        kept_until: When the records of that run expire, seconds since 1970.
    """

    diagnosis: Diagnosis
    run: EngineRun | None = None
    results: Results | None = None
    files: RunFolder | None = None
    series: Path | None = None
    series_columns: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    engine_version: str = ""
    etags: Mapping[str, str] = field(default_factory=dict)
    packed: Mapping[str, bytes] = field(default_factory=dict)
    content_key: str = ""
    reused: Mapping[str, Any] | None = None
    kept_until: int = 0


def stopped(variant: Variant, started_at: str) -> VariantRecord:
    """The record of a variant whose study was stopped while it ran."""
    error = "The study was stopped while this variant ran."
    return _record(variant, started_at, status=VariantStatus.FAILED, stage=CANCELLED_STAGE, error=error)


def measures_of(run: EngineRun | None, seconds: float) -> dict[str, float]:
    return {
        "seconds": round(seconds, 3),
        "engine_seconds": round(run.wall_seconds, 3) if run else 0.0,
        "engine_cpu_seconds": round(run.cpu_seconds, 3) if run else 0.0,
        "peak_memory_mb": round(run.peak_memory_mb, 1) if run else 0.0,
    }


def identity(manifest: RunManifest, variant: Variant) -> dict[str, Any]:
    """The identity of a variant in its result.json."""
    return {
        "simulation_id": manifest.simulation_id,
        "variant_index": variant.index,
        "model": variant.model,
        "weather": variant.weather,
        "values": variant.values,
    }


def result_document(manifest: RunManifest, variant: Variant, finished: Finished) -> dict[str, Any]:
    """result.json: everything known about the variant."""
    diagnosis, results = finished.diagnosis, finished.results
    document: dict[str, Any] = {
        "schema": RESULT_SCHEMA,
        **identity(manifest, variant),
        "verdict": diagnosis.verdict.value,
        "message": diagnosis.message,
        "errors": list(diagnosis.messages),
        "warnings": diagnosis.warnings,
        "severe_errors": diagnosis.severe_errors,
        "environments": [dataclasses.asdict(environment) for environment in diagnosis.environments],
        **finished.measures,
        "engine_version": finished.engine_version,
    }
    if results is not None:
        document |= dataclasses.asdict(results)
    return document


def record_of(variant: Variant, finished: Finished, started_at: str) -> VariantRecord:
    """The record in DynamoDB: the values for progress and the results table. Zones are only in result.json."""
    diagnosis = finished.diagnosis
    verdict = diagnosis.verdict.value
    if finished.reused is not None:
        summary = {**finished.reused, **finished.measures}
        return _record(variant, started_at, status=VariantStatus.SUCCEEDED, verdict=verdict, summary=summary)
    summary = {**finished.measures, "warnings": diagnosis.warnings, "severe_errors": diagnosis.severe_errors}
    if finished.results is None:
        return _record(
            variant,
            started_at,
            status=VariantStatus.FAILED,
            verdict=verdict,
            stage="input" if diagnosis.verdict is Verdict.BAD_INPUT else "engine",
            error=diagnosis.message,
            summary={**summary, "errors": list(diagnosis.messages)},
        )
    summary |= {"note": diagnosis.message} | _of_results(finished.results)
    if finished.series_columns:
        summary[SERIES_COLUMNS] = finished.series_columns
    return _record(variant, started_at, status=VariantStatus.SUCCEEDED, verdict=verdict, summary=summary)


def _record(variant: Variant, started_at: str, **values: Any) -> VariantRecord:
    return VariantRecord(index=variant.index, started_at=started_at, ended_at=now(), **values)


def _of_results(results: Results) -> dict[str, Any]:
    """What the results table needs."""
    return {
        "period": results.period,
        "period_days": results.period_days,
        "zone_count": len(results.zones),
        "metrics": {name: value for name, value in results.metrics.items() if value is not None},
        "texts": {name: text for name, text in results.texts.items() if text is not None},
        "missing": results.missing,
        "end_uses": {end_use.metric: end_use.energy_kwh for end_use in results.end_uses},
        **({"measure_remarks": list(results.measure_remarks)} if results.measure_remarks else {}),
        **({QUANTITIES: results.quantities} if results.quantities else {}),
        **({HOURLY_GWP: hourly} if (hourly := results.electricity_gwp_kgco2e) is not None else {}),
        **({"utility_bills": results.utility_bills} if results.utility_bills else {}),
    }
