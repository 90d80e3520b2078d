"""The .stat beside an EPW: what EnergyPlus reads of it is there, or it is refused with the line."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from epsm.checks.weather_statistics import check_statistics
from tests.conftest import ENGINE_FOLDER

REAL = sorted(ENGINE_FOLDER.rglob("*.stat"))
MONTHS = "\t".join(str(month) for month in range(12))


def with_lines(*lines: str) -> bytes:
    return "\n".join([" Statistics for TOWN", *lines, ""]).encode("latin-1")


def precipitation(name: str, months: str) -> Iterable[str]:
    return " - Statistics for Liquid Precipitation mm", f"\t {name}\t{months}\t"


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_files_pass(path: Path) -> None:
    assert check_statistics(path.read_bytes(), path.name) == []


def test_real_files_are_there_to_be_tested() -> None:
    assert len(REAL) >= 5


def test_an_empty_file_does_no_harm() -> None:
    assert check_statistics(b"", "town.stat") == []


@pytest.mark.parametrize("name", ["Total", "Max Hourly"])
def test_monthly_precipitation_passes(name: str) -> None:
    assert check_statistics(with_lines(*precipitation(name, MONTHS)), "town.stat") == []


@pytest.mark.parametrize("name", ["Total", "Max Hourly"])
@pytest.mark.parametrize(
    "months", ["", "1\t2\t3", MONTHS.replace("5", "x"), MONTHS.replace("5", ""), MONTHS.replace("5", "99999999999")]
)
def test_damaged_precipitation_is_refused_with_its_line(name: str, months: str) -> None:
    (problem,) = check_statistics(with_lines(*precipitation(name, months)), "town.stat")
    assert problem.where == "town.stat: line 3"


@pytest.mark.parametrize(
    "line",
    ["Statistics", "Location --", "Elevation", "Standard Pressure at Elev", "Data Source --", "WMO Station"],
)
def test_a_line_that_is_cut_off_is_refused(line: str) -> None:
    found = check_statistics(with_lines(f"  {line[:10] if line.startswith('Location') else line} "), "town.stat")
    assert [each.where for each in found] == ["town.stat: line 2"]


def test_a_climate_type_without_its_description_is_refused() -> None:
    climate = ' - Climate type "BSk" (K\xf6ppen classification)**'
    assert check_statistics(with_lines(climate, " - Mid-latitude steppe"), "town.stat") == []
    assert check_statistics(with_lines(climate), "town.stat")


def test_statistics_without_monthly_temperatures_are_refused_where_water_mains_need_them(chicago: Path) -> None:
    whole = chicago.with_suffix(".stat").read_bytes()
    assert check_statistics(whole, "town.stat", for_water_mains=True) == []
    without = whole.replace(b"Monthly Statistics for Dry Bulb", b"Nothing")
    assert check_statistics(without, "town.stat") == []
    (problem,) = check_statistics(without, "town.stat", for_water_mains=True)
    assert "Site:WaterMainsTemperature" in problem.what
