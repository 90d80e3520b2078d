"""zones.parquet and monthly.parquet: energy and peaks of months against the engine's own, and their tables."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from epsm.checks.cells import check_reduced_on
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.verdict import judge
from epsm.results.detail_tables import DetailWriter
from epsm.results.monthly import METERS, MonthlyUse, read_monthly
from epsm.results.reader import Results, read_results
from epsm.results.series import read_series
from epsm.study.schema import Study
from tests.conftest import study_document

Simulated = tuple[Results, tuple[MonthlyUse, ...]]


@pytest.fixture(scope="module")
def year(engine: Engine, one_zone: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    folder = tmp_path_factory.mktemp("year")
    of = Study.model_validate(study_document(parameters=[], outputs={"tables": ["monthly"]}))
    text = prepare(one_zone.encode(), "room.idf", of, engine.idd).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, folder / "in.idf", chicago, folder), folder, timeout_s=60)
    diagnosis = judge(ended, folder)
    assert diagnosis.warnings == 1  # asking for meters that the model does not have would add some
    return read_results(folder / "eplusout.sql", diagnosis.environments), read_monthly(folder / "eplusout.sql")


def test_months_add_up_to_the_year(year: Simulated) -> None:
    results, months = year
    for metric, fuel, end_use in (
        ("electricity_kwh", "electricity", "total"),
        ("interior_lighting_kwh", "electricity", "interior_lighting"),
        ("interior_equipment_kwh", "electricity", "interior_equipment"),
        ("district_heating_water_kwh", "district_heating_water", "total"),
        ("heating_kwh", "district_heating_water", "heating"),
        ("cooling_kwh", "district_cooling", "cooling"),
    ):
        own = [each for each in months if (each.fuel, each.end_use) == (fuel, end_use)]
        assert [each.month for each in own] == list(range(1, 13))
        assert sum(each.energy_kwh for each in own) == pytest.approx(results.metrics[metric], rel=1e-9), metric
    assert {each.fuel for each in months} == {"electricity", "district_heating_water", "district_cooling"}


@pytest.mark.parametrize("fuel", ["electricity", "district_heating_water", "district_cooling"])
def test_the_largest_peak_is_that_of_the_year(year: Simulated, fuel: str) -> None:
    results, months = year
    peaks = [each for each in months if (each.fuel, each.end_use) == (fuel, "total")]
    largest = max(peaks, key=lambda each: each.peak_w or 0)
    assert largest.peak_w == pytest.approx(results.metrics[f"{fuel}_peak_w"], rel=1e-9)
    assert results.texts[f"{fuel}_peak_time"].startswith(f"{largest.month:02d}-")  # type: ignore[union-attr]
    assert all(each.peak_w is not None for each in peaks)


def test_months_have_peaks_of_their_own(year: Simulated) -> None:
    """Lights and equipment follow one schedule all year; the peak of every month is that of its weekdays."""
    _, months = year
    of_lights = [each.peak_w for each in months if each.end_use == "interior_lighting"]
    assert of_lights == pytest.approx([48 * 10] * 12)
    assert {each.peak_w for each in months if (each.fuel, each.end_use) == ("district_cooling", "cooling")} == {None}


def test_the_time_of_the_peak_is_that_of_the_series(
    engine: Engine, one_zone: str, chicago: Path, tmp_path: Path
) -> None:
    meter = "DistrictHeatingWater:Facility"
    outputs = {"meters": [meter], "frequency": "Timestep"}
    of = Study.model_validate(study_document(parameters=[], outputs=outputs))
    (tmp_path / "in.idf").write_text(prepare(one_zone.encode(), "room.idf", of, engine.idd).render({}))
    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=60)
    series = read_series(tmp_path / "eplusout.sql", of.outputs)
    assert series is not None
    peak = series.sort_values(f"{meter} [kWh]")["interval_end"].iloc[-1]

    results = read_results(tmp_path / "eplusout.sql", judge(ended, tmp_path).environments)

    assert results.texts["district_heating_water_peak_time"] == f"{peak:%m-%d %H:%M}"


def test_every_meter_has_one_place() -> None:
    assert METERS["Cogeneration:NaturalGas"] == ("natural_gas", "generators")
    assert METERS["InteriorLights:Electricity"] == ("electricity", "interior_lighting")
    assert len(set(METERS.values())) == len(METERS) == 13 * 15


def test_the_tables_have_the_rows_of_all_variants(year: Simulated, tmp_path: Path) -> None:
    results, months = year
    document = dataclasses.asdict(dataclasses.replace(results, monthly=months))
    writer = DetailWriter(tmp_path, ["zones", "monthly"])
    for index in (0, 2):
        writer.add({"variant_index": index, "model": "room.idf", "weather": "chicago.epw", **document})
    writer.close()

    zones, monthly = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("zones", "monthly"))
    assert zones[["variant_index", "zone", "area_m2"]].to_numpy().tolist() == [[0, "ROOM", 48], [2, "ROOM", 48]]
    assert zones["heating_kwh"].tolist() == pytest.approx([results.metrics["zone_heating_kwh"]] * 2)
    assert zones["heating_design_load_w"].isna().all()
    assert len(monthly) == 2 * len(months)
    january = monthly.query("variant_index == 2 and month == 1 and end_use == 'total' and fuel == 'electricity'")
    assert january["energy_kwh"].tolist() == [months[0].energy_kwh]


def test_a_table_without_variants_has_its_columns(tmp_path: Path) -> None:
    DetailWriter(tmp_path, ["zones"]).close()
    assert {"zone", "area_m2", "heating_kwh", "unmet_cooling_hours"} <= set(pd.read_parquet(tmp_path / "zones.parquet"))


def test_more_zones_than_can_be_collected_are_refused(one_zone: str) -> None:
    values = [index / 1000 for index in range(1, 100)]
    parameter = {**study_document()["parameters"][0], "values": values}
    of = Study.model_validate(study_document(parameters=[parameter], outputs={"tables": ["zones"]}))
    rooms = "".join(f"Zone,Room {number};\n" for number in range(100_000))
    assert list(check_reduced_on(read_outline(one_zone.encode(), "room.idf"), "room.idf", of)) == []
    (problem,) = check_reduced_on(read_outline((one_zone + rooms).encode(), "room.idf"), "room.idf", of)
    assert problem.what == "asks for 10,000,100 rows of zones of room.idf"
