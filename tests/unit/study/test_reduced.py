"""Series reduced to a number: keys that they need, and keys that they do not use."""

from typing import Any

import pytest

from epsm.study.reduced import ReducedSeries
from tests.unit.study.documents import faults

METER = {"name": "x", "meter": "Electricity:Facility"}
ZONES = {"name": "x", "variable": "Zone Operative Temperature"}
HOT = {"reduce": "hours_above", "threshold": 26}


@pytest.mark.parametrize(
    ("series", "counts"),
    [
        (METER | {"reduce": "sum"}, False),
        (METER | {"reduce": "max", "frequency": "Monthly"}, False),
        (METER | HOT, True),
        (ZONES | HOT | {"key": "Core*", "across": "max", "schedule": "Occupied", "frequency": "Timestep"}, True),
        (ZONES | {"reduce": "hours_below", "threshold": 0}, True),
    ],
)
def test_a_meter_or_a_variable_is_reduced(series: dict[str, Any], counts: bool) -> None:
    found = ReducedSeries.model_validate(series)
    assert (found.counts_hours, found.series) == (counts, series.get("meter", series.get("variable")))


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (METER | ZONES | {"reduce": "sum"}, "has both 'meter' and 'variable'"),
        ({"name": "x", "reduce": "sum"}, "has neither 'meter' nor 'variable'"),
        (METER | {"reduce": "sum", "key": "Core"}, "which only a 'variable' has"),
        (METER | {"reduce": "sum", "across": "sum"}, "which only a 'variable' has"),
        (METER | {"reduce": "sum", "schedule": "Occupied"}, "which only a 'variable' has"),
        (METER | {"reduce": "hours_above"}, "reduce 'hours_above' needs a 'threshold'"),
        (METER | {"reduce": "sum", "threshold": 1}, "reduce 'sum' has a 'threshold', which it does not use"),
        (METER | HOT | {"frequency": "Daily"}, "counts hours, and frequency 'Daily' has none"),
    ],
)
def test_what_does_not_fit_together_is_refused(series: dict[str, Any], said: str) -> None:
    ((place, problem),) = faults(outputs={"reduced": [series]}).items()
    assert place == "outputs.reduced[0]"
    assert said in problem.what
