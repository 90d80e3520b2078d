"""What a study has come to: epsm.aggregation.decide."""

import pytest

from epsm.aggregation import decide
from epsm.store.records import StudyStatus
from epsm.table import Counts

LOST = "ExecutionDoesNotExist: Step Functions knows the execution of this study no more."


@pytest.mark.parametrize(
    ("counts", "map_error", "status", "error"),
    [
        (Counts(3, 0, 0), "", StudyStatus.COMPLETED, ""),
        (Counts(2, 1, 0), "", StudyStatus.PARTIAL, ""),
        (Counts(2, 0, 1), "", StudyStatus.PARTIAL, ""),
        (Counts(0, 3, 0), "", StudyStatus.FAILED, "No variant succeeded."),
        (Counts(2, 1, 0), "TIMED_OUT", StudyStatus.FAILED, "The study was given up: TIMED_OUT"),
    ],
)
def test_a_study_is_what_its_variants_and_its_map_have_come_to(
    counts: Counts, map_error: str, status: StudyStatus, error: str
) -> None:
    assert decide(counts, map_error) == (status, error)


def test_an_execution_that_was_lost_after_the_last_variant_spoils_nothing() -> None:
    assert decide(Counts(3, 0, 0), LOST) == (StudyStatus.COMPLETED, "")
