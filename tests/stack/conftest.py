"""Fixtures of the tests on moto."""

from tests.moto_fixtures import anna, aws, ben, room

__all__ = ["anna", "aws", "ben", "room"]
