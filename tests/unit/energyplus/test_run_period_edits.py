"""The period that a rendered model simulates, and whether it needs ExpandObjects."""

import json
import re

import pytest

from epsm.energyplus.engine import Engine
from tests.unit.energyplus.edited_models import INSULATION, prepared, prepared_epjson, values_of

# -- run periods and templates -----------------------------------------------------------------------------------
SECOND_PERIOD = "\nRunPeriod,Summer,7,1,,7,2,,,No,No;\n"


def test_a_whole_year_drops_further_run_periods(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone + SECOND_PERIOD, options={"run_period": "annual"}).render({})

    assert [values[0] for values in values_of(text, "RunPeriod")] == ["Whole Year"]


def test_a_whole_year_of_a_run_period_over_two_years_ends_in_the_first(engine: Engine, one_zone: str) -> None:
    two_years = re.sub(r"(?ms)^RunPeriod,.*?;", "RunPeriod,Two,7,1,2017,6,30,2018,,No,No;", one_zone)

    text = prepared(engine, two_years, options={"run_period": "annual"}).render({})

    (values,) = values_of(text, "RunPeriod")
    assert (float(values[3]), float(values[6])) == (2017, 2017)


@pytest.mark.parametrize("run_period", ["as_in_model", "design_days"])
def test_run_periods_stay_where_no_whole_year_is_asked_for(engine: Engine, one_zone: str, run_period: str) -> None:
    text = prepared(engine, one_zone + SECOND_PERIOD, options={"run_period": run_period}).render({})

    assert [values[0] for values in values_of(text, "RunPeriod")] == ["Whole Year", "Summer"]


@pytest.mark.parametrize("class_name", ["HVACTemplate:Thermostat", "hvactemplate:thermostat"])
def test_templates_need_expansion(engine: Engine, one_zone: str, class_name: str) -> None:
    assert prepared(engine, f"{one_zone}\n{class_name},T,,20,,26;\n").needs_expansion


def test_a_model_without_templates_needs_no_expansion(engine: Engine, one_zone: str) -> None:
    assert not prepared(engine, one_zone).needs_expansion


def test_a_render_of_the_first_day_ends_each_run_period_where_it_begins(engine: Engine, one_zone: str) -> None:
    second = "\nRunPeriod,Summer,7,1,2017,9,30,2018;\n"
    model = prepared(engine, one_zone + second)
    cut = [values[1:7] for values in values_of(model.render({}, first_day=True), "RunPeriod")]
    assert cut[0] == ("1", "1", "", "1", "1", "")
    assert [float(value) for value in cut[1]] == [7, 1, 2017, 7, 1, 2017]


def test_a_render_of_the_first_day_leaves_the_next_render_alone(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)
    before = model.render({"insulation": 0.3})
    model.render({"insulation": 0.3}, first_day=True)
    assert model.render({"insulation": 0.3}) == before


def test_a_first_day_of_an_annual_study_is_simulated_whatever_simulation_control_says(
    engine: Engine, one_zone: str
) -> None:
    never = one_zone.replace("Yes;                     !- Run Simulation for Weather", "No;  !- Run", 1)
    assert never != one_zone
    model = prepared(engine, never, options={"run_period": "annual"})
    (control,) = values_of(model.render({}, first_day=True), "SimulationControl")
    assert control[3:5] == ("No", "Yes")


def test_a_render_of_the_first_day_of_an_epjson_model_is_cut_too(engine: Engine) -> None:
    period = {"begin_month": 3, "begin_day_of_month": 2, "end_month": 12, "end_day_of_month": 31, "end_year": 2018}
    model = prepared_epjson(engine, {"RunPeriod": {"Year": period}})
    cut = json.loads(model.render({}, first_day=True))["RunPeriod"]["Year"]
    assert cut == {"begin_month": 3, "begin_day_of_month": 2, "end_month": 3, "end_day_of_month": 2}
