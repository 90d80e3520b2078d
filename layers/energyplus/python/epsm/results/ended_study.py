"""A study that has ended, as its report and its summary show it."""

from dataclasses import dataclass

import pandas as pd

from epsm.results.table import OutcomeCounts
from epsm.results.table_rows import Complete, as_they_are
from epsm.study.manifest import RunManifest
from epsm.study.records import StudyStatus


@dataclass(frozen=True, slots=True)
class EndedStudy:
    """The outcome of a study.

    Attributes:
        manifest: The run's manifest.
        table: The columns of the results table that are read back.
        counts: Numbers of variants by outcome.
        status: The final status.
        error: Why the study as a whole failed; empty otherwise.
        interruptions: How often Fargate Spot has interrupted a batch.
        complete: Reads the other columns of the table for some of its rows.
        outcomes: A hash of each row's metrics; None if the table has all of them.
    """

    manifest: RunManifest
    table: pd.DataFrame
    counts: OutcomeCounts
    status: StudyStatus
    error: str = ""
    interruptions: int = 0
    complete: Complete = as_they_are
    outcomes: "pd.Series[int] | None" = None
