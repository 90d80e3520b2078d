"""Time series: the requested ones from real runs, without design days and warm-up."""

import datetime
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import judge, read_environments
from epsm.results.reader import ImpossibleResult, read_results
from epsm.results.series import missing_series, read_series
from epsm.study.schema import Frequency, Outputs, Study
from tests.conftest import study_document

METER = "Electricity:Facility"
TEMPERATURE = "Zone Mean Air Temperature"
FREQUENCIES: tuple[Frequency, ...] = ("Timestep", "Hourly", "Daily", "Monthly", "RunPeriod")
PERIODS = """
RunPeriod,Winter Days,1,31,,2,2,,Tuesday,No,No;
RunPeriod,Summer Days,7,1,,7,2,,,No,No;
Site:Location,Chicago,41.98,-87.92,-6,201;
SizingPeriod:DesignDay,Winter Day,1,21,WinterDesignDay,-20,0,DefaultMultipliers,,Wetbulb,-20,,,,,98934,4.9,270,No,No,No,
  ASHRAEClearSky;
"""

ToDatabase = Callable[[str], Path]


@pytest.fixture(scope="module")
def simulate(engine: Engine, one_zone: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> ToDatabase:
    """Runs the room on two design days and in two short run periods, with some text added; its database."""
    start, end = one_zone.index("RunPeriod,\n"), one_zone.index("Site:GroundTemperature")
    room = one_zone[:start] + PERIODS + one_zone[end:]
    room = room.replace("  No,                      !- Run Simulation for Sizing Periods", "  Yes,")
    study = Study.model_validate(study_document(parameters=[]))

    def simulate(requests: str) -> Path:
        folder = tmp_path_factory.mktemp("series")
        text = prepare(f"{room}\n{requests}".encode(), "room.idf", study, engine.idd).render({})
        (folder / "in.idf").write_text(text, encoding="utf-8")
        ended = run(command(engine, folder / "in.idf", chicago, folder), folder, timeout_s=60)
        assert judge(ended, folder).verdict.has_results
        return folder / "eplusout.sql"

    return simulate


@pytest.fixture(scope="module")
def database(simulate: ToDatabase) -> Path:
    """A run with a meter and a temperature at every frequency."""
    return simulate(
        "".join(f"Output:Meter,{METER},{each};\nOutput:Variable,*,{TEMPERATURE},{each};\n" for each in FREQUENCIES)
        + "Output:Variable,*,Zone Ideal Loads Supply Air Total Heating Energy,Hourly;\n"
    )


def series(database: Path, frequency: Frequency = "Hourly", *, meters: tuple[str, ...] = (METER,)) -> pd.DataFrame:
    found = read_series(database, Outputs(meters=meters, variables=(TEMPERATURE,), frequency=frequency))
    assert found is not None
    return found


def moment(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2017, month, day, hour, minute)  # noqa: DTZ001 - the weather file's own standard time


# -- rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "rows"),
    [("Timestep", 5 * 24 * 4), ("Hourly", 5 * 24), ("Daily", 5), ("Monthly", 3), ("RunPeriod", 2)],
)
def test_there_is_a_row_for_every_interval_of_the_run_periods(database: Path, frequency: Frequency, rows: int) -> None:
    assert len(series(database, frequency)) == rows


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_design_days_are_left_out(database: Path, frequency: Frequency) -> None:
    assert list(series(database, frequency)["environment"].unique()) == ["WINTER DAYS", "SUMMER DAYS"]


@pytest.mark.parametrize(
    ("frequency", "first", "last"),
    [
        ("Timestep", moment(1, 31, 0, 15), moment(7, 3)),
        ("Hourly", moment(1, 31, 1), moment(7, 3)),
        ("Daily", moment(2, 1), moment(7, 3)),
    ],
)
def test_a_time_is_the_end_of_its_interval(
    database: Path, frequency: Frequency, first: datetime.datetime, last: datetime.datetime
) -> None:
    times = series(database, frequency)["interval_end"]

    assert (times.iloc[0], times.iloc[-1]) == (first, last)


def test_the_last_hour_of_a_month_ends_in_the_next(database: Path) -> None:
    times = list(series(database)["interval_end"])

    assert times[22:25] == [moment(1, 31, 23), moment(2, 1), moment(2, 1, 1)]


def intervals(found: pd.DataFrame) -> list[tuple[datetime.datetime, datetime.datetime]]:
    return list(zip(found["interval_start"], found["interval_end"], strict=True))


def test_a_month_begins_and_ends_within_the_run_period(database: Path) -> None:
    assert intervals(series(database, "Monthly")) == [
        (moment(1, 31), moment(2, 1)),
        (moment(2, 1), moment(2, 3)),
        (moment(7, 1), moment(7, 3)),
    ]


def test_a_whole_run_period_begins_and_ends_with_it(database: Path) -> None:
    assert intervals(series(database, "RunPeriod")) == [(moment(1, 31), moment(2, 3)), (moment(7, 1), moment(7, 3))]


@pytest.mark.parametrize(("frequency", "minutes"), [("Timestep", 15), ("Hourly", 60), ("Daily", 1440)])
def test_an_interval_begins_where_the_one_before_ends(database: Path, frequency: Frequency, minutes: int) -> None:
    found = series(database, frequency)

    assert intervals(found)[0] == (moment(1, 31), moment(1, 31) + datetime.timedelta(minutes=minutes))
    assert set(found["interval_end"] - found["interval_start"]) == {datetime.timedelta(minutes=minutes)}


@pytest.mark.parametrize("frequency", ["Timestep", "Hourly", "Daily", "Monthly"])
def test_a_series_is_grouped_by_the_beginning_of_its_intervals(database: Path, frequency: Frequency) -> None:
    found = series(database, frequency)

    by_month = found.groupby(found["interval_start"].dt.month)[f"{METER} [kWh]"].sum()

    assert list(by_month.index) == [1, 2, 7]
    assert by_month[1] == pytest.approx(series(database, "Daily")[f"{METER} [kWh]"].iloc[0], rel=1e-9)


def test_without_the_periods_a_month_is_the_whole_and_a_run_period_has_no_time(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "eplusout.sql"
    copy.write_bytes(database.read_bytes())

    assert intervals(series(copy, "Monthly"))[0] == (moment(1, 1), moment(2, 1))
    assert series(copy, "RunPeriod")["interval_end"].isna().all()


def test_what_only_the_model_asks_for_is_left_out(simulate: ToDatabase) -> None:
    asked = f"Output:Meter,{METER},Hourly;\nOutput:Variable,*,{TEMPERATURE},Hourly;\n"
    own = f"Output:Meter:Cumulative,{METER},Hourly;\nOutput:Variable,*,{TEMPERATURE},Hourly,Office Hours;\n"

    found = series(simulate(asked + own))

    pd.testing.assert_frame_equal(found, series(simulate(asked)))


def test_an_infinite_value_is_no_result(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "eplusout.sql"
    copy.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE ReportData SET Value = 9e999")
        connection.commit()

    with pytest.raises(ImpossibleResult, match="infinite"):
        series(copy)


@pytest.mark.parametrize("frequency", ["Timestep", "Hourly", "Daily"])
def test_times_are_in_order(database: Path, frequency: Frequency) -> None:
    assert series(database, frequency)["interval_end"].is_monotonic_increasing


WARM_UP = "Output:Diagnostics,ReportDuringWarmup;\n"


def test_warm_up_is_left_out_of_timesteps(simulate: ToDatabase) -> None:
    warm = simulate(f"{WARM_UP}Output:Meter,{METER},Timestep;\n")

    assert len(series(warm, "Timestep")) == 5 * 24 * 4


# -- columns and values ------------------------------------------------------------------------------------------


def test_a_column_is_named_after_its_series_and_unit(database: Path) -> None:
    assert list(series(database)) == [
        "environment",
        "interval_start",
        "interval_end",
        f"{METER} [kWh]",
        f"ROOM: {TEMPERATURE} [C]",
    ]


def test_energy_is_in_kwh(database: Path) -> None:
    # On a Tuesday night a tenth of the lights (10 W/m2 on 48 m2) and of the equipment (400 W) is on.
    assert series(database)[f"{METER} [kWh]"].iloc[0] == pytest.approx(0.1 * (480 + 400) / 1000, rel=1e-12)


def test_a_variable_in_joules_is_in_kwh_too(database: Path) -> None:
    variable = "Zone Ideal Loads Supply Air Total Heating Energy"

    found = read_series(database, Outputs(variables=(variable,)))

    assert found is not None
    assert list(found)[3:] == [f"ROOM IDEAL LOADS: {variable} [kWh]"]


def test_a_temperature_stays_what_it_is(database: Path) -> None:
    assert series(database)[f"ROOM: {TEMPERATURE} [C]"].between(19.9, 26.1).all()


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_meter_adds_up_to_the_total_of_the_tables(database: Path, frequency: Frequency) -> None:
    environments = read_environments(database.with_name("eplusout.eio"))

    total = read_results(database, environments).metrics["electricity_kwh"]

    assert series(database, frequency)[f"{METER} [kWh]"].sum() == pytest.approx(total, rel=1e-9)


# -- what is asked for -------------------------------------------------------------------------------------------


def test_nothing_asked_for_gives_none(database: Path) -> None:
    assert read_series(database, Outputs()) is None


def test_case_does_not_count_in_what_is_asked_for(database: Path) -> None:
    found = read_series(database, Outputs(meters=("electricity:FACILITY",)))

    assert found is not None
    assert list(found)[3:] == [f"{METER} [kWh]"]


def test_a_series_that_a_run_does_not_have_is_named_with_the_reason() -> None:
    series = pd.DataFrame(
        columns=["environment", "ROOM: Zone Mean Air Temperature [C]", "HALL: LIT [kWh]", "BOTH [kWh]"]
    )
    asked = (TEMPERATURE, "Hall: Lit", "Both [kWh] Sum", "Heating")
    cut = "EnergyPlus truncates names at '[', also those of Meter:Custom: use a name without brackets and unit"
    assert missing_series(series, asked) == {
        "Both [kWh] Sum": f"the model has no 'Both [kWh] Sum'; {cut}",
        "Heating": "the model has no 'Heating'",
    }


def test_only_what_is_asked_for_is_there(database: Path) -> None:
    found = read_series(database, Outputs(meters=(METER,)))

    assert found is not None
    assert list(found)[3:] == [f"{METER} [kWh]"]


def test_a_meter_that_the_model_does_not_have_is_no_column(database: Path) -> None:
    assert list(series(database, meters=(METER, "Steam:Facility"))) == list(series(database))


def test_nothing_but_meters_that_the_model_does_not_have_gives_no_row(database: Path) -> None:
    found = read_series(database, Outputs(meters=("Steam:Facility",)))

    assert found is not None
    assert (list(found), len(found)) == (["environment", "interval_start", "interval_end"], 0)


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_series_survive_being_stored(database: Path, tmp_path: Path, frequency: Frequency) -> None:
    before = series(database, frequency)

    before.to_parquet(tmp_path / "series.parquet", index=False)

    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "series.parquet"), before, check_dtype=False)


def test_a_name_may_be_in_any_encoding(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "eplusout.sql"
    copy.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        rename = "UPDATE ReportDataDictionary SET KeyValue = CAST(? AS TEXT) WHERE KeyValue = 'ROOM'"
        connection.execute(rename, ("BÜRO".encode("latin-1"),))
        connection.commit()

    assert f"B\N{REPLACEMENT CHARACTER}RO: {TEMPERATURE} [C]" in series(copy)


def test_a_database_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        read_series(tmp_path / "eplusout.sql", Outputs(meters=(METER,)))
