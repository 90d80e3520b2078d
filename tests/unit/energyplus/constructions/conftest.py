"""A building with surfaces of every kind."""

import pytest

from tests.unit.energyplus.constructions.edits import STORE


@pytest.fixture
def building(one_zone: str) -> str:
    """Room and, behind it, Store."""
    before = "North Wall,Wall,Wall,Room,,Outdoors"
    assert before in one_zone
    return one_zone.replace(before, "North Wall,Wall,Wall,Room,,OtherSideCoefficients") + STORE
