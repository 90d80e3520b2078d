"""One parameter at a time: the range of the metric when only one parameter changes."""

import math

import numpy as np

from epsm.results.sensitivity.design import Design, Floats
from epsm.results.sensitivity.indices import Basis, Index


def one_at_a_time(design: Design, results: Floats, baseline: float) -> list[Index]:
    """The range of the metric over the levels of each parameter and the baseline: largest minus smallest value.

    There is no interval, because nothing is random. This design cannot detect interactions between parameters.

    Args:
        design: A design with the parameter that each sample varies.
        results: One value per sample; NaN if the run has none.
        baseline: The metric of the unchanged model, or NaN.
    """
    assert design.varied is not None
    indices = []
    for number, name in enumerate(design.names):
        own = results[design.varied == number]
        finite = own[np.isfinite(own)]
        basis = Basis(len(finite), len(own))
        values = finite if math.isnan(baseline) else np.append(finite, baseline)
        if len(finite) == 0:
            reason = "none of its levels has a result"
        elif len(values) < 2:
            reason = "the baseline has no result, and only one level has one"
        else:
            indices.append(Index("one_at_a_time", "range", name, float(np.ptp(values)), None, None, basis))
            continue
        indices.append(Index("one_at_a_time", "range", name, None, None, None, basis, reason=reason))
    return indices
