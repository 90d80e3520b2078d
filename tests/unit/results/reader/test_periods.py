"""The period that the numbers cover."""

import pytest

from epsm.energyplus.verdict import Environment
from epsm.results.metrics import (
    ENVELOPE_AREAS,
    METRICS,
)
from tests.unit.results.reader.databases import WINTER_DAY, YEAR, Reader, building, end_use

LEAP_YEAR = Environment("WHOLE YEAR", "WeatherFileRunPeriod", "01/01/2016", "12/31/2016", 366)
TWO_YEARS = Environment("TWO YEARS", "WeatherFileRunPeriod", "01/01/2017", "12/31/2018", 730)
JANUARY = Environment("JANUARY", "WeatherFileRunPeriod", "01/01/2017", "01/31/2017", 31)
NEW_YEAR = Environment("NEW YEAR", "WeatherFileRunPeriod", "01/01/2017", "01/01/2017", 1)
FIRST_HALF = Environment("FIRST HALF", "WeatherFileRunPeriod", "01/01/2017", "06/30/2017", 181)
SECOND_HALF = Environment("SECOND HALF", "WeatherFileRunPeriod", "07/01/2017", "12/31/2017", 184)


# -- periods -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("environments", "period", "days"),
    [
        ([YEAR], "annual", 365),
        ([LEAP_YEAR], "annual", 366),
        ([WINTER_DAY, YEAR], "annual", 365),
        ([JANUARY], "31 days (01/01-01/31)", 31),
        ([YEAR, JANUARY], "396 days (01/01-12/31, 01/01-01/31)", 396),
        ([FIRST_HALF, SECOND_HALF], "365 days (01/01-06/30, 07/01-12/31)", 365),
        ([YEAR, YEAR], "730 days (01/01-12/31, 01/01-12/31)", 730),
        ([TWO_YEARS], "365 days (the last 365 of 730 days simulated, to 12/31/2018)", 365),
        (
            [JANUARY, TWO_YEARS, NEW_YEAR],
            "366 days (the last 365 of 730 days simulated, to 12/31/2018, 01/01-01/01)",
            366,
        ),
        ([WINTER_DAY], "none", 0),
        pytest.param([NEW_YEAR], "1 day (01/01-01/01)", 1),
    ],
)
def test_the_period_says_what_the_numbers_cover(
    read: Reader, environments: list[Environment], period: str, days: int
) -> None:
    results = read(building(), environments=environments)

    assert (results.period, results.period_days) == (period, days)


DESIGN_DAYS_ONLY = "no run period of the weather file was simulated"
NO_SURFACES = "the run has no surfaces"
AREAS = {"total_building_area_m2", "conditioned_area_m2", "unconditioned_area_m2"}


def test_design_days_alone_give_no_energy(read: Reader) -> None:
    results = read(building(), environments=[WINTER_DAY])

    energy = [name for name in METRICS if name not in {*AREAS, *ENVELOPE_AREAS}]
    assert results.missing == dict.fromkeys(energy, DESIGN_DAYS_ONLY) | dict.fromkeys(ENVELOPE_AREAS, NO_SURFACES)


def test_design_days_alone_give_the_areas(read: Reader) -> None:
    results = read(building(), environments=[WINTER_DAY])

    assert {name for name, value in results.metrics.items() if value is not None} == AREAS


def test_design_days_alone_give_no_end_uses(read: Reader) -> None:
    cells = building() | {end_use("Heating", "Natural Gas"): ("kWh", "11.5")}

    assert read(cells, environments=[WINTER_DAY]).end_uses == ()
