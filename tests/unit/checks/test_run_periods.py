"""Whether a model has anything to simulate: run periods, design days, SimulationControl."""

import pytest

from tests.unit.checks.checked_models import check, fault, without

# Run periods
NO_WEATHER_RUN = ("Yes;                     !- Run Simulation for Weather", "No;  !- Run Simulation for Weather")
DESIGN_DAY = """
SizingPeriod:DesignDay,Winter,1,21,WinterDesignDay,-20,0,,,Wetbulb,-20,,,,,80000,2,180,No,No,No,ASHRAEClearSky,,,,,0;
"""
PERIOD = "RunPeriod,Spell,{},Sunday,No,No;\n"


@pytest.mark.parametrize("days", ["2,28,,2,29,", "1,1,,2,29,", "3,1,,2,29,", "2,28,2019,2,29,", "3,1,2020,2,29,"])
def test_a_run_period_to_a_leap_day_of_no_year_is_refused(days: str, one_zone: str) -> None:
    """EnergyPlus 25.2 runs the first 1,097 days, or 367 or 732 if it is given another weekday."""
    problem = fault(without(one_zone, "RunPeriod") + PERIOD.format(days))
    assert problem.what == (
        "RunPeriod 'Spell' ends on 29 February without a year: EnergyPlus would run it to the next leap year"
    )
    assert problem.allowed == "a Begin Year and an End Year"


@pytest.mark.parametrize("days", ["2,28,2020,2,29,", "2,28,2019,2,29,2020", "12,1,,2,28,", "1,1,,12,31,"])
def test_other_run_periods_about_leap_days_pass(days: str, one_zone: str) -> None:
    assert not check(without(one_zone, "RunPeriod") + PERIOD.format(days)).problems


def test_a_run_period_that_is_stretched_to_the_year_may_end_on_any_day(one_zone: str) -> None:
    assert not check(without(one_zone, "RunPeriod") + PERIOD.format("2,28,,2,29,"), run_period="annual").problems


@pytest.mark.parametrize("run_period", ["as_in_model", "annual"])
def test_a_model_with_a_run_period_can_run(run_period: str, one_zone: str) -> None:
    assert not check(one_zone, run_period=run_period).problems


def test_a_model_that_runs_only_design_days_as_it_is_is_refused(one_zone: str) -> None:
    found = fault(one_zone.replace(*NO_WEATHER_RUN) + DESIGN_DAY)
    assert "SimulationControl disables weather-file run periods" in found.what
    assert "'annual'" in found.allowed


def test_a_model_that_runs_only_design_days_can_run_for_a_year(one_zone: str) -> None:
    assert not check(one_zone.replace(*NO_WEATHER_RUN) + DESIGN_DAY, run_period="annual").problems


@pytest.mark.parametrize("answer", ["No", "NO", "no", " no "])
def test_the_answer_of_simulation_control_is_read_in_any_case(answer: str, one_zone: str) -> None:
    assert check(one_zone.replace(NO_WEATHER_RUN[0], f"{answer};  !- ")).problems


@pytest.mark.parametrize("control", ["", "SimulationControl,No,No,No,No;\n", "SimulationControl,No,No,No,No,;\n"])
def test_without_an_answer_the_engine_runs_the_run_periods(control: str, one_zone: str) -> None:
    assert not check(without(one_zone, "SimulationControl") + control).problems


@pytest.mark.parametrize(
    ("run_period", "what"),
    [
        ("as_in_model", "would have no energy use: it has no RunPeriod"),
        ("annual", "has no RunPeriod"),
        ("design_days", "has no SizingPeriod:DesignDay"),
    ],
)
def test_a_model_without_a_period_is_refused(run_period: str, what: str, one_zone: str) -> None:
    found = fault(without(one_zone, "RunPeriod"), run_period=run_period)
    assert what in found.what
    assert "annual" not in found.allowed


@pytest.mark.parametrize("class_name", ["SizingPeriod:DesignDay", "SIZINGPERIOD:DESIGNDAY"])
def test_a_model_with_a_design_day_can_run_it(class_name: str, one_zone: str) -> None:
    model = without(one_zone, "RunPeriod") + DESIGN_DAY.replace("SizingPeriod:DesignDay", class_name)
    assert not check(model, run_period="design_days").problems


def test_other_sizing_periods_are_no_design_days(one_zone: str) -> None:
    model = without(one_zone, "RunPeriod") + "\nSizingPeriod:WeatherFileDays,Winter,1,21,1,22;\n"
    assert "has no SizingPeriod:DesignDay" in fault(model, run_period="design_days").what
