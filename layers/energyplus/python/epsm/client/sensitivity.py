"""Sensitivity analysis of results in a frame, and of those that a run has stored."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from epsm.errors import MissingPackage, NotFound
from epsm.study.analysis import DEFAULT_METRICS
from epsm.text import nearest

if TYPE_CHECKING:
    import pandas as pd

_PACKAGES = ("pandas", "scipy", "SALib")


def sensitivity(
    results: "pd.DataFrame",
    design: "pd.DataFrame | None" = None,
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    parameters: Sequence[str] = (),
    confidence: float = 0.95,
    seed: int | None = None,
) -> "pd.DataFrame":
    """Which parameters matter for a metric: the analysis of a study's report, for any column of its results.

    The estimators and their limits are those of docs/sensitivity.md; the same study gives the same numbers as its
    ``sensitivity.csv``. Runs without a value are left out, with the blocks or trajectories that they belong to.

    Args:
        results: A results table (`read_results`, `Run.results`). Variants that were taken out of it count as runs
            without a value.
        design: Its samples (`read_design`, `Run.design`). None for a grid, which has none: then name the parameters.
        metrics: Columns that hold numbers.
        parameters: Columns that were varied; only without a design.
        confidence: Probability of the intervals.
        seed: Of bootstraps and permutations; that of the study if it is not given.

    Returns:
        One row per index of a parameter, and one for each method that could not be used: ``model``, ``weather``,
        ``metric``, ``method``, ``index`` (``S1``, ``ST``, ``mu_star``, ``SRC``, ...), ``parameter``, ``other``,
        ``value``, ``low``, ``high``, ``threshold``, ``used`` of ``of`` ``counted``, ``r2``, ``reason``.

    Raises:
        NotFound: If the table has no such column.
        ValueError: If the design is not that of the results, or neither it nor parameters are given.
        MissingPackage: If pandas, scipy or SALib is not installed.
    """
    _need_packages()
    from epsm.results.sensitivity.frames import analyse_frame
    from epsm.results.sensitivity.tables import as_frame, as_json

    if (design is None) == (not parameters):
        raise ValueError("give the design, or for a grid the names of the parameters")
    if isinstance(metrics, str) or isinstance(parameters, str):
        raise TypeError("give a list of names, e.g. ['site_eui_kwh_m2']")
    for name in (*metrics, *parameters):
        if name not in results.columns:
            known = nearest(name, results.columns)
            raise NotFound(f"the results have no column '{name}'" + (f"; there is {known}" if known else ""))
    return as_frame(as_json(analyse_frame(results, design, metrics, parameters, confidence, seed)))


def stored_sensitivity(content: bytes) -> "pd.DataFrame":
    """A run's ``sensitivity.json`` as `sensitivity` returns it.

    Raises:
        MissingPackage: If pandas is not installed.
    """
    _need_packages("pandas", "pyarrow")
    from epsm.results.sensitivity.tables import as_frame

    return as_frame(json.loads(content)["analyses"])


def _need_packages(*names: str) -> None:
    missing = [name for name in names or _PACKAGES if find_spec(name) is None]
    if missing:
        needed = " ".join(missing).lower()
        raise MissingPackage(f"the sensitivity analysis needs {', '.join(missing)}: pip install {needed}")
