"""A study that has ended, as its report and its summary show it."""

from dataclasses import dataclass

import pandas as pd

from epsm.results.table import OutcomeCounts
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
    """

    manifest: RunManifest
    table: pd.DataFrame
    counts: OutcomeCounts
    status: StudyStatus
    error: str = ""
    interruptions: int = 0
