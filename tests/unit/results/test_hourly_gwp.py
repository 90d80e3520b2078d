"""Emissions of electricity by the hour: which row applies to which hour, by hand and in simulated days."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import judge
from epsm.results.hourly_gwp import electricity_gwp_kgco2e
from epsm.results.impact import with_impact
from epsm.results.reader import Results, read_results
from epsm.results.rows import rows
from epsm.study.hourly_factors import HourlyFactors, read_hourly_factors
from epsm.study.impact import HourlyElectricity, Impact
from epsm.study.parsing import parse_study
from tests.conftest import study_document, with_run_period
from tests.unit.manifests import manifest_of
from tests.unit.results.test_impact import used

HOURLY = {"hourly_electricity": {"file": "grid.csv"}}
SUMMER_TIME = "RunPeriodControl:DaylightSavingTime,4/1,10/1;\n"
SOLAR = """
Generator:PVWatts,PV,5,2000,Standard,FixedOpenRack,0.14,TiltAzimuth,20,180;
ElectricLoadCenter:Generators,Generators,PV,Generator:PVWatts,2000,,;
ElectricLoadCenter:Inverter:PVWatts,Inverter,1.1,0.96;
ElectricLoadCenter:Distribution,Solar,Generators,Baseload,0,,,DirectCurrentWithInverter,Inverter;
"""
FULL_W, LOW_W = 10 * 48 + 400, (10 * 48 + 400) * 0.1
"""Lamps and equipment of the room in office hours, 08:00 to 18:00 on weekdays, and outside."""


def one_hour(month: int, day: int, hour: int, factor: float = 0.5) -> HourlyFactors:
    """A factor for one hour of a year without leap day, and none for the others."""
    place = next(
        place for place in range(8760) if HourlyFactors(tuple(map(float, range(8760)))).at(month, day, hour) == place
    )
    return HourlyFactors(tuple(factor if each == place else 0.0 for each in range(8760)))


@pytest.mark.parametrize(
    ("size", "at", "row"),
    [
        (8760, (1, 1, 1), 0),
        (8760, (1, 1, 24), 23),
        (8760, (2, 28, 24), 59 * 24 - 1),
        (8760, (3, 1, 1), 59 * 24),
        (8760, (12, 31, 24), 8759),
        (8760, (2, 29, 12), None),
        (8784, (2, 28, 24), 59 * 24 - 1),
        (8784, (2, 29, 1), 59 * 24),
        (8784, (3, 1, 1), 60 * 24),
        (8784, (12, 31, 24), 8783),
    ],
)
def test_the_row_of_an_hour(size: int, at: tuple[int, int, int], row: int | None) -> None:
    assert HourlyFactors(tuple(map(float, range(size)))).at(*at) == row


@pytest.fixture(scope="module")
def july(engine: Engine, one_zone: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Simulates Tuesday, 10 July, with something added to the model: database and results."""

    def simulate(more: str) -> tuple[Path, Results]:
        model = with_run_period(one_zone, end=(7, 10)).replace("  1,                       !- Begin Month", "  7,")
        model = model.replace("  1,                       !- Begin Day of Month", "  10,", 1)
        model = model.replace("  Sunday,  ", "  Tuesday,", 1) + more
        folder = tmp_path_factory.mktemp("july")
        study = parse_study(json.dumps(study_document(parameters=[], impact=HOURLY)))
        prepared = prepare(model.encode(), "room.idf", study, engine.idd)
        (folder / "in.idf").write_text(prepared.render({}), encoding="utf-8")
        ended = run(command(engine, folder / "in.idf", chicago, folder), folder, timeout_s=60)
        assert ended.exit_code == 0
        database = folder / "eplusout.sql"
        return database, read_results(database, judge(ended, folder).environments)

    return simulate


@pytest.mark.parametrize(
    ("more", "hour", "power_w"),
    [
        ("", 8, LOW_W),
        ("", 9, FULL_W),
        ("", 18, FULL_W),
        ("", 19, LOW_W),
        # With daylight saving, people come at 07:00 of standard time.
        (SUMMER_TIME, 7, LOW_W),
        (SUMMER_TIME, 8, FULL_W),
        (SUMMER_TIME, 17, FULL_W),
        (SUMMER_TIME, 18, LOW_W),
    ],
)
def test_an_hour_counts_by_local_standard_time(july: Any, more: str, hour: int, power_w: float) -> None:
    database, results = simulated(july, more)

    found, reason = electricity_gwp_kgco2e(database, one_hour(7, 10, hour), results.metrics)

    assert reason == ""
    assert found == pytest.approx(power_w / 1000 * 0.5, rel=1e-9)


_SIMULATED: dict[str, tuple[Path, Results]] = {}


def simulated(july: Any, more: str) -> tuple[Path, Results]:
    if more not in _SIMULATED:
        _SIMULATED[more] = july(more)
    return _SIMULATED[more]


def test_an_even_profile_is_the_factor_also_with_electricity_from_the_roof(july: Any) -> None:
    database, results = july(SOLAR)
    metrics = results.metrics
    assert metrics["net_site_energy_kwh"] != metrics["site_energy_kwh"], "something is generated"
    even, reason = electricity_gwp_kgco2e(database, HourlyFactors((0.4,) * 8760), metrics)
    assert reason == ""
    factors = {name: {"gwp_kgco2e_per_kwh": 0.4 if name == "electricity" else 0.0} for name in ("electricity", *COLD)}
    row = {**metrics, "period_days": 1, "missing": None}

    by_factor = with_impact(row, Impact.model_validate({"fuels": factors}))
    by_hour = with_impact(row, Impact.model_validate({"fuels": {name: factors[name] for name in COLD}, **HOURLY}), even)

    assert by_hour["operational_gwp_kgco2e"] == pytest.approx(by_factor["operational_gwp_kgco2e"], rel=1e-6)


COLD = ("district_cooling", "district_heating_water")


def test_other_fuels_are_added() -> None:
    own = parse_study(
        json.dumps(study_document(impact={**HOURLY, "fuels": {"natural_gas": {"gwp_kgco2e_per_kwh": 0.2}}}))
    )
    records = [used(0, 1000, 500), used(1, 1000, 0), used(2, 1000, 500)]
    records[0].summary["electricity_gwp_kgco2e"] = 321.0
    records[1].summary["electricity_gwp_kgco2e"] = 300.0
    records[2].summary["missing"] = {"electricity_gwp_kgco2e": "no operational_gwp_kgco2e: 29 February"}

    baseline, sample, without = rows(manifest_of(own), records)

    assert baseline["operational_gwp_kgco2e"] == pytest.approx(321 + 500 * 0.2)
    assert sample["operational_gwp_saved_kgco2e"] == pytest.approx(121)
    assert without["operational_gwp_kgco2e"] is None
    assert without["missing"] == "no operational_gwp_kgco2e: 29 February"


def test_hours_that_the_tables_do_not_have_leave_no_number(july: Any) -> None:
    database, results = simulated(july, "")
    more = {**results.metrics, "electricity_kwh": (results.metrics["electricity_kwh"] or 0) + 1}

    found, reason = electricity_gwp_kgco2e(database, HourlyFactors((0.4,) * 8760), more)

    # 880 W for 10 hours, 88 W for 14
    assert (found, reason) == (None, "the hours of ElectricityNet:Facility add up to 10.0 kWh, the tables to 11.0 kWh")


def test_files_of_any_year_and_separator() -> None:
    both = b"\xef\xbb\xbfhour;kg\r\n" + b"\r\n".join(b"%d;0.25" % hour for hour in range(8784)) + b"\r\n\r\n"

    factors, problems = read_hourly_factors(both, HourlyElectricity(file="grid.csv", column="kg"))

    assert problems == []
    assert factors is not None
    assert set(factors.factors) == {0.25}
    assert factors.at(2, 29, 24) == 0.25
