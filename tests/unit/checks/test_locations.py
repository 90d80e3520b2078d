"""Models and weather files of different places: a remark where EnergyPlus warns, and only there."""

from pathlib import Path

import pytest

from epsm.checks.locations import location_remark
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.weather import Weather, read_weather


@pytest.fixture(scope="module")
def ohare(chicago: Path) -> Weather:
    """41.98 N, 87.92 W, -6 h, 201 m."""
    weather, problems = read_weather(chicago.read_bytes(), "chicago.epw")
    assert (problems, weather is not None) == ([], True)
    assert weather is not None
    return weather


@pytest.mark.parametrize(
    ("location", "remark"),
    [
        ("41.98,-87.92,-6,201", ""),
        ("42.9,-87.0,-6,215", ""),
        ("43.1,-87.92,-6,201", "125 km away"),
        ("41.98,-87.92,-5,201", "time zone -5 h instead of -6 h"),
        ("41.98,-87.92,-6,225", "elevation 225 m instead of 201 m"),
        ("52.5,13.4,1,49", "7,092 km away, time zone +1 h instead of -6 h, elevation 49 m instead of 201 m"),
    ],
)
def test_the_remark_is_where_the_engine_warns(
    engine: Engine, one_day: str, chicago: Path, ohare: Weather, tmp_path: Path, location: str, remark: str
) -> None:
    model = f"{one_day}\nSite:Location,Here,{location};\n"
    (tmp_path / "in.idf").write_text(model, encoding="utf-8")
    run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=60)
    warned = "Weather file location will be used" in (tmp_path / "eplusout.err").read_text(encoding="utf-8")

    found = location_remark(ohare, "chicago.epw", {"room.idf": read_outline(model.encode(), "room.idf")})

    assert bool(found) == warned == bool(remark)
    if remark:
        assert found.startswith(f"chicago.epw is not from the Site:Location of room.idf ({remark}): EnergyPlus uses")


def test_a_model_without_a_location_has_none_to_compare(ohare: Weather, one_zone: str) -> None:
    outline = read_outline(one_zone.encode(), "room.idf")
    berlin = read_outline(f"{one_zone}\nSite:Location,Berlin,52.5,13.4,1,49;\n".encode(), "berlin.idf")
    assert location_remark(ohare, "chicago.epw", {"room.idf": outline}) == ""
    found = location_remark(ohare, "chicago.epw", {"room.idf": outline, "berlin.idf": berlin})
    assert "of berlin.idf (7,092 km away" in found
    assert "room.idf" not in found


def test_epjson_too(ohare: Weather) -> None:
    text = '{"Site:Location": {"Berlin": {"latitude": 52.5, "longitude": 13.4, "time_zone": 1, "elevation": 49}}}'
    assert "7,092 km away" in location_remark(ohare, "x.epw", {"a.epJSON": read_outline(text.encode(), "a.epJSON")})
