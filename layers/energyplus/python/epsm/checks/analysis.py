"""Whether the metrics of the sensitivity analysis exist."""

from collections.abc import Iterator

from epsm.problems import Problem
from epsm.results.columns import NUMBERS
from epsm.results.impact import impact_columns
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import nearest


def check_analysis(study: Study) -> Iterator[Problem]:
    """The entries of `analysis.metrics` that are not in any results table."""
    known = {
        *NUMBERS,
        *impact_columns(study.impact),
        *study.outputs.named_numbers,
    }
    for index, metric in enumerate(study.analysis.metrics):
        if metric not in known:
            yield Problem(
                f"{MANIFEST_NAME}: analysis.metrics[{index}]",
                f"'{metric}' is not a number of the results table",
                nearest(metric, known) or "a metric of docs/metrics.md",
            )
