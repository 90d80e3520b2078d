"""Buckets and a table with studies in them."""

import pytest

from tests.unit.operations.retention.worlds import World


@pytest.fixture
def world() -> World:
    return World()
