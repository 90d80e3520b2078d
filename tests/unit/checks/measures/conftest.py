"""The files of a study."""

import pytest

from tests.unit.checks.study.folders import DAY_OF_WEATHER


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    return {"room.idf": one_zone.encode(), "chicago.epw": DAY_OF_WEATHER.encode()}
