"""A writer of reports."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from epsm.results.ended_study import EndedStudy
from epsm.results.report import report_columns, write_report
from epsm.results.table import read_columns, write_table
from epsm.study.records import StudyStatus, VariantRecord
from epsm.study.schema import Study
from tests.unit.manifests import manifest_of
from tests.unit.results.report.pages import Page, Writer


@pytest.fixture
def report(tmp_path: Path) -> Writer:
    """Writes the table of a study and its report, and reads the page."""

    def report(
        of: Study,
        records: Iterable[VariantRecord],
        status: StudyStatus = StudyStatus.COMPLETED,
        error: str = "",
        **manifest: Any,
    ) -> Page:
        parquet = tmp_path / "results.parquet"
        described = manifest_of(of, **manifest)
        counts = write_table(described, records, parquet, tmp_path / "results.csv")
        path = tmp_path / "report.html"
        table = read_columns(parquet, report_columns(of))
        write_report(path, EndedStudy(described, table, counts, status, error))
        return Page(path.read_text(encoding="utf-8"))

    return report
