"""Whether the metrics of the sensitivity analysis and of Pareto ranks exist."""

from collections.abc import Iterator

from epsm.problems import Problem
from epsm.results.columns import NUMBERS
from epsm.results.comparison import impact_columns
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import nearest


def check_analysis(study: Study) -> Iterator[Problem]:
    """The entries of `analysis.metrics` and `impact.pareto` that are not in any results table."""
    known = {
        *NUMBERS,
        *impact_columns(study),
        *study.outputs.named_numbers,
    }
    metrics = [(f"analysis.metrics[{index}]", metric) for index, metric in enumerate(study.analysis.metrics)]
    pareto = study.impact.pareto if study.impact else None
    metrics += [(f"impact.pareto[{index}]", metric) for index, metric in enumerate(pareto or ())]
    for place, metric in metrics:
        if metric not in known:
            yield Problem(
                f"{MANIFEST_NAME}: {place}",
                f"'{metric}' is not a number of the results table",
                nearest(metric, known) or "a metric of docs/metrics.md",
            )
