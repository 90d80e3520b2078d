"""Records of variants, and the table of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from epsm.results.metrics import METRICS
from epsm.results.table import write_table
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of


def study(*parameters: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(parameters=parameters, **changes))


def parameter(name: str = "insulation_m", values: Sequence[float | str] = (0.1, 0.2)) -> dict[str, Any]:
    """A parameter; with two values a study has three variants."""
    return {"name": name, "class": "Material", "field": "Thickness", "values": values}


def succeeded(
    index: int, eui: float | None = 100.0, end_uses: dict[str, float] | None = None, **summary: Any
) -> VariantRecord:
    """The record of a variant with results, as the table gives it back."""
    metrics = dict.fromkeys(METRICS, 0.0) | ({} if eui is None else {"site_eui_kwh_m2": eui})
    missing = {}
    if eui is None:
        del metrics["site_eui_kwh_m2"]
        missing = {"site_eui_kwh_m2": "there is no such row"}
    return VariantRecord(
        index,
        VariantStatus.SUCCEEDED,
        verdict="ok",
        summary={
            "seconds": 2,
            "engine_seconds": 1.5,
            "engine_cpu_seconds": 1.25,
            "peak_memory_mb": 211,
            "warnings": 3,
            "severe_errors": 0,
            "note": "",
            "period": "annual",
            "period_days": 365,
            "zone_count": 1,
            "metrics": metrics,
            "missing": missing,
            "end_uses": end_uses or {},
            **summary,
        },
    )


def failed(index: int, error: str = "No such schedule.", stage: str = "engine") -> VariantRecord:
    summary = {"seconds": 2, "engine_seconds": 1.5, "warnings": 3, "severe_errors": 2, "errors": [error]}
    return VariantRecord(index, VariantStatus.FAILED, verdict="crashed", stage=stage, error=error, summary=summary)


def lost(index: int) -> VariantRecord:
    """The record of a variant whose worker never came back."""
    return VariantRecord(index, VariantStatus.RUNNING)


class Table:
    """A written table, read back."""

    def __init__(self, folder: Path, of: Study, records: Iterable[VariantRecord]) -> None:
        self.parquet, self.csv = folder / "results.parquet", folder / "results.csv"
        self.counts = write_table(manifest_of(of), records, self.parquet, self.csv)
        self.frame = pd.read_parquet(self.parquet)

    def row(self, index: int) -> dict[str, Any]:
        """One row; what is empty is None."""
        values: dict[str, Any] = pq.read_table(self.parquet).slice(index, 1).to_pylist()[0]
        return values
