"""The files of a study."""

import pytest

from tests.unit.checks.study.folders import DAY_OF_WEATHER


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    """What `study_document()` names; its weather is that of one day, which is quick to read."""
    return {"room.idf": one_zone.encode(), "chicago.epw": DAY_OF_WEATHER.encode()}
